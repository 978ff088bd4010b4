/* SPDX-License-Identifier: MIT */
/*
 * An ELF note that tells packagers which library is loaded when it is needed: the FDO packaging
 * metadata for dlopen() (https://systemd.io/ELF_DLOPEN_METADATA/).
 */
#ifndef LIB_DLOPEN_NOTE_H
#define LIB_DLOPEN_NOTE_H

#include <stdint.h>

#define DLOPEN_NOTE(name, json)                                                                    \
    static const struct {                                                                          \
        uint32_t owner_size, text_size, type;                                                      \
        char owner[4];                                                                             \
        _Alignas(uint32_t) char text[sizeof(json)];                                                \
    } dlopen_note_##name __attribute__((used, section(".note.dlopen"), aligned(4))) = {            \
        .owner_size = 4,                                                                           \
        .text_size = sizeof(json),                                                                 \
        .type = 0x407c0c0a,                                                                        \
        .owner = "FDO",                                                                            \
        .text = json,                                                                              \
    }

#endif
