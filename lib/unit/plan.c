/* SPDX-License-Identifier: MIT */
#include "unit/plan.h"

#include <string.h>

bool unit_is_below(const char *path, const char *directory) {
    size_t length = strlen(directory);
    while (length > 0 && directory[length - 1] == '/')
        length--;
    return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* The part of path behind prefix and one directory, as "volt/web" of "/run/user/1000/volt/web". */
static const char *behind_directory(const char *path, const char *prefix) {
    if (strncmp(path, prefix, strlen(prefix)) != 0)
        return NULL;
    const char *slash = strchr(path + strlen(prefix), '/');
    return slash ? slash + 1 : NULL;
}

static bool is_volt_directory(const char *path, const char *parent, const char *id) {
    return path && strncmp(path, parent, strlen(parent)) == 0 &&
           strcmp(path + strlen(parent), id) == 0;
}

/* RuntimeDirectory= is below /run or the user's own directory there. */
static bool has_runtime_dir(const struct unit_plan *plan) {
    const char *path = vqemu_command_runtime_dir(plan->command);
    const char *id = vqemu_command_vm_id(plan->command);
    return plan->for_user ? is_volt_directory(behind_directory(path, "/run/user/"), "volt/", id)
                          : is_volt_directory(path, "/run/volt/", id);
}

static bool uses_state_dir(const struct unit_plan *plan) {
    const char *state_dir = vqemu_command_state_dir(plan->command);
    for (size_t i = 0; i < plan->uses->writes.count; i++)
        if (unit_is_below(plan->uses->writes.items[i], state_dir))
            return true;
    for (size_t i = 0; i < plan->uses->companion_count; i++)
        if (unit_is_below(plan->uses->companions[i].directory, state_dir))
            return true;
    return false;
}

void unit_plan_directories(struct unit_plan *plan) {
    plan->has_runtime_dir = has_runtime_dir(plan);
    plan->has_state_dir =
        !plan->for_user && uses_state_dir(plan) &&
        is_volt_directory(vqemu_command_state_dir(plan->command), "/var/lib/volt/vms/",
                          vqemu_command_vm_id(plan->command));
}

void unit_add_user(const struct unit_plan *plan, struct strbuf *text) {
    const char *user = vqemu_command_user(plan->command);
    if (user)
        strbuf_addf(text, "User=%s\n", user);
}
