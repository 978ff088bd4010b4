/* SPDX-License-Identifier: MIT */
#include "qemu/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/call.h"
#include "base/error.h"
#include "content/ability-rule.h"
#include "qemu/ask.h"
#include "qemu/block-drivers.h"
#include "qemu/device-lines.h"
#include "qemu/help.h"
#include "qemu/kept.h"
#include "qemu/schema.h"
#include "qemu/schema-types.h"
#include "store/store.h"
#include "tree/runtime.h"
#include "util/export.h"

#define DEFAULT_TIME 60000 /* ms */

struct prober {
    struct asked asked;
    struct vqemu_progress *progress;
    struct capability_list list;
    json_t *devices; /* what the monitor for people tells of them, by name */
};

/* Facts are short lived: those of one thing at a time. */
static void add_with_facts(struct prober *prober, const char *kind, const char *name, int set,
                           struct strbuf *facts) {
    prober->list.lines.failed = prober->list.lines.failed || facts->failed;
    capability_list_add(&prober->list, kind, name, set, facts->text ? facts->text : "");
}

/* ---- types and their properties ---- */

/* The names in a list of properties. */
static int add_properties(struct prober *prober, const json_t *properties) {
    _cleanup_strv_ struct strv words = {0};
    size_t i;
    const json_t *property;
    if (!json_is_array(properties))
        return PROPERTIES_UNKNOWN;
    json_array_foreach(properties, i, property) strv_add(&words, json_text(property, "name"));
    return capability_list_add_set(&prober->list, &words);
}

/* QEMU makes an instance for it, and throws it away again: what it ends itself over is a fact. */
static int ask_properties(struct prober *prober, const char *command, const char *type, int *set,
                          struct strbuf *facts, vqemu_error **error) {
    _cleanup_json_ json_t *properties = NULL;
    bool is_broken;
    json_t *arguments = json_pack("{s:s}", "typename", type);
    if (!arguments)
        return error_no_memory(error);
    int r = ask(&prober->asked, command, arguments, &properties, &is_broken, error);
    if (r < 0)
        return r;
    *set = add_properties(prober, properties);
    if (is_broken)
        capability_add_fact(facts, "broken", "yes");
    return 0;
}

static int list_types(struct prober *prober, const char *implements, json_t **types,
                      vqemu_error **error) {
    bool is_broken;
    json_t *arguments = json_pack("{s:s, s:b}", "implements", implements, "abstract", 0);
    if (!arguments)
        return error_no_memory(error);
    return ask(&prober->asked, "qom-list-types", arguments, types, &is_broken, error);
}

static void add_alias(struct prober *prober, const char *kind, const char *alias,
                      const char *name) {
    _cleanup_strbuf_ struct strbuf facts = {0};
    capability_add_fact(&facts, "alias-of", name);
    add_with_facts(prober, kind, alias, PROPERTIES_NONE, &facts);
}

/* -device takes names that are no types, and not every type. */
static int ask_device_lines(struct prober *prober, vqemu_error **error) {
    _cleanup_json_ json_t *text = NULL;
    bool is_broken;
    json_t *arguments = json_pack("{s:s}", "command-line", "info qdm");
    if (!arguments)
        return error_no_memory(error);
    int r = ask(&prober->asked, "human-monitor-command", arguments, &text, &is_broken, error);
    if (r < 0)
        return r;
    prober->devices = device_lines_index(json_is_string(text) ? json_string_value(text) : "");
    return prober->devices ? 0 : error_no_memory(error);
}

static int add_device(struct prober *prober, const char *type, vqemu_error **error) {
    _cleanup_strbuf_ struct strbuf facts = {0};
    const json_t *line = json_object_get(prober->devices, type);
    int set;
    int r = ask_properties(prober, "device-list-properties", type, &set, &facts, error);
    if (r < 0)
        return r;
    if (json_is_false(json_object_get(line, "pluggable")))
        capability_add_fact(&facts, "pluggable", "no");
    add_with_facts(prober, "device", type, set, &facts);
    if (*json_text(line, "alias"))
        add_alias(prober, "device", json_text(line, "alias"), type);
    return progress_advance(prober->progress, 0, "devices", 1, error);
}

static int add_devices(struct prober *prober, vqemu_error **error) {
    _cleanup_json_ json_t *types = NULL;
    int r = list_types(prober, "device", &types, error);
    if (r == 0)
        r = ask_device_lines(prober, error);
    size_t i;
    const json_t *type;
    progress_start(prober->progress, "probe", "devices", json_array_size(types));
    json_array_foreach(types, i, type) {
        if (r == 0)
            r = add_device(prober, json_text(type, "name"), error);
    }
    return r;
}

/* "tcg-accel" is what -accel calls tcg. */
static int add_accelerator(struct prober *prober, const char *type, vqemu_error **error) {
    _cleanup_strbuf_ struct strbuf facts = {0};
    const char *end = strstr(type, "-accel");
    _cleanup_free_ char *name = strndup(type, end ? (size_t)(end - type) : 0);
    int set;
    if (!name)
        return error_no_memory(error);
    if (!end)
        return 0;
    int r = ask_properties(prober, "qom-list-properties", type, &set, &facts, error);
    if (r == 0)
        add_with_facts(prober, "accel", name, set, &facts);
    return r;
}

static int add_accelerators(struct prober *prober, vqemu_error **error) {
    _cleanup_json_ json_t *types = NULL;
    int r = list_types(prober, "accel", &types, error);
    size_t i;
    const json_t *type;
    json_array_foreach(types, i, type) {
        if (r == 0)
            r = add_accelerator(prober, json_text(type, "name"), error);
    }
    return r;
}

/* ---- machines ---- */

static int add_machine(struct prober *prober, const json_t *machine, vqemu_error **error) {
    _cleanup_strbuf_ struct strbuf facts = {0};
    const char *name = json_text(machine, "name"), *alias = json_text(machine, "alias");
    char type[256], number[24];
    int set;
    snprintf(type, sizeof type, "%s-machine", name);
    snprintf(number, sizeof number, "%lld",
             (long long)json_integer_value(json_object_get(machine, "cpu-max")));
    capability_add_fact(&facts, "max-cpus", number);
    int r = ask_properties(prober, "qom-list-properties", type, &set, &facts, error);
    if (r < 0)
        return r;
    add_with_facts(prober, "machine", name, set, &facts);
    if (*alias)
        add_alias(prober, "machine", alias, name);
    return 0;
}

static int add_machines(struct prober *prober, vqemu_error **error) {
    _cleanup_json_ json_t *machines = NULL;
    bool is_broken;
    int r = ask(&prober->asked, "query-machines", NULL, &machines, &is_broken, error);
    size_t i;
    const json_t *machine;
    json_array_foreach(machines, i, machine) {
        if (r == 0)
            r = add_machine(prober, machine, error);
    }
    return r;
}

/* ---- CPU models ---- */

static int add_model(struct prober *prober, const json_t *model, vqemu_error **error) {
    _cleanup_strbuf_ struct strbuf facts = {0};
    const char *type = json_text(model, "typename");
    int set;
    capability_add_fact(&facts, "type", type);
    int r = ask_properties(prober, "device-list-properties", type, &set, &facts, error);
    if (r < 0)
        return r;
    add_with_facts(prober, "cpu", json_text(model, "name"), set, &facts);
    return progress_advance(prober->progress, 0, "CPU models", 1, error);
}

/* "rv64-riscv-cpu" is what -cpu calls rv64. Not every QEMU lists its models by these names. */
static int list_models_by_types(struct prober *prober, json_t **models, vqemu_error **error) {
    _cleanup_json_ json_t *types = NULL;
    int r = list_types(prober, "cpu", &types, error);
    if (r < 0)
        return r;
    *models = json_array();
    size_t i;
    const json_t *type;
    json_array_foreach(types, i, type) {
        const char *name = json_text(type, "name");
        _cleanup_free_ char *model = strdup(name);
        char *end = model ? strrchr(model, '-') : NULL;
        if (end)
            *end = '\0';
        end = end ? strrchr(model, '-') : NULL;
        if (end)
            *end = '\0';
        if (!model || json_array_append_new(
                          *models, json_pack("{s:s, s:s}", "name", model, "typename", name)) < 0)
            return error_no_memory(error);
    }
    return 0;
}

static int add_models(struct prober *prober, vqemu_error **error) {
    _cleanup_json_ json_t *models = NULL;
    bool is_broken;
    int r = ask(&prober->asked, "query-cpu-definitions", NULL, &models, &is_broken, error);
    if (r == 0 && !models)
        r = list_models_by_types(prober, &models, error);
    size_t i;
    const json_t *model;
    json_array_foreach(models, i, model) {
        if (r == 0)
            r = add_model(prober, model, error);
    }
    return r;
}

/* ---- the rest ---- */

static int add_version(struct prober *prober, vqemu_error **error) {
    _cleanup_json_ json_t *answer = NULL;
    _cleanup_strbuf_ struct strbuf facts = {0};
    bool is_broken;
    char version[64];
    int r = ask(&prober->asked, "query-version", NULL, &answer, &is_broken, error);
    if (r < 0)
        return r;
    const json_t *numbers = json_object_get(answer, "qemu");
    snprintf(version, sizeof version, "%d.%d.%d",
             (int)json_integer_value(json_object_get(numbers, "major")),
             (int)json_integer_value(json_object_get(numbers, "minor")),
             (int)json_integer_value(json_object_get(numbers, "micro")));
    capability_add_fact(&facts, "package", json_text(answer, "package"));
    capability_add_fact(&facts, "asked-with", asked_accel(&prober->asked));
    capability_add_fact(&facts, "sandbox", asked_is_sandboxed(&prober->asked) ? "yes" : "no");
    add_with_facts(prober, "qemu", version, PROPERTIES_NONE, &facts);
    return 0;
}

/* What values a parameter has, as the types of the schema have it. */
static char type_of_parameter(const char *type) {
    return strcmp(type, "boolean") == 0  ? TYPE_BOOLEAN
           : strcmp(type, "number") == 0 ? TYPE_INTEGER
           : strcmp(type, "size") == 0   ? TYPE_INTEGER
                                         : TYPE_STRING;
}

static void add_option(struct prober *prober, const json_t *option) {
    _cleanup_strv_ struct strv words = {0}, types = {0};
    _cleanup_free_ char *name = format_string("option.%s", json_text(option, "option"));
    size_t i;
    const json_t *parameter;
    json_array_foreach(json_object_get(option, "parameters"), i, parameter) {
        const char *word = json_text(parameter, "name");
        strv_add(&words, word);
        strv_addf(&types, "%s?:%c", word, type_of_parameter(json_text(parameter, "type")));
    }
    int set = words.count > 0 ? capability_list_add_set(&prober->list, &words) : PROPERTIES_UNKNOWN;
    capability_list_add(&prober->list, "option", json_text(option, "option"), set, "");
    prober->list.lines.failed = prober->list.lines.failed || !name;
    if (name && types.count > 0)
        capability_list_add(&prober->list, TYPE_KIND, name,
                            capability_list_add_set(&prober->list, &types), "is=struct\t");
}

static int add_options(struct prober *prober, vqemu_error **error) {
    _cleanup_json_ json_t *options = NULL;
    bool is_broken;
    int r = ask(&prober->asked, "query-command-line-options", NULL, &options, &is_broken, error);
    size_t i;
    const json_t *option;
    json_array_foreach(options, i, option) add_option(prober, option);
    return r;
}

static int add_schema(struct prober *prober, vqemu_error **error) {
    _cleanup_json_ json_t *schema = NULL;
    bool is_broken;
    int r = ask(&prober->asked, "query-qmp-schema", NULL, &schema, &is_broken, error);
    if (r == 0 && schema_add(&prober->list, schema) < 0)
        r = error_no_memory(error);
    if (r == 0 && schema)
        r = block_drivers_mark(&prober->list, &prober->asked, schema, error);
    return r;
}

/* "emulator" is what -tpmdev calls the backend for an emulated TPM. Without TPM there is no such
 * command. */
static int add_tpm_backends(struct prober *prober, vqemu_error **error) {
    _cleanup_json_ json_t *names = NULL;
    bool is_broken;
    int r = ask(&prober->asked, TPM_QUESTION, NULL, &names, &is_broken, error);
    size_t i;
    const json_t *name;
    json_array_foreach(names, i, name) {
        const char *text = json_string_value(name);
        if (text)
            capability_list_add(&prober->list, "tpm", text, PROPERTIES_UNKNOWN, "");
    }
    return r;
}

/* The schema has those of modules that are not there, too; what they take is that of the option. */
static int add_character_devices(struct prober *prober, vqemu_error **error) {
    _cleanup_json_ json_t *backends = NULL;
    bool is_broken;
    int r = ask(&prober->asked, "query-chardev-backends", NULL, &backends, &is_broken, error);
    size_t i;
    const json_t *backend;
    json_array_foreach(backends, i, backend) capability_list_add(
        &prober->list, "chardev", json_text(backend, "name"), PROPERTIES_UNKNOWN, "");
    return r;
}

static int add_helps(struct prober *prober, vqemu_error **error) {
    return help_add(&prober->list, &prober->asked, error);
}

static int ask_all(struct prober *prober, vqemu_error **error) {
    static int (*const questions[])(struct prober *, vqemu_error **) = {
        add_version,  add_options, add_schema,  add_accelerators,      add_tpm_backends,
        add_machines, add_models,  add_devices, add_character_devices, /* after what makes QEMU load
                                                                          its modules */
        add_helps};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof questions / sizeof *questions; i++)
        r = questions[i](prober, error);
    return r;
}

/* ---- abilities ---- */

/* What QEMU lists and then ends itself over is not there. */
static int has_part(const struct ability_part *part, void *userdata) {
    const vqemu_capabilities *capabilities = userdata;
    if (!part->kind)
        return 1;
    if (vqemu_capabilities_fact(capabilities, part->kind, part->name, "broken"))
        return 0;
    return vqemu_capabilities_has(capabilities, part->kind, part->name, NULL);
}

/* Those that follow from all that was told. */
static void add_abilities(struct prober *prober, vqemu_capabilities *capabilities) {
    const struct arch *guest = runtime_arch(prober->asked.runtime);
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t ability = (uint64_t)1 << bit;
        struct ability_need needs[ABILITY_NEEDS_MAX];
        const struct ability_need *decisive;
        size_t count = ability_needs(ability, guest, needs);
        if (count > 0 && ability_judge(needs, count, has_part, capabilities, &decisive) == 1)
            capability_list_add(&prober->list, "ability", vqemu_ability_name(ability),
                                PROPERTIES_NONE, "");
    }
}

/* ---- the whole ---- */

static int write_list(struct prober *prober, vqemu_capabilities **capabilities,
                      vqemu_error **error) {
    _cleanup_strbuf_ struct strbuf text = {0};
    capability_list_write(&prober->list, &text);
    char *whole = strbuf_take(&text);
    if (!whole)
        return error_no_memory(error);
    return capabilities_of_text(whole, vqemu_runtime_binary(prober->asked.runtime), capabilities,
                                error);
}

static int finish(struct prober *prober, vqemu_capabilities **capabilities, vqemu_error **error) {
    _cleanup_capabilities_ vqemu_capabilities *without = NULL;
    int r = write_list(prober, &without, error);
    if (r < 0)
        return r;
    add_abilities(prober, without);
    return write_list(prober, capabilities, error);
}

int probe(const vqemu_runtime *runtime, struct vqemu_progress *progress,
          vqemu_capabilities **capabilities, vqemu_error **error) {
    struct prober prober = {.progress = progress};
    int64_t deadline = call_deadline_or(progress->call, DEFAULT_TIME);
    int r = asked_start(&prober.asked, runtime, progress, deadline, error);
    if (r == 0)
        r = ask_all(&prober, error);
    if (r == 0)
        r = finish(&prober, capabilities, error);
    asked_end(&prober.asked);
    capability_list_release(&prober.list);
    json_decref(prober.devices);
    return r;
}

/* ---- the call ---- */

/* What is known need not be asked. */
static int load_or_ask(const vqemu_runtime *runtime, vqemu_store *store, uint32_t flags,
                       struct vqemu_progress *progress, vqemu_capabilities **capabilities,
                       vqemu_error **error) {
    struct kept kept;
    int is_kept = kept_find(store, runtime, &kept, error);
    if (is_kept < 0)
        return is_kept;
    int r = is_kept && !(flags & VQEMU_PROBE_AGAIN) ? kept_load(&kept, capabilities, error) : 0;
    if (r < 0 || *capabilities)
        return r;
    r = probe(runtime, progress, capabilities, error);
    if (r == 0 && is_kept)
        kept_save(&kept, *capabilities);
    return r;
}

VQEMU_EXPORT int vqemu_runtime_probe(const vqemu_runtime *runtime, vqemu_store *keeper,
                                     uint32_t flags, vqemu_call *call,
                                     vqemu_capabilities **capabilities, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(capabilities, error);
    *capabilities = NULL;
    REQUIRE_ARGUMENT(runtime, error);
    REQUIRE_FLAGS(flags, VQEMU_PROBE_AGAIN, error);
    if (keeper)
        REQUIRE_STORE(keeper, error);
    struct vqemu_progress progress = {.call = call, .phase_count = 1};
    return load_or_ask(runtime, keeper, flags, &progress, capabilities, error);
}
