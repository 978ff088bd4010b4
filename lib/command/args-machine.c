/* SPDX-License-Identifier: MIT */
/* Machine, accelerator, memory, clock, and QEMU's own confinement. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "command/args-nouns.h"

#define DEFAULT_MEMORY 256 /* MiB */

/* ---- how much ---- */

static uint64_t memory_of(const struct args *args) {
    if (args->vm->memory)
        return args->vm->memory;
    return args->arch->default_memory ? args->arch->default_memory : DEFAULT_MEMORY;
}

static uint64_t most_memory(const struct args *args) {
    bool is_emulated = !args->kvm && args->machine->tcg_max_memory;
    return is_emulated ? args->machine->tcg_max_memory : args->arch->max_memory;
}

static int check_memory(const struct args *args, vqemu_error **error) {
    const struct arch *arch = args->arch;
    uint64_t memory = memory_of(args), most = most_memory(args);
    if (memory < arch->min_memory)
        return args_refuse(error, VQEMU_ERR_UNSUPPORTED,
                           "memory: %" PRIu64 " MiB are too little: the machine of %s guests needs "
                           "%" PRIu64,
                           memory, arch->name, arch->min_memory);
    if (most && memory > most)
        return args_refuse(error, VQEMU_ERR_UNSUPPORTED,
                           "memory: %" PRIu64 " MiB are too much: the machine %s of %s guests can "
                           "have %" PRIu64 "%s",
                           memory, args->machine_name, arch->name, most,
                           most == arch->max_memory ? "" : " under emulation");
    if (arch->memory_step && memory % arch->memory_step != 0)
        return args_refuse(error, VQEMU_ERR_UNSUPPORTED,
                           "memory: %" PRIu64 " MiB are no multiple of %" PRIu64
                           ", as the machine of %s guests needs it",
                           memory, arch->memory_step, arch->name);
    return 0;
}

/* In KiB; the property's pattern leaves only digits and a unit. */
static uint64_t page_size(const char *text) {
    char *unit;
    uint64_t size = strtoull(text, &unit, 10);
    return size << (*unit == 'G' ? 20 : *unit == 'M' ? 10 : 0);
}

static int check_hugepages(const struct args *args, vqemu_error **error) {
    const char *text = args->vm->hugepages;
    uint64_t size = text ? page_size(text) : 1, memory = memory_of(args);
    if ((size & (size - 1)) != 0)
        return args_refuse(error, VQEMU_ERR_INVALID, "hugepages: %s is not a power of two", text);
    if ((memory << 10) % size != 0)
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "hugepages: %" PRIu64 " MiB of memory are no multiple of %s", memory,
                           text);
    return 0;
}

int args_check_machine(const struct args *args, vqemu_error **error) {
    const vqemu_vm *vm = args->vm;
    int r = check_memory(args, error);
    if (r == 0)
        r = check_hugepages(args, error);
    if (r == 0)
        r = args_check_cpus(args, error);
    if (r < 0)
        return r;
    if (is_on(vm->suspend) && !args->machine->sleep)
        return args_unsupported(args, "suspend", "sleep states", error);
    if (vm->memory_shared == TOGGLE_OFF && args->shared_memory)
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "memory_shared: a share over virtiofs needs it; it cannot be false");
    if (!vm->kernel && vm->initrd)
        return args_refuse(error, VQEMU_ERR_INVALID, "initrd: it needs a kernel");
    if (!vm->kernel && vm->append)
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "append: a kernel command line needs a kernel");
    return 0;
}

/* ---- the arguments ---- */

static bool has_memory_backend(const struct args *args) {
    return args->shared_memory || args->vm->hugepages;
}

void args_add_machine(struct args *args) {
    struct strbuf machine = {0};
    strbuf_add(&machine, args->machine_name);
    if (args->machine->options)
        strbuf_addf(&machine, ",%s", args->machine->options);
    if (!args->kvm && args->arch->tcg_options)
        strbuf_addf(&machine, ",%s", args->arch->tcg_options);
    if (args->uefi)
        strbuf_addf(&machine, "%s,pflash0=firmware,pflash1=nvram",
                    args->firmware.smm ? ",smm=on" : "");
    if (has_memory_backend(args))
        strbuf_add(&machine, ",memory-backend=memory");
    strbuf_add(&machine, ",dump-guest-core=off"); /* a crash must not write the guest's secrets */
    args_option_buffer(args, "-machine", &machine);
    args_option(args, "-accel", args->kvm ? "kvm" : "tcg");
    if (args->kvm)
        resources_add_device(&args->resources, "/dev/kvm");
}

/* A guest that suspends, as a desktop does by itself, would look as if it hung. */
void args_add_sleep(struct args *args) {
    if (!args->machine->sleep || is_on(args->vm->suspend))
        return;
    for (int state = 3; state <= 4; state++) {
        strv_add(&args->argv, "-global");
        strv_addf(&args->argv, "%s.disable_s%d=1", args->machine->sleep, state);
    }
}

/* A memfd, so that nothing is left behind, and no directory of the host is needed. */
void args_add_memory(struct args *args) {
    uint64_t mib = memory_of(args);
    strv_add(&args->argv, "-m");
    strv_addf(&args->argv, "%" PRIu64, mib);
    if (!has_memory_backend(args))
        return;
    struct strbuf memory = {0};
    strbuf_addf(&memory, "memory-backend-memfd,id=memory,size=%" PRIu64 "M,share=%s", mib,
                args->shared_memory ? "on" : "off");
    if (args->vm->hugepages) /* taken at once, or the guest would die when there is none */
        strbuf_addf(&memory, ",hugetlb=on,hugetlbsize=%s,prealloc=on", args->vm->hugepages);
    args_option_buffer(args, "-object", &memory);
    args->resources.hugepages = args->vm->hugepages != NULL;
}

/* ---- confinement ---- */

/* The bridge helper is a program that is setuid root, which elevateprivileges=deny prevents. */
static bool starts_programs(const vqemu_vm *vm) {
    for (size_t i = 0; i < vm->nics.count; i++) {
        const vqemu_nic *nic = vm->nics.items[i];
        if (nic->backend && strcmp(nic->backend, "bridge") == 0)
            return true;
    }
    return false;
}

void args_add_sandbox(struct args *args) {
    if (!is_on_by_default(args->vm->sandbox, true))
        return;
    args_option(args, "-sandbox",
                starts_programs(args->vm)
                    ? "on,obsolete=deny,resourcecontrol=deny"
                    : "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
}
