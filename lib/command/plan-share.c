/* SPDX-License-Identifier: MIT */
/* Directories of the host: QEMU serves them over 9p, or a virtiofsd beside it. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command/plan-nouns.h"
#include "command/plan-place.h"
#include "command/refusal.h"
#include "vm/vm-defaults.h"

#define ROOT_TAG "rootfs"
#define TAG_MAX_9P 31 /* MAX_TAG_LEN in QEMU's hw/9pfs/9p.h, without its NUL */
#define VIRTIOFSD "/usr/libexec/virtiofsd"

/* The root file system is a share as well. */
static vqemu_share root_share(const vqemu_vm *vm) {
    return (vqemu_share){
        .path = vm->rootfs,
        .driver = vm->rootfs_driver,
        .writable = vm->rootfs_writable,
    };
}

static bool is_virtiofs(const vqemu_share *share) {
    return vm_shares_by_virtiofs(share->driver);
}

/* ---- checks ---- */

/*
 * virtiofsd takes its directory among options: QEMU's own splits them at commas and undoes
 * backslashes, the one in Rust splits them at commas and equals signs.
 */
static int check_directory(const vqemu_share *share, const char *key, vqemu_error **error) {
    if (!is_virtiofs(share) || !strpbrk(share->path, ",=\\"))
        return 0;
    return refuse(error, VQEMU_ERR_UNSUPPORTED,
                  "%s: virtiofsd cannot be given the path %.200s: it must be without commas, "
                  "equals signs and backslashes; share it over 9p, or by another path",
                  key, share->path);
}

static int check_share(const struct plan *plan, const vqemu_share *share, size_t index,
                       vqemu_error **error) {
    if (!is_virtiofs(share) && strlen(share->tag) > TAG_MAX_9P)
        return refuse(error, VQEMU_ERR_INVALID,
                      "shares[%zu].tag: it has %zu bytes; over 9p it can have %d", index,
                      strlen(share->tag), TAG_MAX_9P);
    if (!is_virtiofs(share) && share->socket)
        return refuse(error, VQEMU_ERR_INVALID,
                      "shares[%zu].socket: only a share over virtiofs has one", index);
    if (is_virtiofs(share) && (share->security_model || share->multidevs))
        return refuse(error, VQEMU_ERR_INVALID,
                      "shares[%zu].%s: virtiofs has no such setting; 9p has", index,
                      share->security_model ? "security_model" : "multidevs");
    if (plan->vm->rootfs && strcmp(share->tag, ROOT_TAG) == 0)
        return refuse(error, VQEMU_ERR_INVALID,
                      "shares[%zu].tag: \"" ROOT_TAG "\" is the tag of the root file system",
                      index);
    for (size_t i = 0; i < index; i++) {
        const vqemu_share *other = plan->vm->shares.items[i];
        if (strcmp(other->tag, share->tag) == 0)
            return refuse(error, VQEMU_ERR_INVALID, "shares[%zu].tag: shares[%zu] has the same",
                          index, i);
    }
    char key[48];
    snprintf(key, sizeof key, "shares[%zu].path", index);
    return check_directory(share, key, error);
}

/* Under KVM, guest and host are of one architecture. */
static int check_virtiofs(const struct plan *plan, vqemu_error **error) {
    const vqemu_vm *vm = plan->vm;
    const vqemu_share root = root_share(vm);
    char key[32] = "rootfs_driver";
    size_t index = 0;
    if (plan->kvm || !plan->arch->own_fuse || !plan_has_virtiofs(vm))
        return 0;
    while (index < vm->shares.count && !is_virtiofs(vm->shares.items[index]))
        index++;
    if (!vm->rootfs || !is_virtiofs(&root))
        snprintf(key, sizeof key, "shares[%zu].driver", index);
    return refuse(error, VQEMU_ERR_UNSUPPORTED,
                  "%s: virtiofs does not work for emulated %s guests, whose numbers of flags and "
                  "errors are not those of the host; 9p does",
                  key, plan->arch->name);
}

static int check_unused(const vqemu_vm *vm, vqemu_error **error) {
    const char *key = NULL;
    if (!vm->rootfs && (vm->rootfs_driver || vm->rootfs_writable != TOGGLE_DEFAULT))
        key = vm->rootfs_driver ? "rootfs_driver" : "rootfs_writable";
    if (key)
        return refuse(error, VQEMU_ERR_INVALID, "%s: there is no rootfs", key);
    if (vm->virtiofsd_program && !plan_has_virtiofs(vm))
        return refuse(error, VQEMU_ERR_INVALID,
                      "virtiofsd_program: there is no share over virtiofs");
    if (is_on(vm->virtiofsd_root) && !plan_has_virtiofs(vm))
        return refuse(error, VQEMU_ERR_INVALID, "virtiofsd_root: there is no share over virtiofs");
    return 0;
}

/* ---- what is used ---- */

static void use_9p(struct plan *plan, const struct share_plan *share) {
    if (share->writable)
        resources_add_write(&plan->resources, share->share->path);
    else
        resources_add_read(&plan->resources, share->share->path);
}

static void use_virtiofs(struct plan *plan, const struct share_plan *share, const char *path_key,
                         const char *socket_key) {
    const char *program = plan->vm->virtiofsd_program;
    plan_connect(plan, socket_key, share->socket.value);
    resources_add_companion(&plan->resources, COMPANION_VIRTIOFSD, program ? program : VIRTIOFSD,
                            share->socket.value, share->share->path, !share->writable, path_key,
                            socket_key);
}

/* ---- the choice ---- */

/* The root file system has one key for its share, and none for these. */
static struct choice choose_for(const struct share_plan *share, const char *key, const char *given,
                                const char *otherwise, const char *message) {
    bool is_root = !share->origin.list;
    return (struct choice){given ? given : otherwise,
                           origin_beside(share->origin, is_root ? "rootfs" : key,
                                         given     ? NULL
                                         : is_root ? "what a share has by default"
                                                   : message)};
}

/* The socket of the share over virtiofs with a number, counted by themselves. */
static struct choice choose_socket(struct plan *plan, const struct share_plan *share,
                                   unsigned number) {
    const char *name = arena_textf(&plan->texts, "virtiofsd-%u.sock", number);
    return choose_for(share, "socket", share->share->socket,
                      plan_path_or(plan, NULL, plan->identity.runtime_dir, name),
                      "default: in the VM's runtime directory");
}

static void choose_9p(struct share_plan *plan) {
    const vqemu_share *share = plan->share;
    plan->model = choose_for(
        plan, "security_model", share->security_model, plan->writable ? "mapped-xattr" : "none",
        plan->writable ? "default: whose files are in the guest is kept in attributes"
                       : "default: what is only read needs no owners");
    plan->multidevs = choose_for(plan, "multidevs", share->multidevs, "remap",
                                 "default: files of several file systems are told apart");
}

static void plan_root(struct plan *plan, const vqemu_share *share, unsigned *virtiofs_count) {
    struct share_plan *root = &plan->root;
    *root = (struct share_plan){.share = share,
                                .origin = origin_key("rootfs", NULL),
                                .id = ROOT_TAG,
                                .tag = ROOT_TAG,
                                .is_virtiofs = is_virtiofs(share),
                                .writable = is_on(share->writable)};
    plan_device(plan, &root->device, ROOT_TAG, -1);
    plan_attach(plan, &root->device);
    if (root->is_virtiofs) {
        root->socket = choose_socket(plan, root, (*virtiofs_count)++);
        use_virtiofs(plan, root, "rootfs", "rootfs_driver");
    } else {
        choose_9p(root);
        use_9p(plan, root);
    }
}

static void plan_share(struct plan *plan, size_t number, unsigned *virtiofs_count) {
    const vqemu_share *share = plan->vm->shares.items[number];
    struct share_plan *planned = &plan->shares[number];
    char path_key[48], socket_key[48];
    *planned = (struct share_plan){.share = share,
                                   .origin = origin_in("shares", number, NULL, NULL),
                                   .tag = share->tag,
                                   .is_virtiofs = is_virtiofs(share),
                                   .writable = is_on(share->writable)};
    plan_listed_device(plan, &planned->device, LIST_OF_SHARES, number);
    planned->id = arena_textf(&plan->texts, "share%d", planned->device.number);
    plan_attach(plan, &planned->device);
    if (!planned->is_virtiofs) {
        choose_9p(planned);
        use_9p(plan, planned);
        return;
    }
    snprintf(path_key, sizeof path_key, "shares[%zu].path", number);
    snprintf(socket_key, sizeof socket_key, "shares[%zu].socket", number);
    planned->socket = choose_socket(plan, planned, (*virtiofs_count)++);
    use_virtiofs(plan, planned, path_key, socket_key);
}

/* ---- all of them ---- */

static int plan_root_share(struct plan *plan, unsigned *virtiofs_count, vqemu_error **error) {
    if (!plan->vm->rootfs)
        return 0;
    vqemu_share *root = arena_add(&plan->texts, sizeof *root);
    if (!root)
        return error_no_memory(error);
    *root = root_share(plan->vm);
    int r = check_directory(root, "rootfs", error);
    if (r == 0)
        plan_root(plan, root, virtiofs_count);
    return r;
}

int plan_shares(struct plan *plan, vqemu_error **error) {
    const struct object_list *shares = &plan->vm->shares;
    unsigned virtiofs_count = 0;
    int r = check_unused(plan->vm, error);
    if (r == 0)
        r = check_virtiofs(plan, error);
    if (r == 0)
        r = plan_root_share(plan, &virtiofs_count, error);
    plan->shares = arena_add(&plan->texts, shares->count * sizeof *plan->shares);
    if (r == 0 && plan->texts.failed)
        return error_no_memory(error);
    for (size_t i = 0; r == 0 && i < shares->count; i++) {
        r = check_share(plan, shares->items[i], i, error);
        if (r == 0)
            plan_share(plan, i, &virtiofs_count);
    }
    return r;
}
