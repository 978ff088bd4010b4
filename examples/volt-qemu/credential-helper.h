/* SPDX-License-Identifier: MIT */
/* Programs that keep logins: docker-credential-NAME. */
#ifndef CREDENTIAL_HELPER_H
#define CREDENTIAL_HELPER_H

#include <jansson.h>

#include "options.h"

/*
 * Ask a helper for the login of a registry. *answer: an object with Username and Secret, or NULL if
 * it has none. Returns 0, or the exit status of a failure that has been reported.
 */
int credential_helper_ask(const struct options *options, const char *name, const char *registry,
                          json_t **answer);

#endif
