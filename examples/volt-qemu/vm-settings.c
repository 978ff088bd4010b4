/* SPDX-License-Identifier: MIT */
/* The options that can come several times: --set, --disk, --forward, --share. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "message.h"
#include "parse.h"
#include "text.h"
#include "vm-options.h"

/* A setting that is being applied. */
struct context {
    const struct command *command;
    vqemu_vm *vm;
};

/* ---- a value of any kind ---- */

static bool is_wrong_kind(const vqemu_error *error) {
    return strcmp(vqemu_error_reason(error), "wrong-kind") == 0;
}

static bool parse_switch(const char *text, int32_t *state) {
    static const struct {
        const char *word;
        int32_t state;
    } words[] = {
        {"on", VQEMU_SWITCH_ON},   {"true", VQEMU_SWITCH_ON},   {"yes", VQEMU_SWITCH_ON},
        {"off", VQEMU_SWITCH_OFF}, {"false", VQEMU_SWITCH_OFF}, {"no", VQEMU_SWITCH_OFF},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i].word) == 0) {
            *state = words[i].state;
            return true;
        }
    }
    return false;
}

/* Of which kind a key is, the library knows: it says so where a string is none. */
static int set_value(vqemu_vm *vm, const char *key, const char *value, vqemu_error **error) {
    int32_t state;
    int64_t number;
    int code = vqemu_vm_set_string(vm, key, value, error);
    if (!code || !is_wrong_kind(*error))
        return code;
    if (*value == '\0')
        return vqemu_vm_unset(vm, key, error);
    if (parse_switch(value, &state))
        return vqemu_vm_set_switch(vm, key, state, error);
    if (parse_number(value, INT64_MAX / 16, &number))
        return vqemu_vm_set_number(vm, key, (uint64_t)number, error);
    return code;
}

static int set(const struct context *context, const char *key, const char *value) {
    _cleanup_error_ vqemu_error *error = NULL;
    return set_value(context->vm, key, value, &error) ? fail_vm(error) : 0;
}

/* An empty one stays empty, for the library to refuse. */
static int set_path(const struct context *context, const char *key, const char *path) {
    _cleanup_free_ char *absolute = absolute_path(path);
    return absolute ? set(context, key, absolute)
                    : fail_system(errno, "cannot tell the working directory");
}

static int count_of(const struct context *context, const char *list, size_t *count) {
    _cleanup_error_ vqemu_error *error = NULL;
    return vqemu_vm_count(context->vm, list, count, &error) ? fail_vm(error) : 0;
}

/* ---- --set KEY=VALUE ---- */

static int apply_key(const struct context *context, char *text) {
    char *value = strchr(text, '=');
    if (!value || value == text)
        return fail_usage(context->command, "option '--set' needs KEY=VALUE, not '%s'", text);
    *value++ = '\0';
    return set(context, text, value);
}

/* ---- --disk FILE[,KEY=VALUE...] ---- */

static int set_of_disk(const struct context *context, size_t index, char *text) {
    char *value = strchr(text, '=');
    if (!value || value == text)
        return fail_usage(
            context->command,
            "option '--disk' needs KEY=VALUE behind a comma, not '%s'; with commas in "
            "its name, a file can be given by --set disks[%zu].file=FILE",
            text, index);
    *value++ = '\0';
    _cleanup_free_ char *key = format_text("disks[%zu].%s", index, text);
    return set(context, key, value);
}

static int apply_disk(const struct context *context, char *text) {
    size_t index;
    int status = count_of(context, VQEMU_KEY_DISKS, &index);
    if (status)
        return status;
    _cleanup_free_ char *key = format_text(VQEMU_KEY_DISKS_FILE(VQEMU_KEYS_ANY), index);
    char *rest = text;
    status = set_path(context, key, strsep(&rest, ","));
    while (!status && rest)
        status = set_of_disk(context, index, strsep(&rest, ","));
    return status;
}

/* ---- --forward [tcp:|udp:][ADDRESS:]HOST-PORT:GUEST-PORT ---- */

struct forward {
    const char *protocol, *address; /* NULL: the default */
    char *host_port, *guest_port;
};

/* From its end: an address can have colons of its own, in brackets. */
static bool split_forward(char *text, struct forward *forward) {
    *forward = (struct forward){0};
    if (strncmp(text, "tcp:", 4) == 0 || strncmp(text, "udp:", 4) == 0) {
        text[3] = '\0';
        forward->protocol = text;
        text += 4;
    }
    char *colon = strrchr(text, ':');
    if (!colon)
        return false;
    *colon = '\0';
    forward->guest_port = colon + 1;
    colon = strrchr(text, ':');
    forward->host_port = colon ? colon + 1 : text;
    if (!colon)
        return true;
    *colon = '\0';
    size_t length = strlen(text);
    bool in_brackets = length > 2 && text[0] == '[' && text[length - 1] == ']';
    if (in_brackets)
        text[length - 1] = '\0';
    forward->address = text + in_brackets;
    return true;
}

static int set_forward(const struct context *context, size_t index, const char *key,
                       const char *value) {
    _cleanup_free_ char *whole = format_text("nics[0].forwards[%zu].%s", index, key);
    return value ? set(context, whole, value) : 0;
}

static int apply_forward(const struct context *context, char *text) {
    _cleanup_free_ char *given = format_text("%s", text);
    struct forward forward;
    size_t nics, index = 0;
    int64_t port;
    if (!split_forward(text, &forward) || !parse_number(forward.host_port, 65535, &port) ||
        !parse_number(forward.guest_port, 65535, &port))
        return fail_usage(context->command,
                          "option '--forward' needs [tcp:|udp:][ADDRESS:]HOST-PORT:GUEST-PORT, not "
                          "'%s'",
                          given);
    int status = count_of(context, VQEMU_KEY_NICS, &nics);
    if (!status && nics > 0)
        status = count_of(context, VQEMU_KEY_NICS_FORWARDS(0), &index);
    if (!status)
        status = set_forward(context, index, "host_port", forward.host_port);
    if (!status)
        status = set_forward(context, index, "guest_port", forward.guest_port);
    if (!status)
        status = set_forward(context, index, "protocol", forward.protocol);
    return status ? status : set_forward(context, index, "host_address", forward.address);
}

/* ---- --share DIR[:TAG][:rw] ---- */

static int apply_share(const struct context *context, char *text) {
    size_t index;
    int status = count_of(context, VQEMU_KEY_SHARES, &index);
    if (status)
        return status;
    char *rest = text;
    const char *path = strsep(&rest, ":");
    char *last = rest ? strrchr(rest, ':') : NULL;
    const char *mode = last ? last + 1 : rest;
    bool writable = mode && strcmp(mode, "rw") == 0;
    if (writable && last)
        *last = '\0';
    else if (writable)
        rest = NULL;
    _cleanup_free_ char *path_key = format_text(VQEMU_KEY_SHARES_PATH(VQEMU_KEYS_ANY), index);
    _cleanup_free_ char *tag_key = format_text(VQEMU_KEY_SHARES_TAG(VQEMU_KEYS_ANY), index);
    _cleanup_free_ char *tag = rest ? format_text("%s", rest) : format_text("share%zu", index);
    _cleanup_free_ char *mode_key = format_text(VQEMU_KEY_SHARES_WRITABLE(VQEMU_KEYS_ANY), index);
    status = set_path(context, path_key, path);
    if (!status)
        status = set(context, tag_key, tag);
    return status || !writable ? status : set(context, mode_key, "on");
}

int vm_apply_settings(const struct options *options, vqemu_vm *vm) {
    static int (*const functions[])(const struct context *context, char *text) = {
        [SETTING_KEY] = apply_key,
        [SETTING_DISK] = apply_disk,
        [SETTING_FORWARD] = apply_forward,
        [SETTING_SHARE] = apply_share,
    };
    struct context context = {options->command, vm};
    int status = 0;
    for (size_t i = 0; !status && i < options->setting_count; i++) {
        _cleanup_free_ char *text = format_text("%s", options->settings[i].text);
        /* No part of the VM: see pass_on() and trust_from_options(). */
        if (options->settings[i].kind == SETTING_FD || options->settings[i].kind == SETTING_SIGNER)
            continue;
        status = functions[options->settings[i].kind](&context, text);
    }
    return status;
}
