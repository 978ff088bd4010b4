/* SPDX-License-Identifier: MIT */
/* Directories of the host: QEMU serves them over 9p, or a virtiofsd beside it. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command/args-nouns.h"
#include "command/args-socket.h"
#include "command/qemu-opt.h"
#include "vm/share.h"

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
    return args_is_virtiofs(share->driver);
}

static void add_9p(struct args *args, const vqemu_share *share, const char *id, const char *tag) {
    bool writable = is_on(share->writable);
    const char *model = writable ? "mapped-xattr" : "none";
    struct strbuf fsdev = {0}, device = {0};
    strbuf_addf(&fsdev, "local,id=%s", id);
    qemu_opt_add(&fsdev, "path", share->path);
    strbuf_addf(&fsdev, ",security_model=%s,multidevs=%s,readonly=%s",
                share->security_model ? share->security_model : model,
                share->multidevs ? share->multidevs : "remap", writable ? "off" : "on");
    args_option_buffer(args, "-fsdev", &fsdev);
    args_virtio(args, &device, "virtio-9p", id, -1);
    strbuf_addf(&device, ",fsdev=%s", id);
    qemu_opt_add(&device, "mount_tag", tag);
    args_option_buffer(args, "-device", &device);
    if (writable)
        resources_add_write(&args->resources, share->path);
    else
        resources_add_read(&args->resources, share->path);
}

/* What is said of a share over virtiofs besides. */
struct virtiofs {
    unsigned number;
    char path_key[48], socket_key[48];
};

/* Returns false without memory. */
static bool add_virtiofs(struct args *args, const vqemu_share *share, const char *id,
                         const char *tag, const struct virtiofs *virtiofs) {
    const vqemu_vm *vm = args->vm;
    char name[48];
    snprintf(name, sizeof name, "virtiofsd-%u.sock", virtiofs->number);
    _cleanup_free_ char *socket = args_path_or(share->socket, args->runtime_dir, name);
    struct strbuf device = {0};
    if (!socket)
        return false;
    args_connect(args, id, virtiofs->socket_key, socket);
    args_virtio(args, &device, "vhost-user-fs", id, -1);
    strbuf_addf(&device, ",chardev=%s,queue-size=1024", id);
    qemu_opt_add(&device, "tag", tag);
    args_option_buffer(args, "-device", &device);
    resources_add_companion(&args->resources, COMPANION_VIRTIOFSD,
                            vm->virtiofsd_program ? vm->virtiofsd_program : VIRTIOFSD, socket,
                            share->path, !is_on(share->writable), virtiofs->path_key,
                            virtiofs->socket_key);
    return true;
}

static bool add_numbered_virtiofs(struct args *args, const vqemu_share *share, const char *id,
                                  size_t index, unsigned number) {
    struct virtiofs virtiofs = {.number = number};
    snprintf(virtiofs.path_key, sizeof virtiofs.path_key, "shares[%zu].path", index);
    snprintf(virtiofs.socket_key, sizeof virtiofs.socket_key, "shares[%zu].socket", index);
    return add_virtiofs(args, share, id, share->tag, &virtiofs);
}

/*
 * virtiofsd takes its directory among options: QEMU's own splits them at commas and undoes
 * backslashes, the one in Rust splits them at commas and equals signs.
 */
static int check_directory(const vqemu_share *share, const char *key, vqemu_error **error) {
    if (!is_virtiofs(share) || !strpbrk(share->path, ",=\\"))
        return 0;
    return args_refuse(error, VQEMU_ERR_UNSUPPORTED,
                       "%s: virtiofsd cannot be given the path %.200s: it must be without commas, "
                       "equals signs and backslashes; share it over 9p, or by another path",
                       key, share->path);
}

static int check_share(const struct args *args, const vqemu_share *share, size_t index,
                       vqemu_error **error) {
    if (!is_virtiofs(share) && strlen(share->tag) > TAG_MAX_9P)
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "shares[%zu].tag: it has %zu bytes; over 9p it can have %d", index,
                           strlen(share->tag), TAG_MAX_9P);
    if (!is_virtiofs(share) && share->socket)
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "shares[%zu].socket: only a share over virtiofs has one", index);
    if (is_virtiofs(share) && (share->security_model || share->multidevs))
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "shares[%zu].%s: virtiofs has no such setting; 9p has", index,
                           share->security_model ? "security_model" : "multidevs");
    if (args->vm->rootfs && strcmp(share->tag, ROOT_TAG) == 0)
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "shares[%zu].tag: \"" ROOT_TAG "\" is the tag of the root file system",
                           index);
    for (size_t i = 0; i < index; i++) {
        const vqemu_share *other = args->vm->shares.items[i];
        if (strcmp(other->tag, share->tag) == 0)
            return args_refuse(error, VQEMU_ERR_INVALID,
                               "shares[%zu].tag: shares[%zu] has the same", index, i);
    }
    char key[48];
    snprintf(key, sizeof key, "shares[%zu].path", index);
    return check_directory(share, key, error);
}

/* Under KVM, guest and host are of one architecture. */
static int check_virtiofs(const struct args *args, vqemu_error **error) {
    const vqemu_vm *vm = args->vm;
    const vqemu_share root = root_share(vm);
    char key[32] = "rootfs_driver";
    size_t index = 0;
    if (args->kvm || !args->arch->own_fuse || !args_has_virtiofs(vm))
        return 0;
    while (index < vm->shares.count && !is_virtiofs(vm->shares.items[index]))
        index++;
    if (!vm->rootfs || !is_virtiofs(&root))
        snprintf(key, sizeof key, "shares[%zu].driver", index);
    return args_refuse(
        error, VQEMU_ERR_UNSUPPORTED,
        "%s: virtiofs does not work for emulated %s guests, whose numbers of flags and "
        "errors are not those of the host; 9p does",
        key, args->arch->name);
}

static int check_unused(const vqemu_vm *vm, vqemu_error **error) {
    const char *key = NULL;
    if (!vm->rootfs && (vm->rootfs_driver || vm->rootfs_writable != TOGGLE_DEFAULT))
        key = vm->rootfs_driver ? "rootfs_driver" : "rootfs_writable";
    if (key)
        return args_refuse(error, VQEMU_ERR_INVALID, "%s: there is no rootfs", key);
    if (vm->virtiofsd_program && !args_has_virtiofs(vm))
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "virtiofsd_program: there is no share over virtiofs");
    if (is_on(vm->virtiofsd_root) && !args_has_virtiofs(vm))
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "virtiofsd_root: there is no share over virtiofs");
    return 0;
}

int args_add_shares(struct args *args, vqemu_error **error) {
    const vqemu_vm *vm = args->vm;
    const vqemu_share root = root_share(vm);
    const struct virtiofs root_virtiofs = {0, "rootfs", "rootfs_driver"};
    unsigned virtiofs_count = vm->rootfs && is_virtiofs(&root);
    bool good = true;
    int r = check_unused(vm, error);
    if (r == 0)
        r = check_virtiofs(args, error);
    if (r == 0 && vm->rootfs)
        r = check_directory(&root, "rootfs", error);
    if (r < 0)
        return r;
    if (vm->rootfs && is_virtiofs(&root))
        good = add_virtiofs(args, &root, ROOT_TAG, ROOT_TAG, &root_virtiofs);
    else if (vm->rootfs)
        add_9p(args, &root, ROOT_TAG, ROOT_TAG);
    for (size_t i = 0; good && i < vm->shares.count; i++) {
        const vqemu_share *share = vm->shares.items[i];
        char id[32];
        snprintf(id, sizeof id, "share%zu", i);
        r = check_share(args, share, i, error);
        if (r < 0)
            return r;
        if (is_virtiofs(share))
            good = add_numbered_virtiofs(args, share, id, i, virtiofs_count++);
        else
            add_9p(args, share, id, share->tag);
    }
    return good ? 0 : error_no_memory(error);
}
