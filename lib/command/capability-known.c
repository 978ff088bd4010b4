/* SPDX-License-Identifier: MIT */
#include "command/capability-known.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "command/capability-name.h"
#include "command/option-text.h"
#include "util/word.h"

/* Versions that this file is about, by their first numbers. */
#define OLDEST 7
#define NEWEST 10

/* From this one on, a NIC of a model that is not there is left out, with a warning. */
#define LEAVES_NICS_OUT 9

/* Words that a setting takes. */
static const struct words {
    enum option_name option;
    const char *setting, *words;
} known_words[] = {
    {OPTION_DRIVE, "aio", "io_uring native threads"},
    {OPTION_DRIVE, "cache", "directsync none off unsafe writeback writethrough"},
    {OPTION_DRIVE, "detect-zeroes", "off on unmap"},
    {OPTION_DRIVE, "discard", "ignore off on unmap"},
    {OPTION_DRIVE, "if", "floppy ide mtd none pflash scsi sd virtio xen"},
    {OPTION_DRIVE, "media", "cdrom disk"},
    {OPTION_DRIVE, "rerror", "ignore report stop"},
    {OPTION_DRIVE, "werror", "enospc ignore report stop"},
    {OPTION_FSDEV, "fsdriver", "local proxy synth"},
    {OPTION_FSDEV, "security_model", "mapped mapped-file mapped-xattr none passthrough"},
    {OPTION_MON, "mode", "control readline"},
    {OPTION_RTC, "clock", "host rt vm"},
    {OPTION_RTC, "driftfix", "none slew"},
    {OPTION_VIRTFS, "fsdriver", "local proxy synth"},
    {OPTION_VIRTFS, "security_model", "mapped mapped-file mapped-xattr none passthrough"},
};

/* Cards of -vga, and devices of which one must be there; NULL: it is no such device. */
static const struct card {
    const char *name, *devices[2];
} cards[] = {
    {"cg3", {"cgthree"}},
    {"cirrus", {"cirrus-vga", "isa-cirrus-vga"}},
    {"none", {NULL}},
    {"qxl", {"qxl-vga"}},
    {"std", {"VGA", "isa-vga"}},
    {"tcx", {"sun-tcx", "SUNW,tcx"}},
    {"virtio", {"virtio-vga"}},
    {"vmware", {"vmware-svga"}},
    {"xenfb", {NULL}},
};

static int version_of(const struct checker *checker) {
    const char *version = vqemu_capabilities_at(checker->capabilities, "qemu", 0);
    return version ? atoi(version) : 0;
}

bool known_version(const struct checker *checker) {
    int version = version_of(checker);
    return version >= OLDEST && version <= NEWEST;
}

/* ---- words ---- */

static int check_setting(const struct checker *checker, const struct option *option,
                         const struct words *known) {
    const struct setting *setting = option_find_text(checker->options, option, known->setting);
    bool is_head = strcmp(known->setting, "fsdriver") == 0 && option->head;
    const char *value = is_head ? option->head : setting ? setting->text : NULL;
    if (!value || capability_name_is_help(value) ||
        (!strpbrk(value, " \t") && has_word(known->words, value)))
        return 0;
    const struct missing missing = {
        .noun = "option",
        .name = option_spelling(option->name),
        .property = known->setting,
        .option = option,
        .origin = is_head ? &option->origin : setting_origin(option, setting),
        .words = known->words,
    };
    return refuse_value(checker, &missing, value, NULL);
}

static int check_words(const struct checker *checker, const struct option *option) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof known_words / sizeof *known_words; i++)
        if (known_words[i].option == option->name)
            r = check_setting(checker, option, &known_words[i]);
    return r;
}

/* ---- cards ---- */

static bool has_card(const struct checker *checker, const struct card *card) {
    bool is_there = !card->devices[0] || !capabilities_tell(checker->capabilities, "device");
    for (size_t i = 0; !is_there && i < 2 && card->devices[i]; i++)
        is_there = vqemu_capabilities_has(checker->capabilities, "device", card->devices[i], NULL);
    return is_there;
}

/* None that any QEMU has. */
static int refuse_card(const struct checker *checker, const struct missing *thing,
                       const char *name) {
    _cleanup_strbuf_ struct strbuf words = {0};
    for (size_t i = 0; i < sizeof cards / sizeof *cards; i++)
        strbuf_addf(&words, "%s%s", i > 0 ? " " : "", cards[i].name);
    if (words.failed)
        return error_no_memory(checker->error);
    struct missing missing = *thing;
    missing.noun = "option";
    missing.name = option_spelling(OPTION_VGA);
    missing.property = "the card";
    missing.words = words.text;
    return refuse_value(checker, &missing, name, NULL);
}

static int check_card(const struct checker *checker, const struct option *option) {
    struct missing missing = {
        .kind = "vga", .noun = "graphics card", .option = option, .origin = &option->origin};
    const char *name = option->head;
    if (!name || capability_name_is_help(name))
        return 0;
    for (size_t i = 0; i < sizeof cards / sizeof *cards; i++) {
        if (strcmp(cards[i].name, name) != 0)
            continue;
        missing.name = name;
        return has_card(checker, &cards[i]) ? 0 : refuse_missing(checker, &missing);
    }
    return refuse_card(checker, &missing, name);
}

/* ---- NICs ---- */

/* Which models there are depends on the machine: of those with PCI, all devices are. */
static int check_model(const struct checker *checker, const struct option *option) {
    static const char others[] = "ibmveth virtio virtio-net";
    const struct setting *setting = option_find_text(checker->options, option, "model");
    const char *name = setting ? setting->text : NULL;
    bool has_pci = strcmp(checker->plan->arch->bus, "pci") == 0 &&
                   !begins_with(checker->plan->machine_name, "microvm");
    struct missing missing = {.kind = "device", .noun = "device", .option = option, .name = name};
    if (!name || !has_pci || version_of(checker) >= LEAVES_NICS_OUT ||
        capability_name_is_help(name) || has_word(others, name) ||
        capability_name_find(checker->capabilities, "device", name, &missing.name) != 0)
        return 0;
    missing.origin = setting_origin(option, setting);
    return refuse_missing(checker, &missing);
}

int check_known(const struct checker *checker, const struct option *option) {
    if (!known_version(checker))
        return 0;
    switch (option->name) {
    case OPTION_NIC:
        return check_model(checker, option);
    case OPTION_VGA:
        return check_card(checker, option);
    default:
        return check_words(checker, option);
    }
}
