/* SPDX-License-Identifier: MIT */
#ifndef LIB_SELECTION_H
#define LIB_SELECTION_H

#include <volt-qemu/selection.h>

#include "choice/arch.h"
#include "util/cleanup.h"

const struct arch *selection_arch(const vqemu_selection *selection);
/* Of the host: one of enum vqemu_vhost_net_state. */
int32_t selection_vhost_net(const vqemu_selection *selection);

DEFINE_CLEANUP(vqemu_selection, selection, vqemu_selection_free);
#define _cleanup_selection_ _cleanup_(cleanup_selection)

#endif
