/* SPDX-License-Identifier: MIT */
#include "command/capability-short.h"

#include <string.h>

#include "command/capability-known.h"
#include "command/capability-name.h"
#include "command/option-text.h"
#include "util/word.h"

#define BY_ID "chardev:"

/* How a value begins, or what it is as a whole, and which backend that makes. */
static const struct form {
    const char *text, *backend; /* backend: NULL for none */
    bool is_whole;
} forms[] = {
    {BY_ID, NULL, false},
    {"none", NULL, true},
    {"null", "null", true},
    {"pty", "pty", true},
    {"stdio", "stdio", true},
    {"msmouse", "msmouse", true},
    {"wctablet", "wctablet", true},
    {"braille", "braille", true},
    {"testdev", "testdev", true},
    {"vc", "vc", false},
    {"con:", NULL, false},
    {"COM", "serial", false},
    {"file:", "file", false},
    {"pipe:", "pipe", false},
    {"tcp:", "socket", false},
    {"telnet:", "socket", false},
    {"tn3270:", "socket", false},
    {"unix:", "socket", false},
    {"websocket:", "socket", false},
    {"udp:", "udp", false},
    {"/dev/parport", "parallel", false},
    {"/dev/ppi", "parallel", false},
    {"/dev/", "serial", false},
};
#define FORMS "braille chardev: file: msmouse none null pipe: pty stdio tcp: udp: unix: vc"

static bool is_short_form(enum option_name name) {
    return name == OPTION_DEBUGCON || name == OPTION_GDB || name == OPTION_MONITOR ||
           name == OPTION_PARALLEL || name == OPTION_QMP || name == OPTION_QMP_PRETTY ||
           name == OPTION_SERIAL;
}

/* Both may have a comma, "unix:/x,server=on", and only some have settings before it. */
static const char *text_of(const struct option *option) {
    return is_short_form(option->name) ? option->head : NULL;
}

const char *short_form_id(const struct option *option) {
    const char *text = text_of(option);
    return text && begins_with(text, BY_ID) ? text + strlen(BY_ID) : NULL;
}

/* The monitor may share a device with what the option is for. */
static const char *without_monitor(const char *text) {
    return begins_with(text, "mon:") ? text + strlen("mon:") : text;
}

static const struct form *find(const char *text) {
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i].is_whole ? strcmp(text, forms[i].text) == 0 : begins_with(text, forms[i].text))
            return &forms[i];
    return NULL;
}

int check_short_form(const struct checker *checker, const struct option *option) {
    const char *text = text_of(option);
    const struct form *form = text ? find(without_monitor(text)) : NULL;
    struct missing missing = {.kind = "chardev",
                              .noun = "character device",
                              .name = form ? form->backend : NULL,
                              .option = option,
                              .origin = &option->origin};
    if (!text || !*text || !known_version(checker))
        return 0;
    if (!form) {
        missing.noun = "option";
        missing.name = option_spelling(option->name);
        missing.property = "the device";
        missing.words = FORMS;
        return refuse_value(checker, &missing, text, NULL);
    }
    const char *listed;
    if (!form->backend ||
        capability_name_find(checker->capabilities, "chardev", form->backend, &listed) != 0)
        return 0;
    return refuse_missing(checker, &missing);
}
