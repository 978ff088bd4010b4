/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "command/option-nouns.h"

static void flash_options(struct options *options, const char *node, const char *format,
                          const char *path, bool read_only, struct origin origin) {
    const struct image image = {
        .node = node,
        .format = {format, origin_none("the firmware of the profile has it in this format")},
        .has_layers = strcmp(format, "qcow2") == 0,
        .file = {.driver = {"file", origin}, .name = {path, origin}},
        .origin = origin,
        .read_only = read_only,
        .read_only_origin = origin,
    };
    image_options(options, &image);
}

void firmware_options(const struct plan *plan, struct options *options) {
    const struct firmware_plan *firmware = &plan->firmware;
    if (!plan->uefi)
        return;
    flash_options(options, "firmware", firmware->files.code_format, firmware->files.code, true,
                  firmware->origin);
    flash_options(options, "nvram", firmware->files.vars_format, firmware->nvram, false,
                  firmware->nvram_origin);
    if (!firmware->files.smm) /* OVMF's README, "SMM support" */
        return;
    option_begin(options, OPTION_GLOBAL, NULL,
                 origin_none("only system management mode may write the firmware's variables"));
    option_text(options, "driver", "cfi.pflash01");
    option_text(options, "property", "secure");
    option_switch(options, "value", true);
}
