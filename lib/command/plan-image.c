/* SPDX-License-Identifier: MIT */
#include "command/plan-image.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command/plan-claim.h"
#include "command/refusal.h"

/* An image or a layer of a disk: what the VM says of it. */
struct source {
    struct origin origin; /* "disks[0]" or "disks[0].backing[1]" */
    const char *node;
    const char *file, *fd_name, *format, *data_file;
    uint64_t fd;
    enum toggle block_device;
    bool is_optical, read_only, discard;
    const char *backing;
};

static const struct layer *layer_at(const vqemu_disk *disk, size_t index) {
    return disk->backing.items[index];
}

static bool has_layers(const char *format) {
    return is_chosen(format, "qcow2");
}

/* ---- checks ---- */

static int check_layer(const vqemu_disk *disk, size_t number, size_t index, vqemu_error **error) {
    const struct layer *layer = layer_at(disk, index);
    char key[48];
    snprintf(key, sizeof key, "disks[%zu].backing[%zu]", number, index);
    bool is_last = index + 1 == disk->backing.count;
    bool has_descriptor = layer->fd || layer->fd_name;
    if (layer->fd && layer->fd_name)
        return refuse(error, VQEMU_ERR_INVALID,
                      "%s.fd_name: the layer also has an fd; it can have one of them", key);
    if (layer->file && has_descriptor)
        return refuse(error, VQEMU_ERR_INVALID,
                      "%s.%s: the layer also has a file; it can have one of them", key,
                      layer->fd ? "fd" : "fd_name");
    if (!layer->file && !has_descriptor)
        return refuse(error, VQEMU_ERR_INVALID, "%s.file: missing", key);
    if (!has_layers(layer->format) && !is_last)
        return refuse(error, VQEMU_ERR_INVALID,
                      "%s.format: a raw image has no layers below; there is one", key);
    if (!has_layers(layer->format) && layer->data_file)
        return refuse(error, VQEMU_ERR_INVALID, "%s.data_file: a raw image has none", key);
    return 0;
}

int plan_check_layer_count(const vqemu_vm *vm, vqemu_error **error) {
    size_t count = 0;
    for (size_t i = 0; i < vm->disks.count; i++) {
        count += ((const vqemu_disk *)vm->disks.items[i])->backing.count;
        if (count <= LIST_MAX)
            continue;
        int r = refuse(error, VQEMU_ERR_INVALID,
                       "disks[%zu].backing: all disks together can have %d layers, and no "
                       "more",
                       i, LIST_MAX);
        return error_because(r, error, "too-many", NULL);
    }
    return 0;
}

int plan_check_image(const vqemu_disk *disk, size_t number, vqemu_error **error) {
    bool has_medium = disk->file || disk->fd || disk->fd_name;
    const char *key = disk->backing.count > 0 ? "backing" : "data_file";
    int r = 0;
    if (disk->backing.count == 0 && !disk->data_file)
        return 0;
    if (!has_medium)
        return refuse(error, VQEMU_ERR_INVALID, "disks[%zu].%s: there is no image", number, key);
    if (!has_layers(disk->format))
        return refuse(error, VQEMU_ERR_INVALID,
                      "disks[%zu].%s: a raw image has none; it needs \"format\": \"qcow2\"", number,
                      key);
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

static void note_file(struct plan *plan, const struct origin *origin, const char *file,
                      bool is_block_device, bool read_only) {
    struct strbuf key = {0};
    origin_add_key(origin, &key);
    _cleanup_free_ char *whole = strbuf_take(&key);
    if (is_block_device)
        resources_add_block_device(&plan->resources, file, read_only);
    else if (read_only)
        resources_add_read(&plan->resources, file);
    else
        resources_add_write(&plan->resources, file);
    plan->claims.failed = plan->claims.failed || !whole;
    if (whole && read_only)
        plan_claim_reading(plan, whole, file);
    else if (whole)
        plan_claim(plan, whole, file);
}

/* The text is the name of a set of descriptors to QEMU. */
static void use_descriptor(struct plan *plan, const struct source *source,
                           struct image_file *file) {
    struct strbuf key = {0};
    struct origin origin = origin_beside(source->origin, "fd", NULL);
    origin_add_key(&origin, &key);
    _cleanup_free_ char *whole = strbuf_take(&key);
    plan->claims.failed = plan->claims.failed || !whole;
    if (!whole)
        return;
    file->fd = plan_claim_descriptor(plan, whole, source->fd, source->fd_name);
    file->name.value = arena_textf(&plan->texts, "/dev/fdset/%d", file->fd);
    file->name.origin = origin_beside(source->origin, source->fd ? "fd" : "fd_name", NULL);
}

static struct choice choose_driver(const struct source *source) {
    bool is_device = is_on_by_default(source->block_device, is_below_dev(source->file));
    bool is_drive =
        is_device && source->is_optical && source->file && is_optical_drive(source->file);
    const char *message = source->block_device != TOGGLE_DEFAULT ? NULL
                          : !source->file ? "default: a descriptor is taken for that of a file"
                          : is_device     ? "default: the file is below /dev"
                                          : "default: the file is not below /dev";
    return (struct choice){is_drive    ? "host_cdrom"
                           : is_device ? "host_device"
                                       : "file",
                           origin_beside(source->origin, "block_device", message)};
}

static struct image_file open_file(struct plan *plan, const struct source *source) {
    struct image_file file = {.driver = choose_driver(source)};
    if (source->fd || source->fd_name) {
        use_descriptor(plan, source, &file);
        return file;
    }
    file.name = (struct choice){source->file, origin_beside(source->origin, "file", NULL)};
    note_file(plan, &file.name.origin, source->file, strcmp(file.driver.value, "file") != 0,
              source->read_only);
    return file;
}

static struct image_file open_data(struct plan *plan, const struct source *source) {
    bool is_device = is_below_dev(source->data_file);
    struct image_file file = {
        .driver = {is_device ? "host_device" : "file",
                   origin_beside(source->origin, "data_file", "by whether the file is below /dev")},
        .name = {source->data_file, origin_beside(source->origin, "data_file", NULL)}};
    if (!source->data_file)
        return (struct image_file){0};
    note_file(plan, &file.name.origin, source->data_file, is_device, source->read_only);
    return file;
}

/* ---- images ---- */

static void note_qcow2(struct plan *plan, const struct source *source, int fd) {
    uint32_t use = QCOW2_IMAGE | (source->backing ? QCOW2_WITH_BACKING : 0) |
                   (source->data_file ? QCOW2_WITH_DATA_FILE : 0);
    if (!has_layers(source->format))
        return;
    if (source->file)
        resources_note_qcow2(&plan->resources, source->file, use);
    else
        resources_note_qcow2_fd(&plan->resources, fd, use);
}

static struct origin origin_of_read_only(const struct drive *drive, const struct source *source) {
    if (source->origin.inner)
        return origin_beside(source->origin, NULL, "a layer is only read");
    if (is_on(drive->disk->cdrom))
        return origin_beside(source->origin, "cdrom", "a CD is only read");
    return origin_beside(
        source->origin, "read_only",
        drive->disk->read_only == TOGGLE_DEFAULT ? "default: disks can be written to" : NULL);
}

static void plan_source(struct plan *plan, struct drive *drive, const struct source *source) {
    const struct image_file file = open_file(plan, source), data = open_data(plan, source);
    drive->images[drive->image_count++] = (struct image){
        .node = source->node,
        .format = {source->format ? source->format : "raw",
                   origin_beside(source->origin, "format",
                                 source->format ? NULL : "default: no format is guessed")},
        .has_layers = has_layers(source->format),
        .file = file,
        .data = data,
        .backing = source->backing,
        .origin = source->origin,
        .read_only = source->read_only,
        .read_only_origin = origin_of_read_only(drive, source),
        .caching = drive->caching,
        .aio = drive->disk->aio,
        .aio_origin = origin_in("disks", drive->position, "aio", NULL),
        .discard = source->discard,
    };
    note_qcow2(plan, source, file.fd);
}

static const char *node_of_layer(struct plan *plan, const struct drive *drive, size_t index) {
    if (index == drive->disk->backing.count)
        return NULL;
    return arena_textf(&plan->texts, "disk%d-backing%zu", drive->device.number, index);
}

static struct origin origin_of_layer(const struct drive *drive, size_t index) {
    struct origin origin = origin_in("disks", drive->position, NULL, NULL);
    origin.inner = "backing";
    origin.inner_index = (uint32_t)index;
    return origin;
}

/* QEMU knows a node only by what stands before it, so the lowest is the first. */
static void plan_layers(struct plan *plan, struct drive *drive) {
    for (size_t i = drive->disk->backing.count; i-- > 0;) {
        const struct layer *layer = layer_at(drive->disk, i);
        const struct source source = {
            .origin = origin_of_layer(drive, i),
            .node = node_of_layer(plan, drive, i),
            .file = layer->file,
            .format = layer->format,
            .data_file = layer->data_file,
            .fd = layer->fd,
            .fd_name = layer->fd_name,
            .block_device = layer->block_device,
            .read_only = true,
            .backing = node_of_layer(plan, drive, i + 1),
        };
        plan_source(plan, drive, &source);
    }
}

void plan_images(struct plan *plan, struct drive *drive) {
    const vqemu_disk *disk = drive->disk;
    const struct source source = {
        .origin = origin_in("disks", drive->position, NULL, NULL),
        .node = arena_textf(&plan->texts, "disk%d", drive->device.number),
        .file = disk->file,
        .format = disk->format,
        .data_file = disk->data_file,
        .fd = disk->fd,
        .fd_name = disk->fd_name,
        .block_device = disk->block_device,
        .is_optical = is_on(disk->cdrom),
        .read_only = drive->read_only,
        .discard = is_on(disk->discard),
        .backing = node_of_layer(plan, drive, 0),
    };
    drive->images = arena_add(&plan->texts, (disk->backing.count + 1) * sizeof *drive->images);
    if (!drive->images)
        return;
    plan_layers(plan, drive);
    plan_source(plan, drive, &source);
}
