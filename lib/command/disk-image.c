/* SPDX-License-Identifier: MIT */
#include "command/disk-image.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command/args-claim.h"
#include "command/args-image.h"

/* An image or a layer of a disk: what the VM says of it. */
struct source {
    const char *key; /* "disks[0]" or "disks[0].backing[1]" */
    const char *file, *fd_name, *format, *data_file;
    uint64_t fd;
    enum toggle block_device;
    bool is_optical, read_only, discard;
};

/* The node names that belong together: "disk0", "disk0-backing1". */
struct place {
    char node[64], key[64];
};

static struct place place_of_disk(size_t number) {
    struct place place;
    snprintf(place.node, sizeof place.node, "disk%zu", number);
    snprintf(place.key, sizeof place.key, "disks[%zu]", number);
    return place;
}

static struct place place_of_layer(size_t number, size_t layer) {
    struct place place;
    snprintf(place.node, sizeof place.node, "disk%zu-backing%zu", number, layer);
    snprintf(place.key, sizeof place.key, "disks[%zu].backing[%zu]", number, layer);
    return place;
}

static const struct layer *layer_at(const vqemu_disk *disk, size_t index) {
    return disk->backing.items[index];
}

/* ---- checks ---- */

static int check_layer(const vqemu_disk *disk, size_t number, size_t index, vqemu_error **error) {
    const struct layer *layer = layer_at(disk, index);
    const struct place place = place_of_layer(number, index);
    bool is_last = index + 1 == disk->backing.count;
    bool has_descriptor = layer->fd || layer->fd_name;
    if (layer->fd && layer->fd_name)
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "%s.fd_name: the layer also has an fd; it can have one of them",
                           place.key);
    if (layer->file && has_descriptor)
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "%s.%s: the layer also has a file; it can have one of them", place.key,
                           layer->fd ? "fd" : "fd_name");
    if (!layer->file && !has_descriptor)
        return args_refuse(error, VQEMU_ERR_INVALID, "%s.file: missing", place.key);
    if (!image_has_layers(layer->format) && !is_last)
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "%s.format: a raw image has no layers below; there is one", place.key);
    if (!image_has_layers(layer->format) && layer->data_file)
        return args_refuse(error, VQEMU_ERR_INVALID, "%s.data_file: a raw image has none",
                           place.key);
    return 0;
}

int disk_image_check_count(const vqemu_vm *vm, vqemu_error **error) {
    size_t count = 0;
    for (size_t i = 0; i < vm->disks.count; i++) {
        count += ((const vqemu_disk *)vm->disks.items[i])->backing.count;
        if (count <= LIST_MAX)
            continue;
        int r = args_refuse(error, VQEMU_ERR_INVALID,
                            "disks[%zu].backing: all disks together can have %d layers, and no "
                            "more",
                            i, LIST_MAX);
        return error_because(r, error, "too-many", NULL);
    }
    return 0;
}

int disk_image_check(const vqemu_disk *disk, size_t number, vqemu_error **error) {
    bool has_medium = disk->file || disk->fd || disk->fd_name;
    const char *key = disk->backing.count > 0 ? "backing" : "data_file";
    int r = 0;
    if (disk->backing.count == 0 && !disk->data_file)
        return 0;
    if (!has_medium)
        return args_refuse(error, VQEMU_ERR_INVALID, "disks[%zu].%s: there is no image", number,
                           key);
    if (!image_has_layers(disk->format))
        return args_refuse(error, VQEMU_ERR_INVALID,
                           "disks[%zu].%s: a raw image has none; it needs \"format\": \"qcow2\"",
                           number, key);
    for (size_t i = 0; r == 0 && i < disk->backing.count; i++)
        r = check_layer(disk, number, i, error);
    return r;
}

/* ---- what is opened ---- */

static bool is_below_dev(const char *file) {
    return file && strncmp(file, "/dev/", strlen("/dev/")) == 0;
}

/*
 * Asks a drive of the host for its medium. To QEMU's driver for these, any other block device, such
 * as a logical volume with an ISO image, is a drive without one.
 */
static bool is_optical_drive(const char *file) {
    static const char *const beginnings[] = {"/dev/sr", "/dev/scd", "/dev/cdrom", "/dev/cdrw",
                                             "/dev/dvd"};
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (strncmp(file, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

static void note_file(struct args *args, const char *key, const char *name, const char *file,
                      bool is_block_device, bool read_only) {
    _cleanup_free_ char *whole = format_string("%s.%s", key, name);
    if (is_block_device)
        resources_add_block_device(&args->resources, file, read_only);
    else if (read_only)
        resources_add_read(&args->resources, file);
    else
        resources_add_write(&args->resources, file);
    args->argv.failed = args->argv.failed || !whole;
    if (whole && read_only)
        args_claim_reading(args, whole, file);
    else if (whole)
        args_claim(args, whole, file);
}

/* The text is the name of a set of descriptors to QEMU. */
static const char *add_descriptor(struct args *args, const struct source *source,
                                  char name[static 32]) {
    char key[64];
    snprintf(key, sizeof key, "%s.fd", source->key);
    int fd = args_claim_descriptor(args, key, source->fd, source->fd_name);
    strv_add(&args->argv, "-add-fd");
    strv_addf(&args->argv, "fd=%d,set=%d", fd, fd);
    snprintf(name, 32, "/dev/fdset/%d", fd);
    return name;
}

static struct image_file open_file(struct args *args, const struct source *source,
                                   char name[static 32]) {
    bool is_device = is_on_by_default(source->block_device, is_below_dev(source->file));
    bool is_drive =
        is_device && source->is_optical && source->file && is_optical_drive(source->file);
    const char *driver = is_drive ? "host_cdrom" : is_device ? "host_device" : "file";
    if (source->fd || source->fd_name)
        return (struct image_file){driver, add_descriptor(args, source, name)};
    note_file(args, source->key, "file", source->file, is_device, source->read_only);
    return (struct image_file){driver, source->file};
}

static struct image_file open_data(struct args *args, const struct source *source) {
    bool is_device = is_below_dev(source->data_file);
    if (!source->data_file)
        return (struct image_file){0};
    note_file(args, source->key, "data_file", source->data_file, is_device, source->read_only);
    return (struct image_file){is_device ? "host_device" : "file", source->data_file};
}

static void add_source(struct args *args, const vqemu_disk *disk, const struct source *source,
                       const char *node, const char *backing) {
    char name[32];
    const struct image image = {
        .node = node,
        .format = source->format,
        .file = open_file(args, source, name),
        .data = open_data(args, source),
        .backing = backing,
        .read_only = source->read_only,
        .cache = disk->cache,
        .aio = disk->aio,
        .discard = source->discard,
    };
    args_add_image(args, &image);
    if (source->file && image_has_layers(source->format))
        resources_note_qcow2(&args->resources, source->file,
                             QCOW2_IMAGE | (backing ? QCOW2_WITH_BACKING : 0) |
                                 (source->data_file ? QCOW2_WITH_DATA_FILE : 0));
}

/* QEMU knows a node only by what stands before it, so the lowest is the first. */
static void add_layers(struct args *args, const vqemu_disk *disk, size_t number) {
    for (size_t i = disk->backing.count; i-- > 0;) {
        const struct layer *layer = layer_at(disk, i);
        const struct place place = place_of_layer(number, i), below = place_of_layer(number, i + 1);
        const struct source source = {
            .key = place.key,
            .file = layer->file,
            .format = layer->format,
            .data_file = layer->data_file,
            .fd = layer->fd,
            .fd_name = layer->fd_name,
            .block_device = layer->block_device,
            .read_only = true,
        };
        bool is_last = i + 1 == disk->backing.count;
        add_source(args, disk, &source, place.node, is_last ? NULL : below.node);
    }
}

void disk_image_add(struct args *args, const vqemu_disk *disk, size_t number, bool read_only) {
    const struct place place = place_of_disk(number), below = place_of_layer(number, 0);
    const struct source source = {
        .key = place.key,
        .file = disk->file,
        .format = disk->format,
        .data_file = disk->data_file,
        .fd = disk->fd,
        .fd_name = disk->fd_name,
        .block_device = disk->block_device,
        .is_optical = is_on(disk->cdrom),
        .read_only = read_only,
        .discard = is_on(disk->discard),
    };
    add_layers(args, disk, number);
    add_source(args, disk, &source, place.node, disk->backing.count > 0 ? below.node : NULL);
}
