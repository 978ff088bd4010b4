/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "command/plan-nouns.h"
#include "command/refusal.h"

#define DEFAULT_MEMORY 256 /* MiB */

/* ---- checks ---- */

static uint64_t most_memory(const struct plan *plan) {
    bool is_emulated = !plan->kvm && plan->machine->tcg_max_memory;
    return is_emulated ? plan->machine->tcg_max_memory : plan->arch->max_memory;
}

static int check_memory(const struct plan *plan, vqemu_error **error) {
    const struct arch *arch = plan->arch;
    uint64_t memory = plan->memory.mib.value, most = most_memory(plan);
    if (memory < arch->min_memory)
        return refuse(error, VQEMU_ERR_UNSUPPORTED,
                      "memory: %" PRIu64 " MiB are too little: the machine of %s guests needs "
                      "%" PRIu64,
                      memory, arch->name, arch->min_memory);
    if (most && memory > most)
        return refuse(error, VQEMU_ERR_UNSUPPORTED,
                      "memory: %" PRIu64 " MiB are too much: the machine %s of %s guests can "
                      "have %" PRIu64 "%s",
                      memory, plan->machine_name, arch->name, most,
                      most == arch->max_memory ? "" : " under emulation");
    if (arch->memory_step && memory % arch->memory_step != 0)
        return refuse(error, VQEMU_ERR_UNSUPPORTED,
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

static int check_hugepages(const struct plan *plan, vqemu_error **error) {
    const char *text = plan->vm->hugepages;
    uint64_t size = text ? page_size(text) : 1, memory = plan->memory.mib.value;
    if ((size & (size - 1)) != 0)
        return refuse(error, VQEMU_ERR_INVALID, "hugepages: %s is not a power of two", text);
    if ((memory << 10) % size != 0)
        return refuse(error, VQEMU_ERR_INVALID,
                      "hugepages: %" PRIu64 " MiB of memory are no multiple of %s", memory, text);
    return 0;
}

/* ---- the choice ---- */

static struct amount choose_memory(const struct plan *plan) {
    if (plan->vm->memory)
        return (struct amount){plan->vm->memory, origin_key("memory", NULL)};
    if (plan->arch->default_memory)
        return (struct amount){
            plan->arch->default_memory,
            origin_key("memory", "default: what guests of this architecture need")};
    return (struct amount){DEFAULT_MEMORY,
                           origin_key("memory", "default: enough for a small guest")};
}

int plan_memory(struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    struct memory_plan *memory = &plan->memory;
    memory->mib = choose_memory(plan);
    memory->has_backend = plan->shared_memory || vm->hugepages;
    memory->shared_origin =
        vm->memory_shared != TOGGLE_DEFAULT ? origin_key("memory_shared", NULL)
        : plan->shared_memory
            ? origin_key("memory_shared", "a share over virtiofs: virtiofsd reads and writes there")
            : origin_key("memory_shared", "default: nobody else has the memory");
    memory->backend_origin =
        plan->shared_memory ? memory->shared_origin : origin_key("hugepages", NULL);
    int r = check_memory(plan, error);
    return r == 0 ? check_hugepages(plan, error) : r;
}
