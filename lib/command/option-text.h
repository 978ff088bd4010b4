/* SPDX-License-Identifier: MIT */
/*
 * Options as QEMU wants them spelled: here alone it is known which are a word and which a list of
 * settings, how a comma is escaped, and what is said in JSON.
 */
#ifndef LIB_OPTION_TEXT_H
#define LIB_OPTION_TEXT_H

#include "command/option.h"
#include "util/strv.h"

/* "-device"; NULL for an argument of the VM's own. Static. */
const char *option_spelling(enum option_name name);

/* What is behind the dashes of an argument, of which QEMU takes one or two; NULL if it has none. */
const char *option_word(const char *argument);

/* The option of such a word; OPTION_COUNT for none that the library has a name for. */
enum option_name option_find_name(const char *word);

/* Whether the option of such a word has a value: 1, 0, or -1 if that is not known. */
int option_has_value(const char *word);

/* All of them, behind what is in argv. */
void options_add_text(const struct options *options, struct strv *argv);

/* How many arguments an option is: itself, and its value if it has one. */
size_t option_argument_count(const struct option *option);

/* The value of an option; "" if it has none. */
void option_add_text(const struct options *options, const struct option *option,
                     struct strbuf *text);
/* "cache.direct=on", as it stands in one that is not JSON. */
void setting_add_text(const struct setting *setting, struct strbuf *text);
/* "on", the value alone, and nothing escaped. */
void setting_add_value(const struct setting *setting, struct strbuf *text);

#endif
