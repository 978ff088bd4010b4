/* SPDX-License-Identifier: MIT */
#ifndef LIB_KVM_H
#define LIB_KVM_H

#include <stdbool.h>
#include <stdint.h>

#include <volt-qemu/error.h>

/* Where KVM shows itself: others in tests, which so reach every answer. */
struct kvm_paths {
    const char *device;       /* /dev/kvm */
    const char *modules_dir;  /* /sys/module: modules, and what is built in and has parameters */
    const char *proc_modules; /* /proc/modules: modules alone */
    const char *cpuinfo;      /* /proc/cpuinfo */
};

extern const struct kvm_paths kvm_paths;

/* How far KVM works, one of enum vqemu_kvm_state, and why; *message is owned by the caller. Fails
 * where it cannot be tried for want of descriptors or memory. */
int kvm_probe(const struct kvm_paths *paths, bool x86, int32_t *state, char **message,
              vqemu_error **error);

/* What serves an x86 device that creates VMs. *message is NULL without memory. */
int32_t kvm_judge_x86(const struct kvm_paths *paths, char **message);

#endif
