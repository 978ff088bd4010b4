/* SPDX-License-Identifier: MIT */
#include "run/nvram.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/error.h"
#include "fixture.h"
#include "run.h"
#include "store/leftovers.h"
#include "util/cleanup.h"
#include "util/fd.h"
#include "util/strbuf.h"

#define PROCESSES 8

static char *store_path, *code_path, *template_path;

static void make_directory(void) {
    make_scratch();
    store_path = scratch_path("state/nvram.fd");
    code_path = scratch_path("tree/CODE.fd");
    template_path = scratch_path("tree/VARS.fd");
    ck_assert_int_eq(mkdirat(scratch_fd, "state", 0755), 0);
    write_file("tree/CODE.fd", "code", 0444);
    write_file("tree/VARS.fd", "vars", 0444);
}

static void remove_directory(void) {
    remove_scratch();
    free(store_path);
    free(code_path);
    free(template_path);
}

/* ---- what is done, and looked at ---- */

static int prepare_by(uint32_t flags, vqemu_call *call, vqemu_error **error) {
    const struct nvram nvram = {store_path, code_path, template_path};
    struct owner owner = {.vm_id = "vm"};
    _cleanup_free_ char *directory = scratch_path("state");
    ck_assert_int_eq(owner_find(NULL, &owner, NULL), 0);
    _cleanup_close_ int fd = open(directory, O_PATH | O_CLOEXEC);
    const struct nvram_home home = {.fd = fd, .owner = &owner};
    return nvram_prepare(&nvram, &home, flags, call, error);
}

static int prepare_with(uint32_t flags, vqemu_error **error) {
    return prepare_by(flags, NULL, error);
}

static void prepares(uint32_t flags) {
    _cleanup_error_ vqemu_error *error = NULL;
    int r = prepare_with(flags, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    ck_assert_ptr_null(error);
}

static void fails(uint32_t flags, int code, const char *mentioned) {
    _cleanup_error_ vqemu_error *error = NULL;
    int entries = count_entries("state");
    int r = prepare_with(flags, &error);
    ck_assert_msg(r == code, "%d instead of %d: %s", r, code, vqemu_error_message(error));
    ck_assert_msg(strstr(vqemu_error_message(error), mentioned) != NULL, "\"%s\" in \"%s\"",
                  mentioned, vqemu_error_message(error));
    ck_assert_int_eq(prepare_with(flags, NULL), code);
    ck_assert_int_eq(count_entries("state"), entries); /* nothing is left behind */
}

static void holds(const char *path, const char *content) {
    _cleanup_free_ char *text = read_file(path);
    ck_assert_str_eq(text, content);
}

/* The record is that of a code image and a template with these contents. */
static void is_recorded(const char *code, const char *vars) {
    struct digest firmware = digest_of_bytes(code, strlen(code));
    struct digest template = digest_of_bytes(vars, strlen(vars));
    _cleanup_free_ char *expected =
        format_string("{\n  \"firmware\": \"%s\",\n  \"template\": \"%s\",\n  \"vm\": \"vm\"\n}\n",
                      firmware.hex, template.hex);
    holds("state/nvram.fd.firmware", expected);
}

/* ---- a new store ---- */

START_TEST(a_store_is_made_from_the_template) {
    mode_t umasked = umask(0777);
    prepares(0);
    umask(umasked);
    holds("state/nvram.fd", "vars");
    is_recorded("code", "vars");
    ck_assert_uint_eq(stat_of("state/nvram.fd").st_mode & 07777, 0600);
    ck_assert_uint_eq(stat_of("state/nvram.fd.firmware").st_mode & 07777, 0600);
    ck_assert_uint_eq(stat_of("state/nvram.fd").st_nlink, 1);
    ck_assert_int_eq(count_entries("state"), 2);
}
END_TEST

START_TEST(flags_make_no_difference_to_a_new_store) {
    prepares(_i ? NVRAM_KEEP_VARIABLES : NVRAM_RESET_VARIABLES);
    holds("state/nvram.fd", "vars");
    is_recorded("code", "vars");
    ck_assert_int_eq(count_entries("state"), 2);
}
END_TEST

START_TEST(a_store_that_is_there_stays) {
    prepares(0);
    write_file("state/nvram.fd", "VARS", 0600); /* the guest wrote to it */
    struct stat before = stat_of("state/nvram.fd"), record = stat_of("state/nvram.fd.firmware");
    prepares(0);
    prepares(NVRAM_KEEP_VARIABLES);
    holds("state/nvram.fd", "VARS");
    ck_assert_uint_eq(stat_of("state/nvram.fd").st_ino, before.st_ino);
    ck_assert_uint_eq(stat_of("state/nvram.fd.firmware").st_ino, record.st_ino);
}
END_TEST

START_TEST(zeros_take_no_room) {
    const off_t size = (off_t)64 * 1024 * 1024;
    write_file("tree/VARS.fd", "start", 0644);
    ck_assert_int_eq(truncate(template_path, size - 3), 0);
    _cleanup_close_ int fd = open(template_path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(pwrite(fd, "middle", 6, size / 2 - 3), 6);
    prepares(0);
    struct stat status = stat_of("state/nvram.fd");
    ck_assert_int_eq(status.st_size, size - 3);
    ck_assert_int_le(status.st_blocks * 512, 1024 * 1024);
    _cleanup_free_ char *command = format_string("cmp %s %s", store_path, template_path);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(pwrite(fd, "end", 3, size - 3), 3);
    ck_assert_int_eq(unlinkat(scratch_fd, "state/nvram.fd", 0), 0);
    prepares(0);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(what_a_crash_left_is_used_or_replaced) {
    /* The record of a store that never appeared; what was being written. */
    write_file("state/nvram.fd.firmware", "{\"firmware\":\"broken\"", 0600);
    write_file("state/" LEFTOVER_PREFIX "nvram.fd", "ha", 0600);
    write_file("state/" LEFTOVER_PREFIX "nvram.fd.firmware", "{", 0600);
    prepares(0);
    holds("state/nvram.fd", "vars");
    is_recorded("code", "vars");
    ck_assert_int_eq(count_entries("state"), 2);
    write_file("state/" LEFTOVER_PREFIX "nvram.fd", "ha", 0600);
    prepares(0);
    ck_assert_int_eq(count_entries("state"), 2);
}
END_TEST

/* ---- other firmware ---- */

START_TEST(the_same_firmware_elsewhere_is_the_same) {
    prepares(0);
    write_file("other/code", "code", 0444);
    write_file("other/template", "vars", 0444);
    free(code_path);
    free(template_path);
    code_path = scratch_path("other/code");
    template_path = scratch_path("other/template");
    prepares(0);
}
END_TEST

START_TEST(other_firmware_is_refused) {
    prepares(0);
    write_file("state/nvram.fd", "VARS", 0600);
    write_file("tree/CODE.fd", "new code", 0444);
    struct digest old = digest_of_bytes("code", 4), new = digest_of_bytes("new code", 8);
    _cleanup_free_ char *expected = format_string(
        "the variable store %s belongs to firmware %.12s, and %s is %.12s: resolve the revision "
        "that it was made with; or keep its variables for this firmware, or reset them, which "
        "starts anew from %s and keeps it as %s.old",
        store_path, old.hex, code_path, new.hex, template_path, store_path);
    fails(0, VQEMU_ERR_CHANGED, expected);
    holds("state/nvram.fd", "VARS");
    is_recorded("code", "vars");
    prepares(NVRAM_KEEP_VARIABLES);
    holds("state/nvram.fd", "VARS");
    is_recorded("new code", "vars");
    prepares(0);
    ck_assert_int_eq(count_entries("state"), 2);
}
END_TEST

START_TEST(another_template_is_refused) {
    prepares(0);
    write_file("tree/VARS.fd", "keys", 0444); /* Secure Boot is turned on */
    struct digest old = digest_of_bytes("vars", 4), new = digest_of_bytes("keys", 4);
    _cleanup_free_ char *expected = format_string(
        "the variable store %s was made from template %.12s, and %s is %.12s, so Secure Boot",
        store_path, old.hex, template_path, new.hex);
    fails(0, VQEMU_ERR_CHANGED, expected);
    holds("state/nvram.fd", "vars");
    prepares(NVRAM_RESET_VARIABLES);
    holds("state/nvram.fd", "keys");
    holds("state/nvram.fd.old", "vars");
    is_recorded("code", "keys");
}
END_TEST

START_TEST(a_reset_keeps_the_old_store) {
    prepares(0);
    write_file("state/nvram.fd", "VARS", 0600);
    write_file("tree/CODE.fd", "new code", 0444);
    write_file("tree/VARS.fd", "new vars", 0444);
    prepares(NVRAM_RESET_VARIABLES);
    holds("state/nvram.fd", "new vars");
    holds("state/nvram.fd.old", "VARS");
    is_recorded("new code", "new vars");
    ck_assert_int_eq(count_entries("state"), 3);
    write_file("state/nvram.fd", "NEW VARS", 0600);
    prepares(NVRAM_RESET_VARIABLES); /* also where nothing is wrong */
    holds("state/nvram.fd", "new vars");
    holds("state/nvram.fd.old", "NEW VARS");
    prepares(0);
}
END_TEST

START_TEST(a_store_without_record_is_refused) {
    static const struct {
        const char *record; /* NULL: there is none */
        const char *mentioned;
    } cases[] = {
        {NULL, "has no record of its firmware ("},
        {"", "nvram.fd.firmware:1:0: "},
        {"[]", "nvram.fd.firmware: not a JSON object"},
        {"{}", "nvram.fd.firmware: \"firmware\" is not 64 lowercase hex digits"},
        {"{\"firmware\":1}", "nvram.fd.firmware: \"firmware\" is not 64"},
        {"{\"firmware\":\"00\"}", "nvram.fd.firmware: \"firmware\" is not 64"},
        {"{\"firmware\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}",
         "nvram.fd.firmware: \"template\" is not 64 lowercase hex digits"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_file("state/nvram.fd", "VARS", 0600);
        if (cases[i].record)
            write_file("state/nvram.fd.firmware", cases[i].record, 0600);
        else
            unlinkat(scratch_fd, "state/nvram.fd.firmware", 0);
        fails(0, VQEMU_ERR_CHANGED, cases[i].mentioned);
        fails(0, VQEMU_ERR_CHANGED, "; or keep its variables");
        if (i % 2)
            prepares(NVRAM_KEEP_VARIABLES);
        else
            prepares(NVRAM_RESET_VARIABLES);
        holds("state/nvram.fd", i % 2 ? "VARS" : "vars");
        is_recorded("code", "vars");
        prepares(0);
    }
}
END_TEST

START_TEST(a_record_is_a_small_regular_file) {
    char *large = format_string("%05000d", 0);
    write_file("state/nvram.fd", "VARS", 0600);
    write_file("state/nvram.fd.firmware", large, 0600);
    free(large);
    fails(0, VQEMU_ERR_CHANGED, "nvram.fd.firmware: larger than 4096 bytes");
    ck_assert_int_eq(unlinkat(scratch_fd, "state/nvram.fd.firmware", 0), 0);
    ck_assert_int_eq(mkfifoat(scratch_fd, "state/nvram.fd.firmware", 0600), 0);
    fails(0, VQEMU_ERR_CHANGED, "nvram.fd.firmware is not a regular file");
    prepares(NVRAM_KEEP_VARIABLES);
    is_recorded("code", "vars");
    ck_assert_int_eq(renameat(scratch_fd, "state/nvram.fd.firmware", scratch_fd, "state/elsewhere"),
                     0);
    ck_assert_int_eq(symlinkat("elsewhere", scratch_fd, "state/nvram.fd.firmware"), 0);
    fails(0, VQEMU_ERR_CHANGED, "nvram.fd.firmware is not a regular file");
    prepares(NVRAM_KEEP_VARIABLES);
    ck_assert(S_ISREG(stat_of("state/nvram.fd.firmware").st_mode));
    ck_assert_int_eq(unlinkat(scratch_fd, "state/nvram.fd.firmware", 0), 0);
    ck_assert_int_eq(mkdirat(scratch_fd, "state/nvram.fd.firmware", 0755), 0);
    fails(0, VQEMU_ERR_CHANGED, "nvram.fd.firmware is not a regular file");
    fails(NVRAM_KEEP_VARIABLES, VQEMU_ERR_SYSTEM, "cannot make ");
    ck_assert_int_eq(unlinkat(scratch_fd, "state/nvram.fd", 0), 0);
    fails(0, VQEMU_ERR_SYSTEM, "nvram.fd.firmware: Is a directory");
}
END_TEST

/* ---- sizes ---- */

START_TEST(the_size_is_that_of_the_template) {
    prepares(0);
    write_file("state/nvram.fd", "12345", 0600);
    fails(0, VQEMU_ERR_CORRUPT, "nvram.fd has 5 bytes and cannot be used: its template ");
    fails(NVRAM_KEEP_VARIABLES, VQEMU_ERR_CORRUPT, "has 4; a reset starts");
    write_file("tree/CODE.fd", "new code", 0444);
    fails(0, VQEMU_ERR_CHANGED, "belongs to firmware");
    fails(NVRAM_KEEP_VARIABLES, VQEMU_ERR_CORRUPT, "VARS.fd has 4");
    is_recorded("code", "vars");
    prepares(NVRAM_RESET_VARIABLES);
    holds("state/nvram.fd.old", "12345");
}
END_TEST

static void write_qcow2(const char *path, unsigned char size, size_t length) {
    char text[128] = "QFI\xfb";
    text[31] = (char)size;
    _cleanup_free_ char *full = scratch_path(path);
    _cleanup_close_ int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write_all(fd, text, length), 0);
}

START_TEST(a_qcow2_store_can_grow) {
    ck_assert_int_eq(unlinkat(scratch_fd, "tree/VARS.fd", 0), 0);
    write_qcow2("tree/VARS.fd", 99, 100);
    prepares(0);
    write_qcow2("state/nvram.fd", 99, 120);
    prepares(0);
    write_qcow2("state/nvram.fd", 98, 100);
    fails(0, VQEMU_ERR_CORRUPT, "nvram.fd has 98 bytes");
    write_file("state/nvram.fd", "not such an image", 0600);
    fails(0, VQEMU_ERR_MALFORMED, "nvram.fd is not a qcow2 image");
    prepares(NVRAM_RESET_VARIABLES);
}
END_TEST

/* ---- what is refused ---- */

static void use_path(const char *path) {
    free(store_path);
    store_path = strdup(path);
}

START_TEST(a_path_names_a_file_in_a_directory) {
    static const char *const paths[] = {"nvram.fd", "", "/", "/tmp/", "/tmp/.", "/tmp/.."};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        use_path(paths[i]);
        fails(0, VQEMU_ERR_INVALID, "is not the absolute path of a file");
    }
    _cleanup_free_ char *name = format_string("%0255d", 0);
    _cleanup_free_ char *below = format_string("state/%s", name);
    _cleanup_free_ char *too_long = scratch_path(below);
    use_path(too_long);
    fails(0, VQEMU_ERR_SYSTEM, ": File name too long");
    _cleanup_free_ char *longer = format_string("%s0", too_long);
    use_path(longer);
    fails(0, VQEMU_ERR_SYSTEM, "cannot look at ");
}
END_TEST

START_TEST(images_are_files) {
    static const char *const images[] = {"tree/CODE.fd", "tree/VARS.fd"};
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(renameat(scratch_fd, images[i], scratch_fd, "tree/aside"), 0);
        fails(0, VQEMU_ERR_NOT_FOUND, images[i]);
        ck_assert_int_eq(mkdirat(scratch_fd, images[i], 0755), 0);
        fails(0, VQEMU_ERR_INVALID, "is not a regular file");
        ck_assert_int_eq(unlinkat(scratch_fd, images[i], AT_REMOVEDIR), 0);
        ck_assert_int_eq(renameat(scratch_fd, "tree/aside", scratch_fd, images[i]), 0);
    }
    free(template_path);
    template_path = strdup("/proc/sys/kernel/random/uuid"); /* another one at each reading */
    fails(0, VQEMU_ERR_CHANGED, "/proc/sys/kernel/random/uuid changed while it was being read");
    free(template_path);
    template_path = strdup("/proc/self/mem"); /* a regular file that cannot be read */
    fails(0, VQEMU_ERR_SYSTEM, "cannot read /proc/self/mem");
    free(code_path);
    code_path = strdup("/proc/self/mem");
    fails(0, VQEMU_ERR_SYSTEM, "cannot read /proc/self/mem");
}
END_TEST

START_TEST(only_a_regular_file_is_a_store) {
    static const uint32_t flags[] = {0, NVRAM_KEEP_VARIABLES, NVRAM_RESET_VARIABLES};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(symlinkat("../tree/VARS.fd", scratch_fd, "state/nvram.fd"), 0);
        fails(flags[i], VQEMU_ERR_REFUSED, "nvram.fd is a symbolic link; give the path that it");
        ck_assert_int_eq(unlinkat(scratch_fd, "state/nvram.fd", 0), 0);
        ck_assert_int_eq(mkdirat(scratch_fd, "state/nvram.fd", 0755), 0);
        fails(flags[i], VQEMU_ERR_INVALID, "nvram.fd is not a regular file");
        ck_assert_int_eq(unlinkat(scratch_fd, "state/nvram.fd", AT_REMOVEDIR), 0);
        ck_assert_int_eq(mkfifoat(scratch_fd, "state/nvram.fd", 0600), 0);
        fails(flags[i], VQEMU_ERR_INVALID, "nvram.fd is not a regular file");
        ck_assert_int_eq(unlinkat(scratch_fd, "state/nvram.fd", 0), 0);
    }
}
END_TEST

START_TEST(a_directory_in_place_of_other_files_changes_nothing) {
    prepares(0);
    ck_assert_int_eq(mkdirat(scratch_fd, "state/nvram.fd.old", 0755), 0);
    fails(NVRAM_RESET_VARIABLES, VQEMU_ERR_SYSTEM, "nvram.fd.old: Is a directory");
    ck_assert_int_eq(mkdirat(scratch_fd, "state/" LEFTOVER_PREFIX "nvram.fd", 0755), 0);
    fails(NVRAM_RESET_VARIABLES, VQEMU_ERR_SYSTEM, "cannot make ");
    holds("state/nvram.fd", "vars");
    prepares(0);
}
END_TEST

START_TEST(a_store_in_use_is_not_reset) {
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 1};
    prepares(0);
    _cleanup_close_ int fd = open(store_path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &lock), 0); /* as QEMU does */
    fails(NVRAM_RESET_VARIABLES, VQEMU_ERR_BUSY, "is in use: stop the VM before");
    prepares(0);
    cleanup_close(&fd);
    fd = -1;
    prepares(NVRAM_RESET_VARIABLES);
}
END_TEST

START_TEST(others_are_not_waited_for_without_end) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *directory = scratch_path("state");
    _cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    vqemu_call *call = make_call(VQEMU_CALL_LOCK_TIMEOUT_MS, 50);
    ck_assert_int_eq(prepare_by(0, call, &error), VQEMU_ERR_BUSY);
    ck_assert_str_eq(vqemu_error_reason(error), "locked");
    ck_assert_int_eq(count_entries("state"), 0);
    ck_assert_int_eq(flock(fd, LOCK_UN), 0);
    ck_assert_int_eq(prepare_by(0, call, NULL), 0);
    vqemu_call_cancel(call);
    ck_assert_int_eq(prepare_by(NVRAM_RESET_VARIABLES, call, NULL), VQEMU_ERR_CANCELLED);
    ck_assert_int_eq(count_entries("state"), 2);
    vqemu_call_unref(call);
}
END_TEST

/* ---- other processes ---- */

/* Run prepare() in a process of its own, and return the failure's errno; 0 if it succeeds. */
static int errno_as(void (*become)(void), uint32_t flags) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        vqemu_error *error = NULL;
        become();
        int r = prepare_with(flags, &error);
        int system_errno = r == VQEMU_ERR_READ_ONLY ? EROFS : vqemu_error_errno(error);
        vqemu_error_free(error);
        _exit(r == 0 ? 0 : system_errno ? system_errno : 255);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void become_nobody(void) {
    if (getuid() == 0 && setuid(65534) < 0)
        _exit(254);
}

static void have_no_room(void) {
    const struct rlimit none = {0, 0};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &none) < 0)
        _exit(254);
}

START_TEST(a_read_only_directory_can_have_a_store) {
    ck_assert_int_eq(fchmodat(scratch_fd, "state", 0555, 0), 0);
    ck_assert_int_eq(errno_as(become_nobody, 0), EACCES);
    ck_assert_int_eq(fchmodat(scratch_fd, "state", 0755, 0), 0);
    prepares(0);
    ck_assert_int_eq(fchmodat(scratch_fd, "state/nvram.fd", 0444, 0), 0);
    ck_assert_int_eq(fchmodat(scratch_fd, "state/nvram.fd.firmware", 0444, 0), 0);
    ck_assert_int_eq(fchmodat(scratch_fd, "state", 0555, 0), 0);
    ck_assert_int_eq(errno_as(become_nobody, 0), 0);
    ck_assert_int_eq(errno_as(become_nobody, NVRAM_RESET_VARIABLES), EACCES);
    ck_assert_int_eq(fchmodat(scratch_fd, "state/nvram.fd.firmware", 0, 0), 0);
    ck_assert_int_eq(errno_as(become_nobody, NVRAM_KEEP_VARIABLES), EACCES);
    ck_assert_int_eq(fchmodat(scratch_fd, "state", 0755, 0), 0);
}
END_TEST

START_TEST(a_store_that_cannot_be_read_is_an_error) {
    prepares(0);
    ck_assert_int_eq(fchmodat(scratch_fd, "state/nvram.fd.firmware", 0444, 0), 0);
    ck_assert_int_eq(fchmodat(scratch_fd, "state/nvram.fd", 0, 0), 0);
    ck_assert_int_eq(errno_as(become_nobody, 0), EACCES);
    ck_assert_int_eq(errno_as(become_nobody, NVRAM_RESET_VARIABLES), EACCES);
}
END_TEST

START_TEST(a_full_disk_changes_nothing) {
    ck_assert_int_eq(errno_as(have_no_room, 0), EFBIG);
    ck_assert_int_eq(count_entries("state"), 0);
    prepares(0);
    write_file("state/nvram.fd", "VARS", 0600);
    write_file("tree/CODE.fd", "new code", 0444);
    ck_assert_int_eq(errno_as(have_no_room, NVRAM_RESET_VARIABLES), EFBIG);
    ck_assert_int_eq(errno_as(have_no_room, NVRAM_KEEP_VARIABLES), EFBIG);
    holds("state/nvram.fd", "VARS");
    is_recorded("code", "vars");
    ck_assert_int_eq(count_entries("state"), 2);
}
END_TEST

static bool makes_the_store_once(void) {
    if (prepare_with(0, NULL) < 0 || !exists("state/nvram.fd.firmware"))
        return false;
    struct stat made = stat_of("state/nvram.fd");
    bool stays = prepare_with(0, NULL) == 0 && stat_of("state/nvram.fd").st_ino == made.st_ino;
    return stays && made.st_size == 300000;
}

START_TEST(many_processes_make_one_store) {
    _cleanup_free_ char *vars = format_string("%0300000d", 0);
    write_file("tree/VARS.fd", vars, 0644);
    int gate[2];
    char token;
    ck_assert_int_eq(pipe2(gate, O_CLOEXEC), 0);
    for (int i = 0; i < PROCESSES; i++) {
        if (fork() == 0) {
            free(vars);
            close(gate[1]);
            if (read(gate[0], &token, 1) != 0) /* they start at once */
                _exit(1);
            _exit(makes_the_store_once() ? 0 : 1);
        }
    }
    close(gate[0]);
    close(gate[1]);
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    holds("state/nvram.fd", vars);
    is_recorded("code", vars);
    ck_assert_int_eq(count_entries("state"), 2);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("nvram");
    TCase *tests = tcase_create("nvram");
    tcase_add_checked_fixture(tests, make_directory, remove_directory);
    tcase_add_test(tests, a_store_is_made_from_the_template);
    tcase_add_loop_test(tests, flags_make_no_difference_to_a_new_store, 0, 2);
    tcase_add_test(tests, a_store_that_is_there_stays);
    tcase_add_test(tests, zeros_take_no_room);
    tcase_add_test(tests, what_a_crash_left_is_used_or_replaced);
    tcase_add_test(tests, the_same_firmware_elsewhere_is_the_same);
    tcase_add_test(tests, other_firmware_is_refused);
    tcase_add_test(tests, another_template_is_refused);
    tcase_add_test(tests, a_reset_keeps_the_old_store);
    tcase_add_test(tests, a_store_without_record_is_refused);
    tcase_add_test(tests, a_record_is_a_small_regular_file);
    tcase_add_test(tests, the_size_is_that_of_the_template);
    tcase_add_test(tests, a_qcow2_store_can_grow);
    tcase_add_test(tests, a_path_names_a_file_in_a_directory);
    tcase_add_test(tests, images_are_files);
    tcase_add_test(tests, only_a_regular_file_is_a_store);
    tcase_add_test(tests, a_directory_in_place_of_other_files_changes_nothing);
    tcase_add_test(tests, a_store_in_use_is_not_reset);
    tcase_add_test(tests, others_are_not_waited_for_without_end);
    tcase_add_test(tests, a_read_only_directory_can_have_a_store);
    tcase_add_test(tests, a_store_that_cannot_be_read_is_an_error);
    tcase_add_test(tests, a_full_disk_changes_nothing);
    tcase_add_test(tests, many_processes_make_one_store);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
