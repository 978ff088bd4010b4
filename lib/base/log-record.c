/* SPDX-License-Identifier: MIT */
#include "base/log-record.h"

#include <string.h>

#include "base/error.h"
#include "util/export.h"

VQEMU_EXPORT int32_t vqemu_log_record_level(const vqemu_log_record *record) {
    return record ? record->level : 0;
}

VQEMU_EXPORT const char *vqemu_log_record_event(const vqemu_log_record *record) {
    return record ? record->event : NULL;
}

VQEMU_EXPORT const char *vqemu_log_record_message(const vqemu_log_record *record) {
    return record ? record->message : NULL;
}

VQEMU_EXPORT const char *vqemu_log_record_detail(const vqemu_log_record *record, const char *name) {
    if (!record || !name)
        return NULL;
    if (strcmp(name, VQEMU_DETAIL_PATH) == 0)
        return record->subject.path;
    if (strcmp(name, VQEMU_DETAIL_OBJECT) == 0)
        return record->subject.object;
    if (strcmp(name, VQEMU_DETAIL_HOST) == 0)
        return record->subject.host;
    return strcmp(name, VQEMU_DETAIL_REVISION) == 0 ? record->subject.revision : NULL;
}
