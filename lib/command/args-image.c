/* SPDX-License-Identifier: MIT */
#include "command/args-image.h"

#include <string.h>

#include "command/qemu-opt.h"

static bool is(const char *choice, const char *value) {
    return choice && strcmp(choice, value) == 0;
}

bool image_has_layers(const char *format) {
    return is(format, "qcow2");
}

static bool is_direct(const struct image *image) {
    return is(image->cache, "none") || is(image->cache, "directsync");
}

static bool is_unsafe(const struct image *image) {
    return is(image->cache, "unsafe");
}

/* The same for all nodes of an image. */
static void add_caching(struct strbuf *node, const struct image *image, const char *prefix) {
    if (is_direct(image))
        strbuf_addf(node, ",%scache.direct=on", prefix);
    if (is_unsafe(image))
        strbuf_addf(node, ",%scache.no-flush=on", prefix);
    if (image->discard)
        strbuf_addf(node, ",%sdiscard=unmap", prefix);
}

static const char *on_off(bool on) {
    return on ? "on" : "off";
}

/* Format and file in one, for an image that names nothing else. */
static void add_plain(struct args *args, const struct image *image) {
    struct strbuf node = {0};
    strbuf_addf(&node, "driver=%s,node-name=%s,read-only=%s", image->format ? image->format : "raw",
                image->node, on_off(image->read_only));
    add_caching(&node, image, "");
    strbuf_addf(&node, ",file.driver=%s", image->file.driver);
    qemu_opt_add(&node, "file.filename", image->file.name);
    if (image->aio)
        strbuf_addf(&node, ",file.aio=%s", image->aio);
    add_caching(&node, image, "file.");
    args_option_buffer(args, "-blockdev", &node);
}

/* Paths need not be UTF-8, so that of a file is never in JSON. */
static void add_file(struct args *args, const struct image *image, const struct image_file *file,
                     const char *kind) {
    struct strbuf node = {0};
    strbuf_addf(&node, "driver=%s,node-name=%s-%s,read-only=%s", file->driver, image->node, kind,
                on_off(image->read_only));
    qemu_opt_add(&node, "filename", file->name);
    if (image->aio)
        strbuf_addf(&node, ",aio=%s", image->aio);
    add_caching(&node, image, "");
    args_option_buffer(args, "-blockdev", &node);
}

/* Without a "backing", QEMU would open what the header names, and guess its format; only JSON can
 * say that there is none. */
static void add_format(struct args *args, const struct image *image) {
    struct strbuf node = {0};
    strbuf_addf(&node, "{\"driver\":\"%s\",\"node-name\":\"%s\",\"read-only\":%s", image->format,
                image->node, image->read_only ? "true" : "false");
    if (is_direct(image))
        strbuf_add(&node, ",\"cache\":{\"direct\":true}");
    if (is_unsafe(image))
        strbuf_add(&node, ",\"cache\":{\"no-flush\":true}");
    if (image->discard)
        strbuf_add(&node, ",\"discard\":\"unmap\"");
    strbuf_addf(&node, ",\"file\":\"%s-file\"", image->node);
    if (image->data.name)
        strbuf_addf(&node, ",\"data-file\":\"%s-data\"", image->node);
    if (image->backing)
        strbuf_addf(&node, ",\"backing\":\"%s\"}", image->backing);
    else
        strbuf_add(&node, ",\"backing\":null}");
    args_option_buffer(args, "-blockdev", &node);
}

void args_add_image(struct args *args, const struct image *image) {
    if (!image_has_layers(image->format)) {
        add_plain(args, image);
        return;
    }
    add_file(args, image, &image->file, "file");
    if (image->data.name)
        add_file(args, image, &image->data, "data");
    add_format(args, image);
}
