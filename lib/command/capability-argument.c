/* SPDX-License-Identifier: MIT */
#include "command/capability-argument.h"

#include <string.h>

#include "command/capability-known.h"
#include "command/option-text.h"
#include "util/word.h"

/* Options that no help has a line of. */
static bool is_hidden(const char *word) {
    static const char hidden[] = "M fdb hdb hdd help qtest qtest-log";
    return has_word(hidden, word);
}

/* "-devcie". What is told of the option is the same for all versions that are known: whether it has
 * a value, and so which argument is the next option. */
static int check_name(const struct checker *checker, const char *word, size_t index) {
    const struct origin origin = origin_in("extra_args", index, NULL, NULL);
    const struct option option = {.name = OPTION_EXTRA, .origin = origin};
    const struct missing missing = {
        .kind = "argument", .noun = "option", .name = word, .option = &option, .origin = &origin};
    if (strpbrk(word, " \t=") || is_hidden(word) ||
        vqemu_capabilities_has(checker->capabilities, "argument", word, NULL) != 0)
        return 0;
    return refuse_missing(checker, &missing);
}

int check_arguments(const struct checker *checker) {
    const struct strv *arguments = &checker->plan->vm->extra_args;
    for (size_t i = 0; known_version(checker) && i < arguments->count; i++) {
        const char *word = option_word(arguments->items[i]);
        if (!word || !*word)
            continue; /* an image of a disk */
        int has_value = option_has_value(word);
        int r = check_name(checker, word, i);
        if (r < 0)
            return r;
        if (has_value < 0)
            return 0;
        i += has_value == 1;
    }
    return 0;
}
