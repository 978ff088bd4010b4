/* SPDX-License-Identifier: MIT */
/* Who logs in to a registry: as the options say, else as podman, skopeo and docker would. */
#ifndef REGISTRY_LOGIN_H
#define REGISTRY_LOGIN_H

#include "options.h"

/* Set the login of a remote, if there is one for its repository. Returns 0, or the exit status of a
 * failure that has been reported. */
int set_registry_login(const struct options *options, const char *repository, vqemu_remote *remote);

#endif
