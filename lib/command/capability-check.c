/* SPDX-License-Identifier: MIT */
#include "command/capability-check.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "command/option-argument.h"
#include "command/capability-argument.h"
#include "command/capability-id.h"
#include "command/capability-known.h"
#include "command/capability-name.h"
#include "command/capability-refusal.h"
#include "command/capability-short.h"
#include "command/capability-value.h"
#include "command/option-text.h"
#include "util/word.h"

/* Which things of QEMU's an option names, and what it says of them besides their properties. */
static const struct rule {
    enum option_name option;
    const char *kind, *noun;
    const char *driver;  /* the setting that names the thing where it is not said first */
    const char *also[8]; /* settings that are not properties */
} rules[] = {
    {OPTION_ACCEL, "accel", "accelerator", "accel", {NULL}},
    {OPTION_AUDIO, "audiodev", "driver of sound", "driver", {"id", "model"}},
    {OPTION_AUDIODEV, "audiodev", "driver of sound", "driver", {NULL}},
    {OPTION_BLOCKDEV, "blockdev", "block driver", "driver", {NULL}},
    {OPTION_CHARDEV, "chardev", "character device", "backend", {NULL}},
    {OPTION_CPU, "cpu", "CPU model", "cpu", {NULL}},
    {OPTION_DEVICE, "device", "device", "driver", {"id", "bus", "driver"}},
    {OPTION_DISPLAY, "display", "display", "type", {NULL}},
    {OPTION_MACHINE,
     "machine",
     "machine",
     "type",
     {"accel", "igd-passthru", "igd_passthru", "kernel-irqchip", "kernel_irqchip", "kvm-shadow-mem",
      "kvm_shadow_mem", "memory-backend"}},
    {OPTION_NET, "netdev", "network backend", "type", {"id", "ipv6-net"}},
    {OPTION_NETDEV, "netdev", "network backend", "type", {"ipv6-net"}},
    {OPTION_NIC, "netdev", "network backend", "type", {"id", "ipv6-net", "mac", "model"}},
    {OPTION_OBJECT, "object", "object", "qom-type", {NULL}},
    {OPTION_TPMDEV, "tpm", "TPM backend", "type", {"id"}},
};

/* What a sPAPR machine makes of a CPU model, by the name of its type. */
#define SPAPR_MACHINE "pseries"
#define SPAPR_CORE "-spapr-cpu-core"
#define SPAPR_TYPE "-powerpc64-cpu"

/* Options of which QEMU tells all parameters. */
static const struct group {
    enum option_name option;
    const char *name;
    const char *head; /* the parameter that is said first without its name */
} groups[] = {
    {OPTION_ACTION, "action", ""},
    {OPTION_ADD_FD, "add-fd", ""},
    {OPTION_BOOT, "boot-opts", "order"},
    {OPTION_CHARDEV, "chardev", "backend"},
    {OPTION_FSDEV, "fsdev", "fsdriver"},
    {OPTION_FW_CFG, "fw_cfg", "name"},
    {OPTION_ICOUNT, "icount", "shift"},
    {OPTION_ISCSI, "iscsi", ""},
    {OPTION_MEMORY, "memory", "size"},
    {OPTION_MON, "mon", "chardev"},
    {OPTION_MSG, "msg", ""},
    {OPTION_NAME, "name", "guest"},
    {OPTION_OPTION_ROM, "option-rom", "romfile"},
    {OPTION_OVERCOMMIT, "overcommit", ""},
    {OPTION_RTC, "rtc", ""},
    {OPTION_SANDBOX, "sandbox", "enable"},
    {OPTION_SEMIHOSTING, "semihosting-config", "enable"},
    {OPTION_SMP, "smp-opts", "cpus"},
    {OPTION_TRACE, "trace", "enable"},
    {OPTION_VIRTFS, "virtfs", "fsdriver"},
    {OPTION_VNC, "vnc", "vnc"},
};

/* Options that a QEMU is compiled without. */
static const struct part {
    enum option_name option;
    const char *name;
} parts[] = {{OPTION_FSDEV, "fsdev"},
             {OPTION_SANDBOX, "sandbox"},
             {OPTION_TPMDEV, "tpmdev"},
             {OPTION_VIRTFS, "virtfs"},
             {OPTION_VNC, "vnc"}};

/* ---- properties ---- */

/* A setting that is none of the thing's properties: it names the thing, or QEMU takes it itself. */
static bool is_of_option(const struct rule *rule, const char *property) {
    for (size_t i = 0; i < sizeof rule->also / sizeof *rule->also && rule->also[i]; i++)
        if (strcmp(property, rule->also[i]) == 0)
            return true;
    return strcmp(property, rule->driver) == 0;
}

/* "nowait" stands for "wait=off". */
static bool has_property(const struct checker *checker, const struct missing *thing,
                         const char *properties, const struct setting *setting,
                         const char *property) {
    bool is_negated = setting->kind == SETTING_SWITCH && strncmp(property, "no", 2) == 0;
    return capability_name_has_property(checker->capabilities, thing->kind, thing->name, properties,
                                        property) ||
           (is_negated && capability_name_has_property(checker->capabilities, thing->kind,
                                                       thing->name, properties, property + 2));
}

static int check_properties(const struct checker *checker, const struct rule *rule,
                            const struct missing *thing) {
    const struct option *option = thing->option;
    const char *properties =
        capabilities_properties(checker->capabilities, thing->kind, thing->name);
    for (size_t i = 0; properties && i < option->count; i++) {
        const struct setting *setting = option_setting(checker->options, option, i);
        struct missing missing = *thing;
        missing.property = setting->name;
        missing.origin = setting_origin(option, setting);
        if (!is_of_option(rule, missing.property) &&
            !has_property(checker, thing, properties, setting, missing.property))
            return refuse_missing(checker, &missing);
    }
    return 0;
}

static struct value_check values_of(const struct rule *rule, const struct missing *thing,
                                    const char *type) {
    struct value_check check = {.thing = thing, .type = type, .also = {rule->driver}};
    memcpy(check.also + 1, rule->also, sizeof rule->also);
    return check;
}

/* Of what the schema of QMP has, not only the names of properties are known. */
static int check_settings(const struct checker *checker, const struct rule *rule,
                          const struct missing *thing) {
    _cleanup_free_ char *type = format_string("%s.%s", rule->kind, thing->name);
    if (!type)
        return error_no_memory(checker->error);
    if (!value_type_is_known(checker->capabilities, type))
        return check_properties(checker, rule, thing);
    const struct value_check check = values_of(rule, thing, type);
    return check_values(checker, &check);
}

/* ---- things ---- */

static const struct rule *find_rule(enum option_name option) {
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].option == option)
            return &rules[i];
    return NULL;
}

/* The text of a setting; NULL if there is none. */
static const char *text_of(const struct checker *checker, const struct option *option,
                           const char *name, const struct origin **origin) {
    const struct setting *setting = option_find_text(checker->options, option, name);
    if (!setting)
        return NULL;
    *origin = setting_origin(option, setting);
    return setting->text;
}

/* "-device help", "-device nvme,help". */
static bool asks_for_help(const struct checker *checker, const struct option *option) {
    bool asks = option->head && capability_name_is_help(option->head);
    for (size_t i = 0; !asks && i < option->count; i++)
        asks = capability_name_is_help(option_setting(checker->options, option, i)->name);
    return asks;
}

/* Of a CPU or machine it is only known that QEMU cannot make one as it is asked. */
static bool tells_broken(enum option_name name) {
    return name != OPTION_ACCEL && name != OPTION_CPU && name != OPTION_MACHINE;
}

static int check_thing(const struct checker *checker, const struct rule *rule,
                       const struct option *option) {
    const struct origin *origin = &option->origin;
    const char *name =
        option->head ? option->head : text_of(checker, option, rule->driver, &origin);
    if (!name && option->name == OPTION_MACHINE) /* more of the VM's */
        name = checker->plan->machine_name;
    if (!name || capability_name_is_help(name) || asks_for_help(checker, option))
        return 0;
    struct missing thing = {
        .kind = rule->kind, .noun = rule->noun, .name = name, .option = option, .origin = origin};
    int is_known = capability_name_find(checker->capabilities, rule->kind, name, &thing.name);
    if (is_known < 0)
        return 0;
    if (tells_broken(option->name) &&
        vqemu_capabilities_fact(checker->capabilities, rule->kind, thing.name, "broken"))
        return refuse_broken(checker, &thing);
    if (option->name == OPTION_DEVICE &&
        vqemu_capabilities_fact(checker->capabilities, rule->kind, thing.name, "pluggable"))
        return refuse_not_pluggable(checker, &thing);
    return is_known ? check_settings(checker, rule, &thing) : refuse_missing(checker, &thing);
}

/* ---- what has a form of its own ---- */

/* What -action is told is what a command of QMP takes; of other options, QEMU tells the types of
 * their parameters. */
static int check_group_values(const struct checker *checker, const struct missing *thing,
                              const char *head) {
    const struct option *option = thing->option;
    bool is_action = option->name == OPTION_ACTION;
    _cleanup_free_ char *own = format_string("option.%s", thing->name);
    if (!own)
        return error_no_memory(checker->error);
    const struct value_check check = {
        .thing = thing, .type = is_action ? "action" : own, .is_loose = true};
    if (!value_type_is_known(checker->capabilities, check.type))
        return 0;
    bool has_head = option->head && *option->head && *head;
    int r = has_head ? check_word(checker, &check, head, option->head) : 0;
    return r == 0 ? check_values(checker, &check) : r;
}

static bool names_driver(const char *setting) {
    return strcmp(setting, "driver") == 0 || strcmp(setting, "format") == 0 ||
           ends_with(setting, ".driver");
}

/* "file=/x,format=qcow2,file.driver=file": what else there is of settings depends on the driver,
 * which need not be told. */
static int check_drive(const struct checker *checker, const struct option *option) {
    const struct missing thing = {.kind = "option",
                                  .noun = "option",
                                  .name = "drive",
                                  .option = option,
                                  .origin = &option->origin};
    int r = check_group_values(checker, &thing, "");
    for (size_t i = 0; r == 0 && i < option->count; i++) {
        const struct setting *setting = option_setting(checker->options, option, i);
        if (setting->kind != SETTING_TEXT || !names_driver(setting->name) ||
            capability_name_is_help(setting->text))
            continue;
        struct missing missing = {.kind = "blockdev",
                                  .noun = "block driver",
                                  .name = setting->text,
                                  .option = option,
                                  .origin = setting_origin(option, setting)};
        if (capability_name_find(checker->capabilities, "blockdev", setting->text, &missing.name) ==
            0)
            r = refuse_missing(checker, &missing);
        else if (vqemu_capabilities_fact(checker->capabilities, "blockdev", missing.name, "broken"))
            r = refuse_broken(checker, &missing);
    }
    return r;
}

/* "accel=kvm:tcg": one of them is enough. */
static int check_machine_accel(const struct checker *checker, const struct option *option) {
    const struct origin *origin = &option->origin;
    const char *names = text_of(checker, option, "accel", &origin);
    _cleanup_free_ char *words = strdup(names ? names : "");
    const struct missing missing = {
        .kind = "accel", .noun = "accelerator", .name = names, .option = option, .origin = origin};
    char *rest;
    if (!words)
        return error_no_memory(checker->error);
    for (char *word = strtok_r(words, ":", &rest); word; word = strtok_r(NULL, ":", &rest))
        if (vqemu_capabilities_has(checker->capabilities, "accel", word, NULL))
            return 0;
    return names && capabilities_tell(checker->capabilities, "accel")
               ? refuse_missing(checker, &missing)
               : 0;
}

/* Parameters of an option that is a thing itself. */
static int check_group(const struct checker *checker, const struct option *option) {
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        const struct rule rule = {option->name, "option", "option", groups[i].head, {"id"}};
        const struct missing thing = {.kind = "option",
                                      .noun = "option",
                                      .name = groups[i].name,
                                      .option = option,
                                      .origin = &option->origin};
        if (option->name != groups[i].option || asks_for_help(checker, option))
            continue;
        int r = check_properties(checker, &rule, &thing);
        return r == 0 ? check_group_values(checker, &thing, groups[i].head) : r;
    }
    return 0;
}

/* Of a type that is no device, it cannot be told what it has. */
static int check_global_of(const struct checker *checker, const struct missing *missing) {
    bool is_missing =
        vqemu_capabilities_has(checker->capabilities, "device", missing->name, NULL) == 1 &&
        vqemu_capabilities_has(checker->capabilities, "device", missing->name, missing->property) ==
            0;
    return is_missing ? refuse_missing(checker, missing) : 0;
}

/* "ICH9-LPC.disable_s3=1", or "driver=ICH9-LPC,property=disable_s3,value=1". */
static int check_global(const struct checker *checker, const struct option *option) {
    struct missing missing = {
        .kind = "device", .noun = "device", .option = option, .origin = &option->origin};
    missing.name = text_of(checker, option, "driver", &missing.origin);
    missing.property = text_of(checker, option, "property", &missing.origin);
    if (missing.name && missing.property)
        return check_global_of(checker, &missing);
    const struct setting *setting =
        option->count == 1 ? option_setting(checker->options, option, 0) : NULL;
    const char *dot = setting ? strrchr(setting->name, '.') : NULL;
    _cleanup_free_ char *name = dot ? strndup(setting->name, (size_t)(dot - setting->name)) : NULL;
    if (!dot)
        return 0;
    if (!name)
        return error_no_memory(checker->error);
    missing.name = name;
    missing.property = dot + 1;
    missing.origin = setting_origin(option, setting);
    return check_global_of(checker, &missing);
}

static int check_part(const struct checker *checker, const struct option *option) {
    bool tells = vqemu_capabilities_count(checker->capabilities, "option") > 0;
    for (size_t i = 0; tells && i < sizeof parts / sizeof *parts; i++) {
        const struct missing missing = {.kind = "option",
                                        .noun = "option",
                                        .name = parts[i].name,
                                        .option = option,
                                        .origin = &option->origin};
        if (option->name == parts[i].option &&
            !vqemu_capabilities_has(checker->capabilities, "option", parts[i].name, NULL))
            return refuse_missing(checker, &missing);
    }
    return 0;
}

/* As the machine is, in this version of it. */
static int check_cpu_count(const struct checker *checker, const struct option *option) {
    const char *machine =
        capabilities_real_name(checker->capabilities, "machine", checker->plan->machine_name);
    const char *fact =
        vqemu_capabilities_fact(checker->capabilities, "machine", machine, "max-cpus");
    uint64_t most = fact ? strtoull(fact, NULL, 10) : 0, count = checker->plan->cpu.count;
    _cleanup_strbuf_ struct strbuf key = {0};
    if (most == 0 || count <= most)
        return 0;
    origin_add_key(&option->origin, &key);
    if (key.failed)
        return error_no_memory(checker->error);
    error_set(checker->error, VQEMU_ERR_UNSUPPORTED, 0,
              "%s: the machine %s of this QEMU can have %s, not %llu", key.text ? key.text : "cpus",
              checker->plan->machine_name, fact, (unsigned long long)count);
    return error_because(VQEMU_ERR_UNSUPPORTED, checker->error, "too-many-cpus", VQEMU_DETAIL_KEY,
                         key.text, NULL);
}

/* "power9_v2.0-spapr-cpu-core": of a model that has none, a machine of this kind makes no CPU. */
static int check_core(const struct checker *checker, const struct option *option) {
    const char *model = option->head, *machine = checker->plan->machine_name;
    if (!model || strncmp(machine, SPAPR_MACHINE, strlen(SPAPR_MACHINE)) != 0 ||
        capability_name_find(checker->capabilities, "cpu", model, &model) != 1)
        return 0;
    const char *type = vqemu_capabilities_fact(checker->capabilities, "cpu", model, "type");
    const char *end = type ? strstr(type, SPAPR_TYPE) : NULL;
    _cleanup_free_ char *core =
        end ? format_string("%.*s" SPAPR_CORE, (int)(end - type), type) : NULL;
    if (!end)
        return 0;
    if (!core)
        return error_no_memory(checker->error);
    if (vqemu_capabilities_has(checker->capabilities, "device", core, NULL) != 0)
        return 0;
    const struct missing missing = {.name = model, .option = option, .origin = &option->origin};
    return refuse_for_board(checker, &missing);
}

/* ---- all of them ---- */

/* What has a form of its own. */
static int check_form(const struct checker *checker, const struct option *option) {
    switch (option->name) {
    case OPTION_CPU:
        return check_core(checker, option);
    case OPTION_DRIVE:
        return check_drive(checker, option);
    case OPTION_GLOBAL:
        return check_global(checker, option);
    case OPTION_MACHINE:
        return check_machine_accel(checker, option);
    case OPTION_SMP:
        return check_cpu_count(checker, option);
    default:
        return check_part(checker, option);
    }
}

static int check_option(const struct checker *checker, const struct option *option) {
    const struct rule *rule = find_rule(option->name);
    int r = rule ? check_thing(checker, rule, option) : 0;
    if (r == 0)
        r = check_group(checker, option);
    if (r == 0)
        r = check_form(checker, option);
    if (r == 0)
        r = check_known(checker, option);
    return r == 0 ? check_short_form(checker, option) : r;
}

static int check_options(const struct checker *checker) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < checker->options->count; i++)
        r = check_option(checker, &checker->options->items[i]);
    return r;
}

int capability_check(const struct plan *plan, const struct options *options,
                     const vqemu_capabilities *capabilities, vqemu_store *others,
                     vqemu_error **error) {
    _cleanup_options_ struct options extra = {0};
    struct checker checker = {plan, options, capabilities, others, error};
    int r = check_options(&checker);
    if (r < 0)
        return r;
    argument_options(&plan->vm->extra_args, &extra);
    if (extra.failed || extra.texts.failed)
        return error_no_memory(error);
    r = check_arguments(&checker);
    checker.options = &extra;
    if (r == 0)
        r = check_options(&checker);
    return r == 0 ? check_ids(&checker, options) : r;
}
