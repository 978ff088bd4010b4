/* SPDX-License-Identifier: MIT */
/* What a registry asks for in WWW-Authenticate (RFC 9110, 11.6.1). */
#ifndef LIB_CHALLENGE_H
#define LIB_CHALLENGE_H

#include <stdbool.h>

struct challenge {
    bool basic, bearer;
    char *realm, *service, *scope; /* of Bearer; NULL where it has none */
};

/* One header of several. What cannot be read is passed over. Returns 0 or -ENOMEM. */
int challenge_add(struct challenge *challenge, const char *header);

void challenge_release(struct challenge *challenge);

#endif
