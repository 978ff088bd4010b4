/* SPDX-License-Identifier: MIT */
#include "abilities.h"

#include <volt-qemu/volt-qemu.h>

#include "json.h"

json_t *ability_names(uint64_t abilities) {
    json_t *names = json_array();
    for (uint64_t bit = 1; bit; bit <<= 1)
        if (abilities & bit)
            json_append_text(names, vqemu_ability_name(bit));
    return names;
}
