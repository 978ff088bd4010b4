/* SPDX-License-Identifier: MIT */
/* What a request to a registry failed by, in words for people. URLs have secrets in their query, so
 * only hosts are told. */
#ifndef LIB_FAILURE_H
#define LIB_FAILURE_H

#include "remote/http.h"
#include "remote/remote.h"
#include "remote/url.h"

/* A request that failed. */
struct failed {
    const vqemu_remote *remote;
    const char *doing;     /* "list the tags of": between "cannot" and the repository */
    const struct url *url; /* who was asked last */
    unsigned tries;
    const struct answer *answer;
};

/* There is no answer. */
int failure_of_transfer(const struct failed *failed, const struct http_transfer *transfer,
                        vqemu_error **error);

/* The answer is a refusal: a status other than 200 to 299. */
int failure_of_answer(const struct failed *failed, vqemu_error **error);

/* The answer is not what registries answer: how. */
int failure_of_sense(const struct failed *failed, const char *how, vqemu_error **error);

/* What came is not what its digest says: how. VQEMU_ERR_CORRUPT, reason "blob-damaged". */
int failure_of_content(const struct failed *failed, const char *how, vqemu_error **error);

/* There is no such manifest: what. VQEMU_ERR_NOT_FOUND, reason "no-manifest". */
int failure_of_lack(const struct failed *failed, const char *what, vqemu_error **error);

/* The registry will not take or delete it, whoever asks. VQEMU_ERR_UNSUPPORTED, reasons
 * "manifest-refused" and "deletes-nothing". */
int failure_of_manifest(const struct failed *failed, vqemu_error **error);
int failure_of_deletion(const struct failed *failed, vqemu_error **error);

#endif
