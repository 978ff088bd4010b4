/* SPDX-License-Identifier: MIT */
/* The serial console. */
#include <string.h>

#include "base/error.h"
#include "command/plan-claim.h"
#include "command/plan-nouns.h"
#include "command/refusal.h"

static const char *const kinds[] = {
    [CONSOLE_NONE] = "none", [CONSOLE_STDIO] = "stdio",   [CONSOLE_PTY] = "pty",
    [CONSOLE_FILE] = "file", [CONSOLE_SOCKET] = "socket",
};

static enum console_kind find_kind(const char *name) {
    enum console_kind kind = CONSOLE_NONE;
    while (kind < CONSOLE_SOCKET && strcmp(kinds[kind], name) != 0)
        kind++;
    return kind;
}

static int check_console(const vqemu_vm *vm, enum console_kind kind, vqemu_error **error) {
    bool has_path = kind == CONSOLE_FILE || kind == CONSOLE_SOCKET;
    if (vm->console_path && !has_path)
        return refuse(error, VQEMU_ERR_INVALID,
                      "console_path: only a console of kind file or socket has one");
    if (vm->console_log && kind == CONSOLE_NONE)
        return refuse(error, VQEMU_ERR_INVALID, "console_log: there is no console");
    if (is_on(vm->console_monitor) && (kind == CONSOLE_NONE || kind == CONSOLE_FILE))
        return refuse(error, VQEMU_ERR_INVALID,
                      "console_monitor: nothing can be typed at a console of kind %s", kinds[kind]);
    return 0;
}

/* A guest must not fill the host's /run. */
static struct choice choose_path(struct plan *plan, enum console_kind kind) {
    const char *path = plan->vm->console_path;
    if (path)
        return (struct choice){path, origin_key("console_path", NULL)};
    if (kind == CONSOLE_FILE)
        return (struct choice){plan_path_or(plan, NULL, plan->identity.state_dir, "console.log"),
                               origin_key("console_path", "default: in the VM's state directory")};
    return (struct choice){plan_path_or(plan, NULL, plan->identity.runtime_dir, "console.sock"),
                           origin_key("console_path", "default: in the VM's runtime directory")};
}

static void use_console(struct plan *plan) {
    const char *path = plan->console.path.value;
    struct resources *resources = &plan->resources;
    if (plan->console.kind == CONSOLE_FILE) {
        plan_claim(plan, "console_path", path);
        resources_add_write(resources, path);
    } else if (plan->console.kind == CONSOLE_SOCKET) {
        plan_listen(plan, "console_path", path);
        resources_name_socket(resources, VQEMU_SOCKET_CONSOLE, path);
    } else if (plan->console.kind == CONSOLE_PTY) {
        resources->pty = true;
        resources_add_file(resources, "/dev/ptmx", VQEMU_FILE_READ | VQEMU_FILE_WRITE);
        resources_add_file(resources, "/dev/pts", VQEMU_FILE_READ | VQEMU_FILE_WRITE);
    }
    if (plan->vm->console_log) {
        plan_claim(plan, "console_log", plan->vm->console_log);
        resources_add_write(resources, plan->vm->console_log);
    }
}

int plan_console(struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    enum console_kind kind = vm->console ? find_kind(vm->console) : CONSOLE_STDIO;
    int r = check_console(vm, kind, error);
    if (r < 0)
        return r;
    plan->console.kind = kind;
    plan->console.name = (struct choice){
        kinds[kind], origin_key("console", vm->console ? NULL : "default: where QEMU was started")};
    if (kind == CONSOLE_FILE || kind == CONSOLE_SOCKET)
        plan->console.path = choose_path(plan, kind);
    const char *path = plan->console.path.value;
    if (kind == CONSOLE_SOCKET && strlen(path) > SOCKET_PATH_MAX)
        return refuse(error, VQEMU_ERR_INVALID,
                      "console_path: it has %zu bytes; that of a Unix socket can have %zu",
                      strlen(path), SOCKET_PATH_MAX);
    use_console(plan);
    return 0;
}
