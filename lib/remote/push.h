/* SPDX-License-Identifier: MIT */
#ifndef LIB_PUSH_H
#define LIB_PUSH_H

#include <volt-qemu/push.h>

#include "transfer/oci-manifest.h"

struct vqemu_push {
    char digest[OCI_DIGEST_SIZE];
    bool is_new;
    size_t blob_count, new_blob_count;
    uint64_t bytes, new_bytes;
};

DEFINE_CLEANUP(vqemu_push, push, vqemu_push_free);
#define _cleanup_push_ _cleanup_(cleanup_push)

#endif
