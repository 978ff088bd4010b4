/* SPDX-License-Identifier: MIT */
#include "base/optional-library.h"

#include <dlfcn.h>
#include <string.h>

bool optional_library_load(const char *soname, const struct optional_function *functions,
                           size_t count, const char **problem) {
    void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    bool complete = library != NULL;
    for (size_t i = 0; complete && i < count; i++) {
        void *address = dlsym(library, functions[i].name);
        memcpy(functions[i].pointer, &address, sizeof address);
        complete = address != NULL;
    }
    *problem = complete ? NULL : dlerror();
    if (library)
        dlclose(library);
    return complete;
}
