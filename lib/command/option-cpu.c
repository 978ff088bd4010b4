/* SPDX-License-Identifier: MIT */
#include "command/option-nouns.h"

/*
 * QEMU describes each in docs/system/i386/hyperv.rst. They spare Windows costly ways
 * to wait, to count time and to signal its other processors.
 */
static void hyperv_options(struct options *options, struct origin origin) {
    static const struct {
        const char *name;
        uint64_t number; /* 0: switched on */
    } features[] = {
        {"hv-relaxed", 0},  {"hv-vapic", 0}, {"hv-spinlocks", 0x1fff}, {"hv-vpindex", 0},
        {"hv-runtime", 0},  {"hv-time", 0},  {"hv-synic", 0},          {"hv-stimer", 0},
        {"hv-tlbflush", 0}, {"hv-ipi", 0},   {"hv-frequencies", 0},    {"hv-reset", 0},
    };
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        if (features[i].number)
            option_hex(options, features[i].name, features[i].number);
        else
            option_switch(options, features[i].name, true);
        option_from(options, origin);
    }
}

static void feature_options(struct options *options, const struct named_value *feature) {
    const char *name = arena_text(&options->texts, feature->name);
    if (feature->value.kind == VALUE_SWITCH)
        option_switch(options, name, feature->value.on);
    else if (feature->value.kind == VALUE_NUMBER)
        option_number(options, name, feature->value.number);
    else
        option_text(options, name, feature->value.text);
    option_from(options, origin_named("cpu_features", name, NULL));
}

/* The topology is always in full: what QEMU makes of a number alone depends on the machine's
 * version. */
void cpu_options(const struct plan *plan, struct options *options) {
    const struct cpu_plan *cpu = &plan->cpu;
    const struct named_values *features = &plan->vm->cpu_features;
    const struct {
        const char *name, *key;
        uint64_t value, given;
    } parts[] = {{"sockets", "cpu_sockets", cpu->sockets, plan->vm->cpu_sockets},
                 {"cores", "cpu_cores", cpu->cores, plan->vm->cpu_cores},
                 {"threads", "cpu_threads", cpu->threads, plan->vm->cpu_threads}};
    option_begin(options, OPTION_CPU, cpu->model.value, cpu->model.origin);
    if (cpu->settings)
        option_list(options, cpu->settings, cpu->model.origin);
    if (cpu->hyperv)
        hyperv_options(options, cpu->hyperv_origin);
    for (size_t i = 0; i < features->count; i++)
        feature_options(options, &features->items[i]);
    option_begin(options, OPTION_SMP,
                 arena_textf(&options->texts, "%llu", (unsigned long long)cpu->count),
                 cpu->count_origin);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        option_number(options, parts[i].name, parts[i].value);
        option_from(options, origin_key(parts[i].key,
                                        parts[i].given ? NULL : "default: what the number leaves"));
    }
}
