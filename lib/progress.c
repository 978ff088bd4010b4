/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include "error.h"

int progress_report(const struct progress *progress, const char *item, vqemu_error **error) {
    if (!progress->function || progress->function(progress->step, item, progress->done,
                                                  progress->total, progress->userdata) == 0)
        return 0;
    return error_set(error, VQEMU_ERR_CANCELLED, 0, "cancelled at %s", item);
}
