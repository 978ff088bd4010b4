/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <volt-qemu/volt-qemu.h>

#include "abilities.h"
#include "cleanup.h"
#include "commands.h"
#include "from-options.h"
#include "json.h"
#include "message.h"
#include "options.h"
#include "text.h"

struct profiles {
    const vqemu_host *host;
    const vqemu_profile_list *stored; /* NULL: no store was named */
};

static json_t *guest_arches(const vqemu_profile *profile, const vqemu_host *host) {
    json_t *names = json_array();
    for (size_t i = 0; i < vqemu_guest_arch_count(); i++) {
        const char *arch = vqemu_guest_arch_at(i);
        if (vqemu_profile_serves(profile, arch, host))
            json_append_text(names, arch);
    }
    return names;
}

/* Whether the store has a revision of it: null where no store was named. */
static json_t *stored_json(const vqemu_profile_list *stored, const char *name) {
    for (size_t i = 0; i < vqemu_profile_list_count(stored); i++)
        if (strcmp(vqemu_profile_name(vqemu_profile_list_at(stored, i)), name) == 0)
            return json_true();
    return stored ? json_false() : json_null();
}

static json_t *profile_json(const struct profiles *profiles, const vqemu_profile *profile) {
    json_t *object = json_object();
    json_add_text(object, "name", vqemu_profile_name(profile));
    json_add_text(object, "description", vqemu_profile_description(profile));
    json_add_text(object, "accel", vqemu_profile_accel(profile));
    json_add(object, "abilities", ability_names(vqemu_profile_abilities(profile)));
    json_add(object, "guest_arches", guest_arches(profile, profiles->host));
    json_add(object, "stored", stored_json(profiles->stored, vqemu_profile_name(profile)));
    return object;
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

static void print_profile(const struct profiles *profiles, const vqemu_profile *profile) {
    const char *given = vqemu_profile_description(profile);
    _cleanup_free_ char *description = printable(given ? given : "-");
    json_t *stored = stored_json(profiles->stored, vqemu_profile_name(profile));
    printf("%s\n", vqemu_profile_name(profile));
    printf("  %s\n", description);
    printf("  %-13s%s\n", "accelerator", vqemu_profile_accel(profile));
    print_names("abilities", ability_names(vqemu_profile_abilities(profile)));
    print_names("guests", guest_arches(profile, profiles->host));
    if (profiles->stored)
        printf("  %-13s%s\n", "stored", json_is_true(stored) ? "yes" : "no");
    json_decref(stored);
}

/* The library's own, and then those of the store alone; NULL beyond. */
static const vqemu_profile *profile_at(const struct profiles *profiles, size_t index) {
    if (index < vqemu_profile_count())
        return vqemu_profile_at(index);
    index -= vqemu_profile_count();
    for (size_t i = 0; i < vqemu_profile_list_count(profiles->stored); i++) {
        const vqemu_profile *profile = vqemu_profile_list_at(profiles->stored, i);
        if (!vqemu_profile_find(vqemu_profile_name(profile)) && index-- == 0)
            return profile;
    }
    return NULL;
}

static int print(const struct options *options, const struct profiles *profiles) {
    json_t *list = json_array();
    const vqemu_profile *profile;
    for (size_t i = 0; (profile = profile_at(profiles, i)); i++) {
        if (options->json)
            json_append(list, profile_json(profiles, profile));
        else
            printf("%s", i > 0 ? "\n" : "");
        if (!options->json)
            print_profile(profiles, profile);
    }
    if (options->json)
        return print_json(list);
    json_decref(list);
    return EXIT_SUCCESS;
}

static int list_stored(const struct options *options, vqemu_profile_list **list) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = NULL;
    int status = store_from_options(options, 0, &store);
    if (!status && vqemu_store_list_profiles(store, 0, options->call, list, &error))
        status = fail(error);
    return status;
}

static int profiles(const struct options *options) {
    _cleanup_host_ vqemu_host *host = NULL;
    _cleanup_profile_list_ vqemu_profile_list *stored = NULL;
    int status = host_from_options(options, &host);
    if (!status && options_name_store(options))
        status = list_stored(options, &stored);
    if (status)
        return status;
    struct profiles profiles = {host, stored};
    return print(options, &profiles);
}

const struct command command_profiles = {
    .name = "profiles",
    .summary = "list the profiles",
    .description =
        "List the profiles: what each is for, what it can do, and which guest\n"
        "architectures it serves on a host of this architecture. With --root, also those\n"
        "that only this store has, and which ones it has.\n"
        "With --json: an array of name, description, accel, abilities, guest_arches,\n"
        "stored (null without a store).\n",
    .example = "  volt-qemu profiles\n"
               "  volt-qemu profiles --host-arch aarch64\n"
               "  volt-qemu profiles --root /var/lib/volt\n",
    .run = profiles,
};
