/* SPDX-License-Identifier: MIT */
/* Where podman, skopeo and docker keep what they know of registries. */
#ifndef REGISTRY_PATHS_H
#define REGISTRY_PATHS_H

#include <stddef.h>

/* The index-th file of logins, in the order in which these programs look; NULL beyond the last. The
 * caller frees it. */
char *registry_login_path(size_t index);

/* The index-th directory of a host's certificates likewise; host as "host" or "host:port". */
char *registry_certificate_directory(size_t index, const char *host);

#endif
