/* SPDX-License-Identifier: MIT */
#include "choice/vhost-net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include <volt-qemu/host.h>

#include "base/error.h"
#include "choice/device-node.h"
#include "util/export.h"
#include "util/fd.h"
#include "util/strbuf.h"

static const char *const names[] = {
    [VQEMU_VHOST_NET_USABLE] = "usable",   [VQEMU_VHOST_NET_ABSENT] = "absent",
    [VQEMU_VHOST_NET_DENIED] = "denied",   [VQEMU_VHOST_NET_BROKEN] = "broken",
    [VQEMU_VHOST_NET_PRIVATE] = "private", [VQEMU_VHOST_NET_UNSEEN] = "unseen",
};
#define STATE_END ((int32_t)(sizeof names / sizeof names[0]))

VQEMU_EXPORT const char *vqemu_vhost_net_state_name(int32_t state) {
    return state > 0 && state < STATE_END ? names[state] : "unknown";
}

int32_t vhost_net_find_state(const char *name) {
    for (int32_t state = 1; state < STATE_END; state++)
        if (strcmp(names[state], name) == 0)
            return state;
    return 0;
}

/* ---- for whom it is ---- */

/* That of others is enough for whoever is neither the owner nor of the group. */
static bool is_open_to_all(const struct stat *node) {
    return (node->st_mode & 0666) == 0666;
}

bool vhost_net_is_as_open(const struct stat *node, const struct stat *kvm) {
    bool has_same_owners = node->st_uid == kvm->st_uid && node->st_gid == kvm->st_gid;
    return is_open_to_all(node) || (has_same_owners && (kvm->st_mode & ~node->st_mode & 0666) == 0);
}

/* A list gives rights that the mode does not show, as a login on the console does. */
static bool has_access_list(const char *path) {
    return getxattr(path, "system.posix_acl_access", NULL, 0) > 0;
}

static int32_t judge_rights(int fd, const char *device, const char *kvm_device, char **message) {
    struct stat node, kvm;
    bool is_known = fstat(fd, &node) == 0;
    bool has_kvm = is_known && stat(kvm_device, &kvm) == 0 && !has_access_list(kvm_device);
    if (is_known && (is_open_to_all(&node) || (has_kvm && vhost_net_is_as_open(&node, &kvm)))) {
        *message =
            format_string("%s works, and can be opened by whoever can open %s", device, kvm_device);
        return VQEMU_VHOST_NET_USABLE;
    }
    *message = format_string("%s works for this user, and perhaps not for all who can open %s",
                             device, kvm_device);
    return VQEMU_VHOST_NET_PRIVATE;
}

/* ---- the device ---- */

#define NO_NODE "; the kernel's module vhost_net makes it"

static const int32_t failure_states[] = {
    [NODE_ABSENT] = VQEMU_VHOST_NET_ABSENT,
    [NODE_DENIED] = VQEMU_VHOST_NET_DENIED,
    [NODE_BROKEN] = VQEMU_VHOST_NET_BROKEN,
};

int vhost_net_probe(const char *device, const char *kvm_device, int32_t *state, char **message,
                    vqemu_error **error) {
    uint64_t features;
    _cleanup_close_ int fd = open_at(AT_FDCWD, device, O_RDWR | O_NONBLOCK, 0);
    if (fd < 0 && device_node_is_shortage(-fd))
        return error_system_at(error, -fd, "cannot open", "%s", device);
    if (fd < 0) {
        *state = failure_states[device_node_judge(-fd, device, NO_NODE, message)];
    } else if (ioctl(fd, VHOST_GET_FEATURES, &features) < 0) {
        *state = VQEMU_VHOST_NET_BROKEN;
        *message = format_string("%s does not answer as vhost-net does", device);
    } else {
        *state = judge_rights(fd, device, kvm_device, message);
    }
    return *message ? 0 : error_no_memory(error);
}
