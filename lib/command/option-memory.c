/* SPDX-License-Identifier: MIT */
#include "command/option-nouns.h"

/* A memfd, so that nothing is left behind, and no directory of the host is needed. */
static void backend_options(const struct plan *plan, struct options *options) {
    const struct memory_plan *memory = &plan->memory;
    option_begin(options, OPTION_OBJECT, "memory-backend-memfd", memory->backend_origin);
    option_text(options, "id", "memory");
    option_add(options, "size", SETTING_MEBIBYTES, memory->mib.value);
    option_from(options, memory->mib.origin);
    option_switch(options, "share", plan->shared_memory);
    option_from(options, memory->shared_origin);
    if (!plan->vm->hugepages)
        return;
    option_switch(options, "hugetlb", true);
    option_from(options, origin_key("hugepages", NULL));
    option_text(options, "hugetlbsize", plan->vm->hugepages);
    option_from(options, origin_key("hugepages", NULL));
    option_switch(options, "prealloc", true);
    option_from(options, origin_key("hugepages", "taken at once, or the guest would die when there "
                                                 "is none"));
}

void memory_options(const struct plan *plan, struct options *options) {
    const struct amount *mib = &plan->memory.mib;
    option_begin(options, OPTION_MEMORY,
                 arena_textf(&options->texts, "%llu", (unsigned long long)mib->value), mib->origin);
    if (plan->memory.has_backend)
        backend_options(plan, options);
}
