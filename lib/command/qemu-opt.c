/* SPDX-License-Identifier: MIT */
#include "command/qemu-opt.h"

void qemu_opt_add_value(struct strbuf *option, const char *value) {
    for (const char *c = value; *c; c++) {
        strbuf_add_char(option, *c);
        if (*c == ',')
            strbuf_add_char(option, ',');
    }
}

void qemu_opt_add(struct strbuf *option, const char *key, const char *value) {
    strbuf_addf(option, "%s%s=", option->length ? "," : "", key);
    qemu_opt_add_value(option, value);
}
