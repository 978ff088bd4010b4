/* SPDX-License-Identifier: MIT */
#ifndef LIB_VNC_PASSWORD_H
#define LIB_VNC_PASSWORD_H

#include <volt-qemu/error.h>

#include "run/owner.h"

/*
 * Check that a file can be the password of a VNC server: QEMU takes all of it, and the protocol 8
 * bytes of that, so a newline among these is a part that nobody can type. Whose it is, knows it.
 */
int vnc_password_check(const char *path, const struct owner *owner, vqemu_error **error);

#endif
