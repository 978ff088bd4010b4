/* SPDX-License-Identifier: MIT */
/* The folders of tests/cases/<set>/, each with an input and what must come out. */
#ifndef TEST_CASES_H
#define TEST_CASES_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "util/cleanup.h"
#include "util/fd.h"
#include "util/strbuf.h"

#define CASES_MAX 1000

static const char *case_set;
static char *case_names[CASES_MAX];
static int case_count;

static inline void find_cases(const char *set) {
    struct dirent **entries;
    _cleanup_free_ char *path = format_string("%s/%s", getenv("TEST_DATA"), set);
    case_set = set;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count > CASES_MAX) /* none is passed over */
        abort();
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_type == DT_DIR && entries[i]->d_name[0] != '.' && case_count < CASES_MAX)
            case_names[case_count++] = strdup(entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

static inline void forget_cases(void) {
    while (case_count > 0)
        free(case_names[--case_count]);
}

static inline char *case_path(int index, const char *file) {
    return format_string("%s/%s/%s/%s", getenv("TEST_DATA"), case_set, case_names[index], file);
}

/* The content of a file of a case; NULL if there is no such file. */
static inline char *read_case_file(int index, const char *file, size_t *size) {
    _cleanup_free_ char *path = case_path(index, file);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = NULL;
    if (fd < 0)
        return NULL;
    ck_assert_int_eq(read_all(fd, (size_t)1 << 24, &text, size), 0);
    return text;
}

/* The expected error without its newline; "" if the case must succeed. */
static inline char *read_case_error(int index) {
    size_t size;
    char *error = read_case_file(index, "error", &size);
    if (!error)
        return strdup("");
    error[strcspn(error, "\n")] = '\0';
    return error;
}

#endif
