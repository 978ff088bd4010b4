/* SPDX-License-Identifier: MIT */
#include "store/ingest-options.h"

#include <stddef.h>
#include <string.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/options.h"
#include "choice/arch.h"
#include "choice/profile.h"
#include "store/creation-time.h"
#include "util/export.h"
#include "util/rfc3339.h"
#include "util/strbuf.h"
#include "util/utf8.h"

#define OPTION(name)                                                                               \
    { #name, OPTION_STRING, offsetof(struct vqemu_ingest_options, name) }
static const struct option_key keys[] = {
    OPTION(profile),    OPTION(digest),     OPTION(created_at),  OPTION(qemu_version),
    OPTION(build_date), OPTION(build_host), OPTION(description), OPTION(accel),
    OPTION(abilities),  OPTION(guests),
};

static const struct options_type type = {
    .noun = "what is put into a store",
    .size = sizeof(struct vqemu_ingest_options),
    .keys = keys,
    .key_count = sizeof keys / sizeof *keys,
};

VQEMU_EXPORT int vqemu_ingest_options_new(vqemu_ingest_options **options, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    *options = options_new(&type);
    return *options ? 0 : error_no_memory(error);
}

/* ---- words ---- */

static int check_accel(const char *accel, vqemu_error **error) {
    bool is_good = strcmp(accel, "kvm") == 0 || strcmp(accel, "tcg") == 0;
    return is_good ? 0 : options_not_a_choice(VQEMU_INGEST_ACCEL, accel, "kvm, tcg", error);
}

static char *list_abilities(void) {
    struct strbuf names = {0};
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t ability = (uint64_t)1 << bit;
        if (ability & abilities_known())
            strbuf_addf(&names, "%s%s", names.length > 0 ? ", " : "", vqemu_ability_name(ability));
    }
    return strbuf_take(&names);
}

static int check_word(const char *key, const char *word, vqemu_error **error) {
    bool is_ability = strcmp(key, VQEMU_INGEST_ABILITIES) == 0;
    if (is_ability ? vqemu_ability_find(word) != 0 : arch_find(word) != NULL)
        return 0;
    _cleanup_free_ char *choices = is_ability ? list_abilities() : arch_list_names();
    return choices ? options_not_a_choice(key, word, choices, error) : error_no_memory(error);
}

/* Those of a list that is separated by commas. */
static int check_words(const char *key, const char *list, vqemu_error **error) {
    int r = 0;
    while (r == 0 && *list) {
        size_t length = strcspn(list, ",");
        _cleanup_free_ char *word = strndup(list, length);
        r = word ? check_word(key, word, error) : error_no_memory(error);
        list += length + (list[length] == ',');
    }
    return r;
}

static int check_value(const char *key, const char *value, vqemu_error **error) {
    struct timespec parsed;
    struct digest digest;
    if (strcmp(key, VQEMU_INGEST_CREATED_AT) == 0 && !rfc3339_parse(value, &parsed))
        return options_invalid(key, value, NULL, error,
                               "\"%s\" is not a time like 2025-01-31T10:00:00Z", value);
    if (strcmp(key, VQEMU_INGEST_CREATED_AT) == 0) {
        int r = creation_time_check(&parsed, "the revision", error);
        return r < 0 ? error_because(error_prefix(r, error, "%s: ", key), error, NULL,
                                     VQEMU_DETAIL_KEY, key, NULL)
                     : 0;
    }
    if (strcmp(key, VQEMU_INGEST_DIGEST) == 0 && !digest_parse(value, &digest))
        return options_invalid(key, value, NULL, error,
                               "\"%s\", of %zu characters, is no SHA-256 of %d lower case hex "
                               "digits",
                               value, strlen(value), DIGEST_HEX_LENGTH);
    if (!utf8_is_valid(value))
        return options_invalid(key, value, NULL, error, "it is not UTF-8 text");
    if (strcmp(key, VQEMU_INGEST_ACCEL) == 0)
        return check_accel(value, error);
    if (strcmp(key, VQEMU_INGEST_ABILITIES) == 0 || strcmp(key, VQEMU_INGEST_GUESTS) == 0)
        return check_words(key, value, error);
    return 0;
}

VQEMU_EXPORT int vqemu_ingest_options_set_string(vqemu_ingest_options *options, const char *key,
                                                 const char *value, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    REQUIRE_ARGUMENT(key, error);
    int r = value ? check_value(key, value, error) : 0;
    return r < 0 ? r : options_set_string(&type, options, key, value, error);
}

VQEMU_EXPORT int vqemu_ingest_options_set_trust(vqemu_ingest_options *options, vqemu_trust *trust,
                                                vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(options, error);
    vqemu_trust_ref(trust);
    vqemu_trust_unref(options->trust);
    options->trust = trust;
    return 0;
}

VQEMU_EXPORT void vqemu_ingest_options_free(vqemu_ingest_options *options) {
    if (options)
        vqemu_trust_unref(options->trust);
    options_free(&type, options);
}

bool ingest_options_describe(const vqemu_ingest_options *options) {
    return options && (options->created_at || options->qemu_version || options->build_date ||
                       options->build_host || options->description || options->accel ||
                       options->abilities || options->guests);
}
