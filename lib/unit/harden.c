/* SPDX-License-Identifier: MIT */
/*
 * Confinement: what a service uses stays reachable, and the rest does not (systemd.exec(5)). A
 * restriction that cannot be written exactly is left out rather than written wrongly.
 */
#include "unit/harden.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "unit/quote.h"
#include "unit/reach.h"
#include "unit/view.h"
#include "util/cleanup.h"
#include "vm/disk.h"
#include "vm/nic.h"
#include "vm/property.h"
#include "vm/share.h"
#include "vm/vm-defaults.h"

/*
 * Groups of systemd.exec(5) that no VM needs; what QEMU itself does not need, its -sandbox denies.
 * The calls besides reach into other processes of the same user, or are seldom needed and often
 * faulty. open_by_handle_at(2) opens what no path in sight leads to.
 */
#define DENIED_CALLS                                                                               \
    "@clock @cpu-emulation @debug @keyring @module @obsolete @raw-io @reboot @swap acct bpf "      \
    "fanotify_init kcmp mq_open mq_unlink msgctl msgget perf_event_open pidfd_getfd "              \
    "process_vm_readv process_vm_writev ptrace quotactl semctl semget shmat shmctl shmget "        \
    "userfaultfd"
#define HANDLE_CALLS " open_by_handle_at"
#define IO_URING_CALLS " io_uring_enter io_uring_register io_uring_setup"

/* What opens files whatever their mode, as root is used to. */
#define FILE_CAPABILITIES "CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH"
/* What 9p needs besides, to give files the owners and modes that a guest wants. */
#define OWNER_CAPABILITIES " CAP_CHOWN CAP_FOWNER CAP_FSETID"
/* What virtiofsd keeps, and before that, what it needs to lock itself into its directory. */
#define VIRTIOFSD_CAPABILITIES                                                                     \
    "CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_SETGID CAP_SETUID "  \
    "CAP_MKNOD CAP_SETFCAP CAP_SYS_ADMIN CAP_SETPCAP CAP_SYS_CHROOT"
/* With which the bridge helper, which is setuid root, becomes its caller again, and what it keeps:
 * the last. */
#define HELPER_CAPABILITIES "CAP_SETGID CAP_SETPCAP CAP_SETUID CAP_NET_ADMIN"

struct confinement {
    bool for_user;
    bool is_opaque;   /* it may use more than is known here */
    bool is_root;     /* it keeps capabilities of root's */
    bool gains;       /* it starts a program that is setuid root */
    bool makes_code;  /* and executes it */
    bool reads_proc;  /* more than processes */
    bool has_sandbox; /* it makes namespaces of its own, and mounts there */
    bool sets_modes;  /* for a guest, which may want files that are setuid */
    bool uses_io_uring;
    bool uses_hugepages;
    bool opens_many; /* files */
    struct reach reach;
    char capabilities[256];
    struct view view;
    const struct resources *devices; /* where they are listed; NULL for none */
};

/* ---- devices ---- */

/* What PrivateDevices= leaves (systemd.exec(5)). */
static bool is_pseudo_device(const char *path) {
    static const char *const names[] = {"null", "zero", "full", "random", "urandom", "tty"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(path, "/dev/", 5) == 0 && strcmp(path + 5, names[i]) == 0)
            return true;
    return false;
}

static bool is_written(const struct resources *uses, const char *path) {
    for (size_t i = 0; i < uses->file_count; i++)
        if (strcmp(uses->files[i].path, path) == 0)
            return uses->files[i].access & VQEMU_FILE_WRITE;
    return true;
}

/* A node that is not in /dev can only be a block device; there is no name for just this one. */
static void add_device(struct strbuf *text, const char *path, bool writes) {
    _cleanup_free_ char *real = unit_is_below(path, "/dev") ? strdup(path) : realpath(path, NULL);
    text->failed = text->failed || (!real && errno == ENOMEM);
    strbuf_add(text, "DeviceAllow=");
    if (!real || !unit_is_below(real, "/dev") || !unit_add_path(text, real))
        strbuf_add(text, "block-*");
    strbuf_add(text, writes ? " rw\n" : " r\n");
}

static void confine_devices(struct strbuf *text, const struct confinement *confinement) {
    const struct resources *uses = confinement->devices;
    if (!confinement->gains)
        strbuf_add(text, "ProtectClock=yes\n");
    /* virtiofsd keeps CAP_MKNOD, which PrivateDevices= takes away. */
    strbuf_add(text, confinement->has_sandbox || confinement->gains ? "DevicePolicy=closed\n"
                                                                    : "PrivateDevices=yes\n");
    for (size_t i = 0; uses && i < uses->devices.count; i++)
        if (!is_pseudo_device(uses->devices.items[i]))
            add_device(text, uses->devices.items[i], is_written(uses, uses->devices.items[i]));
}

/* ---- the kernel ---- */

/* Most of it implies NoNewPrivileges=, by which no program is setuid (systemd.exec(5)). */
static void confine_kernel(struct strbuf *text, const struct confinement *confinement) {
    if (confinement->gains) {
        strbuf_add(text, "ProtectControlGroups=yes\nReadOnlyPaths=/sys\n");
        return;
    }
    strbuf_add(text, "ProtectKernelTunables=yes\nProtectKernelLogs=yes\n"
                     "ProtectControlGroups=yes\nProtectHostname=yes\n");
    /* This hides modules, and the kernels that some distributions have beside them. */
    if (!confinement->is_opaque && !view_uses(&confinement->view, "/usr/lib/modules") &&
        !view_uses(&confinement->view, "/lib/modules"))
        strbuf_add(text, "ProtectKernelModules=yes\n");
}

/* Its own user's processes outside of it are those of another one to it: they cannot be traced. */
static bool can_have_own_users(const struct confinement *confinement) {
    return !confinement->is_root && !confinement->gains && !confinement->has_sandbox;
}

static void confine_process(struct strbuf *text, const struct confinement *confinement) {
    strbuf_addf(text, "CapabilityBoundingSet=%s\n", confinement->capabilities);
    if (can_have_own_users(confinement))
        strbuf_add(text, "PrivateUsers=yes\n");
    if (!confinement->has_sandbox) { /* which mounts a /proc of its own */
        strbuf_add(text, "ProtectProc=invisible\n");
        if (!confinement->reads_proc)
            strbuf_add(text, "ProcSubset=pid\n");
    }
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
    strbuf_addf(text, "SystemCallFilter=~" DENIED_CALLS "%s%s\nSystemCallErrorNumber=EPERM\n",
                confinement->has_sandbox ? "" : HANDLE_CALLS " @mount",
                confinement->uses_io_uring || confinement->is_opaque ? "" : IO_URING_CALLS);
    strbuf_add(text, "SystemCallArchitectures=native\nLockPersonality=yes\nRestrictRealtime=yes\n");
    if (!confinement->has_sandbox)
        strbuf_add(text, "RestrictNamespaces=yes\n");
    if (confinement->is_opaque)
        return;
    if (!confinement->sets_modes)
        strbuf_add(text, "RestrictSUIDSGID=yes\n");
    if (!confinement->makes_code)
        strbuf_add(text, "MemoryDenyWriteExecute=yes\n");
    reach_write_families(&confinement->reach, text);
}

static void write_confinement(struct strbuf *text, struct confinement *confinement) {
    if (!confinement->for_user && !confinement->is_opaque) {
        view_write(&confinement->view, text);
        confine_devices(text, confinement);
        confine_process(text, confinement);
        reach_write(&confinement->reach, text);
    }
    if (!confinement->for_user)
        confine_kernel(text, confinement);
    confine_calls(text, confinement);
    strbuf_add(text, "KeyringMode=private\nLimitCORE=0\nUMask=0077\n");
}

/* ---- QEMU ---- */

static bool has_writable_9p(const vqemu_vm *vm) {
    if (vm->rootfs && vm_shares_by_9p(vm->rootfs_driver) && is_on(vm->rootfs_writable))
        return true;
    for (size_t i = 0; i < vm->shares.count; i++) {
        const vqemu_share *share = vm->shares.items[i];
        if (vm_shares_by_9p(share->driver) && is_on(share->writable))
            return true;
    }
    return false;
}

static bool has_io_uring(const vqemu_vm *vm) {
    for (size_t i = 0; i < vm->disks.count; i++) {
        const vqemu_disk *disk = vm->disks.items[i];
        if (disk->aio && strcmp(disk->aio, "io_uring") == 0)
            return true;
    }
    return false;
}

/* Those of bridges, where they are not QEMU's usual one. */
static int add_helpers(struct view *view, const vqemu_vm *vm, vqemu_error **error) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < vm->nics.count; i++) {
        const vqemu_nic *nic = vm->nics.items[i];
        if (nic->helper)
            r = view_add_program(view, nic->helper, error);
    }
    return r;
}

/* The programs that it executes, and the files of its profile. */
static int add_programs(struct view *view, const struct unit_plan *plan, vqemu_error **error) {
    const vqemu_runtime *runtime = vqemu_command_runtime(plan->command);
    const char *const installed[] = {
        vqemu_runtime_tree(runtime),    vqemu_command_path(plan->command),
        vqemu_runtime_binary(runtime),  vqemu_runtime_firmware_dir(runtime),
        vqemu_runtime_lib_dir(runtime), vqemu_runtime_module_dir(runtime),
        plan->settings.stop_directory,
    };
    const char *tree = installed[0];
    const char *stop = unit_stop_program(plan);
    int r = add_helpers(view, plan->vm, error);
    if (r == 0 && stop)
        r = view_add_program(view, stop, error);
    for (size_t i = 0; r == 0 && i < sizeof installed / sizeof *installed; i++)
        if (installed[i] && (i == 0 || !tree || !unit_is_below(installed[i], tree)))
            r = view_add_installed(view, installed[i], error);
    return r;
}

static int about_key(int r, const char *key, vqemu_error **error) {
    if (r >= 0 || error_ends_call(r))
        return r;
    r = error_prefix(r, error, "%s: ", key);
    return error_because(r, error, NULL, VQEMU_DETAIL_KEY, key, NULL);
}

/* The key that names the file which a unit cannot have. */
static int about(int r, const struct unit_plan *plan, const char *path, vqemu_error **error) {
    const char *key = r < 0 ? resources_key_of_file(plan->uses, path) : NULL;
    return key ? about_key(r, key, error) : r;
}

/* What is not in a directory of the VM's, which is bound as a whole. */
static int add_list(struct view *view, const struct unit_plan *plan, const struct strv *paths,
                    bool are_written, vqemu_error **error) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < paths->count; i++)
        if (!unit_is_own(plan, paths->items[i]))
            r = about(view_add(view, paths->items[i], are_written, error), plan, paths->items[i],
                      error);
    return r;
}

static int add_device_nodes(struct view *view, const struct unit_plan *plan, vqemu_error **error) {
    const struct strv *devices = &plan->uses->devices;
    int r = 0;
    for (size_t i = 0; r == 0 && i < devices->count; i++)
        if (!is_pseudo_device(devices->items[i]))
            r = about(view_add(view, devices->items[i], true, error), plan, devices->items[i],
                      error);
    return r;
}

static int add_files(struct view *view, const struct unit_plan *plan, vqemu_error **error) {
    const char *runtime_dir = vqemu_command_runtime_dir(plan->command);
    const char *state_dir = vqemu_command_state_dir(plan->command);
    int r = add_programs(view, plan, error);
    if (r == 0 && !plan->runtime_directory)
        r = about_key(view_add(view, runtime_dir, true, error), "runtime_dir", error);
    if (r == 0 && plan->uses_state_dir && !plan->state_directory)
        r = about_key(view_add(view, state_dir, true, error), "state_dir", error);
    if (r == 0)
        r = add_list(view, plan, &plan->uses->reads, false, error);
    if (r == 0)
        r = add_list(view, plan, &plan->uses->writes, true, error);
    if (r == 0)
        r = add_device_nodes(view, plan, error);
    return r;
}

static void choose_capabilities(struct confinement *confinement) {
    if (confinement->is_root) {
        strcpy(confinement->capabilities, FILE_CAPABILITIES);
        if (confinement->sets_modes)
            strcat(confinement->capabilities, OWNER_CAPABILITIES);
        if (confinement->reach.needs_host && !confinement->gains)
            strcat(confinement->capabilities, " CAP_NET_ADMIN"); /* to open an interface */
    }
    if (confinement->gains) {
        strcat(confinement->capabilities, confinement->is_root ? " " : "");
        strcat(confinement->capabilities, HELPER_CAPABILITIES);
    }
}

/* What is not confined is said where it is looked for. */
static void say_what_is_open(struct strbuf *text, const struct confinement *confinement,
                             const struct unit_plan *plan) {
    if (plan->for_user)
        return;
    if (confinement->is_opaque)
        strbuf_add(text, "# extra_args can make QEMU use anything: this service sees all files, "
                         "devices and networks.\n");
    if (confinement->gains)
        strbuf_add(text, "# This service can become root, as the bridge helper does: it has no "
                         "system call filter.\n");
    if (confinement->is_root)
        strbuf_add(text, "# QEMU is root: whoever takes it over is root, in this service.\n");
    if (!confinement->is_opaque && view_has_all(&confinement->view))
        strbuf_add(text, "# A share is the root directory: this service sees all files.\n");
}

int unit_confine_qemu(const struct unit_plan *plan, struct strbuf *text, vqemu_error **error) {
    const struct resources *use = plan->uses;
    const vqemu_profile *profile = vqemu_runtime_profile(vqemu_command_runtime(plan->command));
    bool is_opaque = plan->vm->extra_args.count > 0;
    bool is_kvm = strcmp(vqemu_profile_accel(profile), "kvm") == 0;
    struct confinement confinement = {
        .for_user = plan->for_user,
        .is_opaque = is_opaque,
        .is_root = unit_is_root(plan),
        .gains = use->starts_programs || (is_opaque && !vm_is_sandboxed(plan->vm)),
        /* Emulation does: its translations are pages that are writable and executable. */
        .makes_code = !is_kvm,
        /* /proc/cpuinfo has the frequency of the time base of PowerPC. */
        .reads_proc =
            is_kvm &&
            strncmp(vqemu_runtime_guest_arch(vqemu_command_runtime(plan->command)), "ppc", 3) == 0,
        .sets_modes = has_writable_9p(plan->vm),
        .uses_io_uring = has_io_uring(plan->vm),
        .uses_hugepages = use->hugepages,
        .view = {.uses_terminals = use->pty,
                 .uses_resolver = use->internet,
                 .uses_bridge_helper = use->starts_programs},
        .devices = use,
    };
    reach_find(&confinement.reach, plan);
    choose_capabilities(&confinement);
    int r = plan->for_user || is_opaque ? 0 : add_files(&confinement.view, plan, error);
    if (r == 0) {
        say_what_is_open(text, &confinement, plan);
        write_confinement(text, &confinement);
    }
    view_release(&confinement.view);
    return r;
}

/* ---- companions ---- */

/* As root, it acts as whoever in the guest accesses a file. */
static void let_virtiofsd(struct confinement *confinement) {
    confinement->opens_many = true;
    confinement->sets_modes = true;
    confinement->has_sandbox = confinement->is_root || confinement->for_user;
    if (confinement->is_root)
        strcpy(confinement->capabilities, VIRTIOFSD_CAPABILITIES);
}

int unit_confine_companion(const struct unit_plan *plan, const struct companion *companion,
                           struct strbuf *text, vqemu_error **error) {
    struct confinement confinement = {.for_user = plan->for_user,
                                      .is_root = unit_companion_is_root(plan, companion)};
    if (companion->kind == COMPANION_VIRTIOFSD)
        let_virtiofsd(&confinement);
    else if (confinement.is_root)
        strcpy(confinement.capabilities, FILE_CAPABILITIES);
    int r = plan->for_user ? 0 : view_add_program(&confinement.view, companion->program, error);
    if (r == 0 && !plan->for_user && !unit_is_provided(plan, companion->directory))
        r = view_add(&confinement.view, companion->directory, !companion->read_only, error);
    if (r == 0 && companion->kind == COMPANION_VIRTIOFSD && confinement.is_root)
        strbuf_add(text, "# virtiofsd is root: whoever takes it over is root, in this service.\n");
    if (r == 0)
        write_confinement(text, &confinement);
    view_release(&confinement.view);
    return r;
}
