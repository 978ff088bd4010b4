/* SPDX-License-Identifier: MIT */
/* What podman, skopeo and docker trust a registry by, and show it: containers-certs.d(5). */
#ifndef REGISTRY_CERTIFICATES_H
#define REGISTRY_CERTIFICATES_H

#include "options.h"

/* Paths; NULL for what there is none of. */
struct registry_certificates {
    char *ca_file; /* all authorities, those of the system too; there as long as the program runs */
    char *certificate, *key;
};

/* Those of a host, as "host" or "host:port", but for what options name. Returns 0, or the exit
 * status of a failure that has been reported; to be released in any case. */
int registry_certificates_find(const struct options *options, const char *host,
                               struct registry_certificates *found);

void registry_certificates_release(struct registry_certificates *certificates);

#endif
