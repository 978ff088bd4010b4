/* SPDX-License-Identifier: MIT */
#include "command/capability-value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "command/option-text.h"
#include "qemu/schema-types.h"
#include "util/word.h"

/* Of an option that has more, nobody has written all: QEMU may judge. */
#define SETTINGS_MAX 500

#define NAME_MAX_LENGTH 128

/* Where a setting has led to so far. */
struct spot {
    char type[NAME_MAX_LENGTH]; /* of what is here, as a member of a type has it */
    const char *name;           /* the rest of the setting's name */
    size_t prefix;              /* length of what was taken of it */
};

/* One setting on its way. */
struct walk {
    const struct checker *checker;
    const struct value_check *check;
    const struct setting *setting;
    bool wants_all; /* whether what is missing is looked for */
};

/* Its way is not at its end. 0: nothing can be said against it. */
#define GOES_ON 1

bool value_type_is_known(const vqemu_capabilities *capabilities, const char *type) {
    return vqemu_capabilities_has(capabilities, TYPE_KIND, type, NULL) == 1;
}

static const char *fact_of(const struct walk *walk, const char *type, const char *fact) {
    const char *text = vqemu_capabilities_fact(walk->checker->capabilities, TYPE_KIND, type, fact);
    return text ? text : "";
}

static bool is(const struct walk *walk, const char *type, const char *what) {
    return strcmp(fact_of(walk, type, "is"), what) == 0;
}

static const char *words_of(const struct walk *walk, const char *type) {
    const char *words = capabilities_properties(walk->checker->capabilities, TYPE_KIND, type);
    return words ? words : "";
}

static bool is_plain(const char *type) {
    return type[0] && !type[1] && (type[0] < '0' || type[0] > '9');
}

/* The first word of a set, " a?:b c:d", and the one behind a word; NULL if there is none. */
static const char *first_word(const char *words) {
    const char *word = words + strspn(words, " ");
    return *word ? word : NULL;
}

static const char *next_word(const char *word) {
    return first_word(word + strcspn(word, " "));
}

static void copy_word(const char *word, char *type) {
    snprintf(type, NAME_MAX_LENGTH, "%.*s", (int)strcspn(word, " "), word);
}

/* The word that begins with a name: what is behind that; NULL if none does. */
static const char *find_member(const char *words, const char *name, size_t length) {
    for (const char *word = first_word(words); word; word = next_word(word))
        if (strncmp(word, name, length) == 0 && (word[length] == '?' || word[length] == ':'))
            return word + length;
    return NULL;
}

/* Of "?:12 more", or ":12": "12". */
static void copy_type(const char *member, char *type) {
    copy_word(member + (*member == '?') + 1, type);
}

/* ---- errors ---- */

/* words: what may be meant instead. */
static struct missing missing_here(const struct walk *walk, const struct spot *spot,
                                   const char *words) {
    struct missing missing = *walk->check->thing;
    missing.property = walk->setting->name;
    missing.origin = setting_origin(missing.option, walk->setting);
    missing.words = words;
    missing.prefix = spot->prefix;
    return missing;
}

static int refuse_name(const struct walk *walk, const struct spot *spot, const char *words) {
    if (walk->check->is_loose)
        return 0;
    struct missing missing = missing_here(walk, spot, words);
    return refuse_missing(walk->checker, &missing);
}

/* ---- values ---- */

static bool is_boolean(const char *text) {
    static const char *const words[] = {"on", "off", "yes", "no", "true", "false", "y", "n"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

/* "0x10", "1.5G", "-1": what cannot be one is told by its first bytes and by letters that none has.
 */
static bool is_number(const char *text) {
    return *text && strchr("0123456789+-. \t", *text) &&
           text[strspn(text, "0123456789abcdefABCDEFxX+-. \tkKmMgGtTpP")] == '\0';
}

/* Whether a value without quotes, of JSON, or any other one can be of a plain type. */
static bool fits_plain(char type, const struct setting *setting, const char *text, bool is_typed) {
    enum setting_kind kind = setting->kind;
    switch (type) {
    case TYPE_BOOLEAN:
        return is_typed ? kind == SETTING_SWITCH : is_boolean(text);
    case TYPE_INTEGER:
    case TYPE_NUMBER:
        return is_typed ? kind == SETTING_NUMBER : is_number(text);
    case TYPE_STRING:
        return !is_typed || kind == SETTING_TEXT;
    case TYPE_NULL:
        return !is_typed || kind == SETTING_NULL;
    default:
        return true;
    }
}

static bool has_value(const char *words, const char *text) {
    return !strchr(text, ' ') && !strchr(text, '\t') && has_word(words, text);
}

/* Whether QEMU takes the option apart by the dots in its names, as it does JSON. Others say the
 * elements of a list one by one, and leave names of parts out. */
static bool has_parts(const struct option *option) {
    return option->is_typed || option->name == OPTION_AUDIODEV || option->name == OPTION_BLOCKDEV ||
           option->name == OPTION_DISPLAY;
}

static bool fits(const struct walk *walk, const char *type, const char *text) {
    bool is_typed = walk->check->thing->option->is_typed;
    if (is_plain(type))
        return fits_plain(*type, walk->setting, text, is_typed);
    if (is(walk, type, "enum"))
        return (!is_typed || walk->setting->kind == SETTING_TEXT) &&
               has_value(words_of(walk, type), text);
    if (!is(walk, type, "either"))
        return !has_parts(walk->check->thing->option);
    for (const char *word = first_word(words_of(walk, type)); word; word = next_word(word)) {
        char one[NAME_MAX_LENGTH];
        copy_word(word, one);
        bool is_inner = is(walk, one, "struct") || is(walk, one, "union") || *one == TYPE_LIST;
        bool is_deep = is(walk, one, "either"); /* there is none in the schema */
        if (is_deep || (!is_inner && fits(walk, one, text)))
            return true;
    }
    return false;
}

/* The values of an enum, also if something else could be there instead. */
static const char *values_of(const struct walk *walk, const char *type) {
    if (is(walk, type, "enum"))
        return words_of(walk, type);
    const char *words = is(walk, type, "either") ? words_of(walk, type) : "";
    for (const char *word = first_word(words); word; word = next_word(word)) {
        char one[NAME_MAX_LENGTH];
        copy_word(word, one);
        if (is(walk, one, "enum"))
            return words_of(walk, one);
    }
    return NULL;
}

static const char *takes(const char *type, bool is_typed) {
    switch (*type) {
    case TYPE_BOOLEAN:
        return is_typed ? "true or false" : "on or off";
    case TYPE_INTEGER:
    case TYPE_NUMBER:
        return "a number";
    case TYPE_STRING:
        return "a string";
    default:
        return "something else";
    }
}

/* A value that names what there is of a kind, such as a block driver within another. */
static bool names_thing(const struct walk *walk, const char *outer, const struct spot *spot) {
    return strcmp(fact_of(walk, outer, "tag"), spot->name) == 0 &&
           vqemu_capabilities_count(walk->checker->capabilities, outer) > 0;
}

static int check_thing_within(const struct walk *walk, const char *kind, const char *name) {
    const vqemu_capabilities *capabilities = walk->checker->capabilities;
    struct missing missing = *walk->check->thing;
    missing.kind = kind;
    missing.name = name;
    missing.origin = setting_origin(missing.option, walk->setting);
    if (vqemu_capabilities_has(capabilities, kind, name, NULL) == 0)
        return refuse_missing(walk->checker, &missing);
    bool is_broken = vqemu_capabilities_fact(capabilities, kind, name, "broken") != NULL;
    return is_broken ? refuse_broken(walk->checker, &missing) : 0;
}

static int check_value(const struct walk *walk, const char *outer, const struct spot *spot) {
    _cleanup_strbuf_ struct strbuf text = {0};
    setting_add_value(walk->setting, &text);
    if (text.failed)
        return error_no_memory(walk->checker->error);
    bool is_typed = walk->check->thing->option->is_typed;
    const char *value = text.text ? text.text : "";
    if (is_typed && walk->setting->kind == SETTING_SWITCH)
        value = walk->setting->number ? "true" : "false";
    if (walk->setting->kind == SETTING_TEXT && names_thing(walk, outer, spot))
        return check_thing_within(walk, outer, value);
    if (fits(walk, spot->type, value))
        return 0;
    struct missing missing = missing_here(walk, spot, values_of(walk, spot->type));
    return refuse_value(walk->checker, &missing, value, takes(spot->type, is_typed));
}

/* ---- what must be there ---- */

/* Whether a setting begins so, and there its name ends, or one of a part does. */
static bool is_at(const struct setting *setting, const char *prefix, size_t size, const char *name,
                  size_t length) {
    return strncmp(setting->name, prefix, size) == 0 &&
           strncmp(setting->name + size, name, length) == 0 &&
           (setting->name[size + length] == '\0' || setting->name[size + length] == '.');
}

static bool is_set(const struct walk *walk, size_t size, const char *name, size_t length) {
    const struct option *option = walk->check->thing->option;
    for (size_t i = 0; i < option->count; i++)
        if (is_at(option_setting(walk->checker->options, option, i), walk->setting->name, size,
                  name, length))
            return true;
    return false;
}

static bool is_also(const struct value_check *check, const char *name, size_t length) {
    for (size_t i = 0; i < sizeof check->also / sizeof *check->also && check->also[i]; i++)
        if (strlen(check->also[i]) == length && strncmp(check->also[i], name, length) == 0)
            return true;
    return false;
}

/* prefix: of the setting's name, where the struct is. */
static int check_needed(const struct walk *walk, const char *type, size_t prefix) {
    for (const char *word = first_word(words_of(walk, type)); word; word = next_word(word)) {
        size_t length = strcspn(word, "?: ");
        if (word[length] != ':' || is_set(walk, prefix, word, length) ||
            (prefix == 0 && is_also(walk->check, word, length)))
            continue;
        char property[NAME_MAX_LENGTH];
        snprintf(property, sizeof property, "%.*s%.*s", (int)prefix, walk->setting->name,
                 (int)length, word);
        struct missing missing = *walk->check->thing;
        missing.property = property;
        return refuse_without_property(walk->checker, &missing);
    }
    return 0;
}

/* Of all settings of a struct, the first looks whether others are missing. */
static bool is_first(const struct walk *walk, size_t prefix) {
    const struct option *option = walk->check->thing->option;
    const struct setting *first = walk->setting;
    for (size_t i = 0; i < option->count; i++) {
        const struct setting *setting = option_setting(walk->checker->options, option, i);
        if (setting == first)
            return true;
        if (strncmp(setting->name, first->name, prefix) == 0)
            return false;
    }
    return true;
}

/* ---- the way of a setting ---- */

/* Which case of a union it is here, as another setting tells: its struct. If that is told by none,
 * or wrongly, all that is known is what every case has, and false comes back. */
static bool find_case(const struct walk *walk, size_t prefix, char *type) {
    const struct option *option = walk->check->thing->option;
    const char *tag = fact_of(walk, type, "tag");
    char name[NAME_MAX_LENGTH];
    for (size_t i = 0; i < option->count; i++) {
        const struct setting *setting = option_setting(walk->checker->options, option, i);
        if (setting->kind != SETTING_TEXT || strlen(setting->name) != prefix + strlen(tag) ||
            !is_at(setting, walk->setting->name, prefix, tag, strlen(tag)))
            continue;
        int length = snprintf(name, sizeof name, "%s.%s", type, setting->text);
        if (length >= (int)sizeof name || !value_type_is_known(walk->checker->capabilities, name))
            return false;
        memcpy(type, name, sizeof name);
        return true;
    }
    return false;
}

/* Of what can be several things, the one that has parts. */
static void choose_struct(const struct walk *walk, char *type) {
    if (!is(walk, type, "either"))
        return;
    for (const char *word = first_word(words_of(walk, type)); word; word = next_word(word)) {
        char one[NAME_MAX_LENGTH];
        copy_word(word, one);
        if (is(walk, one, "struct") || is(walk, one, "union")) {
            memcpy(type, one, sizeof one);
            return;
        }
    }
}

static void take(struct spot *spot, size_t length) {
    length += spot->name[length] == '.';
    spot->name += length;
    spot->prefix += length;
}

/* "hosts.0.name": behind a number is what the list is of. */
static int enter_list(const struct walk *walk, struct spot *spot) {
    size_t length = strcspn(spot->name, ".");
    if (length == 0 || strspn(spot->name, "0123456789") != length)
        return refuse_name(walk, spot, "");
    memmove(spot->type, spot->type + 1, strlen(spot->type));
    if (spot->name[length] == '\0')
        return check_value(walk, "", spot);
    take(spot, length);
    return GOES_ON;
}

/* A name of a struct, or of a part of it: some have dots themselves. */
static int enter_struct(const struct walk *walk, struct spot *spot) {
    char outer[NAME_MAX_LENGTH], inner[NAME_MAX_LENGTH];
    memcpy(outer, spot->type, sizeof outer);
    memcpy(inner, outer, sizeof inner);
    bool is_whole = !is(walk, outer, "union") || find_case(walk, spot->prefix, inner);
    size_t whole = strlen(spot->name), length = strcspn(spot->name, ".");
    const char *words = words_of(walk, inner);
    bool is_entered = walk->wants_all && spot->prefix > 0 && is_first(walk, spot->prefix);
    int r = is_entered ? check_needed(walk, inner, spot->prefix) : 0;
    if (r < 0)
        return r;
    const char *member = find_member(words, spot->name, whole);
    if (member)
        length = whole;
    else
        member = find_member(words, spot->name, length);
    if (!member)
        return is_whole ? refuse_name(walk, spot, words) : 0;
    copy_type(member, spot->type);
    if (length == whole)
        return check_value(walk, outer, spot);
    take(spot, length);
    return GOES_ON;
}

static int enter(const struct walk *walk, struct spot *spot) {
    choose_struct(walk, spot->type);
    if (*spot->type == TYPE_LIST)
        return enter_list(walk, spot);
    if (is(walk, spot->type, "struct") || is(walk, spot->type, "union"))
        return enter_struct(walk, spot);
    bool can_have = is_plain(spot->type) ? *spot->type == TYPE_ANY : !is(walk, spot->type, "enum");
    return can_have ? 0 : refuse_name(walk, spot, "");
}

static int check_setting(const struct walk *walk) {
    struct spot spot = {.name = walk->setting->name};
    int r = GOES_ON;
    snprintf(spot.type, sizeof spot.type, "%s", walk->check->type);
    while (r == GOES_ON)
        r = enter(walk, &spot);
    return r;
}

static int check_settings(struct walk *walk) {
    const struct option *option = walk->check->thing->option;
    int r = 0;
    for (size_t i = 0; r == 0 && i < option->count; i++) {
        walk->setting = option_setting(walk->checker->options, option, i);
        if (!is_also(walk->check, walk->setting->name, strlen(walk->setting->name)))
            r = check_setting(walk);
    }
    return r;
}

/* A name that is misspelled is told before that it is missing. */
int check_values(const struct checker *checker, const struct value_check *check) {
    const struct setting nothing = {.name = ""};
    struct walk walk = {checker, check, &nothing, false};
    if (check->thing->option->count > SETTINGS_MAX)
        return 0;
    int r = check_settings(&walk);
    if (r < 0 || check->is_loose)
        return r;
    walk.setting = &nothing;
    walk.wants_all = true;
    r = check_needed(&walk, check->type, 0);
    return r == 0 ? check_settings(&walk) : r;
}

int check_word(const struct checker *checker, const struct value_check *check, const char *property,
               const char *word) {
    const struct setting setting = {.name = property, .kind = SETTING_TEXT, .text = word};
    return check_setting(&(struct walk){checker, check, &setting, false});
}
