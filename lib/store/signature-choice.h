/* SPDX-License-Identifier: MIT */
/*
 * Which signatures of a revision are kept when some come with it. Who sends them may have made them
 * up, and there are SIGNATURES_MAX places: what is trusted must find one.
 */
#ifndef LIB_SIGNATURE_CHOICE_H
#define LIB_SIGNATURE_CHOICE_H

#include "trust/trust.h"

/*
 * Of those that are there, and those of the evidence, which came: first one of each key of the
 * trusts (each may be NULL), then those that were there, then the others. *left_out: how many found
 * no place. Returns 0 or -ENOMEM.
 */
int signatures_choose(const struct signature_set *there, const struct vqemu_evidence *evidence,
                      const vqemu_trust *const trusts[2], struct signature_set *chosen,
                      size_t *left_out);

#endif
