/* SPDX-License-Identifier: MIT */
#include "tree/stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/elf-file.h"
#include "content/files.h"
#include "store/ingest.h"
#include "store/object.h"
#include "store/record.h"
#include "util/fd.h"
#include "util/path.h"

/*
 * The stamp is text:
 *
 *     volt-tree 2 <digest of the manifest>
 *     lib                                   if there is lib/
 *     modules <directory>                   if there are QEMU modules
 *     program <path>                        for each bin/qemu-system-*
 *     loader <path>                         that this program asks for, if it is in lib/
 *     d <path>                              for each directory
 *     f <mode> <size> <inode> <seconds>.<nanoseconds> <how>[:<reason>] <path>    for each file
 *     end <digest of all lines before>
 */
#define HEADER "volt-tree 2 "
#define LIB_LINE "lib"
#define MODULES "modules "
#define PROGRAM "program "
#define LOADER "loader "
#define DIRECTORY "d "
#define FILE_LINE "f "
#define ALTERNATIVE "alternative"

#define STAMP_LIMIT ((size_t)256 * 1024 * 1024)
#define START_LIMIT ((size_t)16 * 1024)

void tree_file_set(struct tree_file *file, const struct stat *status) {
    file->mode = status->st_mode & 07777;
    file->inode = status->st_ino;
    file->size = status->st_size;
    file->seconds = status->st_mtim.tv_sec;
    file->nanoseconds = status->st_mtim.tv_nsec;
}

/* ---- names ---- */

static const char *const placement_names[PLACEMENT_COUNT] = {
    [PLACED_LINK] = "link",
    [PLACED_REFLINK] = "reflink",
    [PLACED_COPY_FILE_RANGE] = "copy_file_range",
    [PLACED_COPY] = "copy",
    [PLACED_NEW] = "new",
};

/* What link(2) fails with where files cannot be linked. For whatever else, a copy takes its place
 * just as well. */
static const struct {
    int reason;
    const char *name;
} reasons[] = {
    {EXDEV, "EXDEV"},           {EMLINK, "EMLINK"}, {EPERM, "EPERM"},   {EACCES, "EACCES"},
    {EOPNOTSUPP, "EOPNOTSUPP"}, {ENOENT, "ENOENT"}, {ENOSYS, "ENOSYS"}, {PLACEMENT_OTHER, "other"},
};
#define REASON_COUNT (sizeof reasons / sizeof *reasons)

const char *placement_name(enum placement how) {
    return placement_names[how];
}

const char *placement_reason_name(int reason) {
    for (size_t i = 0; i < REASON_COUNT; i++)
        if (reasons[i].reason == reason)
            return reasons[i].name;
    return reason == 0 ? "" : "other";
}

/* Read "<how>[:<reason>]" of a length. */
static bool parse_placement(const char *text, size_t length, struct tree_file *file) {
    const char *colon = memchr(text, ':', length);
    size_t how_length = colon ? (size_t)(colon - text) : length;
    size_t reason_length = colon ? length - how_length - 1 : 0;
    unsigned how = 0;
    while (how < PLACEMENT_COUNT && (strlen(placement_names[how]) != how_length ||
                                     strncmp(placement_names[how], text, how_length) != 0))
        how++;
    if (how == PLACEMENT_COUNT)
        return false;
    file->how = how;
    file->alternative =
        reason_length == strlen(ALTERNATIVE) && strncmp(colon + 1, ALTERNATIVE, reason_length) == 0;
    file->reason = 0;
    for (size_t i = 0; i < REASON_COUNT; i++)
        if (strlen(reasons[i].name) == reason_length && reason_length > 0 &&
            strncmp(reasons[i].name, colon + 1, reason_length) == 0)
            file->reason = reasons[i].reason;
    return true;
}

/* ---- writing ---- */

/* Call back for each directory that a path is the first to need: "lib", "lib/qemu". */
static int for_each_new_directory(const char *previous, const char *path, directory_fn function,
                                  void *userdata) {
    char directory[MANIFEST_PATH_MAX + 1];
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        size_t length = (size_t)(slash - path);
        /* Paths are sorted, so what has this directory in front comes in one run. */
        if (previous && strncmp(previous, path, length + 1) == 0)
            continue;
        memcpy(directory, path, length);
        directory[length] = '\0';
        int r = function(directory, userdata);
        if (r < 0)
            return r;
    }
    return 0;
}

int manifest_for_each_directory(const vqemu_manifest *manifest, directory_fn function,
                                void *userdata) {
    const char *previous = NULL;
    for (size_t i = 0; i < vqemu_manifest_object_count(manifest); i++) {
        const char *path = vqemu_manifest_object_path(manifest, i);
        int r = for_each_new_directory(previous, path, function, userdata);
        if (r < 0)
            return r;
        previous = path;
    }
    return 0;
}

/* The loader that a program asks for, if the profile brings it along in lib/. */
static int add_loader(int tree_fd, const vqemu_manifest *manifest, const char *program,
                      struct strbuf *text) {
    _cleanup_close_ int fd = open_at(tree_fd, program, O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0)
        return fd;
    struct elf_info elf;
    int r = elf_read(fd, &elf);
    if (r < 0)
        return r;
    _cleanup_free_ char *path = format_string("lib/%s", base_name(elf.loader));
    if (!path)
        return -ENOMEM;
    if (elf.loader[0] && vqemu_manifest_find(manifest, path) >= 0)
        strbuf_addf(text, LOADER "%s\n", path);
    return 0;
}

static int add_layout(int tree_fd, const vqemu_manifest *manifest, struct strbuf *text) {
    bool has_lib = false, has_modules = false;
    for (size_t i = 0; i < vqemu_manifest_object_count(manifest); i++) {
        const char *path = vqemu_manifest_object_path(manifest, i);
        int r = 0;
        if (!has_lib && strncmp(path, "lib/", 4) == 0) {
            strbuf_add(text, LIB_LINE "\n");
            has_lib = true;
        }
        if (!has_modules && content_is_module(path)) {
            strbuf_addf(text, MODULES "%.*s\n", (int)(base_name(path) - path - 1), path);
            has_modules = true;
        }
        if (content_is_program(path)) {
            strbuf_addf(text, PROGRAM "%s\n", path);
            r = add_loader(tree_fd, manifest, path, text);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

static int add_directory_line(const char *directory, void *text) {
    strbuf_addf(text, DIRECTORY "%s\n", directory);
    return 0;
}

static void add_file_line(struct strbuf *text, const char *path, const struct tree_file *file) {
    const char *reason = file->alternative ? ALTERNATIVE : placement_reason_name(file->reason);
    strbuf_add(text, FILE_LINE);
    record_add_number(text, file->mode, 8, ' ');
    record_add_number(text, (uint64_t)file->size, 10, ' ');
    record_add_number(text, file->inode, 10, ' ');
    record_add_time(text, file->seconds, file->nanoseconds, ' ');
    strbuf_add(text, placement_name(file->how));
    if (*reason) {
        strbuf_add_char(text, ':');
        strbuf_add(text, reason);
    }
    strbuf_add_char(text, ' ');
    strbuf_add(text, path);
    strbuf_add_char(text, '\n');
}

int stamp_make(int tree_fd, const vqemu_manifest *manifest, const struct tree_file *files,
               struct strbuf *text) {
    strbuf_addf(text, HEADER "%s\n", vqemu_manifest_digest(manifest));
    int r = add_layout(tree_fd, manifest, text);
    if (r < 0)
        return r;
    manifest_for_each_directory(manifest, add_directory_line, text);
    for (size_t i = 0; i < vqemu_manifest_object_count(manifest); i++)
        add_file_line(text, vqemu_manifest_object_path(manifest, i), &files[i]);
    record_seal(text);
    return text->failed ? -ENOMEM : 0;
}

/* ---- reading ---- */

/* The first line is none of the list. */
size_t stamp_start_length(const char *text) {
    const char *directory = strstr(text, "\n" DIRECTORY), *file = strstr(text, "\n" FILE_LINE);
    const char *list = !directory || (file && file < directory) ? file : directory;
    return list ? (size_t)(list + 1 - text) : strlen(text);
}

int stamp_read(int tree_fd, uint32_t store_flags, bool start_only, char **text) {
    if (!start_only)
        return record_read(tree_fd, TREE_STAMP_NAME, store_flags, STAMP_LIMIT, text);
    int r = record_read_start(tree_fd, TREE_STAMP_NAME, store_flags, START_LIMIT, text);
    /* It must reach to the list of files. */
    if (r < 0 || (*text)[stamp_start_length(*text)])
        return r;
    free(TAKE_POINTER(*text));
    return record_read(tree_fd, TREE_STAMP_NAME, store_flags, STAMP_LIMIT, text);
}

/* Whoever wrote the stamp, nothing outside of lib/ is named by it. */
static bool is_below_lib(const char *path) {
    return strncmp(path, "lib/", 4) == 0 && !manifest_find_path_fault(path);
}

bool stamp_take_layout(char **text, const char *digest, const char *binary, struct layout *layout) {
    *layout = (struct layout){0};
    const char *of = record_next(text, HEADER), *program;
    if (!of || strcmp(of, digest) != 0)
        return false;
    /* The order is that of the paths: bin/ before lib/. */
    for (;;) {
        const char *module_dir;
        if ((program = record_next(text, PROGRAM))) {
            const char *loader = record_next(text, LOADER);
            if (loader && !is_below_lib(loader))
                return false;
            if (strncmp(program, "bin/", 4) == 0 && strcmp(program + 4, binary) == 0) {
                layout->has_program = true;
                layout->loader = loader;
            }
        } else if (record_next(text, LIB_LINE)) {
            layout->has_lib = true;
        } else if ((module_dir = record_next(text, MODULES))) {
            if (!is_below_lib(module_dir))
                return false;
            layout->module_dir = module_dir;
        } else {
            return true;
        }
    }
}

/* Read "<mode> <size> <inode> <seconds>.<nanoseconds> <how> <path>". */
static const char *parse_file(const char *text, struct tree_file *file) {
    uint64_t mode, size;
    if (!record_take_number(&text, 8, ' ', &mode) || mode > 07777 ||
        !record_take_number(&text, 10, ' ', &size) || size > INT64_MAX ||
        !record_take_number(&text, 10, ' ', &file->inode) ||
        !record_take_time(&text, ' ', &file->seconds, &file->nanoseconds))
        return NULL;
    file->mode = (uint32_t)mode;
    file->size = (int64_t)size;
    const char *blank = strchr(text, ' ');
    if (!blank || !parse_placement(text, (size_t)(blank - text), file))
        return NULL;
    return blank + 1;
}

bool stamp_take_line(char **text, struct stamp_line *line, bool *broken) {
    const char *rest;
    *broken = false;
    if (!**text)
        return false;
    line->is_directory = false;
    if ((rest = record_next(text, FILE_LINE))) {
        line->path = parse_file(rest, &line->file);
    } else {
        line->path = record_next(text, DIRECTORY);
        line->is_directory = true;
    }
    *broken = !line->path || manifest_find_path_fault(line->path);
    return !*broken;
}

char *stamp_list_programs(const char *text) {
    struct strbuf programs = {0};
    while ((text = strstr(text, "\n" PROGRAM))) {
        text += 1 + strlen(PROGRAM);
        strbuf_addf(&programs, "%s%.*s", programs.length ? ", " : "", (int)strcspn(text, "\n"),
                    text);
    }
    if (!programs.length)
        strbuf_add(&programs, "no programs");
    return strbuf_take(&programs);
}
