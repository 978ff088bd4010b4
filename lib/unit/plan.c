/* SPDX-License-Identifier: MIT */
#include "unit/plan.h"

#include <string.h>

bool unit_is_below(const char *path, const char *directory) {
    size_t length = strlen(directory);
    while (length > 0 && directory[length - 1] == '/')
        length--;
    return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

const char *unit_stop_program(const struct unit_plan *plan) {
    return plan->settings.stop->count > 0 ? plan->settings.stop->items[0] : NULL;
}

/* What systemd makes below a directory of its own is written without quotes or specifiers. */
static bool is_plain(const char *path) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./@:";
    return *path && *path != '/' && strspn(path, plain) == strlen(path) && !strstr(path, "..") &&
           !strstr(path, "//");
}

/* The part of path behind a directory, as "volt/web" of "/run/volt/web"; NULL if it is elsewhere,
 * or cannot be written. */
static const char *behind(const char *path, const char *directory) {
    size_t length = strlen(directory);
    if (strncmp(path, directory, length) != 0 || !is_plain(path + length))
        return NULL;
    return path + length;
}

/* The same for the user's own directory in /run. */
static const char *behind_users(const char *path) {
    const char *user = "/run/user/";
    const char *slash =
        strncmp(path, user, strlen(user)) == 0 ? strchr(path + strlen(user), '/') : NULL;
    return slash && is_plain(slash + 1) ? slash + 1 : NULL;
}

/* Whether a path is the directory of the VM in a directory for all of them. */
static bool is_named_own(const struct unit_plan *plan, const char *path, const char *base) {
    size_t length = strlen(base);
    return strncmp(path, base, length) == 0 && path[length] == '/' &&
           strcmp(path + length + 1, vqemu_command_vm_id(plan->command)) == 0;
}

/* RuntimeDirectory= is below /run or the user's own directory there. */
static const char *find_runtime_directory(const struct unit_plan *plan) {
    const char *path = vqemu_command_runtime_dir(plan->command);
    const char *base = plan->settings.command.runtime_base;
    if (!plan->for_user)
        return is_named_own(plan, path, base) ? behind(path, "/run/") : NULL;
    const char *part = behind_users(path);
    return part && (is_named_own(plan, path, base) || is_named_own(plan, part, "volt")) ? part
                                                                                        : NULL;
}

static const char *find_state_directory(const struct unit_plan *plan) {
    const char *path = vqemu_command_state_dir(plan->command);
    return is_named_own(plan, path, plan->settings.command.state_base) ? behind(path, "/var/lib/")
                                                                       : NULL;
}

static bool uses_state_dir(const struct unit_plan *plan) {
    const char *state_dir = vqemu_command_state_dir(plan->command);
    for (size_t i = 0; i < plan->uses->writes.count; i++)
        if (unit_is_below(plan->uses->writes.items[i], state_dir))
            return true;
    for (size_t i = 0; i < plan->uses->sockets.count; i++)
        if (unit_is_below(plan->uses->sockets.items[i], state_dir))
            return true;
    for (size_t i = 0; i < plan->uses->companion_count; i++)
        if (unit_is_below(plan->uses->companions[i].directory, state_dir))
            return true;
    return false;
}

void unit_plan_directories(struct unit_plan *plan) {
    plan->runtime_directory = find_runtime_directory(plan);
    plan->uses_state_dir = uses_state_dir(plan);
    if (!plan->for_user && plan->uses_state_dir)
        plan->state_directory = find_state_directory(plan);
}

bool unit_is_provided(const struct unit_plan *plan, const char *path) {
    return (plan->runtime_directory &&
            unit_is_below(path, vqemu_command_runtime_dir(plan->command))) ||
           (plan->state_directory && unit_is_below(path, vqemu_command_state_dir(plan->command)));
}

bool unit_is_own(const struct unit_plan *plan, const char *path) {
    return unit_is_below(path, vqemu_command_runtime_dir(plan->command)) ||
           (plan->uses_state_dir && unit_is_below(path, vqemu_command_state_dir(plan->command)));
}

bool unit_is_root(const struct unit_plan *plan) {
    const char *user = vqemu_command_user(plan->command);
    bool is_zero = user && *user && user[strspn(user, "0")] == '\0'; /* however many */
    return !plan->for_user && (!user || strcmp(user, "root") == 0 || is_zero);
}

bool unit_companion_is_root(const struct unit_plan *plan, const struct companion *companion) {
    return unit_is_root(plan) || (companion->kind == COMPANION_VIRTIOFSD && !plan->for_user &&
                                  is_on(plan->vm->virtiofsd_root));
}

void unit_add_user(const struct unit_plan *plan, struct strbuf *text) {
    const char *user = vqemu_command_user(plan->command);
    if (user)
        strbuf_addf(text, "User=%s\n", user);
}
