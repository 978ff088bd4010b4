/* SPDX-License-Identifier: MIT */
/*
 * The programs beside QEMU. systemd listens for them, so that QEMU can connect at once, and starts
 * and ends them with QEMU's service.
 */
#include "unit/companion.h"

#include <string.h>
#include <sys/un.h>

#include "base/error.h"
#include "unit/environment.h"
#include "unit/harden.h"
#include "unit/quote.h"

/* Runs "$2" with its arguments in the directory "$1"; for the manager of a user, it is made before.
 */
#define WRAPPER_SCRIPT "cd -- \"$1\" && shift && exec \"$@\""
#define USER_WRAPPER_SCRIPT "mkdir -p -m 700 -- \"$1\" && " WRAPPER_SCRIPT

static const struct companion *companion_at(const struct unit_plan *plan, size_t index) {
    return &plan->uses->companions[index];
}

/* ---- what cannot be written ---- */

static int refuse(int code, const char *key, vqemu_error **error) {
    return error_because(error_prefix(code, error, "%s: ", key), error, NULL, VQEMU_DETAIL_KEY, key,
                         NULL);
}

static int check_virtiofsd(const struct unit_plan *plan, const struct companion *companion,
                           vqemu_error **error) {
    if (!unit_is_text(companion->directory)) /* the virtiofsd in Rust wants text */
        return refuse(error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                                "virtiofsd cannot be given the path %s: it must be UTF-8; share it "
                                "over 9p, or by another path",
                                companion->directory),
                      companion->directory_key, error);
    if (plan->for_user && companion->read_only)
        return refuse(error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                                "a user manager cannot keep virtiofsd from writing to %s: make the "
                                "share writable, or share it over 9p",
                                companion->directory),
                      companion->directory_key, error);
    return 0;
}

int unit_check_companion(const struct unit_plan *plan, size_t index, vqemu_error **error) {
    const struct companion *companion = companion_at(plan, index);
    const struct sockaddr_un address;
    size_t length = strlen(companion->socket);
    if (length >= sizeof address.sun_path)
        return refuse(error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                                "the path of a socket has %zu bytes; Linux allows %zu: %s", length,
                                sizeof address.sun_path - 1, companion->socket),
                      companion->socket_key, error);
    if (!unit_is_plain_directory(companion->socket))
        return refuse(error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                                "systemd cannot listen at %s: the path must be UTF-8 without "
                                "control characters, and not end in a blank or backslash",
                                companion->socket),
                      companion->socket_key, error);
    return companion->kind == COMPANION_VIRTIOFSD ? check_virtiofsd(plan, companion, error) : 0;
}

/* ---- names ---- */

static size_t number_of(const struct unit_plan *plan, size_t index) {
    size_t number = 0;
    for (size_t i = 0; i < index; i++)
        number += companion_at(plan, i)->kind == companion_at(plan, index)->kind;
    return number;
}

/* No id has an @ in it, so that this is not the name of another VM's unit. */
void unit_add_companion_name(const struct unit_plan *plan, size_t index, struct strbuf *name) {
    const char *id = vqemu_command_vm_id(plan->command);
    if (companion_at(plan, index)->kind == COMPANION_SWTPM)
        strbuf_addf(name, "%sswtpm@%s", plan->settings.name_prefix, id);
    else
        strbuf_addf(name, "%svirtiofsd@%s-%zu", plan->settings.name_prefix, id,
                    number_of(plan, index));
}

/* ---- the socket ---- */

/* It is there as long as something needs it: QEMU's service does. */
static void add_unit_section(const struct unit_plan *plan, size_t index, struct strbuf *text) {
    const struct companion *companion = companion_at(plan, index);
    strbuf_add(text, "[Unit]\nDescription=Volt VM: ");
    unit_add_title(text, vqemu_command_vm_name(plan->command));
    if (companion->kind == COMPANION_SWTPM) {
        strbuf_add(text, " (TPM)\n");
    } else {
        strbuf_add(text, " (virtiofsd for ");
        unit_add_title(text, companion->directory);
        strbuf_add(text, ")\n");
    }
    strbuf_addf(text, "PartOf=%s%s.service\nStopWhenUnneeded=yes\n", plan->settings.name_prefix,
                vqemu_command_vm_id(plan->command));
}

/*
 * The socket is root's, as systemd makes it, and everybody may connect who reaches it: only the
 * VM's user does, to whom its directory belongs. SocketUser= would change the owner of whatever has
 * the socket's name by then, which that user can decide. A directory that systemd makes is there
 * before the socket only if a program of its unit is executed.
 */
void unit_add_companion_socket(const struct unit_plan *plan, size_t index, struct strbuf *text) {
    bool is_own = plan->for_user || unit_is_root(plan);
    add_unit_section(plan, index, text);
    strbuf_add(text, "\n[Socket]\nListenStream=");
    unit_add_text(text, companion_at(plan, index)->socket);
    strbuf_addf(text, "\nSocketMode=%s\nRemoveOnStop=yes\n", is_own ? "0600" : "0666");
    if (!is_own && plan->runtime_directory) {
        unit_add_user(plan, text);
        strbuf_addf(text,
                    "RuntimeDirectory=%s\nRuntimeDirectoryMode=0700\nRuntimeDirectoryPreserve=yes\n"
                    "ExecStartPre=:/bin/true\n",
                    plan->runtime_directory);
    }
}

/* ---- swtpm ---- */

/* Program and arguments. */
static void add_words(const struct companion *companion, struct strbuf *text) {
    for (size_t i = 0; i < companion->argv.count; i++) {
        if (i > 0)
            strbuf_add_char(text, ' ');
        unit_add_word(text, companion->argv.items[i]);
    }
}

static void add_swtpm(const struct unit_plan *plan, const struct companion *companion,
                      struct strbuf *text) {
    const char *own = plan->state_directory, *directory = companion->directory;
    const char *state_dir = vqemu_command_state_dir(plan->command);
    bool is_default = own && unit_is_below(directory, state_dir) &&
                      strcmp(directory + strlen(state_dir), "/tpm") == 0;
    unit_add_user(plan, text);
    if (is_default)
        strbuf_addf(text, "StateDirectory=%s/tpm\nStateDirectoryMode=0700\n", own);
    if (is_default && unit_is_plain_program(companion->program)) {
        strbuf_addf(text, "WorkingDirectory=%s\nExecStart=:", directory);
    } else {
        strbuf_add(text, "ExecStart=:/bin/sh -c ");
        unit_add_word(text, plan->for_user ? USER_WRAPPER_SCRIPT : WRAPPER_SCRIPT);
        strbuf_add(text, " sh ");
        unit_add_word(text, directory);
        strbuf_add_char(text, ' ');
    }
    add_words(companion, text);
    strbuf_add_char(text, '\n');
}

/* ---- virtiofsd ---- */

/* As root, it locks itself into its directory; as the VM's user, it sees nothing else. */
static void add_virtiofsd(const struct unit_plan *plan, const struct companion *companion,
                          struct strbuf *text) {
    bool is_root = unit_companion_is_root(plan, companion);
    if (!is_root)
        unit_add_user(plan, text);
    strbuf_add(text, "ExecStart=:");
    if (!unit_is_plain_program(companion->program))
        strbuf_add(text, "/usr/bin/env -- ");
    add_words(companion, text);
    strbuf_add(text, is_root || plan->for_user ? "\n" : " --sandbox=none\n");
}

int unit_add_companion_service(const struct unit_plan *plan, size_t index, struct strbuf *text,
                               vqemu_error **error) {
    const struct companion *companion = companion_at(plan, index);
    add_unit_section(plan, index, text);
    strbuf_add(text, "Requires=");
    unit_add_companion_name(plan, index, text);
    strbuf_add(text, ".socket\n\n[Service]\nType=exec\n");
    unit_add_clean_environment(text);
    if (companion->kind == COMPANION_SWTPM)
        add_swtpm(plan, companion, text);
    else
        add_virtiofsd(plan, companion, text);
    strbuf_add(text, "Restart=no\n");
    return unit_confine_companion(plan, companion, text, error);
}
