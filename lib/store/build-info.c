/* SPDX-License-Identifier: MIT */
#include "store/build-info.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "util/export.h"
#include "util/rfc3339.h"
#include "util/utf8.h"

VQEMU_EXPORT int vqemu_build_info_new(vqemu_build_info **info, vqemu_error **error) {
    *info = calloc(1, sizeof **info);
    return *info ? 0 : error_no_memory(error);
}

static int set_text(char **field, const char *what, const char *text, vqemu_error **error) {
    if (!text || !utf8_is_valid(text))
        return error_set(error, VQEMU_ERR_INVALID, 0, "the %s is not UTF-8 text", what);
    char *copy = strdup(text);
    if (!copy)
        return error_no_memory(error);
    free(*field);
    *field = copy;
    return 0;
}

VQEMU_EXPORT int vqemu_build_info_set_created_at(vqemu_build_info *info, const char *time,
                                                 vqemu_error **error) {
    struct timespec parsed;
    if (!time || !rfc3339_parse(time, &parsed))
        return error_set(error, VQEMU_ERR_INVALID, 0,
                         "\"%s\" is not a time like 2025-01-31T10:00:00Z", time ? time : "");
    return set_text(&info->created_at, "time of creation", time, error);
}

VQEMU_EXPORT int vqemu_build_info_set_qemu_version(vqemu_build_info *info, const char *version,
                                                   vqemu_error **error) {
    return set_text(&info->qemu_version, "QEMU version", version, error);
}

VQEMU_EXPORT int vqemu_build_info_set_build_date(vqemu_build_info *info, const char *date,
                                                 vqemu_error **error) {
    return set_text(&info->build_date, "build date", date, error);
}

VQEMU_EXPORT int vqemu_build_info_set_build_host(vqemu_build_info *info, const char *host,
                                                 vqemu_error **error) {
    return set_text(&info->build_host, "build host", host, error);
}

VQEMU_EXPORT void vqemu_build_info_free(vqemu_build_info *info) {
    if (!info)
        return;
    free(info->created_at);
    free(info->qemu_version);
    free(info->build_date);
    free(info->build_host);
    free(info);
}
