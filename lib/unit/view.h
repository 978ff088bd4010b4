/* SPDX-License-Identifier: MIT */
/*
 * The files that a service sees: an empty root directory into which the host's programs and what
 * the service uses are bound, under their own names (systemd.exec(5)). Failed allocations are
 * remembered.
 */
#ifndef LIB_UNIT_VIEW_H
#define LIB_UNIT_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include <volt-qemu/error.h>

#include "util/strbuf.h"
#include "util/strv.h"

struct view_place {
    char *path;
    bool is_writable;
};

struct view {
    bool uses_terminals;       /* makes some in /dev/pts */
    bool uses_resolver;        /* reads which name servers there are */
    bool uses_bridge_helper;   /* which reads what bridges are allowed */
    struct view_place *places; /* what is bound, and with that, all below */
    size_t place_count;
    struct strv writable; /* files in directories that are bound read-only */
    bool failed;
};

/*
 * A file or directory of the VM. If somebody other than root could put a link in its place, which
 * systemd would follow as root, the directory in which that could be done is bound instead: there,
 * the service follows links itself. Fails if a unit cannot name the path, or it cannot be looked
 * at.
 */
int view_add(struct view *view, const char *path, bool is_writable, vqemu_error **error);

/* What the service manager's administrator has installed: the same without looking at who could
 * change it. */
int view_add_installed(struct view *view, const char *path, vqemu_error **error);

/* A program, which may need what lies beside it: of /opt/x/bin/y, all of /opt/x. */
int view_add_program(struct view *view, const char *path, vqemu_error **error);

/* Whether something in a directory is among what was added. */
bool view_uses(const struct view *view, const char *directory);

/* Whether all of the host's files are in it, since the VM is to have "/". */
bool view_has_all(const struct view *view);

void view_write(const struct view *view, struct strbuf *text);
void view_release(struct view *view);

#endif
