/* SPDX-License-Identifier: MIT */
/* Blobs of a revision go to a registry: several at a time, each verified while it is sent. */
#ifndef LIB_UPLOAD_H
#define LIB_UPLOAD_H

#include "remote/session.h"
#include "transfer/oci-revision.h"

/* A blob that the registry is to have. */
struct outgoing {
    struct oci_blob blob;
    const char *what;                     /* as people know it */
    const struct manifest_object *object; /* of the store; or */
    const char *bytes;                    /* its bytes; or neither: */
    size_t pack;                          /* the number of a pack */
    bool is_wanted;                       /* it is to be sent, whatever the registry says it has */
    bool travels;                         /* the registry lacks it, or lacked it */
};

struct outgoings {
    struct outgoing *items; /* the largest first */
    size_t count;
    const struct oci_revision *out;
    bool only_asks;   /* what it lacks is found out, and not sent */
    bool only_wanted; /* the others are passed over */
};

/* All blobs of a revision but the OCI manifest. Returns 0 or -ENOMEM. */
int outgoings_list(struct outgoings *outgoings, const struct oci_revision *out);
void outgoings_release(struct outgoings *outgoings);

/* Have the registry have them. Progress is in bytes of all. */
int outgoings_send(const struct outgoings *outgoings, struct session *session, vqemu_error **error);

#endif
