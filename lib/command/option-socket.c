/* SPDX-License-Identifier: MIT */
#include "command/option-nouns.h"

void connecting_options(struct options *options, const char *id, const struct choice *path) {
    option_begin(options, OPTION_CHARDEV, "socket", path->origin);
    option_text(options, "id", id);
    option_text(options, "path", path->value);
}

void listening_options(struct options *options, const char *id, const struct choice *path) {
    connecting_options(options, id, path);
    option_switch(options, "server", true);
    option_switch(options, "wait", false);
}
