/* SPDX-License-Identifier: MIT */
/*
 * Who decides where a path leads: systemd follows it as root, also if others can exchange its
 * parts. So nothing is opened here, and a part of another user is no error but an answer. (The
 * other walks over paths, and why they are others: util/path.c.)
 */
#ifndef LIB_UNIT_ROUTE_H
#define LIB_UNIT_ROUTE_H

/*
 * The first directory on the way to a path in which somebody other than root could put something
 * else in the place of what is next. 1 and *directory, which the caller frees; 0 if there is none,
 * also where there is nothing yet. Negative errnos: -ELOOP if it is behind a link, so that the path
 * does not go through it by its name.
 */
int route_find_stranger(const char *path, char **directory);

#endif
