/* SPDX-License-Identifier: MIT */
/*
 * QEMU's arguments, as they are being made of a runtime and a VM, and what those who make them ask
 * and write. Allocation failure is remembered in argv and resources.
 */
#ifndef LIB_ARGS_H
#define LIB_ARGS_H

#include <stdbool.h>

#include <volt-qemu/command.h>

#include "choice/arch.h"
#include "command/firmware.h"
#include "command/resources.h"
#include "tree/runtime.h"
#include "util/strbuf.h"
#include "util/strv.h"
#include "vm/disk.h"
#include "vm/identity.h"
#include "vm/nic.h"
#include "vm/share.h"
#include "vm/vm.h"

struct args {
    const vqemu_runtime *runtime;
    const vqemu_profile *profile;
    const vqemu_vm *vm;
    uint32_t flags; /* of enum vqemu_command_flag */
    const char *state_base,
        *runtime_base; /* the VM's directories are below, unless it names them */

    const struct arch *arch;
    const struct machine *machine;
    const char *machine_name;
    const char *guest_os;
    bool kvm, uefi, shared_memory;

    char id[IDENTITY_ID_MAX + 1];
    char *state_dir, *runtime_dir;
    char *nvram;
    struct firmware firmware; /* of a UEFI guest */

    int last_named_fd; /* the number of the last descriptor that has a name; 0: none has */
    struct strv argv;
    struct strv claims, readings, mentions; /* see args-claim.h */
    struct resources resources;
};

void args_release(struct args *args);

/* An error whose message begins with the key of the VM that it is about, such as
 * "disks[0].aio: ...", which becomes its detail. Returns the code. */
int args_refuse(vqemu_error **error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What the profile must have for a key of the VM; otherwise the error tells which has. */
int args_require(const struct args *args, enum vqemu_ability ability, const char *key,
                 vqemu_error **error);
/* The machine of this architecture has no such thing. */
int args_unsupported(const struct args *args, const char *key, const char *what,
                     vqemu_error **error);

/* Whether the VM has a share over virtiofs. */
bool args_has_virtiofs(const vqemu_vm *vm);
/* Whether a share's driver, which may be NULL, is that. */
bool args_is_virtiofs(const char *driver);

/* The guest's system. Only of Linux it is known that it has virtio drivers. */
bool args_is_windows(const struct args *args);
bool args_has_virtio_drivers(const struct args *args);

/* ---- making options ---- */

void args_option(struct args *args, const char *option, const char *value);
/* Takes the buffer's text over. */
void args_option_buffer(struct args *args, const char *option, struct strbuf *value);

/* Begin a virtio device on the machine's bus: "virtio-blk-pci,id=disk0". number < 0 for none. */
void args_virtio(const struct args *args, struct strbuf *device, const char *kind, const char *id,
                 int number);

/* A path of the VM's own, or the default in a directory; NULL without memory. */
char *args_path_or(const char *path, const char *directory, const char *name);

#endif
