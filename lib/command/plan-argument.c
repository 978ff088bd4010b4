/* SPDX-License-Identifier: MIT */
/*
 * The VM's own arguments for QEMU. They may do anything to the guest and its devices, but not undo
 * what those go by who never see them: that a VM runs once, as the process that was started and as
 * its user, and is reached by its own sockets.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command/option-text.h"
#include "command/plan-claim.h"
#include "command/plan-nouns.h"
#include "command/refusal.h"

#define OTHER_FILES "QEMU would look for the VM's files elsewhere than they were prepared"
#define OTHER_USER                                                                                 \
    "QEMU would be another user than the one that its files were prepared for; a service has the " \
    "key user"

static const struct {
    const char *option, *property; /* property: NULL for whatever value */
    const char *why;
} reserved[] = {
    {"pidfile", NULL,
     "QEMU would not lock the VM's PID file, which keeps it from being started twice"},
    {"daemonize", NULL, "QEMU would go on as another process than the one that was started"},
    {"chroot", NULL, OTHER_FILES},
    {"run-with", "chroot=", OTHER_FILES},
    {"runas", NULL, OTHER_USER},
    {"run-with", "user=", OTHER_USER},
    {"readconfig", NULL, "what a file adds is in no command, digest and check; give the options"},
};

/* ---- options ---- */

/* A comma in a value is taken for one that separates: this refuses too much rather than too little.
 */
static bool has_property(const char *value, const char *property) {
    for (const char *at = value; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, property, strlen(property)) == 0)
            return true;
    }
    return false;
}

/* Why an option cannot be given; NULL if it can. value: the argument behind it, or "". */
static const char *find_objection(const char *option, const char *value) {
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcmp(option, reserved[i].option) == 0 &&
            (!reserved[i].property || has_property(value, reserved[i].property)))
            return reserved[i].why;
    return NULL;
}

static int check_option(const struct strv *arguments, size_t index, vqemu_error **error) {
    const char *argument = arguments->items[index], *option = option_word(argument);
    const char *value = index + 1 < arguments->count ? arguments->items[index + 1] : "";
    const char *objection = option ? find_objection(option, value) : NULL;
    if (!objection)
        return 0;
    int r = refuse(error, VQEMU_ERR_INVALID, "extra_args[%zu]: %s cannot be given: %s", index,
                   argument, objection);
    return error_because(r, error, "reserved-option", VQEMU_DETAIL_VALUE, argument, NULL);
}

/* ---- paths ---- */

/* Where the next path begins, as in path=/a, unix:/a, "/a"; NULL if there is none. */
static const char *find_path(const char *text, const char *whole) {
    for (const char *at = strchr(text, '/'); at; at = strchr(at + 1, '/'))
        if (at == whole || strchr("=:\"", at[-1]))
            return at;
    return NULL;
}

/* Up to the comma that ends it (two are one of its own), or the quote. Returns where that is. */
static const char *take_path(const char *path, bool is_quoted, struct strbuf *taken) {
    const char *c = path;
    while (*c && (is_quoted ? *c != '"' : *c != ',' || c[1] == ',')) {
        strbuf_add_char(taken, *c);
        c += !is_quoted && *c == ',' ? 2 : 1;
    }
    return c;
}

static void mention_paths(struct plan *plan, size_t index, const char *argument) {
    const char *path = find_path(argument, argument);
    while (path) {
        struct strbuf taken = {0};
        const char *end = take_path(path, path > argument && path[-1] == '"', &taken);
        _cleanup_free_ char *text = strbuf_take(&taken);
        plan->claims.failed = plan->claims.failed || !text;
        if (text)
            plan_claim_mention(plan, index, text);
        path = find_path(end, argument);
    }
}

int plan_check_arguments(struct plan *plan, vqemu_error **error) {
    const struct strv *arguments = &plan->vm->extra_args;
    int r = 0;
    for (size_t i = 0; r == 0 && i < arguments->count; i++) {
        r = check_option(arguments, i, error);
        mention_paths(plan, i, arguments->items[i]);
    }
    return r;
}
