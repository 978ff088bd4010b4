/* SPDX-License-Identifier: MIT */
/* QEMU's option syntax: key=value pairs between commas. */
#ifndef LIB_QEMU_OPT_H
#define LIB_QEMU_OPT_H

#include "util/strbuf.h"

/*
 * Add ",key=value" (without the comma if the option is still empty). A comma in the value is
 * doubled, which is the only escape there is (qemu(1), "Options"); every other byte stands for
 * itself.
 */
void qemu_opt_add(struct strbuf *option, const char *key, const char *value);

/* The value alone, escaped in the same way. */
void qemu_opt_add_value(struct strbuf *option, const char *value);

#endif
