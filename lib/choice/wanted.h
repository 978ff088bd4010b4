/* SPDX-License-Identifier: MIT */
/* A request with its defaults filled in, as it is on one host. */
#ifndef LIB_WANTED_H
#define LIB_WANTED_H

#include "choice/host.h"
#include "choice/request.h"

enum order { ORDER_NONE, ORDER_KVM, ORDER_EMULATION };

struct wanted {
    const vqemu_host *host;
    const vqemu_request *request;
    enum order order;
    const char *ordered_by; /* "mode hybrid-kvm", "accel tcg" ...; NULL without an order */
    const char *way_out;    /* what would order the other; NULL without an order */
    const char *profile;    /* by its name, or NULL */
    const struct arch *arch;
    bool arch_is_given;
    const char *os;
    uint64_t needs;
};

/* Borrows from both. Words that contradict each other are refused. */
int wanted_fill(struct wanted *wanted, const vqemu_host *host, const vqemu_request *request,
                vqemu_error **error);

/* The profile of a name, among the library's own and those of the request; NULL if it is unknown.
 */
vqemu_profile *wanted_find_profile(const vqemu_request *request, const char *name);

/* Whether a profile may be chosen: without a store, any. */
bool wanted_has_revision(const vqemu_request *request, const vqemu_profile *profile);

#endif
