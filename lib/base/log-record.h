/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_LOG_RECORD_H
#define VOLT_QEMU_LOG_RECORD_H

#include <volt-qemu/call.h>

/* What an event is about; NULL for what it is not. */
struct log_subject {
    const char *path, *object, *revision, *host;
};

struct vqemu_log_record {
    int32_t level;
    const char *event, *message;
    struct log_subject subject;
};

#endif
