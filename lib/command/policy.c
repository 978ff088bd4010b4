/* SPDX-License-Identifier: MIT */
#include "command/policy.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "util/export.h"

#define INTERFACE_PATTERN "^[^/: \t\n\v\f\r]{1,15}$"
#define INTERFACE_WANTED                                                                           \
    "the name of a network interface: 1 to 15 bytes without slashes, colons and blanks; one that " \
    "ends in * stands for all that begin so"

/* ---- ports ---- */

#define RANGE_PROPERTIES                                                                           \
    {.key = "first",                                                                               \
     .kind = PROPERTY_NUMBER,                                                                      \
     .offset = offsetof(struct port_range, first),                                                 \
     .required = true,                                                                             \
     .minimum = 1,                                                                                 \
     .maximum = 65535,                                                                             \
     .meaning = "The first port."},                                                                \
    {                                                                                              \
        .key = "last", .kind = PROPERTY_NUMBER, .offset = offsetof(struct port_range, last),       \
        .required = true, .minimum = 1, .maximum = 65535, .meaning = "The last port.",             \
    }

static const struct property port_properties[] = {RANGE_PROPERTIES};

const struct object_type port_range_type = {"range of ports", sizeof(struct port_range),
                                            port_properties,
                                            sizeof port_properties / sizeof *port_properties};

static const struct property forward_properties[] = {
    {
        .key = "host_address",
        .kind = PROPERTY_STRING,
        .offset = offsetof(struct port_range, host_address),
        .pattern = "^[0-9]{1,3}([.][0-9]{1,3}){3}$",
        .wanted = "an IPv4 address such as 127.0.0.1",
        .meaning = "IPv4 address of the host that may be listened on; 0.0.0.0, which is all of "
                   "them, only where it is named. Default: 127.0.0.1.",
    },
    RANGE_PROPERTIES,
};

const struct object_type forward_range_type = {
    "range of forwards", sizeof(struct port_range), forward_properties,
    sizeof forward_properties / sizeof *forward_properties};

/* ---- the policy ---- */

static const struct property properties[] = {
    {
        .key = "name_prefix",
        .kind = PROPERTY_STRING,
        .offset = offsetof(vqemu_policy, name_prefix),
        .maximum = 64,
        .meaning = "What the names of VMs must begin with, so that one tenant's VM cannot have the "
                   "directories and units of another's. Default: any name.",
    },
    {
        .key = "users",
        .kind = PROPERTY_STRINGS,
        .offset = offsetof(vqemu_policy, users),
        .meaning = "Users of the host, by the names or numbers that VMs give them, of whom each VM "
                   "must name one. Default: no VM may name a user.",
    },
    {
        .key = "read_paths",
        .kind = PROPERTY_STRINGS,
        .offset = offsetof(vqemu_policy, read_paths),
        .are_paths = true,
        .meaning =
            "Directories of the host in which VMs may read: images that are read-only, kernels, "
            "password files, shares. Also single files. Links are followed as long as they stay "
            "inside. Default: none but those of write_paths.",
    },
    {
        .key = "write_paths",
        .kind = PROPERTY_STRINGS,
        .offset = offsetof(vqemu_policy, write_paths),
        .are_paths = true,
        .meaning = "Directories of the host in which VMs may read and write, and have directories "
                   "of their own (state_dir, runtime_dir). Also single files. Default: none but "
                   "the directories that each VM has without naming them.",
    },
    {
        .key = "sockets",
        .kind = PROPERTY_STRINGS,
        .offset = offsetof(vqemu_policy, sockets),
        .are_paths = true,
        .meaning = "Directories of the host in which VMs may listen on and connect to Unix "
                   "sockets. Default: none but the directories that each VM has.",
    },
    {
        .key = "devices",
        .kind = PROPERTY_STRINGS,
        .offset = offsetof(vqemu_policy, devices),
        .are_paths = true,
        .meaning = "Device nodes that disks may be, or directories of such, as /dev/vg0. Default: "
                   "none, also not in the directories above.",
    },
    {
        .key = "kernel",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_policy, kernel),
        .meaning = "Whether VMs may boot a kernel from a file of the host, in read_paths. Default: "
                   "no.",
    },
    {
        .key = "qcow2",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_policy, qcow2),
        .meaning = "Whether images may have the format qcow2. Such an image can name a data file, "
                   "which QEMU opens and writes wherever it is. Default: no.",
    },
    {
        .key = "share_9p",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_policy, share_9p),
        .meaning = "Whether VMs may share directories over 9p, in read_paths and write_paths. "
                   "Default: no.",
    },
    {
        .key = "share_virtiofs",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_policy, share_virtiofs),
        .meaning = "Whether VMs may share directories over virtiofs. A writable one lets the guest "
                   "make files of any owner, setuid programs as well. Default: no.",
    },
    {
        .key = "share_passthrough",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_policy, share_passthrough),
        .meaning = "Whether writable shares over 9p may have the security models none and "
                   "passthrough, by which a guest makes files of any owner as far as QEMU can. "
                   "Default: no.",
    },
    {
        .key = "virtiofsd_root",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_policy, virtiofsd_root),
        .meaning = "Whether the programs that serve shares over virtiofs may run as root. Default: "
                   "no.",
    },
    {
        .key = "console_file",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_policy, console_file),
        .meaning = "Whether the console may be written to a file (console \"file\", console_log), "
                   "which a guest can make as long as the file system lets it. Default: no.",
    },
    {
        .key = "user_network",
        .kind = PROPERTY_CHOICE,
        .offset = offsetof(vqemu_policy, user_network),
        .choices = (const char *const[]){"none", "isolated", "host", NULL},
        .meaning = "Network devices of the user backend: none; isolated (the default), which have "
                   "only forwarded ports; or host, which reach all that the host does, and the "
                   "services on its loopback address.",
    },
    {
        .key = "forwards",
        .kind = PROPERTY_OBJECTS,
        .offset = offsetof(vqemu_policy, forwards),
        .element = &forward_range_type,
        .meaning = "Ports of the host that may lead to a guest. Default: none.",
    },
    {
        .key = "vnc_ports",
        .kind = PROPERTY_OBJECTS,
        .offset = offsetof(vqemu_policy, vnc_ports),
        .element = &port_range_type,
        .meaning = "TCP ports that VNC may listen on. Default: none; VNC has a socket.",
    },
    {
        .key = "vnc_no_password",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_policy, vnc_no_password),
        .meaning = "Whether VNC may listen on such a port without a password. Default: no.",
    },
    {
        .key = "bridges",
        .kind = PROPERTY_STRINGS,
        .offset = offsetof(vqemu_policy, bridges),
        .pattern = INTERFACE_PATTERN,
        .wanted = INTERFACE_WANTED,
        .meaning = "Bridges of the host that network devices may be on; a name that ends in * "
                   "stands for all that begin so. Default: none.",
    },
    {
        .key = "taps",
        .kind = PROPERTY_STRINGS,
        .offset = offsetof(vqemu_policy, taps),
        .pattern = INTERFACE_PATTERN,
        .wanted = INTERFACE_WANTED,
        .meaning = "TAP devices of the host that network devices may be connected to; a name that "
                   "ends in * stands for all that begin so. Default: none.",
    },
    {
        .key = "vsock",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_policy, vsock),
        .meaning = "Whether VMs may have a virtio socket device, by which a guest reaches what "
                   "listens on the host's (vsock(7)). Default: no.",
    },
    {
        .key = "max_memory",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_policy, max_memory),
        .is_never_zero = true,
        .minimum = 1,
        .maximum = 16777216,
        .wanted = "a number of MiB: an integer, 0 or more",
        .meaning = "Memory that a VM can have, in MiB. Default: as the machine.",
    },
    {
        .key = "max_cpus",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_policy, max_cpus),
        .is_never_zero = true,
        .minimum = 1,
        .maximum = 65536,
        .meaning = "CPUs that a VM can have. Default: as the machine.",
    },
    {
        .key = "max_disks",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_policy, max_disks),
        .is_never_zero = true,
        .minimum = 1,
        .maximum = LIST_MAX,
        .meaning = "Disks and CD-ROM drives that a VM can have. Default: as the machine.",
    },
    {
        .key = "max_shares",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_policy, max_shares),
        .is_never_zero = true,
        .minimum = 1,
        .maximum = LIST_MAX,
        .meaning = "Shares that a VM can have, its root file system included. Default: as the "
                   "machine.",
    },
    {
        .key = "max_nics",
        .kind = PROPERTY_NUMBER,
        .offset = offsetof(vqemu_policy, max_nics),
        .is_never_zero = true,
        .minimum = 1,
        .maximum = LIST_MAX,
        .meaning = "Network devices that a VM can have. Default: as the machine.",
    },
    {
        .key = "hugepages",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_policy, hugepages),
        .meaning = "Whether VMs may take huge pages that the host has reserved. Default: no.",
    },
    {
        .key = "descriptors",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_policy, descriptors),
        .meaning = "Whether VMs may name descriptors, which are whatever the process that starts "
                   "QEMU has open under these numbers. Default: no.",
    },
    {
        .key = "programs",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_policy, programs),
        .meaning = "Whether VMs may name programs (swtpm_program, virtiofsd_program, the helper of "
                   "bridges), which run as root as well. Default: no.",
    },
    {
        .key = "console_monitor",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_policy, console_monitor),
        .meaning = "Whether the console may lead to QEMU's monitor, by which its user reads and "
                   "writes files as QEMU. Default: no.",
    },
    {
        .key = "sandbox_off",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_policy, sandbox_off),
        .meaning = "Whether VMs may switch QEMU's own confinement off (\"sandbox\": false). "
                   "Default: no.",
    },
    {
        .key = "extra_args",
        .kind = PROPERTY_SWITCH,
        .offset = offsetof(vqemu_policy, extra_args),
        .meaning = "Whether VMs may have extra arguments, which can do all that QEMU can, whatever "
                   "the rest of the policy says. Default: no.",
    },
};

const struct object_type policy_type = {"policy", sizeof(vqemu_policy), properties,
                                        sizeof properties / sizeof *properties};

/* ---- from JSON ---- */

static int check_ranges(const struct object_list *list, const char *key, vqemu_error **error) {
    for (size_t i = 0; i < list->count; i++) {
        const struct port_range *range = list->items[i];
        if (range->first <= range->last)
            continue;
        _cleanup_free_ char *whole = format_string("%s[%zu].last", key, i);
        if (!whole)
            return error_no_memory(error);
        int r = error_set(error, VQEMU_ERR_INVALID, 0, "%s: it is less than the first port", whole);
        return error_because(r, error, "out-of-range", VQEMU_DETAIL_KEY, whole, NULL);
    }
    return 0;
}

/* 0 is as good as not set for every number of a document, but who writes it here means "none". */
static int check_maxima(json_t *document, vqemu_error **error) {
    const char *key;
    json_t *value;
    json_object_foreach(document, key, value) {
        const struct property *property = property_find(&policy_type, key, strlen(key));
        if (!property || !property->is_never_zero || !json_is_integer(value) ||
            json_integer_value(value) != 0)
            continue;
        int r = error_set(error, VQEMU_ERR_INVALID, 0,
                          "%s: a maximum is from 1 up; 0 would be as good as not set, and "
                          "not none at all",
                          key);
        return error_because(r, error, "out-of-range", VQEMU_DETAIL_KEY, key, VQEMU_DETAIL_VALUE,
                             "0", NULL);
    }
    return 0;
}

static int read_policy(const char *text, size_t size, const char *source, vqemu_policy *policy,
                       vqemu_error **error) {
    _cleanup_json_ json_t *document = NULL;
    int r = json_parse_document(text, size, source, &document, error);
    if (r < 0)
        return r;
    r = check_maxima(document, error);
    if (r == 0)
        r = object_from_json(&policy_type, policy, false, document, error);
    if (r == 0)
        r = check_ranges(&policy->forwards, "forwards", error);
    if (r == 0)
        r = check_ranges(&policy->vnc_ports, "vnc_ports", error);
    return r < 0 ? error_prefix(r, error, "%s: ", source) : 0;
}

VQEMU_EXPORT int vqemu_policy_from_json(const char *json, size_t size, const char *source,
                                        uint32_t flags, vqemu_policy **policy,
                                        vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(policy, error);
    *policy = NULL;
    REQUIRE_ARGUMENT(json, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_policy_ vqemu_policy *new = calloc(1, sizeof *new);
    if (!new)
        return error_no_memory(error);
    atomic_init(&new->references, 1);
    int r = read_policy(json, size, source ? source : "policy", new, error);
    if (r < 0)
        return r;
    *policy = TAKE_POINTER(new);
    return 0;
}

VQEMU_EXPORT int vqemu_policy_from_file(const char *path, uint32_t flags, vqemu_policy **policy,
                                        vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(policy, error);
    *policy = NULL;
    REQUIRE_ARGUMENT(path, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r = json_read_document(path, &text, &size, error);
    return r < 0 ? r : vqemu_policy_from_json(text, size, path, 0, policy, error);
}

/* ---- to JSON ---- */

VQEMU_EXPORT int vqemu_policy_to_json(const vqemu_policy *policy, uint32_t flags, char **json,
                                      vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(json, error);
    *json = NULL;
    REQUIRE_ARGUMENT(policy, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_json_ json_t *document = NULL;
    int r = object_to_json(&policy_type, policy, &document, error);
    return r < 0 ? r : json_to_text(document, json, error);
}

VQEMU_EXPORT int vqemu_policy_schema(uint32_t flags, char **schema, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(schema, error);
    *schema = NULL;
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_json_ json_t *document = document_schema(&policy_type, "A policy for volt-qemu");
    return document ? json_to_text(document, schema, error) : error_no_memory(error);
}

/* ---- life ---- */

VQEMU_EXPORT vqemu_policy *vqemu_policy_ref(vqemu_policy *policy) {
    if (policy)
        atomic_fetch_add_explicit(&policy->references, 1, memory_order_relaxed);
    return policy;
}

VQEMU_EXPORT void vqemu_policy_unref(vqemu_policy *policy) {
    if (!policy || atomic_fetch_sub_explicit(&policy->references, 1, memory_order_acq_rel) != 1)
        return;
    object_release(&policy_type, policy);
    free(policy);
}
