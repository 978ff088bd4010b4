/* SPDX-License-Identifier: MIT */
#ifndef LIB_IMPORT_H
#define LIB_IMPORT_H

/* The first entry of an exported archive. */
#define ARCHIVE_MANIFEST_NAME ".volt-manifest.json"

#endif
