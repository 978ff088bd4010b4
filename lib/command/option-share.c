/* SPDX-License-Identifier: MIT */
#include "command/option-nouns.h"

static void chosen_text(struct options *options, const char *name, const struct choice *choice) {
    option_text(options, name, choice->value);
    option_from(options, choice->origin);
}

/* The root file system has keys of its own. */
static struct origin origin_of(const struct share_plan *share, const char *key,
                               const char *root_key) {
    return origin_beside(share->origin, share->origin.list ? key : root_key, NULL);
}

static struct origin origin_of_tag(const struct share_plan *share) {
    struct origin origin = origin_of(share, "tag", "rootfs");
    origin.message = share->origin.list ? NULL : "the kernel mounts it by this name";
    return origin;
}

static struct origin origin_of_writing(const struct share_plan *share) {
    struct origin origin = origin_of(share, "writable", "rootfs_writable");
    origin.message = share->share->writable != TOGGLE_DEFAULT ? NULL : "default: it is only read";
    return origin;
}

static void p9_options(const struct plan *plan, struct options *options,
                       const struct share_plan *share) {
    option_begin(options, OPTION_FSDEV, "local", share->origin);
    option_text(options, "id", share->id);
    option_text(options, "path", share->share->path);
    option_from(options, origin_of(share, "path", "rootfs"));
    chosen_text(options, "security_model", &share->model);
    chosen_text(options, "multidevs", &share->multidevs);
    option_switch(options, "readonly", !share->writable);
    option_from(options, origin_of_writing(share));
    virtio_begin(plan, options, "virtio-9p", &share->device, share->origin);
    option_text(options, "fsdev", share->id);
    option_text(options, "mount_tag", share->tag);
    option_from(options, origin_of_tag(share));
    device_place(options, &share->device);
}

static void virtiofs_options(const struct plan *plan, struct options *options,
                             const struct share_plan *share) {
    connecting_options(options, share->id, &share->socket);
    virtio_begin(plan, options, "vhost-user-fs", &share->device,
                 origin_of(share, "driver", "rootfs_driver"));
    option_text(options, "chardev", share->id);
    option_number(options, "queue-size", 1024);
    option_text(options, "tag", share->tag);
    option_from(options, origin_of_tag(share));
    device_place(options, &share->device);
}

static void one_share_options(const struct plan *plan, struct options *options,
                              const struct share_plan *share) {
    if (share->is_virtiofs)
        virtiofs_options(plan, options, share);
    else
        p9_options(plan, options, share);
}

void share_options(const struct plan *plan, struct options *options) {
    if (plan->root.share)
        one_share_options(plan, options, &plan->root);
    for (size_t i = 0; i < plan->vm->shares.count; i++)
        one_share_options(plan, options, &plan->shares[i]);
}
