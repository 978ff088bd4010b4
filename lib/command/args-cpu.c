/* SPDX-License-Identifier: MIT */
/* Processors: how many, in what topology, of what model, with what features. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "command/args-nouns.h"

/*
 * QEMU describes each in docs/system/i386/hyperv.rst. They spare Windows costly ways
 * to wait, to count time and to signal its other processors.
 */
#define HYPERV                                                                                     \
    "hv-relaxed=on,hv-vapic=on,hv-spinlocks=0x1fff,hv-vpindex=on,hv-runtime=on,hv-time=on,"        \
    "hv-synic=on,hv-stimer=on,hv-tlbflush=on,hv-ipi=on,hv-frequencies=on,hv-reset=on"

/* ---- how many ---- */

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

struct topology {
    uint64_t sockets, cores, threads;
};

/* The parts of a number that was found good. */
static struct topology topology_of(const vqemu_vm *vm) {
    bool is_given = vm->cpu_sockets || vm->cpu_cores || vm->cpu_threads;
    uint64_t cpus = cpus_of(vm), threads = one_if_unset(vm->cpu_threads);
    uint64_t cores = is_given ? one_if_unset(vm->cpu_cores) : cpus;
    return (struct topology){cpus / (cores * threads), cores, threads};
}

/* ---- checks ---- */

static int check_cpus(const struct args *args, vqemu_error **error) {
    const vqemu_vm *vm = args->vm;
    uint64_t cpus = cpus_of(vm), product = topology_product(vm);
    bool sockets_are_left_over = !vm->cpu_sockets && cpus % product == 0;
    if (cpus > args->arch->max_cpus)
        return args_refuse(error, VQEMU_ERR_UNSUPPORTED,
                           "cpus: %" PRIu64
                           " CPUs are too many: the machine of %s guests can have %u%s",
                           cpus, args->arch->name, (unsigned)args->arch->max_cpus,
                           args->arch->x86 ? " without an IOMMU that remaps interrupts, which no "
                                             "key gives it"
                                           : "");
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

/* Of the APIC ids of a topology each part has as many bits as its highest number needs. */
static unsigned bits_for(uint64_t count) {
    unsigned bits = 0;
    while ((UINT64_C(1) << bits) < count)
        bits++;
    return bits;
}

static uint64_t highest_apic_id(const vqemu_vm *vm) {
    const struct topology t = topology_of(vm);
    unsigned thread_bits = bits_for(t.threads), core_bits = bits_for(t.cores);
    return (t.sockets - 1) << (core_bits + thread_bits) | (t.cores - 1) << thread_bits |
           (t.threads - 1);
}

/* An emulated APIC has ids of one byte, of which the last is that of all. */
static int check_apic_ids(const struct args *args, vqemu_error **error) {
    const struct topology t = topology_of(args->vm);
    uint64_t highest = highest_apic_id(args->vm);
    if (!args->arch->x86 || args->kvm || highest <= 254)
        return 0;
    return args_refuse(error, VQEMU_ERR_UNSUPPORTED,
                       "cpus: %" PRIu64 " sockets of %" PRIu64 " cores of %" PRIu64 " threads need "
                       "APIC ids up to %" PRIu64 ", and emulated CPUs have them up to 254. Numbers "
                       "of cores and threads that are powers of two waste none",
                       t.sockets, t.cores, t.threads, highest);
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

static int check_hyperv(const struct args *args, vqemu_error **error) {
    if (wants_hyperv(args) && !args->arch->x86)
        return args_unsupported(args, "hyperv", "Hyper-V enlightenments", error);
    if (wants_hyperv(args) && !args->kvm)
        return args_require(args, VQEMU_ABILITY_KVM, "hyperv", error);
    return 0;
}

int args_check_cpus(const struct args *args, vqemu_error **error) {
    int r = check_cpus(args, error);
    if (r == 0)
        r = check_apic_ids(args, error);
    if (r == 0)
        r = check_threads(args, error);
    if (r == 0)
        r = check_cpu_model(args, error);
    if (r == 0)
        r = check_hyperv(args, error);
    return r;
}

/* ---- the arguments ---- */

/* Always in full: what QEMU makes of a number alone depends on the machine's version. */
static void add_topology(struct strbuf *smp, const vqemu_vm *vm) {
    const struct topology t = topology_of(vm);
    strbuf_addf(smp, "%" PRIu64 ",sockets=%" PRIu64 ",cores=%" PRIu64 ",threads=%" PRIu64,
                cpus_of(vm), t.sockets, t.cores, t.threads);
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
