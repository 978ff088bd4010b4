/* SPDX-License-Identifier: MIT */
#ifndef UTIL_EXPORT_H
#define UTIL_EXPORT_H

/* Marks the definition of a public function; everything else is hidden (-fvisibility=hidden). */
#define VQEMU_EXPORT __attribute__((visibility("default")))

#endif
