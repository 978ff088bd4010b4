/* SPDX-License-Identifier: MIT */
#ifndef LIB_LINK_H
#define LIB_LINK_H

/* The target that a Link header (RFC 8288) has with rel=next; *target is NULL if it has none.
 * Returns 0 or -ENOMEM. */
int link_find_next(const char *header, char **target);

#endif
