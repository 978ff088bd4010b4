/* SPDX-License-Identifier: MIT */
#include "vm/share.h"

static const struct property properties[] = {
    {
        .key = "id",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_share, id),
        .pattern = DEVICE_ID_PATTERN,
        .wanted = DEVICE_ID_WANTED,
        .meaning = DEVICE_ID_MEANING,
    },
    {
        .key = "path",
        .reach = REACH_SHARE,
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_share, path),
        .required = true,
        .meaning = "Directory of the host.",
    },
    {
        .key = "tag",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_share, tag),
        .required = true,
        .maximum = 36,
        .meaning =
            "Mount tag by which the guest names it: up to 31 bytes over 9p, 36 over virtiofs.",
    },
    {
        .key = "driver",
        .reach = REACH_RULE,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_share, driver),
        .choices = (const char *const[]){"9p", "virtiofs", NULL},
        .meaning = "How the directory is shared: 9p (the default; QEMU serves it) or virtiofs (a "
                   "virtiofsd serves it: the systemd unit starts one, other callers start it "
                   "themselves before QEMU).",
    },
    {
        .key = "writable",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_share, writable),
        .meaning = "Whether the guest may write (QEMU: readonly=off). Default: no.",
    },
    {
        .key = "security_model",
        .reach = REACH_RULE,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_share, security_model),
        .choices =
            (const char *const[]){"none", "mapped-xattr", "mapped-file", "passthrough", NULL},
        .meaning =
            "How 9p stores owners, modes and special files (qemu(1), -fsdev). none (the "
            "default of read-only shares): like passthrough, but failures to change owners are "
            "ignored. mapped-xattr is the default of writable ones.",
    },
    {
        .key = "multidevs",
        .reach = REACH_NOTHING,
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_share, multidevs),
        .choices = (const char *const[]){"remap", "forbid", "warn", NULL},
        .meaning =
            "What 9p does about inode numbers where the directory spans several file systems "
            "(qemu(1), -fsdev). Default: remap.",
    },
    {
        .key = "socket",
        .reach = REACH_SOCKET,
        .kind = PROPERTY_SOCKET,
        .offset = offsetof(vqemu_share, socket),
        .meaning =
            "Unix socket on which virtiofsd listens for QEMU. Default: virtiofsd-<number>.sock "
            "in the runtime directory, numbered from 0 in the order of the shares over "
            "virtiofs.",
    },
};

const struct object_type share_type = {"share", sizeof(vqemu_share), properties,
                                       sizeof properties / sizeof *properties};
