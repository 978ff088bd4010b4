/* SPDX-License-Identifier: MIT */
/* UEFI firmware, which QEMU does not ask for itself: what descriptors name, and what the library
 * finds by names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "content/closure-walk.h"
#include "content/descriptor.h"
#include "content/uefi-images.h"
#include "util/strbuf.h"

/* UEFI under way. */
struct uefi {
    struct walk *walk;
    targets has; /* architectures for which there is firmware */
};

/* Where a file is that a descriptor names; -1 for nowhere. */
static int64_t find_image(const struct walk *walk, const char *name) {
    int64_t file = -1;
    for (int i = 0; file < 0 && i < DESCRIPTOR_PLACES; i++) {
        const char *place = descriptor_place(name, i);
        if (place && walk_find(walk, FIRMWARE_PREFIX, place, &file) < 0)
            return -1;
    }
    return file;
}

/* ---- descriptors ---- */

static int use_image(struct walk *walk, const char *name, const char *descriptor, bool is_for_guest,
                     bool *is_there) {
    int64_t file = find_image(walk, name);
    if (file >= 0) {
        walk->used[file] = true;
        return 0;
    }
    *is_there = false;
    return closure_add(walk->closure, CLOSURE_FIRMWARE,
                       is_for_guest ? CLOSURE_MISSING : CLOSURE_OPTIONAL, descriptor_place(name, 1),
                       descriptor,
                       format_string(is_for_guest ? "firmware/%s is missing: %s names it"
                                                  : "firmware/%s is not there: %s, which is for "
                                                    "guests that are not served, names it",
                                     descriptor_place(name, 1), descriptor));
}

static int use_images(struct uefi *uefi, const char *path, const struct descriptor *descriptor,
                      targets guests) {
    bool is_there = true;
    if (!descriptor->code || !descriptor->vars)
        return 0;
    int r = use_image(uefi->walk, descriptor->code, path, guests != 0, &is_there);
    if (r == 0)
        r = use_image(uefi->walk, descriptor->vars, path, guests != 0, &is_there);
    if (is_there && !descriptor->objection)
        uefi->has |= guests;
    return r;
}

/* Read it once for each machine of each guest that is served, as firmware_find() will. */
static int parse_for_guests(struct uefi *uefi, const char *text, size_t size, const char *path,
                            struct descriptor *descriptor, targets *guests, vqemu_error **error) {
    *guests = 0;
    int r = descriptor_parse(text, size, path, "", "", descriptor, error);
    for (size_t i = 0; r == 0 && i < arch_count(); i++) {
        const struct arch *guest = arch_at(i);
        for (const struct machine *machine = guest->machines;
             r == 0 && machine->name && walk_serves(uefi->walk, guest); machine++) {
            _cleanup_descriptor_ struct descriptor one = {0};
            r = descriptor_parse(text, size, path, guest->name, machine->name, &one, error);
            if (r == 0 && one.for_arch && one.for_machine)
                *guests |= (targets)1 << i;
        }
    }
    return r;
}

static int take_descriptor(struct uefi *uefi, size_t file) {
    struct walk *walk = uefi->walk;
    const char *path = walk_path(walk, file);
    _cleanup_close_ int fd = walk->files->open(walk->files->context, file);
    _cleanup_descriptor_ struct descriptor descriptor = {0};
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *text = NULL;
    targets guests = 0;
    size_t size = 0;
    walk->used[file] = true;
    if (fd < 0)
        return fd == -ENOMEM ? fd : 0; /* a damaged object is for the check of objects */
    int r = json_read_fd(fd, path, DESCRIPTOR_LIMIT, &text, &size, &error);
    if (r == 0 && size > 0)
        r = parse_for_guests(uefi, text, size, path, &descriptor, &guests, &error);
    if (r == VQEMU_ERR_NO_MEMORY)
        return -ENOMEM;
    if (r < 0)
        return closure_add(walk->closure, CLOSURE_FIRMWARE, CLOSURE_UNUSABLE, path, "",
                           strdup(vqemu_error_message(error)));
    return use_images(uefi, path, &descriptor, guests);
}

static int take_descriptors(struct uefi *uefi) {
    const struct content_files *files = uefi->walk->files;
    int r = 0;
    for (size_t i = 0; r == 0 && i < files->count; i++)
        if (strncmp(files->paths[i], FIRMWARE_PREFIX, strlen(FIRMWARE_PREFIX)) == 0 &&
            descriptor_is_path(files->paths[i] + strlen(FIRMWARE_PREFIX)))
            r = take_descriptor(uefi, i);
    return r;
}

/* ---- by name ---- */

static void use_pair(struct uefi *uefi, const struct uefi_images *images) {
    int64_t code = find_image(uefi->walk, images->code);
    int64_t vars = find_image(uefi->walk, images->vars);
    if (code < 0 || vars < 0)
        return;
    uefi->walk->used[code] = true;
    uefi->walk->used[vars] = true;
    for (size_t i = 0; i < arch_count(); i++)
        if (strcmp(arch_at(i)->name, images->arch) == 0)
            uefi->has |= (targets)1 << i;
}

/* One half that no other pair has a use for. */
static int check_half(struct walk *walk, const char *half, const char *other) {
    int64_t file = find_image(walk, half);
    if (file < 0 || walk->used[file])
        return 0;
    walk->used[file] = true;
    return closure_add(walk->closure, CLOSURE_FIRMWARE, CLOSURE_MISSING, other,
                       walk_path(walk, (size_t)file),
                       format_string("firmware/%s is missing: %s is half of a pair with it", other,
                                     walk_path(walk, (size_t)file)));
}

static int take_images(struct uefi *uefi) {
    int r = 0;
    for (size_t i = 0; i < uefi_images_count(); i++)
        use_pair(uefi, uefi_images_at(i));
    for (size_t i = 0; r == 0 && i < uefi_images_count(); i++) {
        const struct uefi_images *images = uefi_images_at(i);
        const struct arch *guest = arch_find(images->arch);
        if (!guest || !walk_serves(uefi->walk, guest))
            continue;
        r = check_half(uefi->walk, images->code, images->vars);
        if (r == 0)
            r = check_half(uefi->walk, images->vars, images->code);
    }
    return r;
}

/* ---- the whole ---- */

/* The library tells who asks for such a guest; other guests do without. */
static int add_none(struct uefi *uefi, const struct arch *guest) {
    _cleanup_free_ char *name = format_string("UEFI firmware for %s", guest->name);
    if (!name)
        return -ENOMEM;
    return closure_add(uefi->walk->closure, CLOSURE_FIRMWARE, CLOSURE_OPTIONAL, name, "",
                       format_string("%s is not there: only %s guests with \"firmware\": \"uefi\" "
                                     "need it",
                                     name, guest->name));
}

int walk_uefi(struct walk *walk) {
    struct uefi uefi = {.walk = walk};
    int r = take_descriptors(&uefi);
    if (r == 0)
        r = take_images(&uefi);
    for (size_t i = 0; r == 0 && i < arch_count(); i++) {
        const struct arch *guest = arch_at(i);
        if (guest->uefi && walk_serves(walk, guest) && !(uefi.has & (targets)1 << i) &&
            profile_abilities_for(walk->profile, guest) & VQEMU_ABILITY_UEFI)
            r = add_none(&uefi, guest);
    }
    return r;
}
