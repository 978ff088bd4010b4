/* SPDX-License-Identifier: MIT */
#include "kvm-state.h"

#include <string.h>
#include <volt-qemu/volt-qemu.h>

static const struct {
    int32_t state;
    const char *name;
} states[] = {
    {VQEMU_KVM_USABLE, "usable"}, {VQEMU_KVM_ABSENT, "absent"},     {VQEMU_KVM_DENIED, "denied"},
    {VQEMU_KVM_BROKEN, "broken"}, {VQEMU_KVM_SOFTWARE, "software"}, {VQEMU_KVM_UNSEEN, "unseen"},
};

const char *kvm_state_name(int32_t state) {
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (states[i].state == state)
            return states[i].name;
    }
    return "unknown";
}

int32_t kvm_state_from_name(const char *name) {
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (strcmp(states[i].name, name) == 0)
            return states[i].state;
    }
    return 0;
}
