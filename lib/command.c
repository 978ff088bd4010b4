/* SPDX-License-Identifier: MIT */
/* A runtime and a VM -> argv, environment and working directory. */
#include "command.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "digest.h"
#include "error.h"
#include "qemu-opt.h"
#include "runtime.h"
#include "util/export.h"
#include "util/path.h"
#include "util/strv.h"

#define DEFAULT_MEMORY 256 /* MiB */
#define ROOT_MOUNT_TAG "rootfs"

struct vqemu_command {
    atomic_uint references;
    vqemu_runtime *runtime; /* keeps the lease */
    char *vm_name;
    struct strv argv, envp;
    char *cwd;
    struct digest fingerprint;
};

/* ---- what the machine can have ---- */

static uint64_t memory_of(const struct arch *arch, const vqemu_vm *vm) {
    uint64_t memory = vqemu_vm_memory(vm);
    if (memory == 0)
        memory = arch->default_memory ? arch->default_memory : DEFAULT_MEMORY;
    return memory;
}

static uint32_t cpus_of(const vqemu_vm *vm) {
    uint32_t cpus = vqemu_vm_cpus(vm);
    return cpus ? cpus : 1;
}

static int check_memory(const struct arch *arch, const vqemu_vm *vm, vqemu_error **error) {
    uint64_t memory = memory_of(arch, vm);
    if (memory < arch->min_memory)
        return error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                         "%" PRIu64 " MiB of memory is too little: the machine of %s guests needs "
                         "%" PRIu64,
                         memory, arch->name, arch->min_memory);
    if (arch->max_memory && memory > arch->max_memory)
        return error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                         "%" PRIu64 " MiB of memory is too much: the machine of %s guests can have "
                         "%" PRIu64,
                         memory, arch->name, arch->max_memory);
    return 0;
}

static int check_vm(const struct arch *arch, const vqemu_vm *vm, vqemu_error **error) {
    int r = check_memory(arch, vm, error);
    if (r < 0)
        return r;
    if (arch->max_cpus && cpus_of(vm) > arch->max_cpus)
        return error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                         "%u CPUs are too many: the machine of %s guests can have %u",
                         (unsigned)cpus_of(vm), arch->name, (unsigned)arch->max_cpus);
    if (!vqemu_vm_kernel(vm) && vqemu_vm_initrd(vm))
        return error_set(error, VQEMU_ERR_INVALID, 0, "an initrd needs a kernel");
    if (!vqemu_vm_kernel(vm) && vqemu_vm_append(vm))
        return error_set(error, VQEMU_ERR_INVALID, 0, "a kernel command line needs a kernel");
    return 0;
}

/* ---- the program ---- */

/*
 * The dynamic loader takes a list of directories, and has no escape for its separators. In these
 * and in the names of modules it replaces $ORIGIN, $LIB and $PLATFORM (ld.so(8)).
 */
static bool loader_can_name(const char *directory) {
    return !strpbrk(directory, ":;$");
}

/*
 * Where the loader cannot name the library directory, QEMU runs in the directory above, and what
 * the loader gets to see is relative to that. Otherwise it runs in /, where nobody else puts
 * firmware.
 */
static char *choose_cwd(const vqemu_runtime *runtime) {
    const char *lib_dir = vqemu_runtime_lib_dir(runtime);
    if (!lib_dir || loader_can_name(lib_dir))
        return strdup("/");
    size_t length = (size_t)(base_name(lib_dir) - lib_dir);
    return strndup(lib_dir, length > 1 ? length - 1 : length);
}

/* A directory as the loader is to see it from the working directory. */
static const char *seen_from(const char *cwd, const char *directory) {
    size_t length = strlen(cwd);
    if (length > 1 && strncmp(directory, cwd, length) == 0 && directory[length] == '/')
        return directory + length + 1;
    return directory;
}

/*
 * Through the profile's own loader, so that loader and libc belong together, whatever the host has;
 * then no LD_LIBRARY_PATH is needed, which QEMU's children would inherit.
 */
static void add_program(struct strv *argv, const vqemu_runtime *runtime, const char *cwd) {
    if (vqemu_runtime_loader(runtime)) {
        strv_add(argv, vqemu_runtime_loader(runtime));
        strv_add(argv, "--inhibit-cache"); /* the host's /etc/ld.so.cache */
        strv_add(argv, "--library-path");
        strv_add(argv, seen_from(cwd, vqemu_runtime_lib_dir(runtime)));
    }
    strv_add(argv, vqemu_runtime_binary(runtime));
}

static void add_environment(struct strv *envp, const vqemu_runtime *runtime, const char *cwd) {
    const char *lib_dir = vqemu_runtime_lib_dir(runtime);
    const char *module_dir = vqemu_runtime_module_dir(runtime);
    if (lib_dir && !vqemu_runtime_loader(runtime))
        strv_addf(envp, "LD_LIBRARY_PATH=%s", seen_from(cwd, lib_dir));
    if (module_dir)
        strv_addf(envp, "QEMU_MODULE_DIR=%s", seen_from(cwd, module_dir));
}

/* ---- QEMU's arguments ---- */

static void add_option(struct strv *argv, const char *option, const char *value) {
    strv_add(argv, option);
    strv_add(argv, value);
}

/* The name of the VM, and of the process: through the loader it would be the loader's. */
static void add_name(struct strv *argv, const vqemu_vm *vm) {
    struct strbuf option = {0};
    char *name = format_string("volt-%s", vqemu_vm_name(vm));
    if (name) {
        qemu_opt_add(&option, "guest", name);
        qemu_opt_add(&option, "process", name);
    }
    strv_add(argv, "-name");
    strv_take_in(argv, name ? strbuf_take(&option) : NULL);
    free(name);
}

static void add_machine(struct strv *argv, const vqemu_runtime *runtime, const vqemu_vm *vm) {
    const struct arch *arch = runtime_arch(runtime);
    const char *accel = vqemu_profile_accel(vqemu_runtime_profile(runtime));
    bool kvm = strcmp(accel, "kvm") == 0;
    strv_add(argv, "-machine");
    if (!kvm && arch->tcg_options)
        strv_addf(argv, "%s,%s", arch->machine, arch->tcg_options);
    else
        strv_add(argv, arch->machine);
    add_option(argv, "-accel", accel);
    add_option(argv, "-cpu", kvm ? "host" : arch->tcg_cpu);
    strv_add(argv, "-m");
    strv_addf(argv, "%" PRIu64, memory_of(arch, vm));
    strv_add(argv, "-smp");
    strv_addf(argv, "%u", (unsigned)cpus_of(vm));
}

/* The serial console on stdin and stdout, with the monitor behind Ctrl-A C, as -serial mon:stdio.
 */
static void add_console(struct strv *argv) {
    add_option(argv, "-display", "none");
    add_option(argv, "-chardev", "stdio,id=console,mux=on,signal=off");
    add_option(argv, "-serial", "chardev:console");
    add_option(argv, "-mon", "chardev=console,mode=readline");
}

static void add_rootfs(struct strv *argv, const struct arch *arch, const char *rootfs) {
    struct strbuf share = {0};
    strbuf_add(&share, "local,id=rootdev");
    qemu_opt_add(&share, "path", rootfs);
    strbuf_add(&share, ",security_model=none,readonly=on");
    strv_add(argv, "-fsdev");
    strv_take_in(argv, strbuf_take(&share));
    strv_add(argv, "-device");
    strv_addf(argv, "%s,fsdev=rootdev,mount_tag=" ROOT_MOUNT_TAG, arch->virtio_9p);
}

static void add_kernel(struct strv *argv, const struct arch *arch, const vqemu_vm *vm) {
    add_option(argv, "-kernel", vqemu_vm_kernel(vm));
    if (vqemu_vm_initrd(vm))
        add_option(argv, "-initrd", vqemu_vm_initrd(vm));
    strv_add(argv, "-append");
    bool brings_its_own_root = vqemu_vm_initrd(vm) && !vqemu_vm_rootfs(vm);
    if (vqemu_vm_append(vm))
        strv_add(argv, vqemu_vm_append(vm));
    else
        strv_addf(argv, "%sconsole=%s panic=1",
                  brings_its_own_root ? ""
                                      : "root=" ROOT_MOUNT_TAG
                                        " rootfstype=9p rootflags=trans=virtio,version=9p2000.L ",
                  arch->console);
}

static void add_arguments(struct strv *argv, const vqemu_runtime *runtime, const vqemu_vm *vm) {
    const struct arch *arch = runtime_arch(runtime);
    add_name(argv, vm);
    strv_add(argv, "-nodefaults");
    strv_add(argv, "-no-user-config"); /* the host's /etc/qemu */
    add_option(argv, "-L", vqemu_runtime_firmware_dir(runtime));
    add_machine(argv, runtime, vm);
    strv_add(argv, "-no-reboot");
    add_option(argv, "-nic", "none");
    add_console(argv);
    if (vqemu_vm_rootfs(vm))
        add_rootfs(argv, arch, vqemu_vm_rootfs(vm));
    if (vqemu_vm_kernel(vm))
        add_kernel(argv, arch, vm);
    for (size_t i = 0; i < vqemu_vm_extra_arg_count(vm); i++)
        strv_add(argv, vqemu_vm_extra_arg(vm, i));
}

/* ---- the command ---- */

static void hash_string(struct digest_state *state, const char *text) {
    digest_add(state, text, strlen(text) + 1);
}

static void hash_vector(struct digest_state *state, const struct strv *vector) {
    char count[24];
    snprintf(count, sizeof count, "%zu", vector->count);
    hash_string(state, count);
    for (size_t i = 0; i < vector->count; i++)
        hash_string(state, vector->items[i]);
}

static struct digest fingerprint(const vqemu_command *command) {
    struct digest_state state;
    digest_start(&state);
    hash_vector(&state, &command->argv);
    hash_vector(&state, &command->envp);
    hash_string(&state, vqemu_runtime_digest(command->runtime));
    return digest_finish(&state);
}

VQEMU_EXPORT int vqemu_command_build(vqemu_runtime *runtime, const vqemu_vm *vm,
                                     vqemu_command **command, vqemu_error **error) {
    *command = NULL;
    int r = check_vm(runtime_arch(runtime), vm, error);
    if (r < 0)
        return r;
    _cleanup_command_ vqemu_command *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    atomic_init(&new->references, 1);
    new->runtime = vqemu_runtime_ref(runtime);
    new->vm_name = strdup(vqemu_vm_name(vm));
    new->cwd = choose_cwd(runtime);
    if (!new->vm_name || !new->cwd)
        return error_no_memory(error);
    add_program(&new->argv, runtime, new->cwd);
    add_arguments(&new->argv, runtime, vm);
    add_environment(&new->envp, runtime, new->cwd);
    if (new->argv.failed || new->envp.failed)
        return error_no_memory(error);
    new->fingerprint = fingerprint(new);
    *command = TAKE_POINTER(new);
    return 0;
}

VQEMU_EXPORT vqemu_command *vqemu_command_ref(vqemu_command *command) {
    if (command)
        atomic_fetch_add_explicit(&command->references, 1, memory_order_relaxed);
    return command;
}

VQEMU_EXPORT void vqemu_command_unref(vqemu_command *command) {
    if (!command || atomic_fetch_sub_explicit(&command->references, 1, memory_order_acq_rel) != 1)
        return;
    strv_release(&command->argv);
    strv_release(&command->envp);
    free(command->vm_name);
    free(command->cwd);
    vqemu_runtime_unref(command->runtime);
    free(command);
}

VQEMU_EXPORT vqemu_runtime *vqemu_command_runtime(const vqemu_command *command) {
    return command->runtime;
}

VQEMU_EXPORT const char *vqemu_command_path(const vqemu_command *command) {
    return command->argv.items[0];
}

VQEMU_EXPORT char *const *vqemu_command_argv(const vqemu_command *command) {
    return command->argv.items;
}

VQEMU_EXPORT char *const *vqemu_command_envp(const vqemu_command *command) {
    static char *const empty[] = {NULL};
    return command->envp.items ? command->envp.items : empty;
}

VQEMU_EXPORT const char *vqemu_command_cwd(const vqemu_command *command) {
    return command->cwd;
}

VQEMU_EXPORT const char *vqemu_command_fingerprint(const vqemu_command *command) {
    return command->fingerprint.hex;
}

const char *command_vm_name(const vqemu_command *command) {
    return command->vm_name;
}

const char *command_profile_name(const vqemu_command *command) {
    return vqemu_profile_name(vqemu_runtime_profile(command->runtime));
}
