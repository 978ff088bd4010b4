/* SPDX-License-Identifier: MIT */
#include "setting.h"

#include <stdio.h>
#include <string.h>

#include "fuzz.h"

#define SETTINGS_MAX 400

static struct setting settings[SETTINGS_MAX];
static size_t setting_count;

static void add_setting(const char *host_arch, const char *profile, const char *guest_arch) {
    vqemu_selection *selection = fuzz_select(host_arch, profile, guest_arch);
    if (selection && setting_count < SETTINGS_MAX)
        settings[setting_count++] =
            (struct setting){host_arch, guest_arch, profile, fuzz_make_runtime(selection, true),
                             fuzz_make_runtime(selection, false)};
    vqemu_selection_free(selection);
}

static void make_settings(void) {
    for (size_t host = 0; host < vqemu_guest_arch_count(); host++)
        for (size_t i = 0; i < vqemu_profile_count(); i++)
            for (size_t guest = 0; guest < vqemu_guest_arch_count(); guest++)
                add_setting(vqemu_guest_arch_at(host), vqemu_profile_name(vqemu_profile_at(i)),
                            vqemu_guest_arch_at(guest));
    FUZZ_CHECK(setting_count > 0, "no profile runs anything");
}

/* ---- what it is for ---- */

static const struct setting *by_words(const char *host_arch, const char *profile,
                                      const char *guest_arch) {
    for (size_t i = 0; i < setting_count; i++)
        if (strcmp(settings[i].host_arch, host_arch) == 0 &&
            strcmp(settings[i].profile, profile) == 0 &&
            strcmp(settings[i].guest_arch, guest_arch) == 0)
            return &settings[i];
    return NULL;
}

static unsigned hash(const char *text) {
    unsigned sum = 2166136261U; /* FNV-1a */
    for (; *text; text++)
        sum = (sum ^ (unsigned char)*text) * 16777619U;
    return sum;
}

const struct setting *setting_choose(const char *text, unsigned *flags) {
    char host_arch[32] = "x86_64", profile[32] = "emulate-x86", guest_arch[32] = "x86_64";
    if (setting_count == 0)
        make_settings();
    *flags = 0;
    int count = sscanf(text, "%31s %31s %31s %u", host_arch, profile, guest_arch, flags);
    const struct setting *setting = by_words(host_arch, profile, guest_arch);
    if (setting)
        return setting;
    if (count < 4)
        *flags = hash(text) >> 16;
    return &settings[hash(text) % setting_count];
}
