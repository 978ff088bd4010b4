/* SPDX-License-Identifier: MIT */
#include "choice/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>

#include "base/error.h"
#include "choice/arch.h"
#include "util/export.h"
#include "util/strbuf.h"

struct vqemu_host {
    char *arch;
    int32_t kvm_state;
    char *kvm_reason;
};

const char *host_arch_from_uname(const char *machine) {
    static const struct {
        const char *machine, *arch;
    } names[] = {
        {"i486", "i386"},
        {"i586", "i386"},
        {"i686", "i386"},
        {"arm64", "aarch64"},
        {"armv8l", "aarch64"}, /* a 32-bit process on an aarch64 kernel */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        {"mips", "mipsel"},
        {"mips64", "mips64el"},
#endif
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(machine, names[i].machine) == 0)
            return names[i].arch;
    return strncmp(machine, "armv", 4) == 0 ? "arm" : machine;
}

/* Takes ownership of kvm_reason; NULL stands for a failed allocation. */
static int new_host(const char *arch, int32_t kvm_state, char *kvm_reason, vqemu_host **host,
                    vqemu_error **error) {
    *host = NULL;
    _cleanup_host_ vqemu_host *new = calloc(1, sizeof *new);
    if (!new) {
        free(kvm_reason);
        return error_no_memory(error);
    }
    new->kvm_state = kvm_state;
    new->kvm_reason = kvm_reason;
    new->arch = strdup(arch);
    if (!new->arch || !new->kvm_reason)
        return error_no_memory(error);
    *host = TAKE_POINTER(new);
    return 0;
}

static bool module_loaded(const char *modules_dir, const char *name) {
    _cleanup_free_ char *path = format_string("%s/%s", modules_dir, name);
    return path && access(path, F_OK) == 0;
}

/*
 * On x86, KVM is a frame that one vendor module fills. kvm_pvm does it without the processor's
 * help: it creates VMs, and fails them in the first instructions of a kernel.
 */
static int32_t judge_x86_module(const char *device, const char *modules_dir, char **reason) {
    if (module_loaded(modules_dir, "kvm_pvm")) {
        *reason = format_string("%s is served by kvm_pvm, a software KVM that runs no Linux guest",
                                device);
        return VQEMU_KVM_SOFTWARE;
    }
    static const char *const hardware[] = {"kvm_intel", "kvm_amd"};
    for (size_t i = 0; i < 2; i++) {
        if (module_loaded(modules_dir, hardware[i])) {
            *reason = format_string("%s creates VMs and is served by %s", device, hardware[i]);
            return VQEMU_KVM_USABLE;
        }
    }
    *reason = format_string("%s creates VMs, but neither kvm_intel nor kvm_amd is below %s, so "
                            "nothing shows that the hardware is behind it",
                            device, modules_dir);
    return VQEMU_KVM_SOFTWARE;
}

/* Whether the device speaks the KVM API and creates a VM; if not, *reason says what failed. */
static bool creates_vm(int fd, const char *device, char **reason) {
    int version = ioctl(fd, KVM_GET_API_VERSION, 0);
    if (version != KVM_API_VERSION) {
        *reason = format_string("%s answers with KVM API version %d, not %d", device, version,
                                KVM_API_VERSION);
        return false;
    }
    int vm;
    do
        vm = ioctl(fd, KVM_CREATE_VM, 0);
    while (vm < 0 && errno == EINTR);
    if (vm < 0) {
        char text[128];
        *reason =
            format_string("%s creates no VM: %s", device, strerror_r(errno, text, sizeof text));
        return false;
    }
    close(vm);
    return true;
}

static int32_t judge_open_failure(int system_errno, const char *device, char **reason) {
    char text[128];
    switch (system_errno) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        *reason = format_string("there is no %s", device);
        return VQEMU_KVM_ABSENT;
    case EACCES:
    case EPERM:
        *reason =
            format_string("%s may not be opened by this user: join the group that owns it", device);
        return VQEMU_KVM_DENIED;
    default:
        *reason = format_string("%s cannot be opened: %s", device,
                                strerror_r(system_errno, text, sizeof text));
        return VQEMU_KVM_BROKEN;
    }
}

static int32_t probe_kvm(const char *device, const char *modules_dir, bool x86, char **reason) {
    _cleanup_close_ int fd = open(device, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return judge_open_failure(errno, device, reason);
    if (!creates_vm(fd, device, reason))
        return VQEMU_KVM_BROKEN;
    if (x86)
        return judge_x86_module(device, modules_dir, reason);
    *reason = format_string("%s creates VMs", device);
    return VQEMU_KVM_USABLE;
}

int host_probe_at(const char *kvm_device, const char *modules_dir, vqemu_host **host,
                  vqemu_error **error) {
    *host = NULL;
    struct utsname name;
    if (uname(&name) < 0)
        return error_system(error, errno, "cannot find out the architecture of this host");
    const char *arch_name = host_arch_from_uname(name.machine);
    const struct arch *arch = arch_find(arch_name);
    char *reason = NULL;
    int32_t state = probe_kvm(kvm_device, modules_dir, arch && arch->x86, &reason);
    return new_host(arch_name, state, reason, host, error);
}

VQEMU_EXPORT int vqemu_host_probe(vqemu_host **host, vqemu_error **error) {
    return host_probe_at("/dev/kvm", "/sys/module", host, error);
}

VQEMU_EXPORT int vqemu_host_new(const char *arch, int32_t kvm, vqemu_host **host,
                                vqemu_error **error) {
    static const char *const reasons[] = {
        [VQEMU_KVM_USABLE] = "the host is described as having a usable KVM",
        [VQEMU_KVM_ABSENT] = "the host is described as having no KVM",
        [VQEMU_KVM_DENIED] = "the host is described as denying access to KVM",
        [VQEMU_KVM_BROKEN] = "the host is described as having a broken KVM",
        [VQEMU_KVM_SOFTWARE] = "the host is described as having a software KVM",
    };
    *host = NULL;
    if (!arch_find(arch))
        return error_set(error, VQEMU_ERR_INVALID, 0, "unknown host architecture \"%s\"",
                         arch ? arch : "");
    if (kvm < VQEMU_KVM_USABLE || kvm > VQEMU_KVM_SOFTWARE)
        return error_set(error, VQEMU_ERR_INVALID, 0, "%d is not a KVM state", (int)kvm);
    return new_host(arch, kvm, strdup(reasons[kvm]), host, error);
}

VQEMU_EXPORT const char *vqemu_kvm_state_name(int32_t state) {
    switch (state) {
    case VQEMU_KVM_USABLE:
        return "usable";
    case VQEMU_KVM_ABSENT:
        return "absent";
    case VQEMU_KVM_DENIED:
        return "denied";
    case VQEMU_KVM_BROKEN:
        return "broken";
    case VQEMU_KVM_SOFTWARE:
        return "software";
    default:
        return "unknown";
    }
}

VQEMU_EXPORT const char *vqemu_host_arch(const vqemu_host *host) {
    return host->arch;
}

VQEMU_EXPORT int32_t vqemu_host_kvm_state(const vqemu_host *host) {
    return host->kvm_state;
}

VQEMU_EXPORT bool vqemu_host_kvm_usable(const vqemu_host *host) {
    return host->kvm_state == VQEMU_KVM_USABLE;
}

VQEMU_EXPORT const char *vqemu_host_kvm_reason(const vqemu_host *host) {
    return host->kvm_reason;
}

VQEMU_EXPORT void vqemu_host_free(vqemu_host *host) {
    if (!host)
        return;
    free(host->arch);
    free(host->kvm_reason);
    free(host);
}
