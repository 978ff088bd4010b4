/* SPDX-License-Identifier: MIT */
/*
 * What QEMU is told, as data: options with a head and settings, each with its origin. How QEMU
 * wants that spelled is option-text.h's affair alone. Allocation failure is remembered.
 */
#ifndef LIB_OPTION_H
#define LIB_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command/origin.h"
#include "util/arena.h"

/* Their spellings are in a table (option-text.c). */
enum option_name {
    OPTION_EXTRA, /* an argument of the VM's own, as it stands */
    OPTION_ACCEL,
    OPTION_ACTION,
    OPTION_ADD_FD,
    OPTION_APPEND,
    OPTION_AUDIO,
    OPTION_AUDIODEV,
    OPTION_BLOCKDEV,
    OPTION_BOOT,
    OPTION_CHARDEV,
    OPTION_CPU,
    OPTION_DEBUGCON,
    OPTION_DEVICE,
    OPTION_DISPLAY,
    OPTION_DRIVE,
    OPTION_FIRMWARE_DIR,
    OPTION_FSDEV,
    OPTION_FW_CFG,
    OPTION_GDB,
    OPTION_GLOBAL,
    OPTION_ICOUNT,
    OPTION_INCOMING,
    OPTION_INITRD,
    OPTION_ISCSI,
    OPTION_KERNEL,
    OPTION_MACHINE,
    OPTION_MEMORY,
    OPTION_MON,
    OPTION_MONITOR,
    OPTION_MSG,
    OPTION_NAME,
    OPTION_NET,
    OPTION_NETDEV,
    OPTION_NIC,
    OPTION_NO_DEFAULTS,
    OPTION_NO_REBOOT,
    OPTION_NO_USER_CONFIG,
    OPTION_OBJECT,
    OPTION_OPTION_ROM,
    OPTION_OVERCOMMIT,
    OPTION_PARALLEL,
    OPTION_PAUSED,
    OPTION_PID_FILE,
    OPTION_QMP,
    OPTION_QMP_PRETTY,
    OPTION_RTC,
    OPTION_SANDBOX,
    OPTION_SEMIHOSTING,
    OPTION_SERIAL,
    OPTION_SMP,
    OPTION_TPMDEV,
    OPTION_TRACE,
    OPTION_UUID,
    OPTION_VGA,
    OPTION_VIRTFS,
    OPTION_VNC,
    OPTION_COUNT,
};

enum setting_kind {
    SETTING_TEXT,
    SETTING_NUMBER,
    SETTING_HEX,
    SETTING_MEBIBYTES,
    SETTING_SWITCH,
    SETTING_FUNCTION, /* of a PCI device: slot << 3 | function */
    SETTING_CHANNEL,  /* the number of a channel device */
    SETTING_NULL,
};

struct setting {
    const char *name;
    enum setting_kind kind;
    const char *text;
    uint64_t number;      /* of a switch, 0 or 1 */
    struct origin origin; /* not said: that of the option */
};

struct option {
    enum option_name name;
    const char *head; /* "virtio-blk-pci"; NULL for none */
    struct origin origin;
    size_t first, count; /* of its settings */
    bool is_typed;       /* their kinds are those of JSON's values: a text was quoted */
};

struct options {
    struct option *items;
    struct setting *settings;
    size_t count, capacity, setting_count, setting_capacity;
    struct arena texts;
    bool failed;
};

/* ---- making them ---- */

/* The next option, of which the origin is to be set; NULL without memory. */
struct option *option_new(struct options *options, enum option_name name, const char *head);

/* The next option. head, which may be NULL, and values are copied, names are not. Inline, so that
 * an origin is made where it belongs instead of being handed over. */
static inline void option_begin(struct options *options, enum option_name name, const char *head,
                                struct origin origin) {
    struct option *option = option_new(options, name, head);
    if (option)
        option->origin = origin;
}

/* A setting of the option that was begun last. */
void option_text(struct options *options, const char *name, const char *value);
void option_textf(struct options *options, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void option_number(struct options *options, const char *name, uint64_t value);
void option_hex(struct options *options, const char *name, uint64_t value);
void option_switch(struct options *options, const char *name, bool on);
/* Any other kind. */
void option_add(struct options *options, const char *name, enum setting_kind kind, uint64_t value);
/* The option that was begun last says its values as JSON does. */
void option_typed(struct options *options);
/* The last setting has an origin of its own. */
static inline void option_from(struct options *options, struct origin origin) {
    if (!options->failed)
        options->settings[options->setting_count - 1].origin = origin;
}
/* Settings as a table has them: "hpet=off,vmport=off". */
void option_list(struct options *options, const char *list, struct origin origin);

/* What is added behind a place is moved to it: the options from first on come before it. */
void options_move(struct options *options, size_t first, size_t place);

void options_release(struct options *options);

#define _cleanup_options_ __attribute__((cleanup(options_release)))

/* ---- looking at them ---- */

static inline const struct setting *option_setting(const struct options *options,
                                                   const struct option *option, size_t index) {
    return &options->settings[option->first + index];
}

/* Where a setting comes from, if by its option. */
const struct origin *setting_origin(const struct option *option, const struct setting *setting);

/* NULL if there is none. */
const struct setting *option_find(const struct options *options, const struct option *option,
                                  const char *name);

/* Likewise, only one with a text. */
const struct setting *option_find_text(const struct options *options, const struct option *option,
                                       const char *name);

/* The first option of a name that has a setting with a text; NULL if none has. */
const struct option *options_find(const struct options *options, enum option_name name,
                                  const char *setting, const char *text);

#endif
