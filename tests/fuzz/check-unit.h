/* SPDX-License-Identifier: MIT */
#ifndef CHECK_UNIT_H
#define CHECK_UNIT_H

#include <volt-qemu/unit.h>

/*
 * Units say what the command says and nothing else: each line is a directive that the library
 * writes, in a section that it writes, and as often as it does; read as systemd does, the words of
 * ExecStart= and Environment= are the command's.
 */
void check_units(const vqemu_units *units, const char *const *stop);

#endif
