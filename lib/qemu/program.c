/* SPDX-License-Identifier: MIT */
#include "qemu/program.h"

#include <string.h>

#include "util/path.h"

/*
 * The dynamic loader takes a list of directories, and has no escape for its separators. In these
 * and in the names of modules it replaces $ORIGIN, $LIB and $PLATFORM (ld.so(8)).
 */
static bool loader_can_name(const char *directory) {
    return !strpbrk(directory, ":;$");
}

/*
 * Where the loader cannot name the library directory, QEMU runs in the directory above, and what
 * the loader gets to see is relative to that. Otherwise it runs in /, where nobody else puts
 * firmware.
 */
char *program_cwd(const vqemu_runtime *runtime) {
    const char *lib_dir = vqemu_runtime_lib_dir(runtime);
    if (!lib_dir || loader_can_name(lib_dir))
        return strdup("/");
    size_t length = (size_t)(base_name(lib_dir) - lib_dir);
    return strndup(lib_dir, length > 1 ? length - 1 : length);
}

const char *program_seen_from(const char *cwd, const char *path) {
    size_t length = strlen(cwd);
    if (length > 1 && strncmp(path, cwd, length) == 0 && path[length] == '/')
        return path + length + 1;
    return path;
}

/*
 * Through the profile's own loader, so that loader and libc belong together, whatever the host has;
 * then no LD_LIBRARY_PATH is needed, which QEMU's children would inherit.
 */
void program_add_arguments(struct strv *argv, const vqemu_runtime *runtime, const char *cwd) {
    if (vqemu_runtime_loader(runtime)) {
        strv_add(argv, vqemu_runtime_loader(runtime));
        strv_add(argv, "--inhibit-cache"); /* the host's /etc/ld.so.cache */
        strv_add(argv, "--library-path");
        strv_add(argv, program_seen_from(cwd, vqemu_runtime_lib_dir(runtime)));
    }
    strv_add(argv, vqemu_runtime_binary(runtime));
}

const char *program_argument_message(const vqemu_runtime *runtime, size_t index) {
    static const char *const messages[] = {
        "the loader of the profile, which finds the libraries of the profile",
        "the host's list of libraries is none of the profile's",
        "where the libraries of the profile are",
        "the libraries of the profile",
        "the QEMU of the profile",
    };
    size_t last = sizeof messages / sizeof *messages - 1;
    return messages[vqemu_runtime_loader(runtime) && index < last ? index : last];
}

void program_add_environment(struct strv *envp, const vqemu_runtime *runtime, const char *cwd) {
    const char *lib_dir = vqemu_runtime_lib_dir(runtime);
    const char *module_dir = vqemu_runtime_module_dir(runtime);
    if (lib_dir && !vqemu_runtime_loader(runtime))
        strv_addf(envp, "LD_LIBRARY_PATH=%s", program_seen_from(cwd, lib_dir));
    if (module_dir)
        strv_addf(envp, "QEMU_MODULE_DIR=%s", program_seen_from(cwd, module_dir));
}
