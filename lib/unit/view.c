/* SPDX-License-Identifier: MIT */
#include "unit/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "unit/plan.h"
#include "unit/quote.h"
#include "unit/route.h"
#include "util/cleanup.h"
#include "util/path.h"

/* Where programs and libraries are, here or on some distribution. */
static const char *const programs[] = {"/usr",   "/bin",    "/sbin",      "/lib",      "/lib32",
                                       "/lib64", "/libx32", "/nix/store", "/gnu/store"};

/* What programs read as they start, and has no secrets in it. */
static const char *const settings[] = {
    "/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/alternatives", "/etc/passwd",
    "/etc/group",       "/etc/nsswitch.conf", "/etc/localtime",
};

/* ---- places ---- */

static bool is_place(const struct view *view, const char *path) {
    for (size_t i = 0; i < view->place_count; i++)
        if (strcmp(view->places[i].path, path) == 0)
            return true;
    return false;
}

/* What is added twice is bound once, writable if it is to be so once. */
static void add_place(struct view *view, const char *path, bool is_writable) {
    for (size_t i = 0; i < view->place_count; i++) {
        if (strcmp(view->places[i].path, path) == 0) {
            view->places[i].is_writable = view->places[i].is_writable || is_writable;
            return;
        }
    }
    struct view_place *places = reallocarray(view->places, view->place_count + 1, sizeof *places);
    char *copy = places ? strdup(path) : NULL;
    if (places)
        view->places = places;
    if (copy)
        places[view->place_count++] = (struct view_place){copy, is_writable};
    else
        view->failed = true;
}

static int refuse(int code, const char *reason, const char *path, vqemu_error **error) {
    return error_because(code, error, reason, VQEMU_DETAIL_PATH, path, NULL);
}

static int check_path(const char *path, vqemu_error **error) {
    _cleanup_strbuf_ struct strbuf line = {0};
    if (unit_add_path(&line, path))
        return line.failed ? error_no_memory(error) : 0;
    return refuse(error_set(error, VQEMU_ERR_UNSUPPORTED, 0,
                            "a unit cannot name the path %s: it must be UTF-8 without control "
                            "characters",
                            path),
                  "path-in-unit", path, error);
}

int view_add_installed(struct view *view, const char *path, vqemu_error **error) {
    int r = check_path(path, error);
    if (r == 0)
        add_place(view, path, false);
    return r;
}

int view_add(struct view *view, const char *path, bool is_writable, vqemu_error **error) {
    _cleanup_free_ char *directory = NULL;
    int r = check_path(path, error);
    if (r < 0)
        return r;
    r = route_find_stranger(path, &directory);
    if (r == -ELOOP)
        return refuse(error_set(error, VQEMU_ERR_REFUSED, 0,
                                "%s goes by a link to a directory that others than root can "
                                "change; give the path that it leads to",
                                path),
                      "symbolic-link", path, error);
    if (r < 0)
        return error_system_at(error, -r, "cannot look at", "%s", path);
    if (r == 0 || strcmp(directory, "/") == 0) {
        add_place(view, path, is_writable);
        return 0;
    }
    r = check_path(directory, error);
    add_place(view, directory, false);
    if (is_writable)
        strv_add(&view->writable, path);
    return r;
}

/* ---- programs ---- */

static bool is_installed(const char *path) {
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        if (unit_is_below(path, programs[i]))
            return true;
    return false;
}

/* The part of a path above its last component; 0 for the root directory. */
static size_t length_above(const char *path, size_t length) {
    while (length > 0 && path[length - 1] != '/')
        length--;
    return length > 0 ? length - 1 : 0;
}

static bool ends_in(const char *path, size_t length, const char *name) {
    size_t size = strlen(name);
    return length > size && strncmp(path + length - size, name, size) == 0;
}

/* "/opt/x" of "/opt/x/bin/y"; the path itself if it is not installed like that. */
static char *prefix_of(const char *path) {
    size_t length = length_above(path, strlen(path));
    bool is_usual = ends_in(path, length, "/bin") || ends_in(path, length, "/sbin") ||
                    ends_in(path, length, "/libexec");
    size_t prefix = length_above(path, length);
    return is_usual && length_above(path, prefix) > 0 ? strndup(path, prefix) : strdup(path);
}

int view_add_program(struct view *view, const char *path, vqemu_error **error) {
    _cleanup_free_ char *real = realpath(path, NULL);
    if (!real && errno == ENOMEM)
        return error_no_memory(error);
    const char *const names[] = {path, real};
    for (size_t i = 0; i < 2 && names[i]; i++) {
        if (is_installed(names[i]))
            continue;
        _cleanup_free_ char *prefix = prefix_of(names[i]);
        if (!prefix)
            return error_no_memory(error);
        int r = view_add_installed(view, prefix, error);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- the lines ---- */

bool view_has_all(const struct view *view) {
    return is_place(view, "/");
}

bool view_uses(const struct view *view, const char *directory) {
    for (size_t i = 0; i < view->place_count; i++)
        if (unit_is_below(view->places[i].path, directory))
            return true;
    return false;
}

/* Should it be missing, QEMU says that better than systemd ("-"). */
static void write_path(struct strbuf *text, const char *directive, const char *path) {
    _cleanup_strbuf_ struct strbuf word = {0};
    strbuf_addf(&word, "-%s", path);
    strbuf_addf(text, "%s=", directive);
    if (!word.failed)
        unit_add_path(text, word.text);
    strbuf_add_char(text, '\n');
    text->failed = text->failed || word.failed;
}

/* All files are seen, of which those are writable that it writes. */
static void write_all(const struct view *view, struct strbuf *text) {
    for (size_t i = 0; i < view->place_count; i++)
        if (view->places[i].is_writable && strcmp(view->places[i].path, "/") == 0)
            return;
    strbuf_add(text, "ProtectSystem=strict\n");
    for (size_t i = 0; i < view->place_count; i++)
        if (view->places[i].is_writable)
            write_path(text, "ReadWritePaths", view->places[i].path);
}

static void write_list(const struct view *view, const char *const *paths, size_t count,
                       struct strbuf *text) {
    strbuf_add(text, "BindReadOnlyPaths=");
    for (size_t i = 0; i < count; i++)
        if (!is_place(view, paths[i]))
            strbuf_addf(text, "%s-%s", i > 0 ? " " : "", paths[i]);
    strbuf_add_char(text, '\n');
}

/* An empty root directory, and empty ones in what systemd mounts into it. */
static void write_root(const struct view *view, struct strbuf *text) {
    strbuf_addf(text, "TemporaryFileSystem=/:ro%s /dev/shm:ro%s\nMountAPIVFS=yes\n",
                is_place(view, "/run") ? "" : " /run:ro",
                view->uses_terminals ? "" : " /dev/pts:ro");
    write_list(view, programs, sizeof programs / sizeof *programs, text);
    write_list(view, settings, sizeof settings / sizeof *settings, text);
    if (view->uses_resolver)
        strbuf_add(text, "BindReadOnlyPaths=-/etc/resolv.conf -/etc/hosts -/etc/host.conf "
                         "-/etc/gai.conf\n");
    if (view->uses_bridge_helper)
        strbuf_add(text, "BindReadOnlyPaths=-/etc/qemu\n");
    strbuf_add(text, "InaccessiblePaths=-/dev/hugepages -/dev/mqueue -/sys/fs/cgroup "
                     "-/sys/kernel/debug -/sys/kernel/tracing -/sys/fs/bpf\n");
}

static void write_tmp(const struct view *view, struct strbuf *text) {
    for (size_t i = 0; i < view->place_count; i++)
        if (unit_is_below("/tmp", view->places[i].path) ||
            unit_is_below("/var/tmp", view->places[i].path))
            return;
    strbuf_add(text, "PrivateTmp=yes\n");
}

void view_write(const struct view *view, struct strbuf *text) {
    text->failed = text->failed || view->failed || view->writable.failed;
    if (view_has_all(view)) {
        write_all(view, text);
        return;
    }
    write_root(view, text);
    for (size_t i = 0; i < view->place_count; i++)
        write_path(text, view->places[i].is_writable ? "BindPaths" : "BindReadOnlyPaths",
                   view->places[i].path);
    for (size_t i = 0; i < view->writable.count; i++)
        write_path(text, "ReadWritePaths", view->writable.items[i]);
    write_tmp(view, text);
}

void view_release(struct view *view) {
    for (size_t i = 0; i < view->place_count; i++)
        free(view->places[i].path);
    free(view->places);
    strv_release(&view->writable);
}
