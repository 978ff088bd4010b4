/* SPDX-License-Identifier: MIT */
/* What follows from a VM's name: the same name always gives the same. */
#ifndef LIB_IDENTITY_H
#define LIB_IDENTITY_H

#include <stddef.h>

#define IDENTITY_ID_MAX 48
#define IDENTITY_UUID_LENGTH 36
#define IDENTITY_MAC_LENGTH 17

/*
 * The name as it can stand in the names of files and units: a plain one itself, and for all others
 * their beginning, a "-" and 16 hex digits of their SHA-256. No name is plain that ends in a "-"
 * and 8 to 16 such digits, so no two have the same.
 */
void identity_id(const char *name, char id[static IDENTITY_ID_MAX + 1]);

void identity_uuid(const char *name, char uuid[static IDENTITY_UUID_LENGTH + 1]);

/* Of the network device with a number. */
void identity_mac(const char *name, size_t number, char mac[static IDENTITY_MAC_LENGTH + 1]);

#endif
