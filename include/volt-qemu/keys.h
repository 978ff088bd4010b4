/* SPDX-License-Identifier: MIT */
/* Made by tests/contract/update-keys from the tables of the library. */
#ifndef VOLT_QEMU_KEYS_H
#define VOLT_QEMU_KEYS_H

/**
 * The keys of a VM, for the functions of <volt-qemu/vm.h>. docs/vm.md says what each means.
 *
 * Those in a list take the index, a number that stands in the source: VQEMU_KEY_DISKS_CACHE(0) is
 * "disks[0].cache". With VQEMU_KEYS_ANY for it they are a format of printf, for an index of type
 * size_t that is only known when the program runs:
 *
 *     snprintf(key, sizeof key, VQEMU_KEY_DISKS_CACHE(VQEMU_KEYS_ANY), i);
 *
 * VQEMU_KEY_CPU_FEATURES_NAMED("sse4.1") is "cpu_features.sse4.1". Since 1.0.
 */

/* Text of an index, also where that is a macro. */
#define VQEMU_KEYS_TEXT(text) #text
#define VQEMU_KEYS_INDEX(index) "[" VQEMU_KEYS_TEXT(index) "]"

/* clang-format off */
#define VQEMU_KEYS_ANY %zu
#define VQEMU_KEY_NAME "name"
#define VQEMU_KEY_UUID "uuid"
#define VQEMU_KEY_GUEST_OS "guest_os"
#define VQEMU_KEY_GUEST_ARCH "guest_arch"
#define VQEMU_KEY_PROFILE "profile"
#define VQEMU_KEY_MODE "mode"
#define VQEMU_KEY_STATE_DIR "state_dir"
#define VQEMU_KEY_RUNTIME_DIR "runtime_dir"
#define VQEMU_KEY_USER "user"
#define VQEMU_KEY_MACHINE "machine"
#define VQEMU_KEY_FIRMWARE "firmware"
#define VQEMU_KEY_SECURE_BOOT "secure_boot"
#define VQEMU_KEY_SECURE_BOOT_UNGUARDED "secure_boot_unguarded"
#define VQEMU_KEY_NVRAM "nvram"
#define VQEMU_KEY_RTC "rtc"
#define VQEMU_KEY_SUSPEND "suspend"
#define VQEMU_KEY_MEMORY "memory"
#define VQEMU_KEY_HUGEPAGES "hugepages"
#define VQEMU_KEY_MEMORY_SHARED "memory_shared"
#define VQEMU_KEY_CPUS "cpus"
#define VQEMU_KEY_CPU_SOCKETS "cpu_sockets"
#define VQEMU_KEY_CPU_CORES "cpu_cores"
#define VQEMU_KEY_CPU_THREADS "cpu_threads"
#define VQEMU_KEY_CPU_MODEL "cpu_model"
#define VQEMU_KEY_CPU_FEATURES "cpu_features"
#define VQEMU_KEY_CPU_FEATURES_NAMED(name) "cpu_features." name
#define VQEMU_KEY_HYPERV "hyperv"
#define VQEMU_KEY_ROOTFS "rootfs"
#define VQEMU_KEY_ROOTFS_DRIVER "rootfs_driver"
#define VQEMU_KEY_ROOTFS_WRITABLE "rootfs_writable"
#define VQEMU_KEY_REBOOT "reboot"
#define VQEMU_KEY_KERNEL "kernel"
#define VQEMU_KEY_INITRD "initrd"
#define VQEMU_KEY_APPEND "append"
#define VQEMU_KEY_DISKS "disks"
#define VQEMU_KEY_DISKS_AT(i) "disks" VQEMU_KEYS_INDEX(i)
#define VQEMU_KEY_DISKS_ID(i) "disks" VQEMU_KEYS_INDEX(i) ".id"
#define VQEMU_KEY_DISKS_FILE(i) "disks" VQEMU_KEYS_INDEX(i) ".file"
#define VQEMU_KEY_DISKS_FD(i) "disks" VQEMU_KEYS_INDEX(i) ".fd"
#define VQEMU_KEY_DISKS_FD_NAME(i) "disks" VQEMU_KEYS_INDEX(i) ".fd_name"
#define VQEMU_KEY_DISKS_FORMAT(i) "disks" VQEMU_KEYS_INDEX(i) ".format"
#define VQEMU_KEY_DISKS_BACKING(i) "disks" VQEMU_KEYS_INDEX(i) ".backing"
#define VQEMU_KEY_DISKS_BACKING_AT(i, j) "disks" VQEMU_KEYS_INDEX(i) ".backing" VQEMU_KEYS_INDEX(j)
#define VQEMU_KEY_DISKS_BACKING_FILE(i, j) "disks" VQEMU_KEYS_INDEX(i) ".backing" VQEMU_KEYS_INDEX(j) ".file"
#define VQEMU_KEY_DISKS_BACKING_FD(i, j) "disks" VQEMU_KEYS_INDEX(i) ".backing" VQEMU_KEYS_INDEX(j) ".fd"
#define VQEMU_KEY_DISKS_BACKING_FD_NAME(i, j) "disks" VQEMU_KEYS_INDEX(i) ".backing" VQEMU_KEYS_INDEX(j) ".fd_name"
#define VQEMU_KEY_DISKS_BACKING_FORMAT(i, j) "disks" VQEMU_KEYS_INDEX(i) ".backing" VQEMU_KEYS_INDEX(j) ".format"
#define VQEMU_KEY_DISKS_BACKING_DATA_FILE(i, j) "disks" VQEMU_KEYS_INDEX(i) ".backing" VQEMU_KEYS_INDEX(j) ".data_file"
#define VQEMU_KEY_DISKS_BACKING_BLOCK_DEVICE(i, j) "disks" VQEMU_KEYS_INDEX(i) ".backing" VQEMU_KEYS_INDEX(j) ".block_device"
#define VQEMU_KEY_DISKS_DATA_FILE(i) "disks" VQEMU_KEYS_INDEX(i) ".data_file"
#define VQEMU_KEY_DISKS_BUS(i) "disks" VQEMU_KEYS_INDEX(i) ".bus"
#define VQEMU_KEY_DISKS_CDROM(i) "disks" VQEMU_KEYS_INDEX(i) ".cdrom"
#define VQEMU_KEY_DISKS_READ_ONLY(i) "disks" VQEMU_KEYS_INDEX(i) ".read_only"
#define VQEMU_KEY_DISKS_BLOCK_DEVICE(i) "disks" VQEMU_KEYS_INDEX(i) ".block_device"
#define VQEMU_KEY_DISKS_CACHE(i) "disks" VQEMU_KEYS_INDEX(i) ".cache"
#define VQEMU_KEY_DISKS_AIO(i) "disks" VQEMU_KEYS_INDEX(i) ".aio"
#define VQEMU_KEY_DISKS_DISCARD(i) "disks" VQEMU_KEYS_INDEX(i) ".discard"
#define VQEMU_KEY_DISKS_SERIAL(i) "disks" VQEMU_KEYS_INDEX(i) ".serial"
#define VQEMU_KEY_DISKS_BOOT_ORDER(i) "disks" VQEMU_KEYS_INDEX(i) ".boot_order"
#define VQEMU_KEY_DISKS_IOTHREAD(i) "disks" VQEMU_KEYS_INDEX(i) ".iothread"
#define VQEMU_KEY_SHARES "shares"
#define VQEMU_KEY_SHARES_AT(i) "shares" VQEMU_KEYS_INDEX(i)
#define VQEMU_KEY_SHARES_ID(i) "shares" VQEMU_KEYS_INDEX(i) ".id"
#define VQEMU_KEY_SHARES_PATH(i) "shares" VQEMU_KEYS_INDEX(i) ".path"
#define VQEMU_KEY_SHARES_TAG(i) "shares" VQEMU_KEYS_INDEX(i) ".tag"
#define VQEMU_KEY_SHARES_DRIVER(i) "shares" VQEMU_KEYS_INDEX(i) ".driver"
#define VQEMU_KEY_SHARES_WRITABLE(i) "shares" VQEMU_KEYS_INDEX(i) ".writable"
#define VQEMU_KEY_SHARES_SECURITY_MODEL(i) "shares" VQEMU_KEYS_INDEX(i) ".security_model"
#define VQEMU_KEY_SHARES_MULTIDEVS(i) "shares" VQEMU_KEYS_INDEX(i) ".multidevs"
#define VQEMU_KEY_SHARES_SOCKET(i) "shares" VQEMU_KEYS_INDEX(i) ".socket"
#define VQEMU_KEY_NICS "nics"
#define VQEMU_KEY_NICS_AT(i) "nics" VQEMU_KEYS_INDEX(i)
#define VQEMU_KEY_NICS_ID(i) "nics" VQEMU_KEYS_INDEX(i) ".id"
#define VQEMU_KEY_NICS_BACKEND(i) "nics" VQEMU_KEYS_INDEX(i) ".backend"
#define VQEMU_KEY_NICS_MODEL(i) "nics" VQEMU_KEYS_INDEX(i) ".model"
#define VQEMU_KEY_NICS_MAC(i) "nics" VQEMU_KEYS_INDEX(i) ".mac"
#define VQEMU_KEY_NICS_FORWARDS(i) "nics" VQEMU_KEYS_INDEX(i) ".forwards"
#define VQEMU_KEY_NICS_FORWARDS_AT(i, j) "nics" VQEMU_KEYS_INDEX(i) ".forwards" VQEMU_KEYS_INDEX(j)
#define VQEMU_KEY_NICS_FORWARDS_PROTOCOL(i, j) "nics" VQEMU_KEYS_INDEX(i) ".forwards" VQEMU_KEYS_INDEX(j) ".protocol"
#define VQEMU_KEY_NICS_FORWARDS_HOST_ADDRESS(i, j) "nics" VQEMU_KEYS_INDEX(i) ".forwards" VQEMU_KEYS_INDEX(j) ".host_address"
#define VQEMU_KEY_NICS_FORWARDS_HOST_PORT(i, j) "nics" VQEMU_KEYS_INDEX(i) ".forwards" VQEMU_KEYS_INDEX(j) ".host_port"
#define VQEMU_KEY_NICS_FORWARDS_GUEST_PORT(i, j) "nics" VQEMU_KEYS_INDEX(i) ".forwards" VQEMU_KEYS_INDEX(j) ".guest_port"
#define VQEMU_KEY_NICS_ISOLATED(i) "nics" VQEMU_KEYS_INDEX(i) ".isolated"
#define VQEMU_KEY_NICS_IFNAME(i) "nics" VQEMU_KEYS_INDEX(i) ".ifname"
#define VQEMU_KEY_NICS_FD(i) "nics" VQEMU_KEYS_INDEX(i) ".fd"
#define VQEMU_KEY_NICS_FD_NAME(i) "nics" VQEMU_KEYS_INDEX(i) ".fd_name"
#define VQEMU_KEY_NICS_VHOST(i) "nics" VQEMU_KEYS_INDEX(i) ".vhost"
#define VQEMU_KEY_NICS_VHOST_FD(i) "nics" VQEMU_KEYS_INDEX(i) ".vhost_fd"
#define VQEMU_KEY_NICS_VHOST_FD_NAME(i) "nics" VQEMU_KEYS_INDEX(i) ".vhost_fd_name"
#define VQEMU_KEY_NICS_BRIDGE(i) "nics" VQEMU_KEYS_INDEX(i) ".bridge"
#define VQEMU_KEY_NICS_HELPER(i) "nics" VQEMU_KEYS_INDEX(i) ".helper"
#define VQEMU_KEY_NICS_BOOT_ORDER(i) "nics" VQEMU_KEYS_INDEX(i) ".boot_order"
#define VQEMU_KEY_VSOCK_CID "vsock_cid"
#define VQEMU_KEY_RNG "rng"
#define VQEMU_KEY_BALLOON "balloon"
#define VQEMU_KEY_HOTPLUG_SLOTS "hotplug_slots"
#define VQEMU_KEY_SLOTS "slots"
#define VQEMU_KEY_SLOTS_NAMED(name) "slots." name
#define VQEMU_KEY_WATCHDOG "watchdog"
#define VQEMU_KEY_TPM "tpm"
#define VQEMU_KEY_TPM_SOCKET "tpm_socket"
#define VQEMU_KEY_TPM_STATE "tpm_state"
#define VQEMU_KEY_SWTPM_PROGRAM "swtpm_program"
#define VQEMU_KEY_VIRTIOFSD_PROGRAM "virtiofsd_program"
#define VQEMU_KEY_VIRTIOFSD_ROOT "virtiofsd_root"
#define VQEMU_KEY_DISPLAY "display"
#define VQEMU_KEY_VIDEO "video"
#define VQEMU_KEY_VNC_SOCKET "vnc_socket"
#define VQEMU_KEY_VNC_PORT "vnc_port"
#define VQEMU_KEY_VNC_PASSWORD_FILE "vnc_password_file"
#define VQEMU_KEY_VNC_NO_PASSWORD "vnc_no_password"
#define VQEMU_KEY_USB "usb"
#define VQEMU_KEY_USB_TABLET "usb_tablet"
#define VQEMU_KEY_CONSOLE "console"
#define VQEMU_KEY_CONSOLE_PATH "console_path"
#define VQEMU_KEY_CONSOLE_LOG "console_log"
#define VQEMU_KEY_CONSOLE_MONITOR "console_monitor"
#define VQEMU_KEY_QMP_SOCKET "qmp_socket"
#define VQEMU_KEY_QMP_FD "qmp_fd"
#define VQEMU_KEY_QMP_FD_NAME "qmp_fd_name"
#define VQEMU_KEY_GUEST_AGENT_SOCKET "guest_agent_socket"
#define VQEMU_KEY_SANDBOX "sandbox"
#define VQEMU_KEY_EXTRA_ARGS "extra_args"
#define VQEMU_KEY_EXTRA_ARGS_AT(i) "extra_args" VQEMU_KEYS_INDEX(i)
/* clang-format on */

#endif
