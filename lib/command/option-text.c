/* SPDX-License-Identifier: MIT */
#include "command/option-text.h"

#include <string.h>

#include "util/word.h"

static const struct spelling {
    const char *text;
    bool is_alone; /* has no value */
} spellings[OPTION_COUNT] = {
    [OPTION_EXTRA] = {NULL, true},
    [OPTION_ACCEL] = {"-accel", false},
    [OPTION_ACTION] = {"-action", false},
    [OPTION_ADD_FD] = {"-add-fd", false},
    [OPTION_APPEND] = {"-append", false},
    [OPTION_AUDIO] = {"-audio", false},
    [OPTION_AUDIODEV] = {"-audiodev", false},
    [OPTION_BLOCKDEV] = {"-blockdev", false},
    [OPTION_BOOT] = {"-boot", false},
    [OPTION_CHARDEV] = {"-chardev", false},
    [OPTION_CPU] = {"-cpu", false},
    [OPTION_DEBUGCON] = {"-debugcon", false},
    [OPTION_DEVICE] = {"-device", false},
    [OPTION_DISPLAY] = {"-display", false},
    [OPTION_DRIVE] = {"-drive", false},
    [OPTION_FIRMWARE_DIR] = {"-L", false},
    [OPTION_FSDEV] = {"-fsdev", false},
    [OPTION_FW_CFG] = {"-fw_cfg", false},
    [OPTION_GDB] = {"-gdb", false},
    [OPTION_GLOBAL] = {"-global", false},
    [OPTION_ICOUNT] = {"-icount", false},
    [OPTION_INCOMING] = {"-incoming", false},
    [OPTION_INITRD] = {"-initrd", false},
    [OPTION_ISCSI] = {"-iscsi", false},
    [OPTION_KERNEL] = {"-kernel", false},
    [OPTION_MACHINE] = {"-machine", false},
    [OPTION_MEMORY] = {"-m", false},
    [OPTION_MON] = {"-mon", false},
    [OPTION_MONITOR] = {"-monitor", false},
    [OPTION_MSG] = {"-msg", false},
    [OPTION_NAME] = {"-name", false},
    [OPTION_NET] = {"-net", false},
    [OPTION_NETDEV] = {"-netdev", false},
    [OPTION_NIC] = {"-nic", false},
    [OPTION_NO_DEFAULTS] = {"-nodefaults", true},
    [OPTION_NO_REBOOT] = {"-no-reboot", true},
    [OPTION_NO_USER_CONFIG] = {"-no-user-config", true},
    [OPTION_OBJECT] = {"-object", false},
    [OPTION_OPTION_ROM] = {"-option-rom", false},
    [OPTION_OVERCOMMIT] = {"-overcommit", false},
    [OPTION_PARALLEL] = {"-parallel", false},
    [OPTION_PAUSED] = {"-S", true},
    [OPTION_PID_FILE] = {"-pidfile", false},
    [OPTION_QMP] = {"-qmp", false},
    [OPTION_QMP_PRETTY] = {"-qmp-pretty", false},
    [OPTION_RTC] = {"-rtc", false},
    [OPTION_SANDBOX] = {"-sandbox", false},
    [OPTION_SEMIHOSTING] = {"-semihosting-config", false},
    [OPTION_SERIAL] = {"-serial", false},
    [OPTION_SMP] = {"-smp", false},
    [OPTION_TPMDEV] = {"-tpmdev", false},
    [OPTION_TRACE] = {"-trace", false},
    [OPTION_UUID] = {"-uuid", false},
    [OPTION_VGA] = {"-vga", false},
    [OPTION_VIRTFS] = {"-virtfs", false},
    [OPTION_VNC] = {"-vnc", false},
};

/* Options that the library says nothing with, and knows nothing of: which have a value. */
static const char with_value[] =
    "acpitable bios cdrom chroot compat d D dfilter dtb dump-vmstate echr fda fdb g hda hdb hdc "
    "hdd k loadvm mem-path mtdblock numa pflash plugin prom-env qtest qtest-log readconfig "
    "rotate run-with runas sd seed set shim smbios soundhw spice tb-size usbdevice watchdog "
    "watchdog-action xen-domid";
static const char without_value[] =
    "async-teardown audio-help curses daemonize enable-fips enable-kvm enable-sync-profile "
    "full-screen h help jitdump mem-prealloc no-acpi no-fd-bootchk no-hpet no-shutdown "
    "nographic old-param one-insn-per-tb only-migratable perfmap portrait preconfig s sdl "
    "semihosting singlestep snapshot usb version win2k-hack xen-attach xen-domid-restrict";

const char *option_spelling(enum option_name name) {
    return spellings[name].text;
}

const char *option_word(const char *argument) {
    return argument[0] == '-' ? argument + 1 + (argument[1] == '-') : NULL;
}

enum option_name option_find_name(const char *word) {
    if (strcmp(word, "M") == 0)
        return OPTION_MACHINE;
    for (int name = 0; name < OPTION_COUNT; name++)
        if (spellings[name].text && strcmp(word, option_word(spellings[name].text)) == 0)
            return (enum option_name)name;
    return OPTION_COUNT;
}

int option_has_value(const char *word) {
    enum option_name name = option_find_name(word);
    if (name != OPTION_COUNT)
        return !spellings[name].is_alone;
    if (strpbrk(word, " \t"))
        return -1;
    return has_word(with_value, word) ? 1 : has_word(without_value, word) ? 0 : -1;
}

size_t option_argument_count(const struct option *option) {
    return spellings[option->name].is_alone ? 1 : 2;
}

/* ---- values ---- */

static void add_decimal(struct strbuf *text, uint64_t number) {
    strbuf_add_number(text, number, 10, 1);
}

static void add_hex(struct strbuf *text, uint64_t number) {
    strbuf_add(text, "0x");
    strbuf_add_number(text, number, 16, 1);
}

void setting_add_value(const struct setting *setting, struct strbuf *text) {
    uint64_t number = setting->number;
    switch (setting->kind) {
    case SETTING_TEXT:
        strbuf_add(text, setting->text);
        return;
    case SETTING_NUMBER:
        add_decimal(text, number);
        return;
    case SETTING_HEX:
        add_hex(text, number);
        return;
    case SETTING_MEBIBYTES:
        add_decimal(text, number);
        strbuf_add_char(text, 'M');
        return;
    case SETTING_SWITCH:
        strbuf_add(text, number ? "on" : "off");
        return;
    case SETTING_FUNCTION:
        add_hex(text, number >> 3);
        strbuf_add_char(text, '.');
        add_decimal(text, number & 7);
        return;
    case SETTING_CHANNEL:
        strbuf_addf(text, "fe.0.%04x", (unsigned)number);
        return;
    case SETTING_NULL:
        strbuf_add(text, "null");
        return;
    }
}

/* ---- key=value ---- */

/* A comma in a value is doubled, which is the only escape there is (qemu(1), "Options"); every
 * other byte stands for itself. */
static void add_escaped(struct strbuf *text, const char *value) {
    for (size_t length; *value; value += length) {
        length = (size_t)(strchrnul(value, ',') - value);
        strbuf_add_bytes(text, value, length);
        if (value[length] == ',') {
            strbuf_add(text, ",,");
            length++;
        }
    }
}

void setting_add_text(const struct setting *setting, struct strbuf *text) {
    strbuf_add(text, setting->name);
    strbuf_add_char(text, '=');
    if (setting->kind == SETTING_TEXT)
        add_escaped(text, setting->text);
    else
        setting_add_value(setting, text);
}

static void add_settings(const struct options *options, const struct option *option,
                         struct strbuf *text) {
    for (size_t i = 0; i < option->count; i++) {
        if (i > 0 || option->head)
            strbuf_add_char(text, ',');
        setting_add_text(option_setting(options, option, i), text);
    }
}

/* ---- JSON ---- */

/* Only JSON can say that there is nothing: without a "backing", QEMU would open what the header of
 * an image names. Paths need not be UTF-8, so they are never in the same option as that. */
static bool needs_json(const struct options *options, const struct option *option) {
    for (size_t i = 0; option->name == OPTION_BLOCKDEV && i < option->count; i++)
        if (strcmp(option_setting(options, option, i)->name, "backing") == 0)
            return true;
    return false;
}

static void add_quoted(struct strbuf *text, const char *value, size_t length) {
    strbuf_add_char(text, '"');
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)value[i];
        if (c < 0x20)
            strbuf_addf(text, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            strbuf_addf(text, "\\%c", c);
        else
            strbuf_add_char(text, (char)c);
    }
    strbuf_add_char(text, '"');
}

static void add_json_value(struct strbuf *text, const struct setting *setting) {
    if (setting->kind == SETTING_TEXT)
        add_quoted(text, setting->text, strlen(setting->text));
    else if (setting->kind == SETTING_SWITCH)
        strbuf_add(text, setting->number ? "true" : "false");
    else
        setting_add_value(setting, text);
}

/* "cache.direct" is a member of an object. */
static void add_member(struct strbuf *text, const struct setting *setting) {
    size_t outer = strcspn(setting->name, ".");
    bool is_inner = setting->name[outer] == '.';
    const char *inner = setting->name + outer + 1;
    add_quoted(text, setting->name, outer);
    strbuf_add_char(text, ':');
    if (is_inner) {
        strbuf_add_char(text, '{');
        add_quoted(text, inner, strlen(inner));
        strbuf_add_char(text, ':');
    }
    add_json_value(text, setting);
    if (is_inner)
        strbuf_add_char(text, '}');
}

static void add_json(const struct options *options, const struct option *option,
                     struct strbuf *text) {
    strbuf_add_char(text, '{');
    for (size_t i = 0; i < option->count; i++) {
        if (i > 0)
            strbuf_add_char(text, ',');
        add_member(text, option_setting(options, option, i));
    }
    strbuf_add_char(text, '}');
}

/* ---- options ---- */

/* A head is a word of QEMU's, or all that the option has, and never escaped. */
void option_add_text(const struct options *options, const struct option *option,
                     struct strbuf *text) {
    if (option->head)
        strbuf_add(text, option->head);
    if (needs_json(options, option))
        add_json(options, option, text);
    else
        add_settings(options, option, text);
}

void options_add_text(const struct options *options, struct strv *argv) {
    _cleanup_strbuf_ struct strbuf value = {0};
    argv->failed = argv->failed || options->failed || options->texts.failed;
    for (size_t i = 0; !argv->failed && i < options->count; i++) {
        const struct option *option = &options->items[i];
        const struct spelling *spelling = &spellings[option->name];
        if (spelling->text)
            strv_add(argv, spelling->text);
        if (spelling->text && spelling->is_alone)
            continue;
        strbuf_truncate(&value, 0);
        option_add_text(options, option, &value);
        if (value.failed)
            argv->failed = true;
        else
            strv_add_bytes(argv, value.text ? value.text : "", value.length);
    }
}
