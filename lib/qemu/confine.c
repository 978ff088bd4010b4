/* SPDX-License-Identifier: MIT */
#include "qemu/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/fd.h"

#define CPU_SECONDS_MAX 120
#define OUTPUT_MAX ((rlim_t)1024 * 1024)
#define FILES_MAX 256

/* ---- files ---- */

/* Landlock's first version, and what later ones add: links between directories, truncation, TCP. */
#define ALL_OF_VERSION_1 ((UINT64_C(1) << 13) - 1)
#define MAY_READ                                                                                   \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define MAY_READ_FILE (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE)

static int allow(int rules, const char *path, uint64_t access) {
    _cleanup_close_ int fd = open_at(AT_FDCWD, path, O_PATH, 0);
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    struct landlock_path_beneath_attr beneath = {.allowed_access = access, .parent_fd = fd};
    long r = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    return r < 0 ? -errno : 0;
}

/* A program without a loader of its own has the host's, and perhaps its libraries. */
static int allow_host(int rules) {
    static const char *const places[] = {"/lib", "/lib32", "/lib64", "/usr"};
    int r = allow(rules, "/etc/ld.so.cache", MAY_READ_FILE);
    for (size_t i = 0; r == 0 && i < sizeof places / sizeof *places; i++)
        r = allow(rules, places[i], MAY_READ);
    return r;
}

static int allow_runtime(int rules, const vqemu_runtime *runtime) {
    const char *directories[] = {
        vqemu_runtime_tree(runtime),
        vqemu_runtime_firmware_dir(runtime),
        vqemu_runtime_lib_dir(runtime),
        vqemu_runtime_module_dir(runtime),
    };
    int r = allow(rules, vqemu_runtime_binary(runtime), MAY_READ_FILE);
    if (r == 0 && vqemu_runtime_loader(runtime))
        r = allow(rules, vqemu_runtime_loader(runtime), MAY_READ_FILE);
    for (size_t i = 0; r == 0 && i < sizeof directories / sizeof *directories; i++)
        if (directories[i])
            r = allow(rules, directories[i], MAY_READ);
    if (r == 0)
        r = allow(rules, "/dev/kvm", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
    if (r == 0) /* without which QEMU does not start where it finds no getrandom(2) */
        r = allow(rules, "/dev/urandom", LANDLOCK_ACCESS_FS_READ_FILE);
    return r == 0 && !vqemu_runtime_loader(runtime) ? allow_host(rules) : r;
}

int confine_make_rules(const vqemu_runtime *runtime) {
    struct landlock_ruleset_attr handled = {.handled_access_fs = ALL_OF_VERSION_1};
    long fd = syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (fd < 0)
        return -1;
    _cleanup_close_ int rules = fd_above_stdio((int)fd);
    int r = rules < 0 ? rules : allow_runtime(rules, runtime);
    return r < 0 ? r : take_fd(&rules);
}

/* ---- the process ---- */

static int limit(__rlimit_resource_t resource, rlim_t most) {
    struct rlimit now;
    if (getrlimit(resource, &now) < 0)
        return errno;
    now.rlim_max = now.rlim_max < most ? now.rlim_max : most;
    now.rlim_cur = now.rlim_max;
    return setrlimit(resource, &now) < 0 ? errno : 0;
}

/* What a program of root gets when it is executed, it does not get then. Who is not root may not
 * set this, and needs not. */
static void drop_privileges(void) {
    prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                 SECBIT_NO_SETUID_FIXUP_LOCKED);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

int confine_self(int rules) {
    int r = limit(RLIMIT_CORE, 0);
    if (r == 0)
        r = limit(RLIMIT_FSIZE, OUTPUT_MAX);
    if (r == 0)
        r = limit(RLIMIT_NOFILE, FILES_MAX);
    if (r == 0)
        r = limit(RLIMIT_CPU, CPU_SECONDS_MAX);
    drop_privileges();
    if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        r = errno;
    if (r == 0 && rules >= 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
        r = errno;
    return r;
}
