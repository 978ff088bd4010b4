/* SPDX-License-Identifier: MIT */
/* Words for enum vqemu_kvm_state. */
#ifndef KVM_STATE_H
#define KVM_STATE_H

#include <stdint.h>

const char *kvm_state_name(int32_t state);

/* 0 if it is none of the words. */
int32_t kvm_state_from_name(const char *name);

#endif
