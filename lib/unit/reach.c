/* SPDX-License-Identifier: MIT */
#include "unit/reach.h"

#include <string.h>

#include "vm/nic.h"
#include "vm/vm-defaults.h"

/* Where systemd-resolved listens for programs, and nothing else does (systemd-resolved.service(8)).
 */
#define RESOLVERS "127.0.0.53 127.0.0.54"

static void add_forwards(struct reach *reach, const vqemu_nic *nic) {
    for (size_t i = 0; i < nic->forwards.count; i++) {
        const struct forward *forward = nic->forwards.items[i];
        reach->listens = true;
        if (forward->host_address && strncmp(forward->host_address, "127.", 4) != 0)
            reach->is_public = true;
    }
}

void reach_find(struct reach *reach, const struct unit_plan *plan) {
    const struct strv *devices = &plan->uses->devices;
    *reach = (struct reach){.has_internet = plan->uses->internet,
                            .listens = plan->vm->vnc_port != 0,
                            .needs_host = plan->uses->starts_programs};
    for (size_t i = 0; i < plan->vm->nics.count; i++) {
        const vqemu_nic *nic = plan->vm->nics.items[i];
        if (strcmp(vm_nic_backend(nic), "user") != 0)
            continue;
        reach->connects = reach->connects || !is_on(nic->isolated);
        add_forwards(reach, nic);
    }
    for (size_t i = 0; i < devices->count; i++)
        if (strcmp(devices->items[i], "/dev/net/tun") == 0 ||
            strcmp(devices->items[i], "/dev/vhost-vsock") == 0)
            reach->needs_host = true;
}

/* What listens is reached from the host by its loopback addresses, and then reaches those itself.
 */
void reach_write(const struct reach *reach, struct strbuf *text) {
    bool has_sockets = reach->connects || reach->listens;
    if (!has_sockets && !reach->needs_host)
        strbuf_add(text, "PrivateNetwork=yes\n");
    else if (!has_sockets)
        strbuf_add(text, "IPAddressDeny=any\n");
    else if (!reach->connects && !reach->is_public)
        strbuf_add(text, "IPAddressDeny=any\nIPAddressAllow=localhost\n");
    else if (!reach->listens)
        strbuf_add(text, "IPAddressDeny=localhost link-local\nIPAddressAllow=" RESOLVERS "\n");
    else
        strbuf_add(text, "IPAddressDeny=link-local\n");
}

void reach_write_families(const struct reach *reach, struct strbuf *text) {
    strbuf_addf(text, "RestrictAddressFamilies=AF_UNIX%s\n",
                reach->has_internet ? " AF_INET AF_INET6" : "");
}
