/* SPDX-License-Identifier: MIT */
/* The serial console, and the sockets by which QEMU and the guest's agent are controlled. */
#include <string.h>

#include "base/error.h"
#include "command/args-claim.h"
#include "command/args-nouns.h"
#include "command/args-socket.h"
#include "command/qemu-opt.h"

/* ---- the console ---- */

#define CONSOLE_LOG "console.log"

static bool has_path(const char *kind) {
    return strcmp(kind, "file") == 0 || strcmp(kind, "socket") == 0;
}

static void begin_console(struct args *args, struct strbuf *chardev, const char *kind,
                          const char *path) {
    strbuf_addf(chardev, "%s,id=console", kind);
    if (is_on(args->vm->console_monitor)) /* as -serial mon:stdio */
        strbuf_add(chardev, ",mux=on");
    if (strcmp(kind, "stdio") == 0) { /* Ctrl-C is the guest's */
        strbuf_add(chardev, ",signal=off");
    } else if (strcmp(kind, "file") == 0) {
        qemu_opt_add(chardev, "path", path);
        strbuf_add(chardev, ",append=on");
        args_claim(args, "console_path", path);
        resources_add_write(&args->resources, path);
    } else if (strcmp(kind, "socket") == 0) {
        qemu_opt_add(chardev, "path", path);
        strbuf_add(chardev, ",server=on,wait=off");
        args_claim(args, "console_path", path);
        resources_add_socket(&args->resources, path);
        resources_name_socket(&args->resources, VQEMU_SOCKET_CONSOLE, path);
    } else {
        args->resources.pty = true;
        resources_add_file(&args->resources, "/dev/ptmx", VQEMU_FILE_READ | VQEMU_FILE_WRITE);
        resources_add_file(&args->resources, "/dev/pts", VQEMU_FILE_READ | VQEMU_FILE_WRITE);
    }
}

static int check_console(const vqemu_vm *vm, const char *kind, vqemu_error **error) {
    bool none = strcmp(kind, "none") == 0;
    if (vm->console_path && !has_path(kind))
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "console_path: only a console of kind file or socket has one");
    if (vm->console_log && none)
        return args_refuse(error, VQEMU_ERR_INVALID, "console_log: there is no console");
    if (is_on(vm->console_monitor) && (none || strcmp(kind, "file") == 0))
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "console_monitor: nothing can be typed at a console of kind %s", kind);
    return 0;
}

static void add_console_log(struct args *args, struct strbuf *chardev) {
    if (!args->vm->console_log)
        return;
    qemu_opt_add(chardev, "logfile", args->vm->console_log);
    strbuf_add(chardev, ",logappend=on");
    args_claim(args, "console_log", args->vm->console_log);
    resources_add_write(&args->resources, args->vm->console_log);
}

char *args_default_console_log(const struct args *args) {
    const vqemu_vm *vm = args->vm;
    bool is_file = vm->console && strcmp(vm->console, "file") == 0;
    return is_file && !vm->console_path ? args_path_or(NULL, args->state_dir, CONSOLE_LOG) : NULL;
}

int args_add_console(struct args *args, vqemu_error **error) {
    const vqemu_vm *vm = args->vm;
    const char *kind = vm->console ? vm->console : "stdio";
    struct strbuf chardev = {0};
    int r = check_console(vm, kind, error);
    if (r < 0)
        return r;
    if (strcmp(kind, "none") == 0) {
        args_option(args, "-serial", "none");
        return 0;
    }
    bool is_file = strcmp(kind, "file") == 0; /* a guest must not fill the host's /run */
    _cleanup_free_ char *path =
        args_path_or(vm->console_path, is_file ? args->state_dir : args->runtime_dir,
                     is_file ? CONSOLE_LOG : "console.sock");
    if (!path)
        return error_no_memory(error);
    if (strcmp(kind, "socket") == 0 && strlen(path) > SOCKET_PATH_MAX)
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "console_path: it has %zu bytes; that of a Unix socket can have %zu",
                           strlen(path), SOCKET_PATH_MAX);
    begin_console(args, &chardev, kind, path);
    add_console_log(args, &chardev);
    args_option_buffer(args, "-chardev", &chardev);
    args_option(args, "-serial", "chardev:console");
    if (is_on(vm->console_monitor))
        args_option(args, "-mon", "chardev=console,mode=readline");
    return 0;
}

/* ---- QMP ---- */

static void add_qmp(struct args *args, const char *name, const char *id, const char *key,
                    const char *path) {
    args_listen(args, id, key, path);
    resources_name_socket(&args->resources, name, path);
    strv_add(&args->argv, "-mon");
    strv_addf(&args->argv, "chardev=%s,mode=control", id);
}

static void add_qmp_descriptor(struct args *args) {
    int fd = args_claim_descriptor(args, "qmp_fd", args->vm->qmp_fd, args->vm->qmp_fd_name);
    strv_add(&args->argv, "-chardev");
    strv_addf(&args->argv, "socket,id=qmp-fd,fd=%d,server=on,wait=off", fd);
    args_option(args, "-mon", "chardev=qmp-fd,mode=control");
}

/* A service has a socket for the caller in any case, and a second one to stop the guest by. */
static int plan_qmp(const struct args *args, char **qmp, char **stop, vqemu_error **error) {
    bool for_unit = args->flags & VQEMU_COMMAND_FOR_UNIT;
    if (args->vm->qmp_fd && args->vm->qmp_fd_name)
        return args_refuse(error, VQEMU_ERR_INVALID, "qmp_fd_name: there is a qmp_fd as well");
    if (!args->vm->qmp_socket && !for_unit)
        return 0;
    *qmp = args_path_or(args->vm->qmp_socket, args->runtime_dir, "qmp.sock");
    if (for_unit)
        *stop = args_path_or(NULL, args->runtime_dir, "unit.sock");
    return *qmp && (!for_unit || *stop) ? 0 : error_no_memory(error);
}

static void add_guest_agent(struct args *args, const char *path) {
    struct strbuf device = {0};
    args_virtio(args, &device, "virtio-serial", "serial", -1);
    args_option_buffer(args, "-device", &device);
    args_listen(args, "agent", "guest_agent_socket", path);
    resources_name_socket(&args->resources, VQEMU_SOCKET_AGENT, path);
    args_option(args, "-device",
                "virtserialport,bus=serial.0,chardev=agent,name=org.qemu.guest_agent.0");
}

int args_add_control(struct args *args, vqemu_error **error) {
    _cleanup_free_ char *qmp = NULL, *stop = NULL;
    int r = plan_qmp(args, &qmp, &stop, error);
    if (r < 0)
        return r;
    if (qmp)
        add_qmp(args, VQEMU_SOCKET_QMP, "qmp", "qmp_socket", qmp);
    if (stop)
        add_qmp(args, VQEMU_SOCKET_STOP, "qmp-unit", "the unit's QMP socket", stop);
    if (args->vm->qmp_fd || args->vm->qmp_fd_name)
        add_qmp_descriptor(args);
    if (args->vm->guest_agent_socket)
        add_guest_agent(args, args->vm->guest_agent_socket);
    return 0;
}
