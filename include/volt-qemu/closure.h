/* SPDX-License-Identifier: MIT */
#ifndef VOLT_QEMU_CLOSURE_H
#define VOLT_QEMU_CLOSURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What a profile's files ask for by name, compared with what is in the profile: the libraries that
 * programs, libraries and modules are linked with, the dynamic loader, QEMU's modules, firmware,
 * ROMs and the keymap of VNC. Found by reading the files; nothing is run. A list of what is not as
 * it should be, problems first; what is asked for and there is not in it.
 *
 * Borrowed from vqemu_ingest_closure() or vqemu_check_closure(). Immutable, safe from any thread.
 * Since 1.0.
 */
typedef struct vqemu_closure vqemu_closure;

/** How many entries it has. Since 1.0. */
size_t vqemu_closure_count(const vqemu_closure *closure);

/** How many of them are problems; these are the first ones. 0 for a profile that is whole, whatever
 * else may be listed. Since 1.0. */
size_t vqemu_closure_problem_count(const vqemu_closure *closure);

/** What is asked for: "program", "loader", "library", "module", "firmware" (ROMs and device trees
 * included), "keymap", or "ability" (the profile is to have one: vqemu_profile_abilities()); NULL
 * beyond the count. Static. Since 1.0. */
const char *vqemu_closure_kind(const vqemu_closure *closure, size_t entry);

/**
 * What is with it; NULL beyond the count. Static. Since 1.0. These are problems:
 *
 * "missing": it is not in the profile, and a guest that the library builds a command for can need
 * it.
 *
 * "from-host": it is not in the profile, and the dynamic loader takes the host's, if that has one.
 *
 * "unusable": it is there, but is no library, or for another architecture, or of another build of
 * QEMU.
 *
 * "unknown": it cannot be told what the file asks for, or what it can do: it is no ELF file, or a
 * broken one, or no QEMU.
 *
 * And these are not:
 *
 * "optional": it is not in the profile, and only what extra_args can add may ask for it, or a
 * library while it runs.
 *
 * "unused": it is in the profile, below lib/ or firmware/, and nothing in it asks for it.
 */
const char *vqemu_closure_state(const vqemu_closure *closure, size_t entry);

/** The name by which it is asked for, such as "libc.so.6", "accel-tcg-x86_64", "pvh.bin" or "usb",
 * the name of an ability; the path in the profile of what is there; NULL beyond the count. Always
 * UTF-8: where a file asks by other bytes, these are written as "\xFF". Borrowed. Since 1.0. */
const char *vqemu_closure_name(const vqemu_closure *closure, size_t entry);

/** The path in the profile of the first file that asks for it, NULL where none does; of an
 * ability, the program that lacks it, NULL for firmware; NULL beyond the count, too. Borrowed.
 * Since 1.0. */
const char *vqemu_closure_asked_by(const vqemu_closure *closure, size_t entry);

/** One line for people; NULL beyond the count. Borrowed. Since 1.0. */
const char *vqemu_closure_message(const vqemu_closure *closure, size_t entry);

/* ---- abilities ---- */

/**
 * Whether a profile's files have what an ability takes, for guests of an architecture: 1 or 0; -1
 * if that cannot be told, as where the program is a script, and for NULL.
 *
 * ability: one of enum vqemu_ability. guest_arch: a name of vqemu_guest_arch_at(); 0 is answered
 * for guests that the profile does not serve, whose program it has not, or whose machines cannot
 * have such a thing. NULL: whether all guests have it that can; of VQEMU_ABILITY_UEFI, whether any
 * has.
 *
 * What an ability takes: KVM and TCG, that accelerator; DISPLAY, VNC, and the graphics that the
 * library gives to guests with virtio drivers or to those without; USB, qemu-xhci, usb-tablet and
 * usb-storage; TPM, the machine's device, and the back end for an emulated TPM; UEFI, images that
 * can be found; STORAGE, IDE disks and CD-ROMs, AHCI where a machine takes it, and NVMe; NICS, a
 * network card that is not virtio; HYPERV, its interrupt controller. It is known by texts that only
 * the source files of such devices have, in QEMU 7.2 and 10.0. Since 1.0.
 */
int vqemu_closure_has_ability(const vqemu_closure *closure, uint64_t ability,
                              const char *guest_arch);

/** The path in the profile of a file that an ability comes from: a program, a module or an image of
 * firmware; NULL where vqemu_closure_has_ability() is not 1. Borrowed. Since 1.0. */
const char *vqemu_closure_ability_path(const vqemu_closure *closure, uint64_t ability,
                                       const char *guest_arch);

#ifdef __cplusplus
}
#endif

#endif
