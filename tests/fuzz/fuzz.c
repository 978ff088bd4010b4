/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/strbuf.h"

void fuzz_fail(const char *file, int line, const char *format, ...) {
    va_list arguments;
    fprintf(stderr, "%s:%d: broken promise: ", file, line);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

/* ---- messages ---- */

/* Take one character off text; -1 if it is not UTF-8. */
static int32_t next_character(const unsigned char **text) {
    const unsigned char *c = *text;
    int more = c[0] < 0x80 ? 0 : c[0] >= 0xf0 ? 3 : c[0] >= 0xe0 ? 2 : 1;
    static const int32_t least[] = {0, 0x80, 0x800, 0x10000};
    int32_t character = more == 0 ? c[0] : c[0] & (0x3f >> more);
    if ((c[0] >= 0x80 && c[0] < 0xc0) || c[0] > 0xf4)
        return -1;
    for (int i = 1; i <= more; i++) {
        if ((c[i] & 0xc0) != 0x80)
            return -1;
        character = character * 64 + (c[i] & 0x3f);
    }
    *text += more + 1;
    bool is_surrogate = character >= 0xd800 && character < 0xe000;
    return character < least[more] || character > 0x10ffff || is_surrogate ? -1 : character;
}

static bool is_between(int32_t character, int32_t first, int32_t last) {
    return character >= first && character <= last;
}

bool fuzz_is_printable(const char *text) {
    const unsigned char *next = (const unsigned char *)text;
    while (*next) {
        int32_t c = next_character(&next);
        if (c < 0x20 || is_between(c, 0x7f, 0x9f) || is_between(c, 0x2028, 0x202e) ||
            is_between(c, 0x2066, 0x2069) || is_between(c, 0x200e, 0x200f) || c == 0x61c)
            return false;
    }
    return true;
}

bool fuzz_is_utf8(const char *text) {
    const unsigned char *next = (const unsigned char *)text;
    while (*next)
        if (next_character(&next) < 0)
            return false;
    return true;
}

static const uint8_t *input;
static size_t input_size;

void fuzz_begin(const uint8_t *data, size_t size) {
    input = data;
    input_size = size;
}

char *fuzz_text(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    FUZZ_CHECK(text, "no memory");
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* What the input has in it may stand at the end of a message, as a path does. */
static bool ends_well(const char *message) {
    char last = message[strlen(message) - 1];
    return !strchr(". \n", last) || !input || memchr(input, last, input_size);
}

static bool is_word(const char *reason) {
    return *reason && strspn(reason, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(reason);
}

/* Of a failure: what people and programs read. */
static void check_error(int code, const vqemu_error *error) {
    const char *message = vqemu_error_message(error), *reason = vqemu_error_reason(error);
    FUZZ_CHECK(*message, "an empty message of the error %d", code);
    FUZZ_CHECK(fuzz_is_printable(message), "a message that is no printable line: %s", message);
    FUZZ_CHECK(ends_well(message), "a message that does not end in a word: \"%s\"", message);
    FUZZ_CHECK(is_word(reason), "the reason \"%s\" is no word", reason);
    FUZZ_CHECK(strcmp(vqemu_result_name(code), "unknown") != 0, "the unknown code %d", code);
}

int fuzz_check_result(int result, vqemu_error **error) {
    const char *message = vqemu_error_message(*error);
    FUZZ_CHECK(result <= 0, "a result of %d", result);
    FUZZ_CHECK(!*error == (result == 0), "the result %d with the message \"%s\"", result, message);
    FUZZ_CHECK(vqemu_error_code(*error) == result, "the result %d with the error %d: %s", result,
               vqemu_error_code(*error), message);
    if (result < 0)
        check_error(result, *error);
    vqemu_error_free(*error);
    *error = NULL;
    return result;
}

/* ---- files ---- */

static char scratch[128];
static int scratch_fd = -1;

static void remove_scratch(void) {
    close(scratch_fd);
    remove_tree(AT_FDCWD, scratch);
}

int fuzz_scratch_fd(void) {
    if (scratch_fd >= 0)
        return scratch_fd;
    const char *base = getenv("TMPDIR");
    if (!base || !*base)
        base = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(scratch, sizeof scratch, "%s/volt-fuzz-XXXXXX", base);
    FUZZ_CHECK(mkdtemp(scratch), "cannot make %s", scratch);
    scratch_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    FUZZ_CHECK(scratch_fd >= 0, "cannot open %s", scratch);
    atexit(remove_scratch);
    return scratch_fd;
}

const char *fuzz_scratch(void) {
    fuzz_scratch_fd();
    return scratch;
}

void fuzz_write(const char *path, const void *bytes, size_t size) {
    _cleanup_free_ char *full = format_string("%s/%s", fuzz_scratch(), path);
    FUZZ_CHECK(full, "no memory");
    unlink(full); /* it may be read-only */
    int fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) {
        _cleanup_free_ char *parent = strndup(full, (size_t)(base_name(full) - full - 1));
        FUZZ_CHECK(parent && make_directories(AT_FDCWD, parent) == 0, "cannot make %s", parent);
        fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    }
    FUZZ_CHECK(fd >= 0 && write_all(fd, bytes, size) == 0, "cannot write %s", full);
    close(fd);
}

size_t fuzz_count_entries(const char *path) {
    int fd = openat(fuzz_scratch_fd(), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    size_t count = 0;
    const struct dirent *entry;
    while (directory && (entry = readdir(directory)))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (directory)
        closedir(directory);
    return count;
}
