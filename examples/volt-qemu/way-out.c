/* SPDX-License-Identifier: MIT */
#include "way-out.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "text.h"

/* {name} becomes that detail of the error; what stands in brackets is left out where its detail is
 * missing or empty. Reasons are those of docs/errors.md. */
static const struct {
    const char *reason, *text;
} ways[] = {
    {"current", "use another one first: volt-qemu current REVISION"},
    {"current-broken", "set it anew: volt-qemu current REVISION, or PROFILE for the newest"},
    {"current-gone", "use the newest again: volt-qemu current {profile}"},
    {"deadline", "--timeout gives it more"},
    {"in-use", "volt-qemu uses {revision} tells by whom"},
    {"locked", "try again later, or wait longer: --lock-timeout SECONDS"},
    {"name-taken", "volt-qemu rm {revision}"},
    {"certificate", "--ca-file FILE names another authority"},
    {"login-missing", "skopeo login {host}, or podman login {host}; or --authfile, --login-file"},
    {"login-refused", "skopeo login {host}, or podman login {host}, sets another"},
    {"no-such-device", "take it out: --set {key}="},
    {"no-such-revision", "volt-qemu revisions lists those that there are"},
    {"no-manifest", "[volt-qemu tags lists those that a repository of {host} has]"},
    {"no-store", "volt-qemu ingest, import and pull make one"},
    {"no-profile", "--profile NAME[ (or --any-profile for {profile})]"},
    {"no-user", "--set user=NAME does that; --user-manager makes those of systemctl --user"},
    {"nvram-size", "start anew: volt-qemu prepare --reset-variables"},
    {"object-damaged", "volt-qemu verify --repair --from SOURCE repairs it"},
    {"no-such-signature", "volt-qemu signatures {revision} lists those that there are"},
    {"not-a-signature", "--any-kind adds what only another program can verify"},
    {"other-firmware",
     "take the old one: --revision REVISION; or say what is to be done: volt-qemu "
     "prepare with --keep-variables or --reset-variables"},
    {"packed-layout", "volt-qemu import --layout DIRECTORY"},
    {"pinned", "let go of it: volt-qemu unpin {revision}[ --holder {holder}]"},
    {"profile-lacks-ability", "without --profile one is chosen that fits"},
    {"profile-not-in-store", "store one with: volt-qemu ingest --profile {profile} DIR"},
    {"read-only", "leave out --read-only"},
    {"revision-broken", "put back its file, or remove it: volt-qemu rm {revision}"},
    {"too-large", "--max-size allows more"},
    {"too-many-files", "--max-objects allows more"},
    {"too-many-layers", "--max-layers allows more"},
    {"too-many-signatures", "volt-qemu signature remove {revision} SHA256"},
    {"untrusted-store", "--allow-others uses it all the same"},
    {"unknown-profile", "volt-qemu profiles lists them; one of your own needs --accel and --guests "
                        "when it is ingested"},
};

/* Copy text up to its end or the bracket that closes it, with details filled in. Returns where that
 * is; *complete becomes false if a detail is missing or empty. */
static const char *fill(char **way, const char *text, const vqemu_error *error, bool *complete) {
    while (*text && *text != ']') {
        size_t length = strcspn(text, "{[]");
        *way = append_text(*way, text, length);
        text += length;
        if (*text == '[') {
            bool has_all = true;
            _cleanup_free_ char *optional = format_text("%s", "");
            text = fill(&optional, text + 1, error, &has_all) + 1;
            *way = append_text(*way, optional, has_all ? strlen(optional) : 0);
        } else if (*text == '{') {
            length = strcspn(++text, "}");
            _cleanup_free_ char *name = format_text("%.*s", (int)length, text);
            const char *detail = vqemu_error_detail(error, name);
            *way = append_text(*way, detail ? detail : name, strlen(detail ? detail : name));
            *complete &= detail && *detail;
            text += length + 1;
        }
    }
    return text;
}

/* Where the file system says so, no option of ours does. */
static bool is_read_only_mount(const vqemu_error *error) {
    return vqemu_error_code(error) == VQEMU_ERR_READ_ONLY && vqemu_error_errno(error) != 0;
}

char *way_out_of(const vqemu_error *error) {
    if (is_read_only_mount(error))
        return NULL;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (strcmp(vqemu_error_reason(error), ways[i].reason) == 0) {
            char *way = format_text("%s", "");
            bool complete = true;
            fill(&way, ways[i].text, error, &complete);
            if (*way)
                return way;
            free(way);
            return NULL;
        }
    }
    return NULL;
}
