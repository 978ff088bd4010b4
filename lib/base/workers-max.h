/* SPDX-License-Identifier: MIT */
#ifndef LIB_WORKERS_MAX_H
#define LIB_WORKERS_MAX_H

/* The most threads that a caller can have. */
#define WORKERS_MAX 64

#endif
