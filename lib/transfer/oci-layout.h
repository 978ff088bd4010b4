/* SPDX-License-Identifier: MIT */
/*
 * An OCI image layout (image-spec 1.1, image-layout.md): a directory with blobs named by their
 * digests, and an index that says which of them are manifests, by tags. Others write into it, too.
 */
#ifndef LIB_OCI_LAYOUT_H
#define LIB_OCI_LAYOUT_H

#include "base/progress.h"
#include "transfer/oci-manifest.h"

/* The file that every layout has. */
#define OCI_LAYOUT_MARKER "oci-layout"

struct oci_layout {
    const char *path; /* for messages */
    int fd, blobs_fd;
    bool is_new; /* and so perhaps are directories above */
};

#define OCI_LAYOUT_NONE ((struct oci_layout){.fd = -1, .blobs_fd = -1})
void oci_layout_close(struct oci_layout *layout);
#define _cleanup_oci_layout_ __attribute__((cleanup(oci_layout_close)))

/*
 * Open one. With create, it is made if it is missing, held against others who write, and no link in
 * it is followed. VQEMU_ERR_MALFORMED for a directory that is none, VQEMU_ERR_UNSUPPORTED for
 * another version.
 */
int oci_layout_open(const char *path, bool create, struct vqemu_progress *progress,
                    struct oci_layout *layout, vqemu_error **error);

/* ---- what is in it ---- */

/*
 * The manifest that is meant: a tag, or "sha256:..." of a manifest; NULL for the only one.
 * VQEMU_ERR_NOT_FOUND if there is none, VQEMU_ERR_INVALID (reason "which-one") if there are
 * several.
 */
int oci_layout_find(const struct oci_layout *layout, const char *version, struct oci_blob *blob,
                    vqemu_error **error);

/* A blob, which is a regular file of its size; what is in it is for the caller to verify.
 * VQEMU_ERR_CORRUPT if it is missing or has another size. what: as people know it. */
int oci_layout_open_blob(const struct oci_layout *layout, const struct oci_blob *blob,
                         const char *what, int *fd, vqemu_error **error);

/* The error for one that cannot be read or written: what, such as "cannot read". */
int oci_layout_failed(const struct oci_layout *layout, const struct digest *digest,
                      int system_errno, const char *what, vqemu_error **error);
/* The error for one that is not what it should be. */
int oci_layout_damaged(const struct oci_layout *layout, const struct digest *digest,
                       const char *what, const char *how, vqemu_error **error);

/* The text of a small one, verified; owned by the caller. */
int oci_layout_read_blob(const struct oci_layout *layout, const struct oci_blob *blob,
                         const char *what, size_t limit, char **text, vqemu_error **error);

/* ---- what is put into it ---- */

/* Whether a blob is there, whole and undamaged: 1, 0 or a negative errno. */
int oci_layout_has(const struct oci_layout *layout, const struct oci_blob *blob,
                   const struct watch *watch);

/* A blob that is being written. */
struct oci_new_blob {
    int fd;
    char *name;
};
#define OCI_NEW_BLOB_NONE ((struct oci_new_blob){.fd = -1})

/* Make one, and give it its name when it has been written; all return 0 or a negative errno.
 * Dropping one that has its name, or none, does nothing. */
int oci_layout_begin(const struct oci_layout *layout, struct oci_new_blob *blob);
int oci_layout_complete(const struct oci_layout *layout, struct oci_new_blob *blob,
                        const struct digest *digest);
void oci_layout_drop(const struct oci_layout *layout, struct oci_new_blob *blob);

/* A blob of these bytes, which is not written again if it is there. */
int oci_layout_add_text(const struct oci_layout *layout, const char *text, size_t size,
                        struct oci_blob *blob, vqemu_error **error);

/* Make all blobs durable, then put a manifest into the index under a tag, which leaves another one
 * that had it. */
int oci_layout_tag(const struct oci_layout *layout, const struct oci_blob *manifest,
                   const char *tag, vqemu_error **error);

/* Why a tag cannot be one (distribution-spec), as a phrase; NULL if it can. */
const char *oci_layout_find_tag_fault(const char *tag);
/* The error for one that cannot be: VQEMU_ERR_INVALID (reason "tag"). NULL is good. */
int oci_layout_check_tag(const char *tag, vqemu_error **error);

#endif
