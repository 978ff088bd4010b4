/* SPDX-License-Identifier: MIT */
#include "unit/quote.h"

#include <string.h>

#include "util/beneath.h"
#include "util/utf8.h"

/* U+FFFE, U+FFFF and the like: UTF-8, but systemd does not take them for text. */
static bool is_noncharacter(const char *sequence, int length) {
    const unsigned char *b = (const unsigned char *)sequence;
    if (length == 3)
        return b[0] == 0xef &&
               ((b[1] == 0xb7 && b[2] >= 0x90 && b[2] <= 0xaf) || (b[1] == 0xbf && b[2] >= 0xbe));
    return length == 4 && (b[1] & 0x0f) == 0x0f && b[2] == 0xbf && b[3] >= 0xbe;
}

/* The length of the character at text as systemd sees it; 0 if it sees none. */
static int character_length(const char *text) {
    int length = utf8_sequence_length(text);
    return is_noncharacter(text, length) ? 0 : length;
}

bool unit_is_text(const char *text) {
    while (*text) {
        int length = character_length(text);
        if (length == 0)
            return false;
        text += length;
    }
    return true;
}

static bool is_control(char c) {
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/*
 * A word of a command line or of Environment= (systemd.syntax(7), "Quoting"). $ needs no escape in
 * either: ExecStart= is written with the prefix ":".
 */
void unit_add_word(struct strbuf *line, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./,:=+@";
    if (*word && strspn(word, plain) == strlen(word)) {
        strbuf_add(line, word);
        return;
    }
    strbuf_add_char(line, '"');
    for (const char *c = word; *c; c++) {
        if (*c == '\\' || *c == '"')
            strbuf_addf(line, "\\%c", *c);
        else if (*c == '%')
            strbuf_add(line, "%%");
        else if (*c == '\n')
            strbuf_add(line, "\\n");
        else if (is_control(*c) || (unsigned char)*c >= 0x80)
            strbuf_addf(line, "\\x%02x", (unsigned)(unsigned char)*c);
        else
            strbuf_add_char(line, *c);
    }
    strbuf_add_char(line, '"');
}

static bool has_control(const char *text) {
    while (*text && !is_control(*text))
        text++;
    return *text != '\0';
}

bool unit_add_path(struct strbuf *line, const char *path) {
    if (has_control(path) || !unit_is_text(path) || path_climbs(path))
        return false;
    strbuf_add_char(line, '"');
    for (const char *c = path; *c; c++) {
        if (*c == '\\' || *c == '"' || *c == '%')
            strbuf_add_char(line, *c == '%' ? '%' : '\\');
        strbuf_add_char(line, *c);
    }
    strbuf_add_char(line, '"');
    return true;
}

/* Free text to the end of the line: only % is special. What cannot stand there becomes "?". */
static void add_text(struct strbuf *line, const char *text, bool is_title) {
    while (*text) {
        int length = character_length(text);
        bool deceives = is_title && utf8_is_deceptive(utf8_decode(text, length));
        if (length == 0 || is_control(*text) || deceives)
            strbuf_add_char(line, '?');
        else if (*text == '%')
            strbuf_add(line, "%%");
        else
            strbuf_add_bytes(line, text, (size_t)length);
        text += length ? length : 1;
    }
}

void unit_add_text(struct strbuf *line, const char *text) {
    add_text(line, text, false);
}

void unit_add_title(struct strbuf *line, const char *text) {
    add_text(line, text, true);
}

bool unit_is_plain_program(const char *path) {
    return !has_control(path) && !strpbrk(path, "\"'\\");
}

/* A directory is written without quotes, so blanks and a backslash at the end would be lost. */
bool unit_is_plain_directory(const char *path) {
    return !has_control(path) && unit_is_text(path) && !strchr(" \\", path[strlen(path) - 1]);
}
