/* SPDX-License-Identifier: MIT */
#include "choice/request.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "choice/profile.h"
#include "util/export.h"
#include "util/strbuf.h"

static const struct option_key string_keys[] = {
    {VQEMU_REQUEST_ACCEL, OPTION_STRING, offsetof(vqemu_request, accel)},
    {VQEMU_REQUEST_GUEST_ARCH, OPTION_STRING, offsetof(vqemu_request, guest_arch)},
    {VQEMU_REQUEST_GUEST_OS, OPTION_STRING, offsetof(vqemu_request, guest_os)},
    {VQEMU_REQUEST_PROFILE, OPTION_STRING, offsetof(vqemu_request, profile)},
    {VQEMU_REQUEST_MODE, OPTION_STRING, offsetof(vqemu_request, mode)},
};
static const struct options_type type = {
    .noun = "a request",
    .size = sizeof(vqemu_request),
    .keys = string_keys,
    .key_count = sizeof string_keys / sizeof string_keys[0],
};

VQEMU_EXPORT int vqemu_request_new(vqemu_request **request, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(request, error);
    *request = options_new(&type);
    return *request ? 0 : error_no_memory(error);
}

static void forget_needs(struct vm_needs *needs) {
    const char *const strings[] = {needs->guest_arch, needs->guest_os, needs->profile, needs->mode,
                                   needs->machine};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        free((char *)(uintptr_t)strings[i]);
    *needs = (struct vm_needs){0};
}

static void forget_candidates(vqemu_request *request) {
    for (size_t i = 0; i < request->candidate_count; i++)
        vqemu_profile_unref(request->candidates[i]);
    free(request->candidates);
    request->candidates = NULL;
    request->candidate_count = 0;
    request->has_candidates = false;
}

VQEMU_EXPORT void vqemu_request_free(vqemu_request *request) {
    if (!request)
        return;
    forget_needs(&request->vm);
    forget_candidates(request);
    options_free(&type, request);
}

/* ---- words ---- */

static const struct word {
    const char *key;
    const char *choices[4]; /* none: the architectures */
} words[] = {
    {VQEMU_REQUEST_ACCEL, {"kvm", "tcg"}},
    {VQEMU_REQUEST_MODE, {"hybrid-kvm", "hybrid-emulated"}},
    {VQEMU_REQUEST_GUEST_OS, {"linux", "windows", "other"}},
    {VQEMU_REQUEST_GUEST_ARCH, {NULL}},
};

static const struct word *find_word(const char *key) {
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].key, key) == 0)
            return &words[i];
    return NULL;
}

static bool is_choice(const struct word *word, const char *value) {
    for (size_t i = 0; word->choices[i]; i++)
        if (strcmp(word->choices[i], value) == 0)
            return true;
    return !word->choices[0] && arch_find(value);
}

static char *list_choices(const struct word *word) {
    struct strbuf names = {0};
    if (!word->choices[0])
        return arch_list_names();
    for (size_t i = 0; word->choices[i]; i++)
        strbuf_addf(&names, "%s%s", i ? ", " : "", word->choices[i]);
    return strbuf_take(&names);
}

/* NULL and "" are no word, and always good. */
static int check_word(const char *key, const char *value, vqemu_error **error) {
    const struct word *word = find_word(key);
    if (!word || !value || !*value || is_choice(word, value))
        return 0;
    _cleanup_free_ char *choices = list_choices(word);
    if (!choices)
        return error_no_memory(error);
    return options_not_a_choice(key, value, choices, error);
}

VQEMU_EXPORT int vqemu_request_set_string(vqemu_request *request, const char *key,
                                          const char *value, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(request, error);
    REQUIRE_ARGUMENT(key, error);
    int r = check_word(key, value, error);
    return r < 0 ? r : options_set_string(&type, request, key, value, error);
}

VQEMU_EXPORT int vqemu_request_set_abilities(vqemu_request *request, uint64_t abilities,
                                             vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(request, error);
    uint64_t unknown = abilities & ~abilities_known();
    if (unknown) {
        int r = error_set(error, VQEMU_ERR_USAGE, 0, "%s(): unknown abilities 0x%" PRIx64, __func__,
                          unknown);
        return error_because(r, error, "unknown-flags", VQEMU_DETAIL_FUNCTION, __func__, NULL);
    }
    request->abilities = abilities;
    return 0;
}

/* ---- a VM ---- */

static int check_needs(const struct vm_needs *needs, vqemu_error **error) {
    int r = check_word(VQEMU_REQUEST_GUEST_ARCH, needs->guest_arch, error);
    if (r == 0)
        r = check_word(VQEMU_REQUEST_GUEST_OS, needs->guest_os, error);
    if (r == 0)
        r = check_word(VQEMU_REQUEST_MODE, needs->mode, error);
    return r;
}

/* False without memory. */
static bool copy_string(const char **copy, const char *text) {
    *copy = text ? strdup(text) : NULL;
    return *copy || !text;
}

int request_set_needs(vqemu_request *request, const struct vm_needs *needs, vqemu_error **error) {
    int r = check_needs(needs, error);
    if (r < 0)
        return r;
    struct vm_needs new = {.abilities = needs->abilities,
                           .on_x86 = needs->on_x86,
                           .on_pci = needs->on_pci,
                           .on_ide = needs->on_ide,
                           .on_plain_disk = needs->on_plain_disk,
                           .on_usb_cdrom = needs->on_usb_cdrom,
                           .on_nic = needs->on_nic};
    bool copied = copy_string(&new.guest_arch, needs->guest_arch);
    copied = copy_string(&new.guest_os, needs->guest_os) && copied;
    copied = copy_string(&new.profile, needs->profile) && copied;
    copied = copy_string(&new.mode, needs->mode) && copied;
    copied = copy_string(&new.machine, needs->machine) && copied;
    if (!copied) {
        forget_needs(&new);
        return error_no_memory(error);
    }
    forget_needs(&request->vm);
    request->vm = new;
    return 0;
}

const char *request_guest_arch(const vqemu_request *request) {
    return request->guest_arch ? request->guest_arch : request->vm.guest_arch;
}

const char *request_guest_os(const vqemu_request *request) {
    return request->guest_os ? request->guest_os : request->vm.guest_os;
}

uint64_t request_needs(const vqemu_request *request, const struct arch *arch) {
    const struct vm_needs *vm = &request->vm;
    const struct machine *machine =
        vm->machine ? arch_find_machine(arch, vm->machine) : arch->machines;
    const char *os = request_guest_os(request);
    uint64_t needs = request->abilities | vm->abilities;
    if (os && strcmp(os, "windows") == 0)
        needs |= VQEMU_ABILITY_UEFI;
    if (arch->x86)
        needs |= vm->on_x86;
    if (strcmp(arch->bus, "pci") == 0)
        needs |= vm->on_pci;
    if (machine && (machine->ide == IDE_BUILT_IN || machine->ide == SATA_BUILT_IN))
        needs |= vm->on_ide;
    if (machine && machine->plain_disk)
        needs |= vm->on_plain_disk;
    if (machine && machine->plain_cdrom && strcmp(machine->plain_cdrom, "usb") == 0)
        needs |= vm->on_usb_cdrom;
    if (machine && machine->plain_nic)
        needs |= vm->on_nic;
    return needs;
}

/* ---- a store's profiles ---- */

int request_set_candidates(vqemu_request *request, vqemu_profile *const *profiles, size_t count,
                           vqemu_error **error) {
    vqemu_profile **copy = calloc(count ? count : 1, sizeof *copy);
    if (!copy)
        return error_no_memory(error);
    for (size_t i = 0; i < count; i++)
        copy[i] = vqemu_profile_ref(profiles[i]);
    forget_candidates(request);
    request->candidates = copy;
    request->candidate_count = count;
    request->has_candidates = true;
    return 0;
}
