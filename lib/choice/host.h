/* SPDX-License-Identifier: MIT */
#ifndef LIB_HOST_H
#define LIB_HOST_H

#include <volt-qemu/host.h>

#include "choice/kvm.h"
#include "util/cleanup.h"

/* Probe with other paths than those of kvm_paths, and another node than /dev/vhost-net. */
int host_probe_at(const struct kvm_paths *paths, const char *vhost_net, vqemu_host **host,
                  vqemu_error **error);

/* Our name for an architecture that uname(2) calls machine; the same string where it has no other.
 */
const char *host_arch_from_uname(const char *machine);

DEFINE_CLEANUP(vqemu_host, host, vqemu_host_free);
#define _cleanup_host_ _cleanup_(cleanup_host)

DEFINE_CLEANUP(vqemu_host_options, host_options, vqemu_host_options_free);
#define _cleanup_host_options_ _cleanup_(cleanup_host_options)

#endif
