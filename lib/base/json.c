/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/call.h"
#include "base/error.h"
#include "base/json-key.h"
#include "util/fd.h"
#include "util/strbuf.h"

/* Where nesting gets too deep; NULL if it does not. jansson alone would recurse 2,048 levels. */
static const char *find_too_deep(const char *text, size_t size) {
    int depth = 0;
    const char *end = text + size;
    for (const char *c = text; c < end; c++) {
        if (*c == '"')
            c = json_string_end(c, end) - 1;
        else if ((*c == '{' || *c == '[') && ++depth > JSON_DEPTH_MAX)
            return c;
        else if (*c == '}' || *c == ']')
            depth--;
    }
    return NULL;
}

static int line_of(const char *text, const char *position) {
    int line = 1;
    for (; text < position; text++)
        line += *text == '\n';
    return line;
}

/* ---- what jansson may have lost ---- */

/*
 * Where its buffer cannot grow, jansson 2.14 drops a byte of a string or number, and says nothing.
 * So what it has read is measured, and the text as well.
 */
struct measure {
    size_t bytes;  /* of all strings and keys, without escapes */
    size_t digits; /* of all integers */
    bool has_real; /* then digits mean nothing */
};

/* The bytes in UTF-8 of a character "\uXXXX", of which *text is the u; goes on to its last digit.
 */
static size_t measure_escape(const char **text) {
    char digits[5] = {0};
    memcpy(digits, *text + 1, 4);
    unsigned long unit = strtoul(digits, NULL, 16);
    bool is_pair = unit >= 0xd800 && unit < 0xdc00;
    *text += is_pair ? strlen("uXXXX\\uXXX") : strlen("uXXX");
    return is_pair ? 4 : unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
}

/* Of text that is known to be good. */
static struct measure measure_text(const char *text, size_t size) {
    struct measure measure = {0};
    bool in_string = false;
    for (const char *c = text; c < text + size; c++) {
        if (*c == '"') {
            in_string = !in_string;
        } else if (!in_string) {
            measure.digits += *c >= '0' && *c <= '9';
        } else if (*c == '\\' && *++c == 'u') {
            measure.bytes += measure_escape(&c);
        } else {
            measure.bytes++;
        }
    }
    return measure;
}

static void measure_value(json_t *value, struct measure *measure) {
    json_t *element;
    const char *key;
    size_t index;
    char number[24];
    if (json_is_string(value))
        measure->bytes += json_string_length(value);
    if (json_is_integer(value))
        measure->digits += (size_t)snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT,
                                            json_integer_value(value)) -
                           (json_integer_value(value) < 0);
    measure->has_real = measure->has_real || json_is_real(value);
    json_array_foreach(value, index, element) measure_value(element, measure);
    json_object_foreach(value, key, element) {
        measure->bytes += strlen(key);
        measure_value(element, measure);
    }
}

static bool is_whole(json_t *root, const char *text, size_t size) {
    const struct measure expected = measure_text(text, size);
    struct measure actual = {0};
    measure_value(root, &actual);
    return actual.bytes == expected.bytes && (actual.has_real || actual.digits == expected.digits);
}

/* ---- faults ---- */

/* What is parsed, and what a value that cannot be is called: VQEMU_ERR_INVALID in documents that
 * people write. */
struct input {
    const char *text;
    size_t size;
    const char *source;
    int bad_value;
};

/* Faults of one key, in our own words. The text up to them is good. */
static const struct key_fault {
    enum json_error_code fault;
    bool is_of_value;
    const char *reason, *words;
} key_faults[] = {
    {json_error_duplicate_key, false, "key-twice", "the key is there twice"},
    {json_error_null_byte_in_key, false, "nul", "a key cannot have \\u0000"},
    {json_error_null_character, true, "nul", "a text cannot have \\u0000"},
    {json_error_numeric_overflow, true, "out-of-range", "is beyond the numbers of 64 bits"},
};

static const struct key_fault *find_key_fault(const json_error_t *fault) {
    for (size_t i = 0; i < sizeof key_faults / sizeof key_faults[0]; i++)
        if (key_faults[i].fault == json_error_code(fault))
            return &key_faults[i];
    return NULL;
}

/* The number that ends a text; owned by the caller, NULL without memory. */
static char *number_at_end(const char *text, const char *end) {
    const char *start = end;
    while (start > text && start[-1] && strchr("+-.0123456789eE", start[-1]))
        start--;
    return strndup(start, (size_t)(end - start));
}

static int refuse_key(const struct input *input, const json_error_t *fault,
                      const struct key_fault *what, vqemu_error **error) {
    const char *end = input->text + fault->position;
    bool is_number = what->fault == json_error_numeric_overflow;
    _cleanup_free_ char *key = json_key_at_end(input->text, (size_t)fault->position);
    _cleanup_free_ char *number = is_number ? number_at_end(input->text, end) : strdup("");
    if (!key || !number)
        return error_no_memory(error);
    const char *dots = strlen(number) > 40 ? "..." : "";
    int r = error_set(error, what->is_of_value ? input->bad_value : VQEMU_ERR_MALFORMED, 0,
                      "%s:%d:%d: %s: %.40s%s%s%s", input->source, fault->line, fault->column, key,
                      number, dots, is_number ? " " : "", what->words);
    return error_because(r, error, what->reason, VQEMU_DETAIL_KEY, key, VQEMU_DETAIL_VALUE,
                         is_number ? number : NULL, NULL);
}

static int refuse_text(const struct input *input, const json_error_t *fault, vqemu_error **error) {
    const struct key_fault *what = find_key_fault(fault);
    /* jansson says nothing at all where some of its allocations fail. */
    if (json_error_code(fault) == json_error_out_of_memory || !*fault->text)
        return error_no_memory(error);
    int r = what ? refuse_key(input, fault, what, error)
                 : error_set(error, VQEMU_ERR_MALFORMED, 0, "%s:%d:%d: %s", input->source,
                             fault->line, fault->column, fault->text);
    return error_at_line(r, error, fault->line);
}

/* ---- parsing ---- */

static int parse(const struct input *input, json_t **object, vqemu_error **error) {
    *object = NULL;
    const char *too_deep = find_too_deep(input->text, input->size);
    if (too_deep) {
        int line = line_of(input->text, too_deep);
        int r = error_set(error, VQEMU_ERR_MALFORMED, 0, "%s:%d: nested deeper than %d levels",
                          input->source, line, JSON_DEPTH_MAX);
        return error_at_line(r, error, line);
    }
    json_error_t fault;
    _cleanup_json_ json_t *root =
        json_loadb(input->text, input->size, JSON_REJECT_DUPLICATES, &fault);
    if (!root)
        return refuse_text(input, &fault, error);
    if (!is_whole(root, input->text, input->size))
        return error_no_memory(error);
    if (!json_is_object(root))
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: not a JSON object", input->source);
    *object = TAKE_POINTER(root);
    return 0;
}

int json_parse_object(const char *text, size_t size, const char *source, json_t **object,
                      vqemu_error **error) {
    const struct input input = {text, size, source, VQEMU_ERR_MALFORMED};
    return parse(&input, object, error);
}

static int reading_failed(int r, const char *source, size_t limit, vqemu_error **error) {
    if (r == -EFBIG)
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: larger than %zu bytes", source, limit);
    return r < 0 ? error_system_at(error, -r, "cannot read", "%s", source) : 0;
}

int json_read_fd(int fd, const char *source, size_t limit, char **text, size_t *size,
                 vqemu_error **error) {
    return reading_failed(read_all(fd, limit, text, size), source, limit, error);
}

/* An error of poll(2) is for read(2) to tell. */
static int wait_for_input(int fd, void *call) {
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    const int interval = 100; /* milliseconds */
    for (;;) {
        if (call_check(call, "", NULL) < 0)
            return -ECANCELED;
        int r = poll(&poll_fd, 1, interval);
        if (r > 0 || (r < 0 && errno != EINTR))
            return 0;
    }
}

int json_read_pipe(int fd, const char *source, size_t limit, vqemu_call *call, char **text,
                   size_t *size, vqemu_error **error) {
    int r = read_all_patiently(fd, limit, wait_for_input, call, text, size);
    return r == -ECANCELED ? call_check(call, source, error)
                           : reading_failed(r, source, limit, error);
}

int json_open_file(const char *path, int *fd, vqemu_error **error) {
    /* O_NONBLOCK: opening a FIFO must not hang. */
    _cleanup_close_ int opened = open_at(AT_FDCWD, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
    struct stat status;
    if (opened < 0 || fstat(opened, &status) < 0)
        return error_system_at(error, opened < 0 ? -opened : errno, "cannot open", "%s", path);
    if (!S_ISREG(status.st_mode))
        return error_set(error, VQEMU_ERR_INVALID, 0, "%s is not a regular file", path);
    *fd = take_fd(&opened);
    return 0;
}

static int add_dumped(const char *bytes, size_t size, void *buffer) {
    strbuf_add_bytes(buffer, bytes, size);
    return 0;
}

/* Not json_dumps(): its text would have to be freed by the allocator that jansson uses. */
static int dump(const json_t *value, size_t flags, const char *end, char **text,
                vqemu_error **error) {
    struct strbuf buffer = {0};
    if (json_dump_callback(value, add_dumped, &buffer, flags) < 0)
        buffer.failed = true;
    strbuf_add(&buffer, end);
    *text = strbuf_take(&buffer);
    return *text ? 0 : error_no_memory(error);
}

int json_to_text(const json_t *value, char **text, vqemu_error **error) {
    return dump(value, JSON_INDENT(2), "\n", text, error);
}

int json_to_line(const json_t *value, char **text, vqemu_error **error) {
    return dump(value, JSON_COMPACT | JSON_ENCODE_ANY, "", text, error);
}

const char *json_text(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* ---- documents that people write ---- */

#define DOCUMENT_LIMIT ((size_t)1024 * 1024)

static int drop_schema(json_t *document, const char *source, vqemu_error **error) {
    const json_t *schema = json_object_get(document, JSON_SCHEMA_KEY);
    if (!schema)
        return 0;
    if (!json_is_string(schema)) {
        int r = error_set(error, VQEMU_ERR_INVALID, 0, JSON_SCHEMA_KEY ": not a string");
        r = error_because(r, error, "wrong-kind", VQEMU_DETAIL_KEY, JSON_SCHEMA_KEY, NULL);
        return error_prefix(r, error, "%s: ", source);
    }
    json_object_del(document, JSON_SCHEMA_KEY);
    return 0;
}

int json_parse_document(const char *text, size_t size, const char *source, json_t **document,
                        vqemu_error **error) {
    if (size > DOCUMENT_LIMIT)
        return error_set(error, VQEMU_ERR_MALFORMED, 0, "%s: larger than %zu bytes", source,
                         DOCUMENT_LIMIT);
    const struct input input = {text, size, source, VQEMU_ERR_INVALID};
    int r = parse(&input, document, error);
    return r < 0 ? r : drop_schema(*document, source, error);
}

int json_read_document(const char *path, char **text, size_t *size, vqemu_error **error) {
    _cleanup_close_ int fd = -1;
    int r = json_open_file(path, &fd, error);
    return r < 0 ? r : json_read_fd(fd, path, DOCUMENT_LIMIT, text, size, error);
}
