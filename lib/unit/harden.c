/* SPDX-License-Identifier: MIT */
/*
 * Confinement: what a service uses stays reachable, and the rest does not (systemd.exec(5)). A
 * restriction that cannot be written exactly is left out rather than written wrongly.
 */
#include "unit/harden.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/quote.h"
#include "vm/property.h"
#include "vm/share.h"

/* Groups of systemd.exec(5) that no VM needs; what QEMU itself does not need, its -sandbox denies.
 */
#define DENIED_CALLS "@clock @cpu-emulation @debug @module @obsolete @raw-io @reboot @swap"

/* What opens files whatever their mode, as root is used to. */
#define FILE_CAPABILITIES "CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH"
/* What 9p needs besides, to give files the owners and modes that a guest wants. */
#define OWNER_CAPABILITIES " CAP_CHOWN CAP_FOWNER CAP_FSETID"
/* What virtiofsd keeps, and before that, what it needs to lock itself into its directory. */
#define VIRTIOFSD_CAPABILITIES                                                                     \
    "CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_SETGID CAP_SETUID "  \
    "CAP_MKNOD CAP_SETFCAP CAP_SYS_ADMIN CAP_SETPCAP CAP_SYS_CHROOT"

struct confinement {
    bool for_user;
    bool is_opaque;     /* it may use more than is known here */
    bool gains;         /* it starts a program that is setuid root */
    bool uses_internet; /* it opens Internet sockets, */
    bool uses_network;  /* or uses the host's network otherwise */
    bool makes_code;    /* and executes it */
    bool has_sandbox;   /* it makes namespaces of its own, and mounts there */
    bool sets_modes;    /* for a guest, which may want files that are setuid */
    bool uses_hugepages;
    bool opens_many; /* files */
    char capabilities[256];
    bool limits_capabilities;
    struct strv places;    /* all that it uses, also where links lead */
    struct strv writable;  /* with what is below */
    struct strv read_only; /* must not become writable */
    struct strv devices;
};

/* ---- places ---- */

/* Where a path leads. What does not exist yet is taken as it is written. */
static char *resolve(const char *path) {
    _cleanup_free_ char *existing = strdup(path);
    while (existing) {
        _cleanup_free_ char *real = realpath(existing, NULL);
        if (real)
            return format_string("%s%s", strcmp(real, "/") == 0 ? "" : real,
                                 path + strlen(existing));
        if (errno == ENOMEM)
            return NULL;
        char *slash = strrchr(existing, '/');
        if (!slash || slash == existing)
            return strdup(path);
        *slash = '\0';
    }
    return NULL;
}

static void add_place(struct confinement *confinement, const char *path) {
    char *real = resolve(path);
    if (!real || strcmp(real, path) != 0)
        strv_take_in(&confinement->places, real);
    else
        free(real);
    strv_add(&confinement->places, path);
}

static void add_places(struct confinement *confinement, const struct strv *paths) {
    for (size_t i = 0; i < paths->count; i++)
        add_place(confinement, paths->items[i]);
}

static bool uses(const struct confinement *confinement, const char *directory) {
    for (size_t i = 0; i < confinement->places.count; i++)
        if (unit_is_below(confinement->places.items[i], directory))
            return true;
    return false;
}

/* The directory that a file is in. */
static void add_parent(struct strv *paths, const char *path) {
    const char *slash = strrchr(path, '/');
    size_t length = slash && slash > path ? (size_t)(slash - path) : 1;
    strv_addf(paths, "%.*s", (int)length, path);
}

/* ---- files ---- */

/* Whether the directory above could be found in a path; systemd wants none of "..". */
static bool goes_up(const char *path) {
    return strstr(path, "/..") != NULL;
}

/*
 * Add the path, or if it cannot be written in a unit, the directory above. "-": should it be
 * missing, QEMU says that better than systemd. Returns false if nothing but "/" is left.
 */
static bool add_writable(struct strbuf *text, const char *path) {
    _cleanup_free_ char *shorter = goes_up(path) ? resolve(path) : strdup(path);
    text->failed = text->failed || !shorter;
    while (shorter && !goes_up(shorter) && shorter[strspn(shorter, "/")] != '\0') {
        _cleanup_strbuf_ struct strbuf word = {0}, line = {0};
        strbuf_addf(&word, "-%s", shorter);
        if (!word.failed && unit_add_path(&line, word.text) && !line.failed) {
            strbuf_addf(text, "ReadWritePaths=%s\n", line.text);
            return true;
        }
        text->failed = text->failed || word.failed || line.failed;
        *strrchr(shorter, '/') = '\0';
    }
    return false;
}

static void confine_files(struct strbuf *text, const struct confinement *confinement) {
    _cleanup_strbuf_ struct strbuf lines = {0};
    bool all_written = true;
    for (size_t i = 0; i < confinement->writable.count; i++)
        all_written = add_writable(&lines, confinement->writable.items[i]) && all_written;
    text->failed = text->failed || lines.failed;
    if (all_written)
        strbuf_addf(text, "ProtectSystem=strict\n%s", lines.text ? lines.text : "");
    for (size_t i = 0; i < confinement->read_only.count; i++) {
        strbuf_add(text, "ReadOnlyPaths=");
        unit_add_path(text, confinement->read_only.items[i]);
        strbuf_add_char(text, '\n');
    }
    bool uses_homes =
        uses(confinement, "/home") || uses(confinement, "/root") || uses(confinement, "/run/user");
    strbuf_addf(text, "ProtectHome=%s\n", uses_homes ? "read-only" : "yes");
    if (!uses(confinement, "/tmp") && !uses(confinement, "/var/tmp"))
        strbuf_add(text, "PrivateTmp=yes\n");
}

/* ---- devices ---- */

/* DevicePolicy=closed allows these (systemd.resource-control(5)). */
static bool is_pseudo_device(const char *path) {
    static const char *const names[] = {"null", "zero", "full", "random", "urandom", "tty"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(path, "/dev/", 5) == 0 && strcmp(path + 5, names[i]) == 0)
            return true;
    return false;
}

/* Returns false if a node cannot be named. */
static bool add_devices(struct strbuf *lines, const struct strv *devices) {
    for (size_t i = 0; i < devices->count; i++) {
        _cleanup_free_ char *real = resolve(devices->items[i]);
        lines->failed = lines->failed || !real;
        const char *path = unit_is_below(devices->items[i], "/dev") ? devices->items[i] : real;
        if (!path || !unit_is_below(path, "/dev"))
            return false;
        strbuf_add(lines, "DeviceAllow=");
        if (!unit_add_path(lines, path))
            return false;
        strbuf_add(lines, " rw\n");
    }
    return true;
}

static void confine_devices(struct strbuf *text, const struct confinement *confinement) {
    _cleanup_strbuf_ struct strbuf lines = {0};
    bool is_known = add_devices(&lines, &confinement->devices);
    text->failed = text->failed || lines.failed;
    if (!is_known) /* ProtectClock= would forbid all devices but the clock */
        return;
    strbuf_add(text, "ProtectClock=yes\n");
    /* virtiofsd keeps CAP_MKNOD, which PrivateDevices= takes away. */
    if (confinement->devices.count == 0 && !confinement->has_sandbox)
        strbuf_add(text, "PrivateDevices=yes\n");
    else
        strbuf_addf(text, "DevicePolicy=closed\n%s", lines.text ? lines.text : "");
}

/* ---- the kernel ---- */

static void confine_kernel(struct strbuf *text, const struct confinement *confinement) {
    strbuf_add(text, "ProtectKernelTunables=yes\nProtectKernelLogs=yes\n"
                     "ProtectControlGroups=yes\nProtectHostname=yes\n");
    /* This hides modules, and the kernels that some distributions have beside them. */
    if (!confinement->is_opaque && !uses(confinement, "/usr/lib/modules") &&
        !uses(confinement, "/lib/modules"))
        strbuf_add(text, "ProtectKernelModules=yes\n");
}

static void confine_process(struct strbuf *text, const struct confinement *confinement) {
    if (confinement->limits_capabilities)
        strbuf_addf(text, "CapabilityBoundingSet=%s\n", confinement->capabilities);
    if (!confinement->has_sandbox) /* which mounts a /proc of its own */
        strbuf_add(text, "ProtectProc=invisible\n");
    if (!confinement->uses_network && !confinement->uses_internet)
        strbuf_add(text, "PrivateNetwork=yes\n");
    if (confinement->uses_hugepages)
        strbuf_add(text, "LimitMEMLOCK=infinity\n");
    if (confinement->opens_many)
        strbuf_add(text, "LimitNOFILE=1000000\n");
}

/*
 * System call filters. For a service that is not root they imply NoNewPrivileges=, by which no
 * program is setuid any more.
 */
static void confine_calls(struct strbuf *text, const struct confinement *confinement) {
    if (confinement->gains)
        return;
    strbuf_add(text, "NoNewPrivileges=yes\n");
    strbuf_addf(text, "SystemCallFilter=~" DENIED_CALLS "%s\nSystemCallErrorNumber=EPERM\n",
                confinement->has_sandbox ? "" : " @mount");
    strbuf_add(text, "SystemCallArchitectures=native\nLockPersonality=yes\nRestrictRealtime=yes\n");
    if (!confinement->has_sandbox)
        strbuf_add(text, "RestrictNamespaces=yes\n");
    if (confinement->is_opaque)
        return;
    if (!confinement->sets_modes)
        strbuf_add(text, "RestrictSUIDSGID=yes\n");
    if (!confinement->makes_code)
        strbuf_add(text, "MemoryDenyWriteExecute=yes\n");
    strbuf_addf(text, "RestrictAddressFamilies=AF_UNIX%s\n",
                confinement->uses_internet ? " AF_INET AF_INET6" : "");
}

static void write_confinement(struct strbuf *text, struct confinement *confinement) {
    if (!confinement->for_user && !confinement->is_opaque) {
        confine_files(text, confinement);
        confine_devices(text, confinement);
        confine_process(text, confinement);
    }
    if (!confinement->for_user)
        confine_kernel(text, confinement);
    confine_calls(text, confinement);
    strbuf_add(text, "UMask=0077\n");
    text->failed = text->failed || confinement->places.failed || confinement->writable.failed ||
                   confinement->read_only.failed || confinement->devices.failed;
    strv_release(&confinement->places);
    strv_release(&confinement->writable);
    strv_release(&confinement->read_only);
    strv_release(&confinement->devices);
}

/* ---- QEMU ---- */

static bool runs_as_root(const struct unit_plan *plan) {
    const char *user = vqemu_command_user(plan->command);
    return !user || strcmp(user, "root") == 0 || strcmp(user, "0") == 0;
}

static bool has_writable_9p(const vqemu_vm *vm) {
    bool is_9p = !vm->rootfs_driver || strcmp(vm->rootfs_driver, "9p") == 0;
    if (vm->rootfs && is_9p && is_on(vm->rootfs_writable))
        return true;
    for (size_t i = 0; i < vm->shares.count; i++) {
        const vqemu_share *share = vm->shares.items[i];
        if ((!share->driver || strcmp(share->driver, "9p") == 0) && is_on(share->writable))
            return true;
    }
    return false;
}

/* QEMU makes these if they are missing, as they are after a rotation of logs. */
static bool is_log(const vqemu_vm *vm, const char *path) {
    return (vm->console_log && strcmp(path, vm->console_log) == 0) ||
           (vm->console_path && strcmp(path, vm->console_path) == 0);
}

static void add_program_places(struct confinement *confinement, const struct unit_plan *plan) {
    const vqemu_runtime *runtime = vqemu_command_runtime(plan->command);
    const char *const paths[] = {
        vqemu_command_path(plan->command),
        vqemu_command_cwd(plan->command),
        vqemu_runtime_binary(runtime),
        vqemu_runtime_firmware_dir(runtime),
        vqemu_runtime_lib_dir(runtime),
        vqemu_runtime_module_dir(runtime),
        vqemu_command_runtime_dir(plan->command),
        unit_stop_program(plan),
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (paths[i])
            add_place(confinement, paths[i]);
}

/* What systemd makes for the service is writable already. */
static bool is_provided(const struct unit_plan *plan, const char *path) {
    return (plan->runtime_directory &&
            unit_is_below(path, vqemu_command_runtime_dir(plan->command))) ||
           (plan->state_directory && unit_is_below(path, vqemu_command_state_dir(plan->command)));
}

static void list_writable(struct confinement *confinement, const struct unit_plan *plan) {
    const struct resources *use = plan->uses;
    for (size_t i = 0; i < use->writes.count; i++) {
        const char *path = use->writes.items[i];
        if (!is_provided(plan, path) && is_log(plan->vm, path))
            add_parent(&confinement->writable, path);
        else if (!is_provided(plan, path))
            strv_add(&confinement->writable, path);
    }
    for (size_t i = 0; i < use->sockets.count; i++)
        if (!is_provided(plan, use->sockets.items[i]))
            add_parent(&confinement->writable, use->sockets.items[i]);
}

static void list_devices(struct confinement *confinement, const struct resources *use) {
    for (size_t i = 0; i < use->devices.count; i++) {
        const char *path = use->devices.items[i];
        if (!is_pseudo_device(path))
            strv_add(&confinement->devices, path);
        if (strcmp(path, "/dev/net/tun") == 0 || strcmp(path, "/dev/vhost-vsock") == 0)
            confinement->uses_network = true;
    }
}

static void choose_capabilities(struct confinement *confinement, const struct unit_plan *plan) {
    /* The bridge helper becomes root, and then needs some of its own. */
    confinement->limits_capabilities = !plan->uses->starts_programs;
    if (!runs_as_root(plan))
        return;
    strcpy(confinement->capabilities, FILE_CAPABILITIES);
    if (confinement->sets_modes)
        strcat(confinement->capabilities, OWNER_CAPABILITIES);
    if (confinement->uses_network)
        strcat(confinement->capabilities, " CAP_NET_ADMIN"); /* to open an interface */
}

void unit_confine_qemu(const struct unit_plan *plan, struct strbuf *text) {
    const struct resources *use = plan->uses;
    const vqemu_runtime *runtime = vqemu_command_runtime(plan->command);
    bool is_opaque = plan->vm->extra_args.count > 0;
    struct confinement confinement = {
        .for_user = plan->for_user,
        .is_opaque = is_opaque,
        .gains = use->starts_programs || (is_opaque && plan->vm->sandbox == TOGGLE_OFF),
        .uses_internet = use->internet,
        .uses_network = use->starts_programs,
        /* Emulation does: its translations are pages that are writable and executable. */
        .makes_code = strcmp(vqemu_profile_accel(vqemu_runtime_profile(runtime)), "kvm") != 0,
        .sets_modes = has_writable_9p(plan->vm),
        .uses_hugepages = use->hugepages,
    };
    add_program_places(&confinement, plan);
    add_places(&confinement, &use->reads);
    add_places(&confinement, &use->writes);
    add_places(&confinement, &use->sockets);
    add_places(&confinement, &use->connects);
    add_places(&confinement, &use->devices);
    list_writable(&confinement, plan);
    list_devices(&confinement, use);
    choose_capabilities(&confinement, plan);
    write_confinement(text, &confinement);
}

/* ---- companions ---- */

static void confine_swtpm(struct confinement *confinement, const struct unit_plan *plan,
                          const struct companion *companion) {
    if (!is_provided(plan, companion->directory)) /* it makes its directory */
        add_parent(&confinement->writable, companion->directory);
    if (runs_as_root(plan))
        strcpy(confinement->capabilities, FILE_CAPABILITIES);
}

static void confine_virtiofsd(struct confinement *confinement, const struct companion *companion) {
    confinement->has_sandbox = true;
    confinement->opens_many = true;
    confinement->sets_modes = true;
    strcpy(confinement->capabilities, VIRTIOFSD_CAPABILITIES);
    strv_add(companion->read_only ? &confinement->read_only : &confinement->writable,
             companion->directory);
}

void unit_confine_companion(const struct unit_plan *plan, const struct companion *companion,
                            struct strbuf *text) {
    struct confinement confinement = {.for_user = plan->for_user, .limits_capabilities = true};
    add_place(&confinement, companion->program);
    add_place(&confinement, companion->directory);
    if (companion->kind == COMPANION_SWTPM)
        confine_swtpm(&confinement, plan, companion);
    else
        confine_virtiofsd(&confinement, companion);
    write_confinement(text, &confinement);
}
