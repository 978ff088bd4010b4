/* SPDX-License-Identifier: MIT */
#include "command/capability-refusal.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "command/option-text.h"
#include "qemu/kept.h"
#include "util/similar.h"

/* The key, or what the option is where none of the VM's asks for it. */
static void add_subject(const struct missing *missing, struct strbuf *text) {
    if (origin_has_key(missing->origin))
        origin_add_key(missing->origin, text);
    else
        strbuf_addf(text, "%s %s", option_spelling(missing->option->name), missing->name);
}

/* The newest of a machine's versions, "pc-q35-7.2, pc-q35-7.1": the highest below one that was
 * told. */
static const char *newest_version(const struct checker *checker, const char *family,
                                  const char *below) {
    size_t length = strlen(family);
    const char *newest = NULL, *name;
    for (size_t i = 0; (name = vqemu_capabilities_at(checker->capabilities, "machine", i)) != NULL;
         i++)
        if (strncmp(name, family, length) == 0 && name[length] >= '0' && name[length] <= '9' &&
            (!below || strverscmp(name, below) < 0) && (!newest || strverscmp(name, newest) > 0))
            newest = name;
    return newest;
}

/* What is alike is mostly older by years: who asks for a version wants a new one. */
static void add_versions(const struct checker *checker, const char *machine, struct strbuf *text) {
    const char *dash = strrchr(machine, '-'), *version = NULL;
    _cleanup_free_ char *family = strndup(machine, dash ? (size_t)(dash - machine) + 1 : 0);
    text->failed = text->failed || !family;
    for (size_t i = 0; dash && family && i < SIMILAR_MAX; i++) {
        version = newest_version(checker, family, version);
        if (!version)
            return;
        strbuf_addf(text, "%s%s", i > 0 ? ", " : "", version);
    }
}

static void add_similar_things(const struct checker *checker, const struct missing *missing,
                               struct strbuf *text) {
    struct similar similar = {.wanted = missing->name};
    if (strcmp(missing->kind, "machine") == 0)
        add_versions(checker, missing->name, text);
    if (text->length > 0)
        return;
    const char *name;
    for (size_t i = 0;
         (name = vqemu_capabilities_at(checker->capabilities, missing->kind, i)) != NULL; i++)
        similar_look_at(&similar, name);
    similar_add(&similar, text);
}

/* Up to a word's end, and the type that may be behind it: "size?:i". */
static void add_similar_words(const char *wanted, const char *words, struct strbuf *text) {
    struct similar similar = {.wanted = wanted};
    _cleanup_free_ char *copy = strdup(words);
    char *rest = copy;
    text->failed = text->failed || !copy;
    for (char *word; rest && (word = strsep(&rest, " "));) {
        word[strcspn(word, "?:")] = '\0';
        if (*word)
            similar_look_at(&similar, word);
    }
    similar_add(&similar, text);
}

static void add_similar_properties(const struct checker *checker, const struct missing *missing,
                                   struct strbuf *text) {
    const char *words = missing->words ? missing->words
                                       : capabilities_properties(checker->capabilities,
                                                                 missing->kind, missing->name);
    add_similar_words(missing->property + missing->prefix, words ? words : "", text);
}

static const char *version_of(const struct checker *checker) {
    const char *version = vqemu_capabilities_at(checker->capabilities, "qemu", 0);
    return version ? version : "";
}

static const char *key_of(const struct missing *missing, const struct strbuf *subject) {
    return origin_has_key(missing->origin) ? subject->text : NULL;
}

static void add_profiles(const struct checker *checker, const struct missing *missing,
                         struct strbuf *profiles) {
    const struct capability_name name = {missing->kind, missing->name, missing->property};
    if (checker->others)
        kept_list_profiles(checker->others, checker->plan->arch->binary, &name, profiles);
}

int refuse_missing(const struct checker *checker, const struct missing *missing) {
    _cleanup_strbuf_ struct strbuf subject = {0}, similar = {0}, profiles = {0};
    const char *what = missing->property ? missing->property : missing->name;
    add_subject(missing, &subject);
    if (missing->property)
        add_similar_properties(checker, missing, &similar);
    else
        add_similar_things(checker, missing, &similar);
    add_profiles(checker, missing, &profiles);
    if (subject.failed || similar.failed || profiles.failed)
        return error_no_memory(checker->error);
    const char *alike = similar.length ? similar.text : NULL;
    const char *others = profiles.length ? profiles.text : NULL;
    bool is_of_thing = missing->property != NULL;
    error_set(checker->error, VQEMU_ERR_UNSUPPORTED, 0,
              "%s: the QEMU %s of the profile %s has no %s%s%s%s \"%s\"%s%s%s%s", subject.text,
              version_of(checker), vqemu_profile_name(checker->plan->profile),
              is_of_thing ? missing->noun : "", is_of_thing ? " " : "",
              is_of_thing ? missing->name : missing->noun, is_of_thing ? " with a property" : "",
              what, alike ? "; similar there: " : "", alike ? alike : "",
              others ? "; these profiles of the store have it: " : "", others ? others : "");
    return error_because(VQEMU_ERR_UNSUPPORTED, checker->error,
                         is_of_thing ? "qemu-lacks-property" : "qemu-lacks-thing", VQEMU_DETAIL_KEY,
                         key_of(missing, &subject), VQEMU_DETAIL_VALUE, what, VQEMU_DETAIL_CHOICES,
                         alike, VQEMU_DETAIL_PROFILE, vqemu_profile_name(checker->plan->profile),
                         VQEMU_DETAIL_PROFILES, others, NULL);
}

int refuse_broken(const struct checker *checker, const struct missing *missing) {
    _cleanup_strbuf_ struct strbuf subject = {0}, profiles = {0};
    add_subject(missing, &subject);
    add_profiles(checker, missing, &profiles);
    if (subject.failed || profiles.failed)
        return error_no_memory(checker->error);
    const char *others = profiles.length ? profiles.text : NULL;
    bool is_device = strcmp(missing->kind, "device") == 0;
    error_set(checker->error, VQEMU_ERR_UNSUPPORTED, 0,
              "%s: the QEMU of the profile %s %s the %s \"%s\"; mostly, a module that it needs is "
              "not in the profile%s%s",
              subject.text, vqemu_profile_name(checker->plan->profile),
              is_device ? "ends itself over" : "is made for, but cannot load,", missing->noun,
              missing->name, others ? "; these profiles of the store have it: " : "",
              others ? others : "");
    return error_because(VQEMU_ERR_UNSUPPORTED, checker->error, "qemu-lacks-module",
                         VQEMU_DETAIL_KEY, key_of(missing, &subject), VQEMU_DETAIL_VALUE,
                         missing->name, VQEMU_DETAIL_PROFILES, others, NULL);
}

int refuse_not_pluggable(const struct checker *checker, const struct missing *missing) {
    _cleanup_strbuf_ struct strbuf subject = {0};
    add_subject(missing, &subject);
    if (subject.failed)
        return error_no_memory(checker->error);
    error_set(checker->error, VQEMU_ERR_UNSUPPORTED, 0,
              "%s: the QEMU of the profile %s does not take the device \"%s\" with -device: it is "
              "only part of machines",
              subject.text, vqemu_profile_name(checker->plan->profile), missing->name);
    return error_because(VQEMU_ERR_UNSUPPORTED, checker->error, "not-pluggable", VQEMU_DETAIL_KEY,
                         key_of(missing, &subject), VQEMU_DETAIL_VALUE, missing->name, NULL);
}

int refuse_for_board(const struct checker *checker, const struct missing *missing) {
    _cleanup_strbuf_ struct strbuf subject = {0};
    add_subject(missing, &subject);
    if (subject.failed)
        return error_no_memory(checker->error);
    error_set(checker->error, VQEMU_ERR_UNSUPPORTED, 0,
              "%s: the machine %s of this QEMU cannot have the CPU model %s", subject.text,
              checker->plan->machine_name, missing->name);
    return error_because(VQEMU_ERR_UNSUPPORTED, checker->error, "cpu-not-for-machine",
                         VQEMU_DETAIL_KEY, key_of(missing, &subject), VQEMU_DETAIL_VALUE,
                         missing->name, NULL);
}

/* ---- values ---- */

#define ALL_WORDS_MAX 120 /* bytes of values that are all told */

static bool are_few(const char *words) {
    return strlen(words) <= ALL_WORDS_MAX;
}

/* All, if these are few; else those that are alike. */
static void add_values(const struct missing *missing, const char *value, struct strbuf *text) {
    if (!are_few(missing->words)) {
        add_similar_words(value, missing->words, text);
        return;
    }
    for (const char *word = missing->words; *word;) {
        size_t length = strcspn(word, " ");
        strbuf_addf(text, "%s%.*s", text->length && length ? ", " : "", (int)length, word);
        word += length + (word[length] == ' ');
    }
}

int refuse_value(const struct checker *checker, const struct missing *missing, const char *value,
                 const char *takes) {
    _cleanup_strbuf_ struct strbuf subject = {0}, values = {0};
    add_subject(missing, &subject);
    if (missing->words)
        add_values(missing, value, &values);
    else
        strbuf_add(&values, takes);
    if (subject.failed || values.failed)
        return error_no_memory(checker->error);
    bool knows = values.length > 0, are_words = missing->words != NULL;
    bool are_all = !are_words || are_few(missing->words);
    error_set(checker->error, VQEMU_ERR_UNSUPPORTED, 0,
              "%s: the QEMU %s of the profile %s does not take \"%s\" for %s of the %s %s%s%s",
              subject.text, version_of(checker), vqemu_profile_name(checker->plan->profile), value,
              missing->property, missing->noun, missing->name,
              !knows    ? ""
              : are_all ? "; it takes "
                        : "; similar there: ",
              knows ? values.text : "");
    return error_because(VQEMU_ERR_UNSUPPORTED, checker->error, "qemu-lacks-value",
                         VQEMU_DETAIL_KEY, key_of(missing, &subject), VQEMU_DETAIL_VALUE, value,
                         VQEMU_DETAIL_CHOICES, knows && are_words ? values.text : NULL, NULL);
}

int refuse_without_property(const struct checker *checker, const struct missing *missing) {
    _cleanup_strbuf_ struct strbuf subject = {0};
    add_subject(missing, &subject);
    if (subject.failed)
        return error_no_memory(checker->error);
    error_set(checker->error, VQEMU_ERR_UNSUPPORTED, 0,
              "%s: the QEMU %s of the profile %s does not take the %s %s without \"%s\"",
              subject.text, version_of(checker), vqemu_profile_name(checker->plan->profile),
              missing->noun, missing->name, missing->property);
    return error_because(VQEMU_ERR_UNSUPPORTED, checker->error, "qemu-needs-property",
                         VQEMU_DETAIL_KEY, key_of(missing, &subject), VQEMU_DETAIL_VALUE,
                         missing->property, NULL);
}
