/* SPDX-License-Identifier: MIT */
/* What a profile can do, by the parts of QEMU that its programs and modules have. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "content/ability-rule.h"
#include "content/closure-walk.h"
#include "util/strbuf.h"

/* The name of a QMP command, which every QEMU has, whatever it was built with. */
#define SIGN_OF_QEMU "qom-list-types"

/* The target of the program for a guest. */
static const char *target_name(const struct arch *guest) {
    return guest->binary + strlen("qemu-system-");
}

/* ---- texts ---- */

static struct sign *find_sign(const struct walk *walk, const char *text) {
    for (size_t i = 0; i < walk->sign_count; i++)
        if (strcmp(walk->signs[i].text, text) == 0)
            return &walk->signs[i];
    return NULL;
}

static void add_sign(struct walk *walk, const char *text) {
    if (text && !find_sign(walk, text))
        walk->signs[walk->sign_count++] = (struct sign){.text = text, .length = strlen(text)};
}

int walk_add_signs(struct walk *walk) {
    const size_t texts_max = sizeof((struct ability_part *)NULL)->texts / sizeof(char *);
    walk->signs = calloc(1 + ability_parts_count() * (1 + texts_max), sizeof *walk->signs);
    if (!walk->signs)
        return -ENOMEM;
    add_sign(walk, SIGN_OF_QEMU);
    for (size_t i = 0; i < ability_parts_count(); i++) {
        const struct ability_part *part = ability_part_at(i);
        add_sign(walk, part->type);
        for (size_t j = 0; j < texts_max; j++)
            add_sign(walk, part->texts[j]);
    }
    return 0;
}

/* As for other names, linkers keep of two texts that end alike the longer. */
void walk_take_sign(struct walk *walk, size_t file, targets asking, const char *text,
                    size_t length) {
    for (size_t i = 0; i < walk->sign_count; i++) {
        struct sign *sign = &walk->signs[i];
        if (sign->length > length || text[length - 1] != sign->text[sign->length - 1] ||
            memcmp(text + length - sign->length, sign->text, sign->length) != 0)
            continue;
        for (unsigned bit = 0; bit < TARGETS_MAX; bit++)
            if (asking & ~sign->has & (targets)1 << bit)
                sign->by[bit] = file;
        sign->has |= asking;
    }
}

/* ---- parts ---- */

/* A guest whose parts are looked for. */
struct search {
    const struct walk *walk;
    const struct arch *guest;
    unsigned bit;    /* of its target */
    size_t has_file; /* where the part was that was found last */
};

static bool has_text(const struct search *search, const char *text) {
    return find_sign(search->walk, text)->has & (targets)1 << search->bit;
}

static int has_by_texts(struct search *search, const struct ability_part *part) {
    size_t wanted = 0, found = 0;
    if (part->type && !has_text(search, part->type))
        return 0;
    for (size_t i = 0; i < sizeof part->texts / sizeof *part->texts && part->texts[i]; i++) {
        wanted++;
        found += has_text(search, part->texts[i]);
    }
    if (found == wanted)
        search->has_file = find_sign(search->walk, part->texts[0])->by[search->bit];
    return found == wanted ? 1 : found == 0 ? 0 : -1;
}

/* The name of its module for a guest. */
static const char *module_of(const struct ability_part *part, const struct arch *guest,
                             char name[64]) {
    bool goes_on = part->module[strlen(part->module) - 1] == '-';
    snprintf(name, 64, "%s%s", part->module, goes_on ? target_name(guest) : "");
    return name;
}

static int has_part(const struct ability_part *part, void *userdata) {
    struct search *search = userdata;
    const struct walk *walk = search->walk;
    char buffer[64];
    size_t file = 0;
    int has = part->module ? walk_find_module(walk, (targets)1 << search->bit,
                                              module_of(part, search->guest, buffer), &file)
                           : -1;
    if (has < 0)
        return has_by_texts(search, part);
    const char *path = walk_path(walk, file);
    if (has == 0 || closure_has(walk->closure, CLOSURE_MODULE, CLOSURE_UNUSABLE, path))
        return 0;
    search->has_file = file;
    return closure_has(walk->closure, CLOSURE_MODULE, CLOSURE_UNKNOWN, path) ? -1 : 1;
}

/* ---- what there is ---- */

/* What is not known to be there may be in what cannot be read. */
static int add_uefi(struct walk *walk, const struct arch *guest, unsigned bit) {
    bool has = walk->uefi & (targets)1 << bit;
    if (!guest->uefi)
        return 0;
    return closure_add_ability(walk->closure, VQEMU_ABILITY_UEFI, guest,
                               has                       ? 1
                               : walk->unread_descriptor ? -1
                                                         : 0,
                               has ? walk_path(walk, walk->uefi_by[bit]) : NULL);
}

static int add_of_qemu(struct walk *walk, uint64_t ability, const struct arch *guest,
                       unsigned bit) {
    struct ability_need needs[ABILITY_NEEDS_MAX];
    const struct ability_need *decisive;
    struct search search = {.walk = walk, .guest = guest, .bit = bit};
    size_t count = ability_needs(ability, guest, needs);
    if (count == 0)
        return 0;
    int has = ability_judge(needs, count, has_part, &search, &decisive);
    if (has == 0 && walk->unread & (targets)1 << bit)
        has = -1;
    return closure_add_ability(walk->closure, ability, guest, has,
                               has == 1 ? walk_path(walk, search.has_file) : NULL);
}

static int add_of_guest(struct walk *walk, const struct arch *guest, unsigned bit) {
    int r = add_uefi(walk, guest, bit);
    for (unsigned i = 0; r == 0 && i < 64; i++)
        if (abilities_known() & (uint64_t)1 << i)
            r = add_of_qemu(walk, (uint64_t)1 << i, guest, bit);
    return r;
}

/* What is no QEMU, or was packed, says nothing by what is not in it. */
static int check_is_qemu(struct walk *walk, const struct program *program) {
    const char *path = walk_path(walk, program->file);
    bool is_known = program->target == OTHER_TARGETS || walk->unread & program->target ||
                    find_sign(walk, SIGN_OF_QEMU)->has & program->target;
    if (is_known)
        return 0;
    walk->unread |= program->target;
    return closure_add(walk->closure, CLOSURE_PROGRAM, CLOSURE_UNKNOWN, path, "",
                       format_string("what %s can do cannot be told: it has not the texts of a "
                                     "QEMU",
                                     path));
}

/* ---- what there is to be ---- */

/* Guests that lack an ability, or of which it cannot be told. */
struct lack {
    uint64_t ability;
    int state;
    struct strbuf guests;
    const struct arch *first;
};

static void add_guest(struct lack *lack, const struct arch *guest) {
    if (!lack->first)
        lack->first = guest;
    strbuf_addf(&lack->guests, "%s%s", lack->guests.length ? ", " : "", guest->name);
}

/* A module that is not there has been told, and so has an image. */
static bool is_told(const struct walk *walk, const struct lack *lack,
                    const struct ability_need *need) {
    char name[64];
    size_t file = 0;
    if (lack->ability == VQEMU_ABILITY_UEFI)
        return walk->lacks_image;
    for (const struct ability_part *const *part = need->parts; *part; part++) {
        if (!(*part)->module)
            continue;
        module_of(*part, lack->first, name);
        bool is_unusable =
            walk_find_module(walk, targets_of(target_name(lack->first)), name, &file) == 1 &&
            closure_has(walk->closure, CLOSURE_MODULE, CLOSURE_UNUSABLE, walk_path(walk, file));
        if (is_unusable || closure_has(walk->closure, CLOSURE_MODULE, CLOSURE_MISSING, name))
            return true;
    }
    return false;
}

static void add_choices(const struct ability_need *need, struct strbuf *text) {
    for (size_t i = 0; need->parts[i]; i++)
        strbuf_addf(text, "%s%s",
                    i == 0               ? ""
                    : need->parts[i + 1] ? ", "
                                         : " or ",
                    need->parts[i]->name);
}

static char *describe(const struct lack *lack, const char *program,
                      const struct ability_need *need) {
    _cleanup_free_ char *thing = abilities_describe(lack->ability);
    _cleanup_strbuf_ struct strbuf wanted = {0};
    if (need)
        add_choices(need, &wanted);
    if (!thing || wanted.failed || lack->guests.failed)
        return NULL;
    if (!need)
        return format_string("the profile is to have %s, and has none for guests of %s: no "
                             "descriptor in firmware/ and no image with a known name is for them",
                             thing, lack->guests.text);
    return lack->state == 0
               ? format_string("the profile is to have %s, and has none for guests of %s: %s has "
                               "no %s",
                               thing, lack->guests.text, program, wanted.text)
               : format_string("whether the profile has %s for guests of %s cannot be told: %s has "
                               "only some of the texts that %s has",
                               thing, lack->guests.text, program, wanted.text);
}

static int add_problem(struct walk *walk, const struct lack *lack) {
    struct ability_need needs[ABILITY_NEEDS_MAX];
    const struct ability_need *decisive = NULL;
    struct search search = {.walk = walk, .guest = lack->first};
    int64_t program = -1;
    for (size_t i = 0; i < arch_count(); i++)
        if (arch_at(i) == lack->first)
            search.bit = (unsigned)i;
    size_t count = ability_needs(lack->ability, lack->first, needs);
    ability_judge(needs, count, has_part, &search, &decisive);
    if (is_told(walk, lack, decisive) ||
        walk_find(walk, "bin/", lack->first->binary, &program) < 0 || program < 0)
        return 0;
    const char *path = walk_path(walk, (size_t)program);
    return closure_add(
        walk->closure, CLOSURE_ABILITY, lack->state == 0 ? CLOSURE_MISSING : CLOSURE_UNKNOWN,
        vqemu_ability_name(lack->ability), count > 0 ? path : "", describe(lack, path, decisive));
}

/* Those guests that lack it for certain, state being 0, or of which it cannot be told. Of a program
 * that cannot be looked into, no more is told than that. */
static int check_ability(struct walk *walk, uint64_t ability, int state) {
    struct lack lack = {.ability = ability, .state = state};
    for (size_t i = 0; i < walk->closure->ability_count; i++) {
        const struct closure_ability *one = &walk->closure->abilities[i];
        bool is_wanted =
            one->ability == ability && profile_abilities_for(walk->profile, one->guest) & ability;
        bool is_told_already = walk->unread & targets_of(target_name(one->guest));
        if (is_wanted && one->state == state && !is_told_already)
            add_guest(&lack, one->guest);
    }
    int r = lack.first ? add_problem(walk, &lack) : 0;
    strbuf_release(&lack.guests);
    return r;
}

/* Firmware need not be there for all guests. */
static int check_abilities(struct walk *walk) {
    uint64_t wanted = vqemu_profile_abilities(walk->profile) & abilities_known();
    bool firmware_will_do = walk->unread_descriptor || walk_has_uefi(walk);
    int r = 0;
    for (unsigned i = 0; r == 0 && i < 64; i++) {
        uint64_t ability = (uint64_t)1 << i;
        if (!(wanted & ability) || (ability == VQEMU_ABILITY_UEFI && firmware_will_do))
            continue;
        r = check_ability(walk, ability, 0);
        if (r == 0)
            r = check_ability(walk, ability, -1);
    }
    return r;
}

int walk_abilities(struct walk *walk) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < walk->program_count; i++)
        r = check_is_qemu(walk, &walk->programs[i]);
    for (size_t i = 0; r == 0 && i < arch_count(); i++)
        if (walk_serves(walk, arch_at(i)))
            r = add_of_guest(walk, arch_at(i), (unsigned)i);
    return r == 0 ? check_abilities(walk) : r;
}
