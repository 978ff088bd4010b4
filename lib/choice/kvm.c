/* SPDX-License-Identifier: MIT */
#include "choice/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include <volt-qemu/host.h>

#include "base/error.h"
#include "choice/device-node.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/strbuf.h"
#include "util/word.h"

const struct kvm_paths kvm_paths = {
    .device = "/dev/kvm",
    .modules_dir = "/sys/module",
    .proc_modules = "/proc/modules",
    .cpuinfo = "/proc/cpuinfo",
};

/*
 * On x86, KVM is a frame that one vendor module fills. kvm_pvm does it without the processor's
 * help: it creates VMs, and fails them in the first instructions of a kernel.
 */
static const char software[] = "kvm_pvm";
static const char *const hardware[] = {"kvm_intel", "kvm_amd"};
#define HARDWARE_COUNT (sizeof hardware / sizeof hardware[0])

/* ---- /sys/module ---- */

/* What was seen there. */
struct modules {
    bool any, software, hardware[HARDWARE_COUNT];
};

static int note_module(int directory_fd, const char *name, void *userdata) {
    struct modules *modules = userdata;
    (void)directory_fd;
    modules->any |= name[0] != '.';
    modules->software |= strcmp(name, software) == 0;
    for (size_t i = 0; i < HARDWARE_COUNT; i++)
        modules->hardware[i] |= strcmp(name, hardware[i]) == 0;
    return 0;
}

/* A container may have none, an empty one, or one that it may not read. */
static bool read_modules(const char *modules_dir, struct modules *modules) {
    *modules = (struct modules){0};
    return for_each_entry(AT_FDCWD, modules_dir, note_module, modules) == 0 && modules->any;
}

static int32_t judge_modules(const struct kvm_paths *paths, const struct modules *modules,
                             char **message) {
    if (modules->software) {
        *message = format_string("%s is served by %s, a software KVM that runs no Linux guest",
                                 paths->device, software);
        return VQEMU_KVM_SOFTWARE;
    }
    for (size_t i = 0; i < HARDWARE_COUNT; i++) {
        if (modules->hardware[i]) {
            *message =
                format_string("%s creates VMs and is served by %s", paths->device, hardware[i]);
            return VQEMU_KVM_USABLE;
        }
    }
    *message = format_string("%s creates VMs, but neither kvm_intel nor kvm_amd is below %s, so "
                             "nothing shows that the hardware is behind it",
                             paths->device, paths->modules_dir);
    return VQEMU_KVM_SOFTWARE;
}

/* ---- where /sys/module is hidden ---- */

static FILE *open_text(const char *path) {
    int fd = open_at(AT_FDCWD, path, O_RDONLY, 0);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    if (!file && fd >= 0)
        close(fd);
    return file;
}

/* The first of two words that a line with this beginning has; NULL if none has one. *seen: whether
 * there is such a line. */
static const char *find_word(const char *path, const char *beginning, const char *const *words,
                             bool *seen) {
    FILE *file = open_text(path);
    char *line = NULL;
    size_t capacity = 0;
    const char *found = NULL;
    *seen = false;
    while (file && !found && getline(&line, &capacity, file) >= 0) {
        if (strncmp(line, beginning, strlen(beginning)) != 0)
            continue;
        *seen = true;
        for (size_t i = 0; i < 2 && !found; i++)
            found = has_word(line, words[i]) ? words[i] : NULL;
        if (*beginning) /* the same for each processor */
            break;
    }
    free(line);
    if (file)
        fclose(file);
    return found;
}

static bool judge_proc_modules(const struct kvm_paths *paths, int32_t *state, char **message) {
    static const char *const soft[] = {software, software};
    bool seen;
    if (find_word(paths->proc_modules, "", soft, &seen)) {
        *state = VQEMU_KVM_SOFTWARE;
        *message = format_string("%s is served by %s (%s), a software KVM that runs no Linux guest",
                                 paths->device, software, paths->proc_modules);
        return true;
    }
    const char *module = find_word(paths->proc_modules, "", hardware, &seen);
    if (!module)
        return false; /* it may be built in */
    *state = VQEMU_KVM_USABLE;
    *message = format_string("%s creates VMs, and %s lists %s; %s cannot be seen", paths->device,
                             paths->proc_modules, module, paths->modules_dir);
    return true;
}

static bool judge_processor(const struct kvm_paths *paths, int32_t *state, char **message) {
    static const char *const extensions[] = {"vmx", "svm"};
    bool seen;
    const char *extension = find_word(paths->cpuinfo, "flags", extensions, &seen);
    if (!seen)
        return false;
    *state = extension ? VQEMU_KVM_USABLE : VQEMU_KVM_SOFTWARE;
    *message = extension
                   ? format_string("%s creates VMs, and the processor has %s (%s); %s, which "
                                   "would tell what serves it, cannot be seen",
                                   paths->device, extension, paths->cpuinfo, paths->modules_dir)
                   : format_string("%s creates VMs, but the processor has neither vmx nor svm "
                                   "(%s), so the hardware is not behind it",
                                   paths->device, paths->cpuinfo);
    return true;
}

int32_t kvm_judge_x86(const struct kvm_paths *paths, char **message) {
    int32_t state;
    struct modules modules;
    if (read_modules(paths->modules_dir, &modules))
        return judge_modules(paths, &modules, message);
    if (judge_proc_modules(paths, &state, message) || judge_processor(paths, &state, message))
        return state;
    *message =
        format_string("%s creates VMs; whether the hardware is behind it cannot be seen, as "
                      "%s, %s and %s show nothing of it",
                      paths->device, paths->modules_dir, paths->proc_modules, paths->cpuinfo);
    return VQEMU_KVM_UNSEEN;
}

/* ---- the device ---- */

/* Whether the device speaks the KVM API and creates a VM: 1, 0 with a message, or an error. */
static int creates_vm(int fd, const char *device, char **message, vqemu_error **error) {
    int version = ioctl(fd, KVM_GET_API_VERSION, 0);
    if (version != KVM_API_VERSION) {
        *message = format_string("%s answers with KVM API version %d, not %d", device, version,
                                 KVM_API_VERSION);
        return 0;
    }
    int vm;
    do
        vm = ioctl(fd, KVM_CREATE_VM, 0);
    while (vm < 0 && errno == EINTR);
    if (vm >= 0) {
        close(vm);
        return 1;
    }
    if (device_node_is_shortage(errno))
        return error_system_at(error, errno, "cannot create a VM by", "%s", device);
    char text[128];
    *message = format_string("%s creates no VM: %s", device, strerror_r(errno, text, sizeof text));
    return 0;
}

static const int32_t failure_states[] = {
    [NODE_ABSENT] = VQEMU_KVM_ABSENT,
    [NODE_DENIED] = VQEMU_KVM_DENIED,
    [NODE_BROKEN] = VQEMU_KVM_BROKEN,
};

int kvm_probe(const struct kvm_paths *paths, bool x86, int32_t *state, char **message,
              vqemu_error **error) {
    const char *device = paths->device;
    *message = NULL;
    *state = VQEMU_KVM_BROKEN;
    _cleanup_close_ int fd = open_at(AT_FDCWD, device, O_RDWR | O_NONBLOCK, 0);
    if (fd < 0 && device_node_is_shortage(-fd))
        return error_system_at(error, -fd, "cannot open", "%s", device);
    if (fd < 0) {
        *state = failure_states[device_node_judge(-fd, device, "", message)];
        return *message ? 0 : error_no_memory(error);
    }
    int r = creates_vm(fd, device, message, error);
    if (r < 0)
        return r;
    if (r > 0 && x86) {
        *state = kvm_judge_x86(paths, message);
    } else if (r > 0) {
        *state = VQEMU_KVM_USABLE;
        *message = format_string("%s creates VMs", device);
    }
    return *message ? 0 : error_no_memory(error);
}
