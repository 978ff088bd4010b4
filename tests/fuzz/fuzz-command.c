/* SPDX-License-Identifier: MIT */
/*
 * Commands that were saved: what is loaded is saved as the same again. An input whose digest does
 * not fit is also loaded with that which does.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "fuzz.h"
#include "util/cleanup.h"

/* NULL if it is refused; then *digest may be what the digest should have been, freed by the caller.
 */
static vqemu_command *load(const char *text, size_t size, char **digest) {
    static const char says[] = "its digest is ";
    vqemu_command *command = NULL;
    vqemu_error *error = NULL;
    int r = vqemu_command_load(text, size, "input", 0, NULL, &command, &error);
    FUZZ_CHECK(!command == (r < 0), "the result %d with a command, or 0 without", r);
    const char *found = r == VQEMU_ERR_CORRUPT ? strstr(vqemu_error_message(error), says) : NULL;
    if (found && digest)
        *digest = strndup(found + strlen(says), 64);
    fuzz_check_result(r, &error);
    return command;
}

/* NULL if it holds what JSON cannot carry. */
static char *save(const vqemu_command *command) {
    char *text = NULL;
    vqemu_error *error = NULL;
    int r = fuzz_check_result(vqemu_command_save(command, 0, &text, &error), &error);
    FUZZ_CHECK(r == 0 || r == VQEMU_ERR_UNSUPPORTED, "%d of saving", r);
    return text;
}

static void check_words(const vqemu_command *command) {
    char *const *argv = vqemu_command_argv(command), *const *envp = vqemu_command_envp(command);
    FUZZ_CHECK(argv && argv[0] && argv[0][0] == '/', "no program");
    for (; *envp; envp++)
        FUZZ_CHECK(strchr(*envp, '='), "\"%s\" is no variable", *envp);
    FUZZ_CHECK(vqemu_command_cwd(command)[0] == '/', "it runs in \"%s\"",
               vqemu_command_cwd(command));
    FUZZ_CHECK(!strchr(vqemu_command_vm_id(command), '/'), "the id \"%s\"",
               vqemu_command_vm_id(command));
}

static void check_loaded(const vqemu_command *command) {
    _cleanup_free_ char *text = save(command), *again = NULL;
    check_words(command);
    FUZZ_CHECK(text, "what was loaded cannot be saved");
    vqemu_command *loaded = load(text, strlen(text), NULL);
    FUZZ_CHECK(loaded, "what was saved cannot be loaded:\n%s", text);
    again = save(loaded);
    FUZZ_CHECK(again && strcmp(text, again) == 0, "two texts:\n%s%s", text, again ? again : "");
    vqemu_command_unref(loaded);
}

/* The same document with another digest; NULL if it has none. */
static char *with_digest(const char *text, size_t size, const char *digest) {
    json_t *document = json_loadb(text, size, 0, NULL);
    if (document)
        json_object_set_new(document, "digest", json_string(digest));
    char *changed = document ? json_dumps(document, JSON_COMPACT) : NULL;
    json_decref(document);
    return changed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    _cleanup_free_ char *text = fuzz_text(data, size), *digest = NULL, *good = NULL;
    fuzz_begin(data, size);
    vqemu_command *command = load(text, size, &digest);
    if (!command && digest)
        good = with_digest(text, size, digest);
    if (good)
        command = load(good, strlen(good), NULL);
    if (command)
        check_loaded(command);
    vqemu_command_unref(command);
    return 0;
}
