/* SPDX-License-Identifier: MIT */
/* A VM's extra arguments as options, as far as they are such. */
#ifndef LIB_OPTION_ARGUMENT_H
#define LIB_OPTION_ARGUMENT_H

#include "command/option.h"
#include "util/strv.h"

/* Options that are not known are left out, and so are values that are no settings. */
void argument_options(const struct strv *arguments, struct options *options);

#endif
