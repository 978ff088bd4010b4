/* SPDX-License-Identifier: MIT */
/*
 * The stamp of a tree, as it is and with its last line made good: what it says lies in the tree.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "fuzz.h"
#include "store/record.h"
#include "tree/stamp.h"
#include "util/strbuf.h"

#define STAMP "tree-of-stamp/" TREE_STAMP_NAME

static void check_line(const struct stamp_line *line) {
    FUZZ_CHECK(line->path && !strchr(line->path, '\n'), "a line without a path of its own");
    if (line->is_directory)
        return;
    FUZZ_CHECK(line->file.how < PLACEMENT_COUNT, "a file that came from nowhere");
    FUZZ_CHECK(placement_name(line->file.how), "a way without a name");
    placement_reason_name(line->file.reason);
}

static void check_layout(const char *text, const struct layout *layout) {
    FUZZ_CHECK(!layout->loader || layout->has_program, "a loader without a program");
    FUZZ_CHECK(!layout->module_dir || !strchr(layout->module_dir, '\n'), "two lines of modules");
    char *programs = stamp_list_programs(text);
    FUZZ_CHECK(programs && *programs && !strchr(programs, '\n'), "no list of programs");
    free(programs);
}

/* The digest in the first line is the one that is asked for. */
static void take_digest(const char *text, char digest[DIGEST_HEX_LENGTH + 1]) {
    size_t line = strcspn(text, "\n");
    const char *start = text + line;
    for (; start > text && start[-1] != ' '; start--)
        continue;
    snprintf(digest, DIGEST_HEX_LENGTH + 1, "%.*s", (int)strcspn(start, "\n"), start);
}

static void read_stamp(int tree_fd, bool start_only) {
    char *text = NULL, digest[DIGEST_HEX_LENGTH + 1];
    int r = stamp_read(tree_fd, 0, start_only, &text);
    FUZZ_CHECK(r <= 0 && !text == (r < 0), "the result %d of reading", r);
    if (r < 0)
        return;
    char *whole = strdup(text), *list = text;
    struct layout layout;
    struct stamp_line line;
    bool broken = false;
    FUZZ_CHECK(whole, "no memory");
    take_digest(text, digest);
    if (stamp_take_layout(&list, digest, "qemu-system-x86_64", &layout)) {
        FUZZ_CHECK(!layout.loader || strncmp(layout.loader, "lib/", 4) == 0, "a loader %s",
                   layout.loader);
        FUZZ_CHECK(!layout.module_dir || strncmp(layout.module_dir, "lib/", 4) == 0,
                   "modules in %s", layout.module_dir);
        check_layout(whole, &layout);
        while (stamp_take_line(&list, &line, &broken))
            check_line(&line);
        FUZZ_CHECK(broken || *list == '\0', "a list that is whole ends before its end");
    }
    free(whole);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static int tree_fd = -1;
    fuzz_begin(data, size);
    fuzz_write(STAMP, data, size);
    if (tree_fd < 0)
        tree_fd = openat(fuzz_scratch_fd(), "tree-of-stamp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    read_stamp(tree_fd, false);
    read_stamp(tree_fd, true);
    struct strbuf sealed = {0};
    strbuf_add_bytes(&sealed, data, size);
    strbuf_add(&sealed, "");
    record_seal(&sealed);
    FUZZ_CHECK(!sealed.failed, "no memory");
    fuzz_write(STAMP, sealed.text, sealed.length);
    read_stamp(tree_fd, false);
    read_stamp(tree_fd, true);
    strbuf_release(&sealed);
    return 0;
}
