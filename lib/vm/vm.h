/* SPDX-License-Identifier: MIT */
#ifndef LIB_VM_H
#define LIB_VM_H

#include <volt-qemu/vm.h>

#include "util/cleanup.h"
#include "vm/property.h"

struct vqemu_vm {
    /* identity */
    char *name;
    char *uuid;
    const char *guest_os;
    const char *guest_arch; /* with the profile and mode: what it is to run on */
    char *profile;
    const char *mode;
    char *state_dir;
    char *runtime_dir;
    char *user;
    /* machine */
    char *machine;
    const char *firmware;
    enum toggle secure_boot;
    enum toggle secure_boot_unguarded;
    char *nvram;
    const char *rtc;
    enum toggle suspend;
    /* memory and processors */
    uint64_t memory;
    char *hugepages;
    enum toggle memory_shared;
    uint64_t cpus;
    uint64_t cpu_sockets;
    uint64_t cpu_cores;
    uint64_t cpu_threads;
    char *cpu_model;
    struct named_values cpu_features;
    enum toggle hyperv;
    /* what is booted */
    char *rootfs;
    const char *rootfs_driver;
    enum toggle rootfs_writable;
    enum toggle reboot;
    char *kernel;
    char *initrd;
    char *append;
    /* devices */
    struct object_list disks;
    struct object_list shares;
    struct object_list nics;
    uint64_t vsock_cid;
    enum toggle rng;
    enum toggle balloon;
    uint64_t hotplug_slots;
    struct named_values slots;
    const char *watchdog;
    enum toggle tpm;
    char *tpm_socket;
    char *tpm_state;
    char *swtpm_program;
    char *virtiofsd_program;
    enum toggle virtiofsd_root;
    /* display and input */
    const char *display;
    const char *video;
    char *vnc_socket;
    uint64_t vnc_port;
    char *vnc_password_file;
    enum toggle vnc_no_password;
    enum toggle usb;
    enum toggle usb_tablet;
    /* control */
    const char *console;
    char *console_path;
    char *console_log;
    enum toggle console_monitor;
    char *qmp_socket;
    uint64_t qmp_fd;
    char *qmp_fd_name;
    char *guest_agent_socket;
    enum toggle sandbox;
    struct strv extra_args;
};

extern const struct object_type vm_type;

DEFINE_CLEANUP(vqemu_vm, vm, vqemu_vm_free);
#define _cleanup_vm_ _cleanup_(cleanup_vm)

#endif
