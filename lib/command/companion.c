/* SPDX-License-Identifier: MIT */
#include "command/companion.h"

#include <stdlib.h>
#include <string.h>

/* The descriptor of the socket that the program is handed over. */
#define SOCKET_FD "3"

/* swtpm splits its options at commas and has no escape, so it runs in its directory, as ".". */
static void add_swtpm(struct companion *companion) {
    static const char *const words[] = {
        "socket",     "--tpm2",          "--ctrl",      ("type=unixio,fd=" SOCKET_FD),
        "--tpmstate", "dir=.,mode=0600", "--terminate",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        strv_add(&companion->argv, words[i]);
    companion->cwd = companion->directory;
}

/* "-o source=" is what QEMU's own virtiofsd and the one in Rust both know. How many files it may
 * open is for whoever starts it to say. */
static void add_virtiofsd(struct companion *companion) {
    strv_add(&companion->argv, "--fd=" SOCKET_FD);
    strv_add(&companion->argv, "--rlimit-nofile=0");
    strv_add(&companion->argv, "-o");
    strv_addf(&companion->argv, "source=%s", companion->directory);
    companion->cwd = "/";
}

bool companion_init(struct companion *companion, enum companion_kind kind, const char *program,
                    const char *socket, const char *directory, bool read_only) {
    *companion = (struct companion){.kind = kind,
                                    .program = strdup(program),
                                    .socket = strdup(socket),
                                    .directory = strdup(directory),
                                    .read_only = read_only};
    bool complete = companion->program && companion->socket && companion->directory;
    if (complete) {
        strv_add(&companion->argv, program);
        if (kind == COMPANION_SWTPM)
            add_swtpm(companion);
        else
            add_virtiofsd(companion);
    }
    if (complete && !companion->argv.failed)
        return true;
    companion_release(companion);
    return false;
}

void companion_release(struct companion *companion) {
    free(companion->program);
    free(companion->socket);
    free(companion->directory);
    free(companion->directory_key);
    free(companion->socket_key);
    strv_release(&companion->argv);
    *companion = (struct companion){0};
}

const char *companion_kind_name(enum companion_kind kind) {
    return kind == COMPANION_SWTPM ? "swtpm" : "virtiofsd";
}
