/* SPDX-License-Identifier: MIT */
#include "vm/share.h"

#include "util/export.h"

static const struct property properties[] = {
    {
        .key = "path",
        .kind = PROPERTY_PATH,
        .offset = offsetof(vqemu_share, path),
        .required = true,
        .meaning = "Directory of the host.",
    },
    {
        .key = "tag",
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_share, tag),
        .required = true,
        .maximum = 36,
        .meaning = "Mount tag by which the guest names it.",
    },
    {
        .key = "driver",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_share, driver),
        .choices = (const char *const[]){"9p", "virtiofs", NULL},
        .meaning = "How the directory is shared. Default: 9p.",
    },
    {
        .key = "writable",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_share, writable),
        .meaning = "Whether the guest may write. Default: no.",
    },
    {
        .key = "security_model",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_share, security_model),
        .choices =
            (const char *const[]){"none", "mapped-xattr", "mapped-file", "passthrough", NULL},
        .meaning = "How 9p stores owners and modes. Default: none, or mapped-xattr where the guest "
                   "may write.",
    },
    {
        .key = "multidevs",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_share, multidevs),
        .choices = (const char *const[]){"remap", "forbid", "warn", NULL},
        .meaning = "What 9p does about inode numbers of several file systems below the directory. "
                   "Default: remap.",
    },
    {
        .key = "socket",
        .kind = PROPERTY_SOCKET,
        .offset = offsetof(vqemu_share, socket),
        .meaning = "Unix socket of virtiofsd. Default: one in the runtime directory.",
    },
};

const struct object_type share_type = {"share", sizeof(vqemu_share), properties,
                                       sizeof properties / sizeof *properties};

VQEMU_EXPORT int vqemu_share_set_path(vqemu_share *share, const char *path, vqemu_error **error) {
    return object_set_string(&share_type, share, "path", path, error);
}

VQEMU_EXPORT int vqemu_share_set_tag(vqemu_share *share, const char *tag, vqemu_error **error) {
    return object_set_string(&share_type, share, "tag", tag, error);
}

VQEMU_EXPORT int vqemu_share_set_driver(vqemu_share *share, const char *driver,
                                        vqemu_error **error) {
    return object_set_string(&share_type, share, "driver", driver, error);
}

VQEMU_EXPORT void vqemu_share_set_writable(vqemu_share *share, bool on) {
    share->writable = toggle(on);
}

VQEMU_EXPORT int vqemu_share_set_security_model(vqemu_share *share, const char *model,
                                                vqemu_error **error) {
    return object_set_string(&share_type, share, "security_model", model, error);
}

VQEMU_EXPORT int vqemu_share_set_multidevs(vqemu_share *share, const char *mode,
                                           vqemu_error **error) {
    return object_set_string(&share_type, share, "multidevs", mode, error);
}

VQEMU_EXPORT int vqemu_share_set_socket(vqemu_share *share, const char *path, vqemu_error **error) {
    return object_set_string(&share_type, share, "socket", path, error);
}
