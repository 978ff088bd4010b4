/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/elf-file.h"
#include "run.h"
#include "util/arena.h"
#include "util/cleanup.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/join.h"
#include "util/path.h"
#include "util/rfc3339.h"
#include "util/strbuf.h"
#include "util/strv.h"
#include "util/utf8.h"

static const char template[] = "/tmp/test-util-XXXXXX";
static char directory[sizeof template];
static int directory_fd = -1;

static void make_directory(void) {
    strcpy(directory, template);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(directory_fd, 0);
}

static void remove_directory(void) {
    close(directory_fd);
    ck_assert_int_eq(remove_tree(AT_FDCWD, directory), 0);
}

static void write_file(const char *name, const char *content) {
    _cleanup_close_ int fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write_all(fd, content, strlen(content)), 0);
}

/* FIPS 180-2, appendix B. */
START_TEST(digests_are_sha256) {
    static const struct {
        const char *text, *hex;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct digest digest = digest_of_bytes(cases[i].text, strlen(cases[i].text));
        ck_assert_str_eq(digest.hex, cases[i].hex);
    }
}
END_TEST

START_TEST(a_digest_does_not_depend_on_the_pieces) {
    unsigned char bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 7);
    struct digest whole = digest_of_bytes(bytes, sizeof bytes);
    for (size_t piece = 1; piece <= sizeof bytes; piece++) {
        struct digest_state state;
        digest_start(&state);
        for (size_t i = 0; i < sizeof bytes; i += piece)
            digest_add(&state, bytes + i, piece < sizeof bytes - i ? piece : sizeof bytes - i);
        struct digest digest = digest_finish(&state);
        ck_assert(digest_equal(&digest, &whole));
    }
}
END_TEST

START_TEST(utf8_is_told_from_other_bytes) {
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"", true},
        {"plain", true},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", true},
        {"\xf4\x8f\xbf\xbf", true},  /* U+10FFFF */
        {"\xf4\x90\x80\x80", false}, /* beyond */
        {"\xc0\x80", false},         /* overlong */
        {"\xe0\x80\x80", false},
        {"\xf0\x80\x80\x80", false},
        {"\xed\xa0\x80", false}, /* a surrogate */
        {"\xff", false},
        {"\x80", false},
        {"\xc3", false},
        {"\xe2\x82", false},
        {"a\xc3(", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(utf8_is_valid(cases[i].text) == cases[i].valid, "case %zu", i);
}
END_TEST

START_TEST(times_compare_across_offsets) {
    static const char *const ascending[] = {
        "0001-01-01T00:00:00Z",           "1969-12-31T23:59:59.999Z",  "1970-01-01T00:00:00Z",
        "2024-02-29T12:00:00+14:00",      "2024-02-29T00:00:00-01:00", "2025-01-31T10:00:00.1Z",
        "2025-01-31T10:00:00.100000001z", "2025-01-31t10:00:01Z",      "2025-06-30T23:59:60Z",
        "9999-12-31T23:59:59Z",
    };
    struct timespec previous, time;
    for (size_t i = 0; i < sizeof ascending / sizeof ascending[0]; i++) {
        ck_assert_msg(rfc3339_parse(ascending[i], &time), "%s", ascending[i]);
        if (i > 0)
            ck_assert_msg(timespec_compare(&previous, &time) < 0, "%s", ascending[i]);
        previous = time;
    }
}
END_TEST

START_TEST(a_time_survives_being_written) {
    const struct timespec times[] = {{0, 0}, {1738317600, 123456789}, {-1, 999999999}};
    for (size_t i = 0; i < 3; i++) {
        char text[RFC3339_SIZE];
        struct timespec time;
        ck_assert(rfc3339_format(&times[i], text));
        ck_assert(rfc3339_parse(text, &time));
        ck_assert_int_eq(timespec_compare(&times[i], &time), 0);
    }
}
END_TEST

START_TEST(buffers_grow) {
    struct strbuf buffer = {0};
    for (int i = 0; i < 10000; i++)
        strbuf_addf(&buffer, "%d,", i % 10);
    _cleanup_free_ char *text = strbuf_take(&buffer);
    ck_assert_uint_eq(strlen(text), 20000);
    ck_assert_ptr_null(buffer.text);
    _cleanup_strv_ struct strv vector = {0};
    for (int i = 0; i < 1000; i++)
        strv_addf(&vector, "%d", i);
    ck_assert_uint_eq(vector.count, 1000);
    ck_assert_str_eq(vector.items[999], "999");
    ck_assert_ptr_null(vector.items[1000]);
    strv_take_in(&vector, NULL); /* as from a failed allocation */
    ck_assert(vector.failed);
}
END_TEST

/* More than a block of the arena. Under AddressSanitizer: nothing is freed twice, or left. */
START_TEST(strings_live_in_an_arena) {
    struct arena arena = {0};
    struct strv vector = {.arena = &arena};
    for (int i = 0; i < 1000; i++)
        strv_addf(&vector, "string %d", i);
    strv_add_bytes(&vector, "of which the end is left out", 8);
    strv_take_in(&vector, strdup("taken in"));
    strv_remove(&vector, 0);
    ck_assert_uint_eq(vector.count, 1001);
    ck_assert_str_eq(vector.items[0], "string 1");
    ck_assert_str_eq(vector.items[998], "string 999");
    ck_assert_str_eq(vector.items[999], "of which");
    ck_assert_str_eq(vector.items[1000], "taken in");
    ck_assert_ptr_null(vector.items[1001]);
    ck_assert(!vector.failed && !arena.failed);
    strv_release(&vector);
    strv_add(&vector, "and again");
    ck_assert_str_eq(vector.items[0], "and again");
    strv_release(&vector);
    arena_release(&arena);
}
END_TEST

START_TEST(texts_are_joined) {
    char long_text[5000];
    memset(long_text, 'x', sizeof long_text);
    long_text[sizeof long_text - 1] = '\0';
    struct arena arena = {0};
    ck_assert_str_eq(arena_join(&arena, "one", NULL), "one");
    ck_assert_str_eq(arena_join(&arena, "one", "", "/", "two", NULL), "one/two");
    ck_assert_str_eq(arena_join(&arena, "", NULL), "");
    const char *joined = arena_join(&arena, long_text, "y", long_text, NULL);
    ck_assert_uint_eq(strlen(joined), 2 * strlen(long_text) + 1);
    ck_assert_uint_eq(strspn(joined, "x"), strlen(long_text));
    ck_assert_str_eq(joined + strlen(long_text) + 1, long_text);
    ck_assert_str_eq(arena_bytes(&arena, "beginning and end", 9), "beginning");
    ck_assert_str_eq(arena_bytes(&arena, "", 0), "");
    _cleanup_free_ char *texts = join_texts("one", "", "/", "two", NULL),
                        *one = join_texts("", NULL), *path = join_path("/a", "b/c");
    ck_assert_str_eq(texts, "one/two");
    ck_assert_str_eq(one, "");
    ck_assert_str_eq(path, "/a/b/c");
    ck_assert(!arena.failed);
    arena_release(&arena);
}
END_TEST

START_TEST(numbers_are_as_printf_has_them) {
    const uint64_t numbers[] = {0, 7, 8, 9, 10, 15, 16, 4095, UINT32_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        _cleanup_free_ char *wanted =
            format_string("%" PRIo64 " %" PRIu64 " %" PRIx64 " %04" PRIx64, numbers[i], numbers[i],
                          numbers[i], numbers[i]);
        _cleanup_strbuf_ struct strbuf text = {0};
        strbuf_add_number(&text, numbers[i], 8, 1);
        strbuf_add_char(&text, ' ');
        strbuf_add_number(&text, numbers[i], 10, 1);
        strbuf_add_char(&text, ' ');
        strbuf_add_number(&text, numbers[i], 16, 1);
        strbuf_add_char(&text, ' ');
        strbuf_add_number(&text, numbers[i], 16, 4);
        ck_assert_str_eq(text.text, wanted);
    }
}
END_TEST

/* Of all lengths about those that there is room for at first, and behind others. */
START_TEST(printed_texts_are_whole) {
    char wanted[5000];
    memset(wanted, 'x', sizeof wanted);
    struct arena arena = {0};
    for (size_t length = 0; length < 200; length++) {
        int size = (int)length;
        struct strbuf buffer = {0};
        strbuf_addf(&buffer, "%.*s", size, wanted);
        strbuf_addf(&buffer, "%.*s,", size, wanted);
        _cleanup_free_ char *text = strbuf_take(&buffer);
        ck_assert_uint_eq(strlen(text), 2 * length + 1);
        ck_assert_uint_eq(strspn(text, "x"), 2 * length);
        const char *first = arena_textf(&arena, "%.*s", size, wanted);
        const char *second = arena_textf(&arena, "%.*s,", size, wanted);
        ck_assert_uint_eq(strspn(first, "x"), length);
        ck_assert_uint_eq(strlen(first), length);
        ck_assert_uint_eq(strspn(second, "x"), length);
        ck_assert_str_eq(second + length, ",");
    }
    const char *large = arena_textf(&arena, "%.*s", (int)sizeof wanted, wanted);
    ck_assert_uint_eq(strlen(large), sizeof wanted);
    ck_assert(!arena.failed);
    arena_release(&arena);
}
END_TEST

START_TEST(paths_become_absolute) {
    _cleanup_free_ char *root = make_absolute("/"), *slashes = make_absolute("/a//"),
                        *relative = make_absolute("x/");
    _cleanup_free_ char *cwd = getcwd(NULL, 0);
    _cleanup_free_ char *expected = format_string("%s/x", cwd);
    ck_assert_str_eq(root, "/");
    ck_assert_str_eq(slashes, "/a");
    ck_assert_str_eq(relative, expected);
    ck_assert_int_eq(chdir("/"), 0);
    _cleanup_free_ char *at_root = make_absolute("x");
    ck_assert_int_eq(chdir(cwd), 0);
    ck_assert_str_eq(at_root, "/x");
}
END_TEST

START_TEST(reading_stops_at_the_limit) {
    static const size_t limits[] = {0, 4, 5, 6, 100000};
    write_file("file", "hello");
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        _cleanup_close_ int fd = openat(directory_fd, "file", O_RDONLY | O_CLOEXEC);
        _cleanup_free_ char *bytes = NULL;
        size_t size = 0;
        int r = read_all(fd, limits[i], &bytes, &size);
        ck_assert_int_eq(r, limits[i] < 5 ? -EFBIG : 0);
        if (r == 0)
            ck_assert(size == 5 && strcmp(bytes, "hello") == 0);
    }
}
END_TEST

START_TEST(a_tree_is_removed_but_nothing_that_it_links_to) {
    ck_assert_int_eq(mkdirat(directory_fd, "tree", 0755), 0);
    ck_assert_int_eq(mkdirat(directory_fd, "tree/sub", 0755), 0);
    ck_assert_int_eq(mkdirat(directory_fd, "kept", 0755), 0);
    write_file("tree/sub/file", "x");
    write_file("kept/file", "x");
    ck_assert_int_eq(symlinkat("../kept", directory_fd, "tree/link"), 0);
    ck_assert_int_eq(remove_tree(directory_fd, "tree"), 0);
    ck_assert_int_eq(faccessat(directory_fd, "tree", F_OK, 0), -1);
    ck_assert_int_eq(faccessat(directory_fd, "kept/file", F_OK, 0), 0);
    ck_assert_int_eq(remove_tree(directory_fd, "tree"), 0); /* no matter that it is gone */
}
END_TEST

/* Who makes it is not who removes it: each level takes a descriptor and some stack. */
START_TEST(what_lies_too_deep_is_not_removed) {
    _cleanup_free_ char *command = format_string("rm -rf %s/deep", directory);
    _cleanup_close_ int fd = duplicate_fd(directory_fd);
    ck_assert_int_eq(mkdirat(fd, "deep", 0755), 0);
    for (int level = 0; level <= DIRECTORY_DEPTH_MAX; level++) {
        int next = openat(fd, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(next, 0);
        close(fd);
        fd = next;
        ck_assert_int_eq(mkdirat(fd, "deep", 0755), 0);
    }
    ck_assert_int_eq(remove_tree(directory_fd, "deep"), -ENAMETOOLONG);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(no_path_is_no_directory) {
    _cleanup_free_ char *nothing = strdup("");
    ck_assert_int_eq(make_directories(directory_fd, nothing), -ENOENT);
}
END_TEST

START_TEST(a_rename_does_not_replace) {
    write_file("a", "a");
    write_file("b", "b");
    ck_assert_int_eq(rename_noreplace(directory_fd, "a", directory_fd, "b"), -EEXIST);
    ck_assert_int_eq(rename_noreplace(directory_fd, "a", directory_fd, "c"), 0);
    ck_assert_int_eq(faccessat(directory_fd, "a", F_OK, 0), -1);
}
END_TEST

START_TEST(a_program_says_what_it_needs) {
    struct elf_info info;
    _cleanup_close_ int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    elf_read(self, &info);
    ck_assert(info.is_elf && info.is_program);
    ck_assert_ptr_nonnull(info.arch);
    ck_assert_int_eq(info.loader[0], '/');
    write_file("script", "#!/bin/sh\n");
    write_file("cut", "\177ELF\2\1\1");
    static const char *const others[] = {"script", "cut"};
    for (size_t i = 0; i < 2; i++) {
        _cleanup_close_ int fd = openat(directory_fd, others[i], O_RDONLY | O_CLOEXEC);
        elf_read(fd, &info);
        ck_assert(!info.is_elf && !info.is_program && !info.loader[0]);
    }
}
END_TEST

static bool date_is_right(time_t seconds) {
    char text[RFC3339_SIZE], expected[RFC3339_SIZE];
    struct timespec time = {.tv_sec = seconds}, parsed;
    struct tm tm;
    if (!gmtime_r(&seconds, &tm) || !rfc3339_format(&time, text) || !rfc3339_parse(text, &parsed))
        return false;
    strftime(expected, sizeof expected, "-%m-%dT%H:%M:%S.000000000Z", &tm);
    return atoi(text) == tm.tm_year + 1900 && strcmp(text + 4, expected) == 0 &&
           parsed.tv_sec == seconds;
}

/* Every day of the years 0 to 9999 is what the C library says it is. */
START_TEST(dates_are_those_of_the_c_library) {
    const time_t first = -62167219200, end = 253402300800;
    char text[RFC3339_SIZE];
    for (time_t seconds = first + 86399; seconds < end; seconds += 86400)
        if (!date_is_right(seconds))
            ck_abort_msg("%jd", (intmax_t)seconds);
    ck_assert(!rfc3339_format(&(struct timespec){.tv_sec = first - 1}, text));
    ck_assert(!rfc3339_format(&(struct timespec){.tv_sec = end}, text));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("util");
    TCase *tests = tcase_create("util");
    tcase_add_checked_fixture(tests, make_directory, remove_directory);
    tcase_add_test(tests, digests_are_sha256);
    tcase_add_test(tests, a_digest_does_not_depend_on_the_pieces);
    tcase_add_test(tests, utf8_is_told_from_other_bytes);
    tcase_add_test(tests, times_compare_across_offsets);
    tcase_add_test(tests, a_time_survives_being_written);
    tcase_add_test(tests, buffers_grow);
    tcase_add_test(tests, strings_live_in_an_arena);
    tcase_add_test(tests, texts_are_joined);
    tcase_add_test(tests, numbers_are_as_printf_has_them);
    tcase_add_test(tests, printed_texts_are_whole);
    tcase_add_test(tests, paths_become_absolute);
    tcase_add_test(tests, reading_stops_at_the_limit);
    tcase_add_test(tests, a_tree_is_removed_but_nothing_that_it_links_to);
    tcase_add_test(tests, what_lies_too_deep_is_not_removed);
    tcase_add_test(tests, no_path_is_no_directory);
    tcase_add_test(tests, a_rename_does_not_replace);
    tcase_add_test(tests, a_program_says_what_it_needs);
    tcase_add_test(tests, dates_are_those_of_the_c_library);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
