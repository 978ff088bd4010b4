/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>

#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"

static const struct {
    uint32_t bit;
    const char *name;
} abilities[] = {
    {VQEMU_ABILITY_KVM, "kvm"}, {VQEMU_ABILITY_TCG, "tcg"}, {VQEMU_ABILITY_DISPLAY, "display"},
    {VQEMU_ABILITY_USB, "usb"}, {VQEMU_ABILITY_TPM, "tpm"}, {VQEMU_ABILITY_UEFI, "uefi"},
};

static json_t *ability_names(const vqemu_profile *profile) {
    json_t *names = json_array();
    for (size_t i = 0; i < sizeof abilities / sizeof *abilities; i++) {
        if (vqemu_profile_abilities(profile) & abilities[i].bit)
            json_append_text(names, abilities[i].name);
    }
    return names;
}

static json_t *guest_arches(const vqemu_profile *profile, const char *host_arch) {
    json_t *names = json_array();
    for (size_t i = 0; i < vqemu_guest_arch_count(); i++) {
        const char *arch = vqemu_guest_arch_at(i);
        if (vqemu_profile_serves(profile, arch, host_arch))
            json_append_text(names, arch);
    }
    return names;
}

static json_t *profile_json(const vqemu_profile *profile, const char *host_arch) {
    json_t *object = json_object();
    json_add_text(object, "name", vqemu_profile_name(profile));
    json_add_text(object, "description", vqemu_profile_description(profile));
    json_add_text(object, "accel", vqemu_profile_accel(profile));
    json_add(object, "abilities", ability_names(profile));
    json_add(object, "guest_arches", guest_arches(profile, host_arch));
    return object;
}

static json_t *profile_list_json(const char *host_arch) {
    json_t *list = json_array();
    for (size_t i = 0; i < vqemu_profile_count(); i++)
        json_append(list, profile_json(vqemu_profile_at(i), host_arch));
    return list;
}

static void print_names(const char *label, json_t *names) {
    size_t i;
    json_t *name;
    printf("  %-13s", label);
    json_array_foreach(names, i, name) {
        printf("%s%s", i ? " " : "", json_string_value(name));
    }
    puts(i ? "" : "-");
    json_decref(names);
}

static void print_profile(const vqemu_profile *profile, const char *host_arch) {
    printf("%s\n", vqemu_profile_name(profile));
    printf("  %s\n", vqemu_profile_description(profile));
    printf("  %-13s%s\n", "accelerator", vqemu_profile_accel(profile));
    print_names("abilities", ability_names(profile));
    print_names("guests", guest_arches(profile, host_arch));
}

static int profiles(const struct options *options) {
    _cleanup_host_ vqemu_host *host = NULL;
    int status = host_from_options(options, &host);
    if (status)
        return status;

    const char *host_arch = vqemu_host_arch(host);
    if (options->json)
        return print_json(profile_list_json(host_arch));
    for (size_t i = 0; i < vqemu_profile_count(); i++) {
        if (i > 0)
            putchar('\n');
        print_profile(vqemu_profile_at(i), host_arch);
    }
    return EXIT_SUCCESS;
}

const struct command command_profiles = {
    .name = "profiles",
    .summary = "list the profiles",
    .description = "List the profiles: what each is for, what it can do, and which guest\n"
                   "architectures it serves on a host of this architecture.\n"
                   "With --json: an array of name, description, accel, abilities, guest_arches.\n",
    .example = "  volt-qemu profiles\n"
               "  volt-qemu profiles --host-arch aarch64\n",
    .run = profiles,
};
