/* SPDX-License-Identifier: MIT */
/* Processors: how many, in what topology, of what model, with what features. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "command/plan-nouns.h"
#include "command/refusal.h"

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

static int check_cpus(const struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    uint64_t cpus = cpus_of(vm), product = topology_product(vm);
    bool sockets_are_left_over = !vm->cpu_sockets && cpus % product == 0;
    if (cpus > plan->arch->max_cpus)
        return refuse(error, VQEMU_ERR_UNSUPPORTED,
                      "cpus: %" PRIu64 " CPUs are too many: the machine of %s guests can have %u%s",
                      cpus, plan->arch->name, (unsigned)plan->arch->max_cpus,
                      plan->arch->x86 ? " without an IOMMU that remaps interrupts, which no "
                                        "key gives it"
                                      : "");
    if (plan->arch->tcg_cpu_alone && !plan->kvm && !vm->cpu_model && cpus > 1)
        return refuse(error, VQEMU_ERR_UNSUPPORTED,
                      "cpus: %" PRIu64 " CPUs are too many: %s guests can have one %s, their "
                      "default; another cpu_model may allow more",
                      cpus, plan->arch->name, plan->arch->tcg_cpu);
    if (product != 1 && cpus != product && !sockets_are_left_over)
        return refuse(error, VQEMU_ERR_INVALID,
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
static int check_apic_ids(const struct plan *plan, vqemu_error **error) {
    const struct topology t = topology_of(plan->vm);
    uint64_t highest = highest_apic_id(plan->vm);
    if (!plan->arch->x86 || plan->kvm || highest <= 254)
        return 0;
    return refuse(error, VQEMU_ERR_UNSUPPORTED,
                  "cpus: %" PRIu64 " sockets of %" PRIu64 " cores of %" PRIu64 " threads need "
                  "APIC ids up to %" PRIu64 ", and emulated CPUs have them up to 254. Numbers "
                  "of cores and threads that are powers of two waste none",
                  t.sockets, t.cores, t.threads, highest);
}

static int check_threads(const struct plan *plan, vqemu_error **error) {
    enum threads threads = plan->arch->threads;
    if (plan->vm->cpu_threads <= 1 || threads == THREADS_ANY)
        return 0;
    if (threads == THREADS_KVM_ONLY && !plan->kvm)
        return refuse_without(plan, VQEMU_ABILITY_KVM, "cpu_threads", error);
    return threads == THREADS_NONE
               ? refuse_for_machine(plan, "cpu_threads", "cores of several threads", error)
               : 0;
}

/* "help" is none: QEMU would print a list and end well. */
static int check_cpu_model(const struct plan *plan, vqemu_error **error) {
    const char *model = plan->vm->cpu_model;
    if (model && strcmp(model, "help") == 0)
        return refuse(error, VQEMU_ERR_INVALID, "cpu_model: \"help\" is no CPU model");
    if (model && strcmp(model, "host") == 0 && !plan->kvm)
        return refuse_without(plan, VQEMU_ABILITY_KVM, "cpu_model", error);
    return 0;
}

/* Windows runs without them, too: nobody is refused what was not asked for. */
static bool wants_hyperv(const struct plan *plan) {
    bool can = plan->kvm && plan->arch->x86 &&
               (vqemu_profile_abilities(plan->profile) & VQEMU_ABILITY_HYPERV);
    return is_on_by_default(plan->vm->hyperv, can && plan_is_windows(plan));
}

static int check_hyperv(const struct plan *plan, vqemu_error **error) {
    if (!wants_hyperv(plan))
        return 0;
    if (!plan->arch->x86)
        return refuse_for_machine(plan, "hyperv", "Hyper-V enlightenments", error);
    int r = refuse_without(plan, VQEMU_ABILITY_HYPERV, "hyperv", error);
    return r == 0 ? refuse_without(plan, VQEMU_ABILITY_KVM, "hyperv", error) : r;
}

static int check_all(const struct plan *plan, vqemu_error **error) {
    int r = check_cpus(plan, error);
    if (r == 0)
        r = check_apic_ids(plan, error);
    if (r == 0)
        r = check_threads(plan, error);
    if (r == 0)
        r = check_cpu_model(plan, error);
    if (r == 0)
        r = check_hyperv(plan, error);
    return r;
}

/* ---- the choice ---- */

/* The table's can have settings: "max,pauth-impdef=on". */
static struct choice choose_emulated(struct plan *plan, const char **settings) {
    const char *model = plan->arch->tcg_cpu;
    size_t length = strcspn(model, ",");
    *settings = model[length] == ',' ? model + length + 1 : NULL;
    return (struct choice){
        *settings ? arena_bytes(&plan->texts, model, length) : model,
        origin_key("cpu_model", "default: the most capable that emulation has for such guests")};
}

static struct choice choose_model(struct plan *plan, const char **settings) {
    if (plan->vm->cpu_model)
        return (struct choice){plan->vm->cpu_model, origin_key("cpu_model", NULL)};
    if (plan->kvm)
        return (struct choice){"host",
                               origin_key("cpu_model", "default: under KVM, that of the host")};
    return choose_emulated(plan, settings);
}

static struct origin origin_of_count(const vqemu_vm *vm) {
    if (vm->cpus)
        return origin_key("cpus", NULL);
    return origin_key("cpus", topology_product(vm) > 1 ? "default: what the topology gives"
                                                       : "default: one");
}

int plan_cpus(struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    const struct topology t = topology_of(vm);
    plan->cpu = (struct cpu_plan){
        .count = cpus_of(vm),
        .sockets = t.sockets,
        .cores = t.cores,
        .threads = t.threads,
        .count_origin = origin_of_count(vm),
        .hyperv = wants_hyperv(plan),
        .hyperv_origin = origin_key(
            "hyperv", is_on(vm->hyperv) ? NULL : "default: under KVM, Windows is faster with it"),
    };
    plan->cpu.model = choose_model(plan, &plan->cpu.settings);
    return check_all(plan, error);
}
