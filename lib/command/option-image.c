/* SPDX-License-Identifier: MIT */
/*
 * Images as QEMU's block nodes (QEMU: docs/system/qemu-block-drivers, "-blockdev"). What an image's
 * own header names is not opened, as far as QEMU lets that be said.
 */

#include "command/option-nouns.h"

/* The names of what all nodes of an image have: of a node, and of the file in one. */
static const struct names {
    const char *direct, *no_flush, *discard, *aio;
} node_names = {"cache.direct", "cache.no-flush", "discard", "aio"},
  file_names = {"file.cache.direct", "file.cache.no-flush", "file.discard", "file.aio"};

static void caching_options(struct options *options, const struct image *image,
                            const struct names *names) {
    if (image->caching.direct) {
        option_switch(options, names->direct, true);
        option_from(options, image->caching.origin);
    }
    if (image->caching.ignores_flushes) {
        option_switch(options, names->no_flush, true);
        option_from(options, image->caching.origin);
    }
    if (image->discard) {
        option_text(options, names->discard, "unmap");
        option_from(options, origin_beside(image->origin, "discard", NULL));
    }
}

static void aio_options(struct options *options, const struct image *image,
                        const struct names *names) {
    if (!image->aio)
        return;
    option_text(options, names->aio, image->aio);
    option_from(options, image->aio_origin);
}

static void chosen_text(struct options *options, const char *name, const struct choice *choice) {
    option_text(options, name, choice->value);
    option_from(options, choice->origin);
}

/* "driver", the node's name, and whether it is only read. */
static void begin(struct options *options, const struct image *image, const struct choice *driver,
                  const char *suffix) {
    option_begin(options, OPTION_BLOCKDEV, NULL, image->origin);
    chosen_text(options, "driver", driver);
    option_textf(options, "node-name", "%s%s", image->node, suffix);
    option_switch(options, "read-only", image->read_only);
    option_from(options, image->read_only_origin);
}

/* Format and file in one, for an image that names nothing else. */
static void plain_options(struct options *options, const struct image *image) {
    begin(options, image, &image->format, "");
    caching_options(options, image, &node_names);
    chosen_text(options, "file.driver", &image->file.driver);
    chosen_text(options, "file.filename", &image->file.name);
    aio_options(options, image, &file_names);
    caching_options(options, image, &file_names);
}

static void file_options(struct options *options, const struct image *image,
                         const struct image_file *file, const char *suffix) {
    begin(options, image, &file->driver, suffix);
    chosen_text(options, "filename", &file->name);
    aio_options(options, image, &node_names);
    caching_options(options, image, &node_names);
}

/* Without a "backing", QEMU would open what the header names, and guess its format. */
static void format_options(struct options *options, const struct image *image) {
    begin(options, image, &image->format, "");
    caching_options(options, image, &node_names);
    option_textf(options, "file", "%s-file", image->node);
    if (image->data.name.value)
        option_textf(options, "data-file", "%s-data", image->node);
    if (image->backing) {
        option_text(options, "backing", image->backing);
    } else {
        option_add(options, "backing", SETTING_NULL, 0);
        option_from(options, origin_none("no layer is opened that the VM does not name"));
    }
}

/* The set of descriptors that stands for the file. */
static void descriptor_options(struct options *options, const struct image_file *file) {
    if (!file->fd)
        return;
    option_begin(options, OPTION_ADD_FD, NULL, file->name.origin);
    option_number(options, "fd", (uint64_t)file->fd);
    option_number(options, "set", (uint64_t)file->fd);
}

void image_options(struct options *options, const struct image *image) {
    descriptor_options(options, &image->file);
    if (!image->has_layers) {
        plain_options(options, image);
        return;
    }
    file_options(options, image, &image->file, "-file");
    if (image->data.name.value)
        file_options(options, image, &image->data, "-data");
    format_options(options, image);
}
