/* SPDX-License-Identifier: MIT */
/* What of the network a service can reach (systemd.resource-control(5), systemd.exec(5)). */
#ifndef LIB_UNIT_REACH_H
#define LIB_UNIT_REACH_H

#include <stdbool.h>

#include "unit/plan.h"

struct reach {
    bool has_internet; /* it opens Internet sockets: */
    bool connects;     /* to anywhere, for a guest */
    bool listens;      /* for others */
    bool is_public;    /* also for those beyond this host */
    bool needs_host;   /* it uses interfaces of the host, without sockets */
};

void reach_find(struct reach *reach, const struct unit_plan *plan);
void reach_write(const struct reach *reach, struct strbuf *text);
void reach_write_families(const struct reach *reach, struct strbuf *text);

#endif
