/* SPDX-License-Identifier: MIT */
/* A VM's extra arguments as options, as far as they are such. */
#ifndef LIB_ARGUMENT_OPTIONS_H
#define LIB_ARGUMENT_OPTIONS_H

#include "command/option.h"
#include "util/strv.h"

/* Options that are not known are left out, and so are values that are no settings. */
void argument_options(const struct strv *arguments, struct options *options);

#endif
