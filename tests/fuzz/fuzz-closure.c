/* SPDX-License-Identifier: MIT */
/*
 * The files of a profile -> what they ask for and can do. The input is a list of files: a byte that
 * says which of the paths below, two for the size, and the content. Of a path that comes twice the
 * last counts; the rest of the input is the last file's. Which profile that is depends on its size.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "choice/profile.h"
#include "content/closure.h"
#include "fuzz.h"
#include "util/fd.h"

/* Sorted. */
static const char *const paths[] = {
    "bin/helper",
    "bin/qemu-system-aarch64",
    "bin/qemu-system-sparc",
    "bin/qemu-system-x86_64",
    "firmware/OVMF_CODE_4M.fd",
    "firmware/OVMF_VARS_4M.fd",
    "firmware/bios-256k.bin",
    "firmware/code.fd",
    "firmware/edk2/vars.fd",
    "firmware/firmware/50-one.json",
    "firmware/firmware/60-two.json",
    "firmware/keymaps/en-us",
    "firmware/pvh.bin",
    "lib/ld-linux-x86-64.so.2",
    "lib/liba.so.1",
    "lib/libc.so.6",
    "lib/qemu/accel-tcg-x86_64.so",
    "lib/qemu/hw-display-virtio-vga.so",
    "lib/x/libb.so.2",
    "share/licence",
};
#define PATH_COUNT (sizeof paths / sizeof paths[0])

/* What a profile has: of each path, the content, or NULL. */
struct profile_files {
    const uint8_t *content[PATH_COUNT];
    size_t size[PATH_COUNT];
    const char *paths[PATH_COUNT];
    size_t which[PATH_COUNT]; /* of the files, in the order of paths */
    size_t count;
};

static void split(const uint8_t *data, size_t size, struct profile_files *files) {
    memset(files, 0, sizeof *files);
    while (size > 3) {
        size_t which = data[0] % PATH_COUNT, wanted = data[1] + ((size_t)data[2] << 8);
        size_t length = wanted < size - 3 ? wanted : size - 3;
        files->content[which] = data + 3;
        files->size[which] = length;
        data += 3 + length;
        size -= 3 + length;
    }
    for (size_t i = 0; i < PATH_COUNT; i++) {
        if (!files->content[i])
            continue;
        files->paths[files->count] = paths[i];
        files->which[files->count++] = i;
    }
}

static int open_file(void *context, size_t index) {
    const struct profile_files *files = context;
    size_t which = files->which[index];
    int fd = memfd_create("file", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && write_all(fd, files->content[which], files->size[which]) == 0 &&
                   lseek(fd, 0, SEEK_SET) == 0,
               "cannot write the file");
    return fd;
}

/* ---- what must hold ---- */

static bool is_file(const struct profile_files *files, const char *path) {
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->paths[i], path) == 0)
            return true;
    return false;
}

static bool is_one_of(const char *word, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (word && strcmp(word, words[i]) == 0)
            return true;
    return false;
}

static void check_entry(const struct profile_files *files, const vqemu_closure *closure, size_t i) {
    static const char *const kinds[] = {"program",  "loader", "library", "module",
                                        "firmware", "keymap", "ability"};
    static const char *const states[] = {"missing", "from-host", "unusable",
                                         "unknown", "optional",  "unused"};
    const char *state = vqemu_closure_state(closure, i), *by = vqemu_closure_asked_by(closure, i);
    const char *message = vqemu_closure_message(closure, i), *name = vqemu_closure_name(closure, i);
    FUZZ_CHECK(is_one_of(vqemu_closure_kind(closure, i), kinds, 7), "a kind of its own");
    FUZZ_CHECK(is_one_of(state, states, 6), "a state of its own");
    FUZZ_CHECK(is_one_of(state, states, 4) == (i < vqemu_closure_problem_count(closure)),
               "the entry %zu, %s, is among the others", i, state);
    FUZZ_CHECK(fuzz_is_utf8(name), "the name %s", name);
    FUZZ_CHECK(!by || is_file(files, by), "asked for by %s", by);
    FUZZ_CHECK(strcmp(state, "unused") != 0 || is_file(files, name), "%s is not there", name);
    FUZZ_CHECK(*message && fuzz_is_printable(message), "no printable line: %s", message);
    for (size_t j = 0; j < i; j++)
        FUZZ_CHECK(strcmp(name, vqemu_closure_name(closure, j)) != 0 ||
                       strcmp(state, vqemu_closure_state(closure, j)) != 0 ||
                       strcmp(vqemu_closure_kind(closure, i), vqemu_closure_kind(closure, j)) != 0,
                   "%s is told twice", name);
}

static bool has_entry(const vqemu_closure *closure, const char *kind, const char *name) {
    for (size_t i = 0; i < vqemu_closure_problem_count(closure); i++)
        if (strcmp(vqemu_closure_kind(closure, i), kind) == 0 &&
            strcmp(vqemu_closure_name(closure, i), name) == 0)
            return true;
    return false;
}

/* Whether guests of an architecture have one, in a file that is there. */
static int check_ability(const struct profile_files *files, const vqemu_closure *closure,
                         uint64_t ability, const char *guest) {
    int has = vqemu_closure_has_ability(closure, ability, guest);
    const char *path = vqemu_closure_ability_path(closure, ability, guest);
    FUZZ_CHECK(has >= -1 && has <= 1, "an answer of %d", has);
    FUZZ_CHECK(!path == (has != 1), "the answer %d, and the path %s", has, path ? path : "");
    FUZZ_CHECK(!path || is_file(files, path), "%s is not there", path);
    return has;
}

/* A profile that is whole has what it is to have. */
static void check_abilities(const struct profile_files *files, const vqemu_closure *closure,
                            const vqemu_profile *profile) {
    bool is_whole = vqemu_closure_problem_count(closure) == 0;
    for (uint64_t ability = 1; ability; ability <<= 1) {
        int all = check_ability(files, closure, ability, NULL);
        int least = 1, most = 0, guests = 0;
        for (size_t i = 0; i < vqemu_guest_arch_count(); i++) {
            int has = check_ability(files, closure, ability, vqemu_guest_arch_at(i));
            guests += has != 0;
            most = has == 1 ? 1 : most;
            least = has == 1 ? least : 0;
        }
        FUZZ_CHECK(all != 1 || most == 1, "all have what none has");
        FUZZ_CHECK(guests > 0 || all == 0, "%d without guests", all);
        bool is_wanted = vqemu_profile_abilities(profile) & ability;
        FUZZ_CHECK(!has_entry(closure, "ability", vqemu_ability_name(ability)) || is_wanted,
                   "the ability %s is missing, and not wanted", vqemu_ability_name(ability));
        FUZZ_CHECK(!is_whole || !is_wanted || most == 1 || guests == 0 || all == -1,
                   "a whole profile without %s", vqemu_ability_name(ability));
    }
}

static char *text_of(const vqemu_closure *closure) {
    size_t size = 1;
    for (size_t i = 0; i < vqemu_closure_count(closure); i++)
        size += strlen(vqemu_closure_message(closure, i)) + 1;
    char *text = malloc(size), *end = text;
    FUZZ_CHECK(text, "no memory");
    for (size_t i = 0; i < vqemu_closure_count(closure); i++)
        end = stpcpy(stpcpy(end, vqemu_closure_message(closure, i)), "\n");
    *end = '\0';
    return text;
}

static vqemu_closure *find(struct profile_files *files, const vqemu_profile *profile,
                           const char *host_arch) {
    const struct content_files content = {files->paths, files->count, open_file, files};
    struct vqemu_progress progress = {0};
    vqemu_closure *closure = NULL;
    vqemu_error *error = NULL;
    int r = closure_find(&content, profile, host_arch, &progress, &closure, &error);
    FUZZ_CHECK(fuzz_check_result(r, &error) == 0 && closure, "no closure: %d", r);
    return closure;
}

static void check(struct profile_files *files, const vqemu_profile *profile,
                  const char *host_arch) {
    vqemu_closure *closure = find(files, profile, host_arch);
    for (size_t i = 0; i < vqemu_closure_count(closure); i++)
        check_entry(files, closure, i);
    check_abilities(files, closure, profile);
    vqemu_closure *again = find(files, profile, host_arch);
    char *text = text_of(closure), *text_again = text_of(again);
    FUZZ_CHECK(strcmp(text, text_again) == 0, "two closures:\n%s\n%s", text, text_again);
    free(text);
    free(text_again);
    closure_free(closure);
    closure_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const guests[] = {"x86_64", "aarch64", "s390x"};
    static vqemu_profile *own;
    struct profile_files files;
    fuzz_begin(data, size);
    split(data, size, &files);
    if (!own)
        FUZZ_CHECK(profile_new("own", NULL, "tcg", abilities_known(), guests, 3, &own, NULL) == 0,
                   "no memory");
    switch (size % 3) { /* one of them, to be fast */
    case 0:
        check(&files, vqemu_profile_find("emulate-x86"), "x86_64");
        break;
    case 1:
        check(&files, vqemu_profile_find("kvm-uefi"), "x86_64");
        break;
    default:
        check(&files, own, NULL);
    }
    return 0;
}
