/* SPDX-License-Identifier: MIT */
#ifndef REMOTE_OPTIONS_H
#define REMOTE_OPTIONS_H

#include "options.h"

/*
 * The remote of a repository, with what options, files of logins, certs.d and the environment
 * (proxies) say of it. Returns 0, or the exit status of a failure that has been reported. The
 * caller frees it.
 */
int remote_from_options(const struct options *options, const char *repository,
                        vqemu_remote **remote);

#endif
