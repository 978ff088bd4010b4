/* SPDX-License-Identifier: MIT */
/* A closure as it is found: files are looked into, and lead to others. */
#ifndef LIB_CLOSURE_WALK_H
#define LIB_CLOSURE_WALK_H

#include <stdint.h>

#include "content/closure.h"
#include "content/known-names.h"

/* A set of targets of programs: a bit for each row of the architecture table. */
typedef uint32_t targets;
#define TARGETS_MAX 32
/* All that the table does not have. */
#define OTHER_TARGETS ((targets)1 << (TARGETS_MAX - 1))

/* A name that is looked for in programs and modules. */
struct name {
    char *text;
    size_t length;
    targets asked; /* by programs of these targets, and their modules, */
    size_t by;     /* first of all by this file */
};

/* A text by which a part of QEMU's is known. */
struct sign {
    const char *text; /* static */
    size_t length;
    targets has;            /* programs of these targets, or modules that they can load, have it: */
    size_t by[TARGETS_MAX]; /* of each, the first such file */
};

/* Names that may be those of firmware, and are not known. */
struct other {
    char *text;
    size_t by;
};

struct program {
    size_t file;
    targets target;
    char *stamp; /* what its modules must have; NULL if it takes none */
};

struct walk {
    const struct content_files *files;
    const vqemu_profile *profile;
    const char *host_arch;
    struct vqemu_progress *progress;
    vqemu_closure *closure;
    bool *used;                      /* for each file */
    size_t *queue, queued, finished; /* files that are used, and those that were looked into */
    struct program *programs;
    size_t program_count;
    struct name *names; /* firmware as it is known, then modules, then those of walk-module.c */
    size_t name_count;
    struct other *others;
    size_t other_count;
    char *module_dir; /* the directory of modules with its slash; NULL for none */
    struct sign *signs;
    size_t sign_count;
    targets unread;              /* what cannot be read could be part of programs of these */
    targets uefi;                /* architectures for which there is UEFI firmware, */
    size_t uefi_by[TARGETS_MAX]; /* of each, the image */
    bool lacks_image;            /* that an image is missing has been told */
    bool unread_descriptor;
};

/* Steps of closure_find(), in their order. All return 0, -ENOMEM or -ECANCELED. */

/* Look into the programs. */
int walk_programs(struct walk *walk);
/* Look into all files that are used, and those that they lead to. */
int walk_queue(struct walk *walk);
/* Modules that the programs can load are used; what is missing is added to the closure. */
int walk_modules(struct walk *walk);
/* The same for firmware and keymaps, after the modules. */
int walk_firmware(struct walk *walk);
int walk_uefi(struct walk *walk);
/* Whether there is UEFI firmware for any guest that is served. */
bool walk_has_uefi(const struct walk *walk);
/* What it can do, as far as the files tell. */
int walk_abilities(struct walk *walk);

/* For these steps: */

/* A file is asked for. */
void walk_use(struct walk *walk, size_t file);
/* What a file needs of the dynamic loader; and that a program needs one. */
struct elf_info;
int walk_libraries(struct walk *walk, size_t file, int fd, const struct elf_info *elf);
int walk_loader(struct walk *walk, size_t file, const struct elf_info *elf);
/* A library that a file may ask for while it runs. */
int walk_library_name(struct walk *walk, size_t file, const char *name);
/* What a module must have is found in it; NULL for nothing. */
int walk_stamp(struct walk *walk, size_t file, const char *stamp);
/* By programs of which targets a module, which is a file of the profile, can be loaded. */
targets walk_module_targets(const struct walk *walk, size_t file);
/* Names that are looked for beside those of firmware. */
int walk_add_module_names(struct walk *walk);
int walk_add_name(struct walk *walk, const char *text);
/* The texts by which abilities are known, before the first file; and that a file has a text. */
int walk_add_signs(struct walk *walk);
void walk_take_sign(struct walk *walk, size_t file, targets asking, const char *text,
                    size_t length);
/* A module that programs of a target ask for by its name: 1 if it is there, with its file, 0 if it
 * is not, -1 if no program asks. */
int walk_find_module(const struct walk *walk, targets target, const char *name, size_t *file);

/* The file of a path below a directory such as "lib/"; -1 if there is none. -ENOMEM. */
int walk_find(const struct walk *walk, const char *directory, const char *name, int64_t *file);
const char *walk_path(const struct walk *walk, size_t file);
/* The target of a program, such as "x86_64", and its bit. */
targets targets_of(const char *target);
/* Whether guests of an architecture are served, and their program is there. */
bool walk_serves(const struct walk *walk, const struct arch *guest);
/* Whether a command for a guest that is served leads to a name that these targets ask for. */
bool walk_needs(const struct walk *walk, const struct known_name *known, targets asked);

#endif
