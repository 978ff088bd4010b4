/* SPDX-License-Identifier: MIT */
/*
 * Libraries that are loaded when they are first needed: a process that does without does not pay
 * for them. They stay loaded; loading one again costs next to nothing.
 */
#ifndef LIB_OPTIONAL_LIBRARY_H
#define LIB_OPTIONAL_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

struct optional_function {
    const char *name;
    void *pointer; /* to the pointer to the function, which is set */
};

/*
 * Load a library and find functions in it. Returns false if it is not there or lacks one; *problem,
 * which is the loader's, says why, or is NULL.
 */
bool optional_library_load(const char *soname, const struct optional_function *functions,
                           size_t count, const char **problem);

#endif
