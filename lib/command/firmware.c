/* SPDX-License-Identifier: MIT */
#include "command/firmware.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/json.h"
#include "command/flash-image.h"
#include "content/descriptor.h"
#include "content/uefi-images.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/strbuf.h"
#include "util/strv.h"

#define MIB ((uint64_t)1024 * 1024)
/* What QEMU maps of both flash chips together on x86, and the unit of their sizes
 * (hw/i386/pc_sysfw.c). */
#define X86_FLASH_MAX (8 * MIB)
#define X86_FLASH_UNIT ((uint64_t)4096)

enum { SECURE = FIRMWARE_SECURE_BOOT, KEYS = FIRMWARE_ENROLLED_KEYS, SMM = FIRMWARE_REQUIRES_SMM };

/* Flash chips of a size that the machine type fixes (VIRT_FLASH in QEMU's hw/arm/virt.c and
 * hw/riscv/virt.c). */
static const struct {
    const char *arch, *machines;
    uint64_t size;
} chips[] = {
    {"aarch64", "virt*", 64 * MIB}, {"arm", "virt*", 64 * MIB}, {"riscv64", "virt*", 32 * MIB}};

static bool is_x86(const char *arch) {
    return strcmp(arch, "x86_64") == 0 || strcmp(arch, "i386") == 0;
}

/* ---- the search ---- */

/* Two files that belong together; what descriptors and rows have in common. */
struct pair {
    const char *code, *code_format, *vars, *vars_format;
    unsigned features;
};

struct search {
    const char *directory, *profile, *arch, *machine;
    bool secure_boot;
    int fd; /* of the directory */
    /* The best so far: */
    struct firmware *firmware;
    bool found, is_second_choice;
    /* Why there is none: */
    struct strbuf objections, looked_for;
    unsigned for_other_archs;
};

/* Why a pair of files cannot be what was asked for; NULL if it can. */
static const char *find_objection(const struct search *search, unsigned features) {
    if (search->secure_boot && !(features & SECURE))
        return "has no Secure Boot";
    if (search->secure_boot && !(features & KEYS))
        return "has a variable store without keys, with which Secure Boot would check nothing";
    if (!search->secure_boot && features & SECURE && features & KEYS)
        return "has keys in its variable store, with which Secure Boot would be on";
    return NULL;
}

static void object(struct search *search, const char *what, const char *objection) {
    strbuf_addf(&search->objections, "; %s %s", what, objection);
}

/* ---- files ---- */

/*
 * Open a file below the directory. Links are followed as long as they stay in it. Returns a
 * descriptor or a negative errno: -ENOENT where there is no such file.
 */
static int open_file(const struct search *search, const char *path) {
    _cleanup_close_ int fd = open_beneath(search->fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, true);
    struct stat status;
    if (fd == -ENOTDIR || fd == -EXDEV || fd == -ELOOP || fd == -ENXIO)
        return -ENOENT;
    if (fd < 0)
        return fd;
    if (fstat(fd, &status) < 0)
        return -errno;
    return S_ISREG(status.st_mode) ? take_fd(&fd) : -ENOENT;
}

static int cannot_open(const struct search *search, const char *path, int system_errno,
                       vqemu_error **error) {
    return error_system_at(error, system_errno, "cannot open", "%s/%s", search->directory, path);
}

/*
 * Where a file is that a descriptor or a row names: its path relative to the directory, which is a
 * part of the path as given. Returns 1, 0 if it is not there, or an error.
 */
static int locate(const struct search *search, const char *path, const char **relative,
                  vqemu_error **error) {
    for (int i = 0; i < DESCRIPTOR_PLACES; i++) {
        const char *place = descriptor_place(path, i);
        if (!place)
            continue;
        _cleanup_close_ int fd = open_file(search, place);
        if (fd >= 0) {
            *relative = place;
            return 1;
        }
        if (fd != -ENOENT)
            return cannot_open(search, place, -fd, error);
    }
    return 0;
}

/* ---- candidates ---- */

static int adopt(struct search *search, const struct pair *pair, const char *code, const char *vars,
                 vqemu_error **error) {
    struct firmware *firmware = search->firmware;
    firmware_release(firmware);
    firmware->code = join_path(search->directory, code);
    firmware->vars_template = join_path(search->directory, vars);
    firmware->code_format = strdup(pair->code_format);
    firmware->vars_format = strdup(pair->vars_format);
    firmware->secure_boot = pair->features & SECURE;
    firmware->smm = pair->features & SMM;
    search->found = true;
    search->is_second_choice = !search->secure_boot && pair->features & (SECURE | SMM);
    bool complete =
        firmware->code && firmware->vars_template && firmware->code_format && firmware->vars_format;
    return complete ? 0 : error_no_memory(error);
}

static bool is_known_format(const char *format) {
    return strcmp(format, "raw") == 0 || strcmp(format, "qcow2") == 0;
}

/* Where both files are. Returns 1, 0 with the one that is missing, or an error. */
static int locate_pair(const struct search *search, const struct pair *pair, const char **code,
                       const char **vars, const char **missing, vqemu_error **error) {
    *missing = pair->code;
    int r = locate(search, pair->code, code, error);
    if (r != 1)
        return r;
    *missing = pair->vars;
    return locate(search, pair->vars, vars, error);
}

/* One that suits and is there: take it unless something as good was found before. */
static int weigh(struct search *search, const struct pair *pair, const char *code, const char *vars,
                 vqemu_error **error) {
    bool is_plain = !(pair->features & (SECURE | SMM));
    if (search->found && !(search->is_second_choice && is_plain))
        return 0;
    return adopt(search, pair, code, vars, error);
}

static int judge_descriptor(struct search *search, const char *name,
                            const struct descriptor *descriptor, vqemu_error **error) {
    const struct pair pair = {descriptor->code, descriptor->code_format, descriptor->vars,
                              descriptor->vars_format, descriptor->features};
    const char *objection = descriptor->objection, *code, *vars, *missing;
    if (!descriptor->for_arch) {
        search->for_other_archs++;
        return 0;
    }
    if (!objection && !descriptor->for_machine)
        objection = "is for other machines";
    if (!objection && !(is_known_format(pair.code_format) && is_known_format(pair.vars_format)))
        objection = "has images that are neither raw nor qcow2";
    if (!objection)
        objection = find_objection(search, pair.features);
    if (objection) {
        object(search, name, objection);
        return 0;
    }
    int r = locate_pair(search, &pair, &code, &vars, &missing, error);
    if (r == 0)
        strbuf_addf(&search->objections, "; %s needs %s, which is not there", name,
                    base_name(missing));
    return r == 1 ? weigh(search, &pair, code, vars, error) : r;
}

static bool row_is_for_machine(const struct uefi_images *row, const char *machine) {
    if (!is_x86(row->arch))
        return firmware_matches_machine("virt*", machine);
    return firmware_matches_machine("pc-q35-*", machine) ||
           (!(row->features & SMM) && firmware_matches_machine("pc-i440fx-*", machine));
}

static int judge_row(struct search *search, const struct uefi_images *row, vqemu_error **error) {
    const struct pair pair = {row->code, "raw", row->vars, "raw", row->features};
    const char *code, *vars, *missing;
    const char *objection = row_is_for_machine(row, search->machine)
                                ? find_objection(search, row->features)
                                : "is for other machines";
    int r = locate_pair(search, &pair, &code, &vars, &missing, error);
    if (r == 1 && !objection)
        return weigh(search, &pair, code, vars, error);
    if (r == 1)
        object(search, row->code, objection);
    else if (r == 0 && !objection)
        strbuf_addf(&search->looked_for, "%s%s with %s", search->looked_for.length ? ", " : "",
                    row->code, row->vars);
    return r < 0 ? r : 0;
}

static int search_rows(struct search *search, vqemu_error **error) {
    int r = 0;
    for (size_t i = 0; r == 0 && i < uefi_images_count(); i++)
        if (strcmp(uefi_images_at(i)->arch, search->arch) == 0)
            r = judge_row(search, uefi_images_at(i), error);
    return r;
}

/* ---- descriptors ---- */

struct listing {
    struct strv *paths;
    const char *directory;
};

static int list_entry(int directory_fd, const char *name, void *userdata) {
    (void)directory_fd;
    const struct listing *listing = userdata;
    char *path = join_path(listing->directory, name);
    if (!path || descriptor_is_path(path))
        strv_take_in(listing->paths, path);
    else
        free(path);
    return 0;
}

static int list_directory(const struct search *search, const char *name, struct strv *paths,
                          vqemu_error **error) {
    struct listing listing = {paths, name};
    _cleanup_close_ int fd = open_beneath(search->fd, name, O_RDONLY | O_DIRECTORY, true);
    if (fd == -ENOENT || fd == -ENOTDIR)
        return 0;
    int r = fd < 0 ? fd : for_each_entry(fd, ".", list_entry, &listing);
    if (r < 0)
        return error_system_at(error, -r, "cannot read the directory", "%s/%s", search->directory,
                               name);
    return paths->failed ? error_no_memory(error) : 0;
}

/* By name; of two with the same name that in firmware/ before that in descriptors/. */
static int compare_paths(const void *a, const void *b) {
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    int order = strcmp(base_name(x), base_name(y));
    return order ? order : strcmp(y, x);
}

static int read_descriptor(const struct search *search, const char *path, const char *source,
                           char **text, size_t *size, vqemu_error **error) {
    _cleanup_close_ int fd = open_file(search, path);
    if (fd == -ENOENT)
        return error_set(error, VQEMU_ERR_MALFORMED, 0,
                         "%s is not a regular file in the firmware directory", source);
    if (fd < 0)
        return cannot_open(search, path, -fd, error);
    return json_read_fd(fd, source, DESCRIPTOR_LIMIT, text, size, error);
}

static int search_descriptor(struct search *search, const char *path, vqemu_error **error) {
    _cleanup_descriptor_ struct descriptor descriptor = {0};
    _cleanup_free_ char *source = join_path(search->directory, path);
    _cleanup_free_ char *text = NULL;
    size_t size;
    if (!source)
        return error_no_memory(error);
    int r = read_descriptor(search, path, source, &text, &size, error);
    if (r < 0 || size == 0)
        return r;
    r = descriptor_parse(text, size, source, search->arch, search->machine, &descriptor, error);
    return r == 0 ? judge_descriptor(search, path, &descriptor, error) : r;
}

/* All are read, even if the first suits: a broken one must not depend on what else is asked for. */
static int search_descriptors(struct search *search, vqemu_error **error) {
    _cleanup_strv_ struct strv paths = {0};
    int r = list_directory(search, "firmware", &paths, error);
    if (r == 0)
        r = list_directory(search, "descriptors", &paths, error);
    if (r == 0 && paths.count > 0)
        qsort(paths.items, paths.count, sizeof *paths.items, compare_paths);
    const char *previous = "";
    for (size_t i = 0; r == 0 && i < paths.count; i++) {
        const char *name = base_name(paths.items[i]);
        if (strcmp(name, previous) != 0)
            r = search_descriptor(search, paths.items[i], error);
        previous = name;
    }
    return r;
}

/* ---- sizes ---- */

static int size_of(const struct search *search, const char *path, const char *format,
                   uint64_t *size, vqemu_error **error) {
    const char *relative = path + strlen(search->directory) + 1;
    _cleanup_close_ int fd = open_file(search, relative);
    if (fd < 0)
        return cannot_open(search, relative, -fd, error);
    return flash_image_size(fd, path, strcmp(format, "qcow2") == 0, size, error);
}

static int check_x86_sizes(const struct firmware *firmware, uint64_t code, uint64_t vars,
                           vqemu_error **error) {
    uint64_t odd = code == 0 || code % X86_FLASH_UNIT ? code : vars;
    if (odd == 0 || odd % X86_FLASH_UNIT)
        return error_set(
            error, VQEMU_ERR_UNSUPPORTED, 0,
            "%s has %" PRIu64 " bytes; flash of x86 machines takes multiples of %" PRIu64,
            odd == code ? firmware->code : firmware->vars_template, odd, X86_FLASH_UNIT);
    if (code > X86_FLASH_MAX || vars > X86_FLASH_MAX - code)
        return error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                         "%s has %" PRIu64 " bytes and %s %" PRIu64
                         "; flash of x86 machines takes %" PRIu64 " of both together",
                         firmware->code, code, firmware->vars_template, vars, X86_FLASH_MAX);
    return 0;
}

static int check_chip_size(const struct search *search, const char *path, uint64_t size,
                           vqemu_error **error) {
    for (size_t i = 0; i < sizeof chips / sizeof chips[0]; i++)
        if (strcmp(chips[i].arch, search->arch) == 0 && size != chips[i].size &&
            firmware_matches_machine(chips[i].machines, search->machine))
            return error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                             "%s has %" PRIu64 " bytes; a flash chip of the machine %s for %s "
                             "guests has %" PRIu64 ": bring the image to that size (truncate -s "
                             "%" PRIu64 "M) and ingest the profile anew",
                             path, size, search->machine, search->arch, chips[i].size,
                             chips[i].size / MIB);
    return 0;
}

static int check_sizes(const struct search *search, vqemu_error **error) {
    const struct firmware *firmware = search->firmware;
    uint64_t code = 0, vars = 0;
    int r = size_of(search, firmware->code, firmware->code_format, &code, error);
    if (r == 0)
        r = size_of(search, firmware->vars_template, firmware->vars_format, &vars, error);
    if (r == 0 && is_x86(search->arch))
        r = check_x86_sizes(firmware, code, vars, error);
    if (r == 0)
        r = check_chip_size(search, firmware->code, code, error);
    if (r == 0)
        r = check_chip_size(search, firmware->vars_template, vars, error);
    return r;
}

/* ---- the result ---- */

/* What there was, what was looked for, and what to do. */
static int none_suits(struct search *search, vqemu_error **error) {
    _cleanup_strbuf_ struct strbuf text = {0};
    strbuf_addf(&text,
                "profile %s has no UEFI firmware%s for %s guests on the machine %s: looked in %s "
                "for descriptors (firmware/*.json, descriptors/*.json)",
                search->profile, search->secure_boot ? " with Secure Boot" : "", search->arch,
                search->machine, search->directory);
    if (search->looked_for.text)
        strbuf_addf(&text, " and for %s", search->looked_for.text);
    if (search->for_other_archs > 0)
        strbuf_addf(&text, "; %u descriptor%s for other architectures", search->for_other_archs,
                    search->for_other_archs == 1 ? " is" : "s are");
    if (search->objections.text)
        strbuf_add(&text, search->objections.text);
    strbuf_add(&text, search->looked_for.text
                          ? "; add such a pair of files to the profile and ingest it anew"
                          : "; add firmware with its descriptor to the profile and ingest it anew");
    if (text.failed || search->looked_for.failed || search->objections.failed)
        return error_no_memory(error);
    return error_set(error, VQEMU_ERR_UNSUPPORTED, 0, "%s", text.text);
}

static int find(struct search *search, vqemu_error **error) {
    int r = search_descriptors(search, error);
    if (r == 0)
        r = search_rows(search, error);
    if (r == 0)
        r = search->found ? check_sizes(search, error) : none_suits(search, error);
    return r;
}

static int cannot_open_directory(const char *firmware_dir, const char *profile, int system_errno,
                                 vqemu_error **error) {
    int r = error_system_at(error, system_errno, "cannot open the firmware directory", "%s",
                            firmware_dir);
    error_because(r, error, NULL, VQEMU_DETAIL_PROFILE, profile, NULL);
    return error_prefix(r, error, "profile %s: ", profile);
}

int firmware_find(const char *firmware_dir, const char *profile, const char *arch,
                  const char *machine, bool secure_boot, struct firmware *firmware,
                  vqemu_error **error) {
    *firmware = (struct firmware){0};
    _cleanup_close_ int fd = open_at(AT_FDCWD, firmware_dir, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return cannot_open_directory(firmware_dir, profile, -fd, error);
    struct search search = {
        .directory = firmware_dir,
        .profile = profile,
        .arch = arch,
        .machine = machine,
        .secure_boot = secure_boot,
        .fd = fd,
        .firmware = firmware,
    };
    int r = find(&search, error);
    strbuf_release(&search.objections);
    strbuf_release(&search.looked_for);
    if (r < 0)
        firmware_release(firmware);
    return r;
}

void firmware_release(struct firmware *firmware) {
    free(firmware->code);
    free(firmware->code_format);
    free(firmware->vars_template);
    free(firmware->vars_format);
    *firmware = (struct firmware){0};
}
