/* SPDX-License-Identifier: MIT */
/* Good copies of objects, from wherever they can be had. */
#ifndef LIB_REPAIR_H
#define LIB_REPAIR_H

#include "base/progress.h"
#include "store/revision.h"
#include "store/store.h"
#include "upkeep/check-report.h"

/* Whether a source can be read: also that of a repair which needs none is to be there. */
int repair_check_source(const char *from, vqemu_error **error);

/*
 * Replace the damaged and missing objects of a report by copies that the store itself has, then by
 * those of a source (NULL for none; see vqemu_store_check()), and note what was put right. The
 * caller holds the store lock.
 */
int repair_objects(vqemu_store *store, const vqemu_revision_list *revisions, vqemu_check *check,
                   const char *from, struct vqemu_progress *progress, vqemu_error **error);

#endif
