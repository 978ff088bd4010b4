/* SPDX-License-Identifier: MIT */
/* Machine, accelerator, memory, processors, clock, and QEMU's own confinement. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "command/args-nouns.h"

#define DEFAULT_MEMORY 256 /* MiB */

/*
 * QEMU describes each in docs/system/i386/hyperv.rst. They spare Windows costly ways
 * to wait, to count time and to signal its other processors.
 */
#define HYPERV                                                                                     \
    "hv-relaxed=on,hv-vapic=on,hv-spinlocks=0x1fff,hv-vpindex=on,hv-runtime=on,hv-time=on,"        \
    "hv-synic=on,hv-stimer=on,hv-tlbflush=on,hv-ipi=on,hv-frequencies=on,hv-reset=on"

/* ---- how much ---- */

static uint64_t memory_of(const struct args *args) {
    if (args->vm->memory)
        return args->vm->memory;
    return args->arch->default_memory ? args->arch->default_memory : DEFAULT_MEMORY;
}

static uint64_t one_if_unset(uint64_t number) {
    return number ? number : 1;
}

static uint64_t topology_product(const vqemu_vm *vm) {
    return one_if_unset(vm->cpu_sockets) * one_if_unset(vm->cpu_cores) *
           one_if_unset(vm->cpu_threads);
}

static uint64_t cpus_of(const vqemu_vm *vm) {
    return vm->cpus ? vm->cpus : topology_product(vm);
}

static int check_memory(const struct args *args, vqemu_error **error) {
    const struct arch *arch = args->arch;
    uint64_t memory = memory_of(args);
    if (memory < arch->min_memory)
        return args_refuse(error, VQEMU_ERR_UNSUPPORTED,
                           "memory: %" PRIu64 " MiB are too little: the machine of %s guests needs "
                           "%" PRIu64,
                           memory, arch->name, arch->min_memory);
    if (arch->max_memory && memory > arch->max_memory)
        return args_refuse(error, VQEMU_ERR_UNSUPPORTED,
                           "memory: %" PRIu64
                           " MiB are too much: the machine of %s guests can have "
                           "%" PRIu64,
                           memory, arch->name, arch->max_memory);
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

static int check_cpus(const struct args *args, vqemu_error **error) {
    const vqemu_vm *vm = args->vm;
    uint64_t cpus = cpus_of(vm), product = topology_product(vm);
    bool sockets_are_left_over = !vm->cpu_sockets && cpus % product == 0;
    if (args->arch->max_cpus && cpus > args->arch->max_cpus)
        return args_refuse(error, VQEMU_ERR_UNSUPPORTED,
                           "cpus: %" PRIu64
                           " CPUs are too many: the machine of %s guests can have %u",
                           cpus, args->arch->name, (unsigned)args->arch->max_cpus);
    if (args->arch->tcg_cpu_alone && !args->kvm && !vm->cpu_model && cpus > 1)
        return args_refuse(error, VQEMU_ERR_UNSUPPORTED,
                           "cpus: %" PRIu64 " CPUs are too many: %s guests can have one %s, their "
                           "default; another cpu_model may allow more",
                           cpus, args->arch->name, args->arch->tcg_cpu);
    if (product != 1 && cpus != product && !sockets_are_left_over)
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "cpus: %" PRIu64 " sockets of %" PRIu64 " cores of %" PRIu64
                           " threads do not give %" PRIu64 " CPUs",
                           one_if_unset(vm->cpu_sockets), one_if_unset(vm->cpu_cores),
                           one_if_unset(vm->cpu_threads), cpus);
    return 0;
}

static int check_threads(const struct args *args, vqemu_error **error) {
    enum threads threads = args->arch->threads;
    if (args->vm->cpu_threads <= 1 || threads == THREADS_ANY)
        return 0;
    if (threads == THREADS_KVM_ONLY && !args->kvm)
        return args_require(args, VQEMU_ABILITY_KVM, "cpu_threads", error);
    return threads == THREADS_NONE
               ? args_unsupported(args, "cpu_threads", "cores of several threads", error)
               : 0;
}

/* "help" is none: QEMU would print a list and end well. */
static int check_cpu_model(const struct args *args, vqemu_error **error) {
    const char *model = args->vm->cpu_model;
    if (model && strcmp(model, "help") == 0)
        return args_refuse(error, VQEMU_ERR_INVALID, "cpu_model: \"help\" is no CPU model");
    if (model && strcmp(model, "host") == 0 && !args->kvm)
        return args_require(args, VQEMU_ABILITY_KVM, "cpu_model", error);
    return 0;
}

static bool wants_hyperv(const struct args *args) {
    bool is_windows = args_is_windows(args);
    return is_on_by_default(args->vm->hyperv, is_windows && args->kvm && args->arch->x86);
}

int args_check_machine(const struct args *args, vqemu_error **error) {
    const vqemu_vm *vm = args->vm;
    int r = check_memory(args, error);
    if (r == 0)
        r = check_hugepages(args, error);
    if (r == 0)
        r = check_cpus(args, error);
    if (r == 0)
        r = check_threads(args, error);
    if (r == 0)
        r = check_cpu_model(args, error);
    if (r < 0)
        return r;
    if (wants_hyperv(args) && !args->arch->x86)
        return args_unsupported(args, "hyperv", "Hyper-V enlightenments", error);
    if (wants_hyperv(args) && !args->kvm)
        return args_require(args, VQEMU_ABILITY_KVM, "hyperv", error);
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

/* Always in full: what QEMU makes of a number alone depends on the machine's version. */
static void add_topology(struct strbuf *smp, const vqemu_vm *vm) {
    bool is_given = vm->cpu_sockets || vm->cpu_cores || vm->cpu_threads;
    uint64_t cpus = cpus_of(vm), threads = one_if_unset(vm->cpu_threads);
    uint64_t cores = is_given ? one_if_unset(vm->cpu_cores) : cpus;
    strbuf_addf(smp, "%" PRIu64 ",sockets=%" PRIu64 ",cores=%" PRIu64 ",threads=%" PRIu64, cpus,
                cpus / (cores * threads), cores, threads);
}

void args_add_cpus(struct args *args) {
    const vqemu_vm *vm = args->vm;
    struct strbuf cpu = {0}, smp = {0};
    const char *model = args->kvm ? "host" : args->arch->tcg_cpu;
    strbuf_add(&cpu, vm->cpu_model ? vm->cpu_model : model);
    if (wants_hyperv(args))
        strbuf_add(&cpu, "," HYPERV);
    for (size_t i = 0; i < vm->cpu_features.count; i++) {
        strbuf_addf(&cpu, ",%s=", vm->cpu_features.items[i].name);
        value_add_text(&vm->cpu_features.items[i].value, &cpu);
    }
    args_option_buffer(args, "-cpu", &cpu);
    add_topology(&smp, vm);
    args_option_buffer(args, "-smp", &smp);
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
