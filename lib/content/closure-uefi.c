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

/* There is firmware for these guests; of several, the first counts. */
static void add_firmware(struct walk *walk, targets guests, size_t image) {
    for (size_t i = 0; i < arch_count(); i++)
        if (guests & ~walk->uefi & (targets)1 << i)
            walk->uefi_by[i] = image;
    walk->uefi |= guests;
}

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
                     int64_t *file) {
    *file = find_image(walk, name);
    if (*file >= 0) {
        walk->used[*file] = true;
        return 0;
    }
    walk->lacks_image |= is_for_guest;
    return closure_add(walk->closure, CLOSURE_FIRMWARE,
                       is_for_guest ? CLOSURE_MISSING : CLOSURE_OPTIONAL, descriptor_place(name, 1),
                       descriptor,
                       format_string(is_for_guest ? "firmware/%s is missing: %s names it"
                                                  : "firmware/%s is not there: %s, which is for "
                                                    "guests that are not served, names it",
                                     descriptor_place(name, 1), descriptor));
}

static int use_images(struct walk *walk, const char *path, const struct descriptor *descriptor,
                      targets guests) {
    int64_t code, vars = -1;
    if (!descriptor->code || !descriptor->vars)
        return 0;
    int r = use_image(walk, descriptor->code, path, guests != 0, &code);
    if (r == 0)
        r = use_image(walk, descriptor->vars, path, guests != 0, &vars);
    if (code >= 0 && vars >= 0 && !descriptor->objection)
        add_firmware(walk, guests, (size_t)code);
    return r;
}

/* Read it once for each machine of each guest that is served, as firmware_find() will. */
static int parse_for_guests(struct walk *walk, const char *text, size_t size, const char *path,
                            struct descriptor *descriptor, targets *guests, vqemu_error **error) {
    *guests = 0;
    int r = descriptor_parse(text, size, path, "", "", descriptor, error);
    for (size_t i = 0; r == 0 && i < arch_count(); i++) {
        const struct arch *guest = arch_at(i);
        for (const struct machine *machine = guest->machines;
             r == 0 && machine->name && walk_serves(walk, guest); machine++) {
            _cleanup_descriptor_ struct descriptor one = {0};
            r = descriptor_parse(text, size, path, guest->name, machine->name, &one, error);
            if (r == 0 && one.for_arch && one.for_machine)
                *guests |= (targets)1 << i;
        }
    }
    return r;
}

static int take_descriptor(struct walk *walk, size_t file) {
    const char *path = walk_path(walk, file);
    _cleanup_close_ int fd = walk->files->open(walk->files->context, file);
    _cleanup_descriptor_ struct descriptor descriptor = {0};
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *text = NULL;
    targets guests = 0;
    size_t size = 0;
    walk->used[file] = true;
    walk->unread_descriptor |= fd < 0;
    if (fd < 0)
        return fd == -ENOMEM ? fd : 0; /* a damaged object is for the check of objects */
    int r = json_read_fd(fd, path, DESCRIPTOR_LIMIT, &text, &size, &error);
    if (r == 0 && size > 0)
        r = parse_for_guests(walk, text, size, path, &descriptor, &guests, &error);
    if (r == VQEMU_ERR_NO_MEMORY)
        return -ENOMEM;
    if (r < 0)
        return closure_add(walk->closure, CLOSURE_FIRMWARE, CLOSURE_UNUSABLE, path, "",
                           strdup(vqemu_error_message(error)));
    return use_images(walk, path, &descriptor, guests);
}

static int take_descriptors(struct walk *walk) {
    const struct content_files *files = walk->files;
    int r = 0;
    for (size_t i = 0; r == 0 && i < files->count; i++)
        if (strncmp(files->paths[i], FIRMWARE_PREFIX, strlen(FIRMWARE_PREFIX)) == 0 &&
            descriptor_is_path(files->paths[i] + strlen(FIRMWARE_PREFIX)))
            r = take_descriptor(walk, i);
    return r;
}

/* ---- by name ---- */

static void use_pair(struct walk *walk, const struct uefi_images *images) {
    int64_t code = find_image(walk, images->code);
    int64_t vars = find_image(walk, images->vars);
    if (code < 0 || vars < 0)
        return;
    walk->used[code] = true;
    walk->used[vars] = true;
    for (size_t i = 0; i < arch_count(); i++)
        if (strcmp(arch_at(i)->name, images->arch) == 0)
            add_firmware(walk, (targets)1 << i, (size_t)code);
}

/* One half that no other pair has a use for. */
static int check_half(struct walk *walk, const char *half, const char *other) {
    int64_t file = find_image(walk, half);
    if (file < 0 || walk->used[file])
        return 0;
    walk->used[file] = true;
    walk->lacks_image = true;
    return closure_add(walk->closure, CLOSURE_FIRMWARE, CLOSURE_MISSING, other,
                       walk_path(walk, (size_t)file),
                       format_string("firmware/%s is missing: %s is half of a pair with it", other,
                                     walk_path(walk, (size_t)file)));
}

static int take_images(struct walk *walk) {
    int r = 0;
    for (size_t i = 0; i < uefi_images_count(); i++)
        use_pair(walk, uefi_images_at(i));
    for (size_t i = 0; r == 0 && i < uefi_images_count(); i++) {
        const struct uefi_images *images = uefi_images_at(i);
        const struct arch *guest = arch_find(images->arch);
        if (!guest || !walk_serves(walk, guest))
            continue;
        r = check_half(walk, images->code, images->vars);
        if (r == 0)
            r = check_half(walk, images->vars, images->code);
    }
    return r;
}

/* ---- the whole ---- */

/* The library tells who asks for such a guest; other guests do without. */
static int add_none(struct walk *walk, const struct arch *guest) {
    _cleanup_free_ char *name = format_string("UEFI firmware for %s", guest->name);
    if (!name)
        return -ENOMEM;
    return closure_add(walk->closure, CLOSURE_FIRMWARE, CLOSURE_OPTIONAL, name, "",
                       format_string("%s is not there: only %s guests with \"firmware\": \"uefi\" "
                                     "need it",
                                     name, guest->name));
}

bool walk_has_uefi(const struct walk *walk) {
    for (size_t i = 0; i < arch_count(); i++)
        if (walk_serves(walk, arch_at(i)) && walk->uefi & (targets)1 << i)
            return true;
    return false;
}

int walk_uefi(struct walk *walk) {
    int r = take_descriptors(walk);
    if (r == 0)
        r = take_images(walk);
    for (size_t i = 0; r == 0 && walk_has_uefi(walk) && i < arch_count(); i++) {
        const struct arch *guest = arch_at(i);
        if (guest->uefi && walk_serves(walk, guest) && !(walk->uefi & (targets)1 << i) &&
            profile_abilities_for(walk->profile, guest) & VQEMU_ABILITY_UEFI)
            r = add_none(walk, guest);
    }
    return r;
}
