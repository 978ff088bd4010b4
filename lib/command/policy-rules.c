/* SPDX-License-Identifier: MIT */
/* What a policy says of a VM besides its paths: one rule for a key, or for the object that has it.
 */
#include "command/policy-rules.h"
#include "util/join.h"
#include "vm/vm-defaults.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOPBACK "127.0.0.1"

/* A rule that is being looked at: the object that has the key, and the whole key. */
struct subject {
    struct policy_check *check;
    const void *object;
    const char *key;
};

static void violate(const struct subject *subject, const char *rule, const char *value,
                    const char *text) {
    const struct violation violation = {
        .key = subject->key, .reason = "policy-switch", .rule = rule, .value = value};
    policy_violate(subject->check, &violation, "%s", text);
}

/* ---- whose the VM is ---- */

static void check_name(const struct subject *subject) {
    const char *name = subject->check->plan->vm->name,
               *prefix = subject->check->policy->name_prefix;
    if (!prefix || strncmp(name, prefix, strlen(prefix)) == 0)
        return;
    const struct violation violation = {subject->key, "policy-value", "name_prefix", name, prefix};
    policy_violate(subject->check, &violation, "the policy wants names that begin with \"%s\"",
                   prefix);
}

static char *list(const struct strv *words) {
    struct strbuf text = {0};
    for (size_t i = 0; i < words->count; i++)
        strbuf_addf(&text, "%s%s", i ? ", " : "", words->items[i]);
    return strbuf_take(&text);
}

static void not_listed(const struct subject *subject, const char *rule, const char *what,
                       const char *value, const struct strv *allowed) {
    _cleanup_free_ char *choices = list(allowed);
    if (!choices) {
        subject->check->failed = true;
        return;
    }
    const struct violation violation = {subject->key, "policy-value", rule, value, choices};
    policy_violate(subject->check, &violation,
                   "the policy does not allow the %s \"%s\"; it allows %s", what,
                   value ? value : "", *choices ? choices : "none");
}

static void check_user(const struct subject *subject) {
    const char *user = subject->check->plan->vm->user;
    const struct strv *users = &subject->check->policy->users;
    bool is_allowed = !user && users->count == 0;
    for (size_t i = 0; user && i < users->count; i++)
        is_allowed = is_allowed || strcmp(users->items[i], user) == 0;
    if (is_allowed)
        return;
    if (user) {
        not_listed(subject, "users", "user", user, users);
        return;
    }
    _cleanup_free_ char *choices = list(users);
    const struct violation violation = {subject->key, "policy-value", "users", NULL, choices};
    policy_violate(subject->check, &violation, "missing; the policy wants one of %s",
                   choices ? choices : "");
}

/* ---- how much ---- */

static void check_maximum(const struct subject *subject, const char *rule, uint64_t number,
                          uint64_t maximum, const char *unit) {
    if (maximum == 0 || number <= maximum)
        return;
    char value[24], most[24];
    snprintf(value, sizeof value, "%" PRIu64, number);
    snprintf(most, sizeof most, "%" PRIu64, maximum);
    const struct violation violation = {subject->key, "policy-maximum", rule, value, most};
    policy_violate(subject->check, &violation, "%s%s are more than the policy allows: %s", value,
                   unit, most);
}

/* What the VM gets, whether it says so or not. */
static void check_memory(const struct subject *subject) {
    check_maximum(subject, "max_memory", subject->check->plan->memory.mib.value,
                  subject->check->policy->max_memory, " MiB");
}

static void check_cpus(const struct subject *subject) {
    check_maximum(subject, "max_cpus", subject->check->plan->cpu.count,
                  subject->check->policy->max_cpus, " CPUs");
}

static void check_disks(const struct subject *subject) {
    check_maximum(subject, "max_disks", subject->check->plan->vm->disks.count,
                  subject->check->policy->max_disks, "");
}

static void check_nics(const struct subject *subject) {
    check_maximum(subject, "max_nics", subject->check->plan->vm->nics.count,
                  subject->check->policy->max_nics, "");
}

static void check_shares(const struct subject *subject) {
    const vqemu_vm *vm = subject->check->plan->vm;
    check_maximum(subject, "max_shares", vm->shares.count + (vm->rootfs ? 1 : 0),
                  subject->check->policy->max_shares, "");
}

/* ---- what there is a switch for ---- */

static void check_hugepages(const struct subject *subject) {
    const char *size = subject->check->plan->vm->hugepages;
    if (size && !is_on(subject->check->policy->hugepages))
        violate(subject, "hugepages", size, "the policy allows no huge pages");
}

static void check_kernel(const struct subject *subject) {
    const char *kernel = subject->check->plan->vm->kernel;
    if (kernel && !is_on(subject->check->policy->kernel))
        violate(subject, "kernel", kernel, "the policy allows no kernel from a file of the host");
}

static void check_vsock(const struct subject *subject) {
    if (subject->check->plan->vm->vsock_cid && !is_on(subject->check->policy->vsock))
        violate(subject, "vsock", NULL, "the policy allows no virtio socket device");
}

static void check_sandbox(const struct subject *subject) {
    if (!vm_is_sandboxed(subject->check->plan->vm) && !is_on(subject->check->policy->sandbox_off))
        violate(subject, "sandbox_off", "false", "the policy wants QEMU to confine itself");
}

static void check_extra_args(const struct subject *subject) {
    if (subject->check->plan->vm->extra_args.count > 0 &&
        !is_on(subject->check->policy->extra_args))
        violate(subject, "extra_args", NULL, "the policy allows no extra arguments");
}

static void check_console(const struct subject *subject) {
    const char *console = subject->check->plan->vm->console;
    if (is_chosen(console, "file") && !is_on(subject->check->policy->console_file))
        violate(subject, "console_file", console, "the policy allows no console in a file");
}

static void check_monitor(const struct subject *subject) {
    if (is_on(subject->check->plan->vm->console_monitor) &&
        !is_on(subject->check->policy->console_monitor))
        violate(subject, "console_monitor", "true", "the policy allows no monitor on the console");
}

static void check_no_password(const struct subject *subject) {
    if (is_on(subject->check->plan->vm->vnc_no_password) &&
        !is_on(subject->check->policy->vnc_no_password))
        violate(subject, "vnc_no_password", "true", "the policy wants a password for VNC over TCP");
}

static void check_console_log(const struct subject *subject) {
    const char *log = subject->check->plan->vm->console_log;
    if (log && !is_on(subject->check->policy->console_file))
        violate(subject, "console_file", log, "the policy allows no console in a file");
}

/* ---- disks and shares ---- */

static void check_image(const struct subject *subject, const char *format) {
    if (format && !is_chosen(format, "raw") && !is_on(subject->check->policy->qcow2))
        violate(subject, "qcow2", format, "the policy allows no images but raw ones");
}

static void check_format(const struct subject *subject) {
    check_image(subject, ((const vqemu_disk *)subject->object)->format);
}

static void check_layer_format(const struct subject *subject) {
    check_image(subject, ((const struct layer *)subject->object)->format);
}

static void check_driver(const struct subject *subject, const char *driver) {
    const vqemu_policy *policy = subject->check->policy;
    if (vm_shares_by_virtiofs(driver) && !is_on(policy->share_virtiofs))
        violate(subject, "share_virtiofs", driver, "the policy allows no shares over virtiofs");
    if (vm_shares_by_9p(driver) && !is_on(policy->share_9p))
        violate(subject, "share_9p", driver ? driver : DEFAULT_SHARE_DRIVER,
                "the policy allows no shares over 9p");
}

static void check_virtiofsd_root(const struct subject *subject) {
    if (is_on(subject->check->plan->vm->virtiofsd_root) &&
        !is_on(subject->check->policy->virtiofsd_root))
        violate(subject, "virtiofsd_root", "true", "the policy allows no virtiofsd as root");
}

static void check_share_driver(const struct subject *subject) {
    check_driver(subject, ((const vqemu_share *)subject->object)->driver);
}

static void check_rootfs_driver(const struct subject *subject) {
    const vqemu_vm *vm = subject->object;
    if (vm->rootfs)
        check_driver(subject, vm->rootfs_driver);
}

static void check_security_model(const struct subject *subject) {
    const vqemu_share *share = subject->object;
    bool is_plain =
        is_chosen(share->security_model, "none") || is_chosen(share->security_model, "passthrough");
    if (is_on(share->writable) && is_plain && !is_on(subject->check->policy->share_passthrough))
        violate(subject, "share_passthrough", share->security_model,
                "the policy wants the owners and modes of a writable share's files mapped");
}

/* ---- network ---- */

/* A name, or what ends in "*" and stands for all names that begin so. */
static bool fits(const struct strv *names, const char *name) {
    for (size_t i = 0; i < names->count; i++) {
        size_t length = strlen(names->items[i]);
        bool is_beginning = length > 0 && names->items[i][length - 1] == '*';
        if (is_beginning ? strncmp(names->items[i], name, length - 1) == 0
                         : strcmp(names->items[i], name) == 0)
            return true;
    }
    return false;
}

static void check_bridge(const struct subject *subject) {
    const vqemu_nic *nic = subject->object;
    if (nic->bridge && !fits(&subject->check->policy->bridges, nic->bridge))
        not_listed(subject, "bridges", "bridge", nic->bridge, &subject->check->policy->bridges);
}

static void check_ifname(const struct subject *subject) {
    const vqemu_nic *nic = subject->object;
    if (nic->ifname && !fits(&subject->check->policy->taps, nic->ifname))
        not_listed(subject, "taps", "TAP device", nic->ifname, &subject->check->policy->taps);
}

/* One with nothing set is of the user backend, and not isolated. */
static void check_backend(const struct subject *subject) {
    const vqemu_nic *nic = subject->object;
    const char *allowed = subject->check->policy->user_network;
    bool is_user = is_chosen(vm_nic_backend(nic), "user");
    if (is_user && is_chosen(allowed, "none"))
        violate(subject, "user_network", "user",
                "the policy allows no network devices of the user backend");
}

static void check_isolated(const struct subject *subject) {
    const vqemu_nic *nic = subject->object;
    const char *allowed = subject->check->policy->user_network;
    bool is_user = is_chosen(vm_nic_backend(nic), "user");
    if (is_user && !is_on(nic->isolated) && !is_chosen(allowed, "host") &&
        !is_chosen(allowed, "none"))
        violate(subject, "user_network", NULL,
                "the policy wants it true, or the guest reaches what the host does");
}

/* Ports in words, for the choices. */
static char *list_ranges(const struct object_list *ranges, bool with_address) {
    struct strbuf text = {0};
    for (size_t i = 0; i < ranges->count; i++) {
        const struct port_range *range = ranges->items[i];
        const char *address = range->host_address ? range->host_address : LOOPBACK;
        strbuf_addf(&text, "%s%s%s%" PRIu64 "-%" PRIu64, i ? ", " : "", with_address ? address : "",
                    with_address ? ":" : "", range->first, range->last);
    }
    return strbuf_take(&text);
}

/* address: NULL where it matters not. */
static bool is_in_range(const struct object_list *ranges, const char *address, uint64_t port) {
    for (size_t i = 0; i < ranges->count; i++) {
        const struct port_range *range = ranges->items[i];
        const char *own = range->host_address ? range->host_address : LOOPBACK;
        if (port >= range->first && port <= range->last && (!address || strcmp(address, own) == 0))
            return true;
    }
    return false;
}

static void check_port(const struct subject *subject, const char *rule,
                       const struct object_list *ranges, const char *address, uint64_t port) {
    if (is_in_range(ranges, address, port))
        return;
    char value[300];
    snprintf(value, sizeof value, "%.255s%s%" PRIu64, address ? address : "", address ? ":" : "",
             port);
    _cleanup_free_ char *choices = list_ranges(ranges, address);
    if (!choices) {
        subject->check->failed = true;
        return;
    }
    const struct violation violation = {subject->key, "policy-value", rule, value, choices};
    policy_violate(subject->check, &violation, "the policy does not allow port %s; it allows %s",
                   value, *choices ? choices : "none");
}

static void check_host_port(const struct subject *subject) {
    const struct forward *forward = subject->object;
    check_port(subject, "forwards", &subject->check->policy->forwards,
               forward->host_address ? forward->host_address : LOOPBACK, forward->host_port);
}

static void check_vnc_port(const struct subject *subject) {
    uint64_t port = subject->check->plan->vm->vnc_port;
    if (port)
        check_port(subject, "vnc_ports", &subject->check->policy->vnc_ports, NULL, port);
}

/* ---- all of them ---- */

static const struct rule {
    const struct object_type *type;
    const char *key;
    /* NULL for what is looked at with another key. */
    void (*check)(const struct subject *subject);
} rules[] = {
    {&vm_type, "name", check_name},
    {&vm_type, "user", check_user},
    {&vm_type, "memory", check_memory},
    {&vm_type, "cpus", check_cpus},
    {&vm_type, "cpu_sockets", NULL}, /* these count with cpus */
    {&vm_type, "cpu_cores", NULL},
    {&vm_type, "cpu_threads", NULL},
    {&vm_type, "hugepages", check_hugepages},
    {&vm_type, "kernel", check_kernel},
    {&vm_type, "rootfs_driver", check_rootfs_driver},
    {&vm_type, "disks", check_disks},
    {&vm_type, "shares", check_shares},
    {&vm_type, "nics", check_nics},
    {&vm_type, "vsock_cid", check_vsock},
    {&vm_type, "vnc_port", check_vnc_port},
    {&vm_type, "vnc_no_password", check_no_password},
    {&vm_type, "console", check_console},
    {&vm_type, "console_monitor", check_monitor},
    {&vm_type, "console_log", check_console_log},
    {&vm_type, "virtiofsd_root", check_virtiofsd_root},
    {&vm_type, "sandbox", check_sandbox},
    {&vm_type, "extra_args", check_extra_args},
    {&disk_type, "format", check_format},
    {&layer_type, "format", check_layer_format},
    {&share_type, "driver", check_share_driver},
    {&share_type, "security_model", check_security_model},
    {&nic_type, "backend", check_backend},
    {&nic_type, "isolated", check_isolated},
    {&nic_type, "bridge", check_bridge},
    {&nic_type, "ifname", check_ifname},
    {&nic_type, "forwards", NULL}, /* each by its port */
    {&forward_type, "host_address", NULL},
    {&forward_type, "host_port", check_host_port},
};

void policy_check_rules(struct policy_check *check, const struct object_type *type,
                        const void *object, const char *prefix) {
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (rules[i].type != type || !rules[i].check)
            continue;
        _cleanup_free_ char *key = join_texts(prefix, rules[i].key, NULL);
        if (!key) {
            check->failed = true;
            return;
        }
        const struct subject subject = {check, object, key};
        rules[i].check(&subject);
    }
}

bool policy_has_rule(const struct object_type *type, const char *key) {
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].type == type && strcmp(rules[i].key, key) == 0)
            return true;
    return false;
}
