/* SPDX-License-Identifier: MIT */
/*
 * A UEFI application that tells on the console what it sees, and powers off:
 *
 *     VOLT-EFI tpm=1 secureboot=0 boots=1 usb=0627:0001,
 *
 * boots counts in a variable that survives. Types and numbers: UEFI specification 2.10; the TCG EFI
 * Protocol Specification for that of the TPM.
 */
#include <stdint.h>

typedef uint64_t efi_status;
typedef uint16_t efi_char;

struct guid {
    uint32_t a;
    uint16_t b, c;
    uint8_t d[8];
};

struct table_header {
    uint64_t signature;
    uint32_t revision, size, checksum, reserved;
};

struct text_output {
    void *reset;
    efi_status (*output_string)(struct text_output *self, const efi_char *text);
};

struct boot_services {
    struct table_header header;
    void *before_connect[30];
    efi_status (*connect_controller)(void *handle, void *drivers, void *path, uint8_t recursive);
    void *before_locate[5];
    efi_status (*locate_handles)(uint32_t how, const struct guid *protocol, void *key,
                                 uint64_t *count, void ***handles);
    efi_status (*locate_protocol)(const struct guid *protocol, void *key, void **interface);
};

struct runtime_services {
    struct table_header header;
    void *before_variables[6];
    efi_status (*get_variable)(const efi_char *name, const struct guid *vendor,
                               uint32_t *attributes, uint64_t *size, void *data);
    void *get_next_variable;
    efi_status (*set_variable)(const efi_char *name, const struct guid *vendor, uint32_t attributes,
                               uint64_t size, const void *data);
    void *get_next_count;
    void (*reset_system)(uint32_t how, efi_status status, uint64_t size, void *data);
};

struct system_table {
    struct table_header header;
    const efi_char *vendor;
    uint32_t revision;
    void *in_handle, *in, *out_handle;
    struct text_output *out;
    void *error_handle, *error;
    struct runtime_services *runtime;
    struct boot_services *boot;
};

struct usb_io {
    void *transfers[6];
    efi_status (*get_device_descriptor)(struct usb_io *self, uint8_t descriptor[18]);
};

static const struct guid global_variable = {
    0x8be4df61, 0x93ca, 0x11d2, {0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c}};
static const struct guid tcg2_protocol = {
    0x607f766c, 0x7455, 0x42be, {0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f}};
static const struct guid usb_io_protocol = {
    0x2b2f68d6, 0x0cd2, 0x44cf, {0x8e, 0x8b, 0xbb, 0xa2, 0x0b, 0x1b, 0x5b, 0x75}};
static const struct guid own_variable = {
    0x5d1b7e0a, 0x3c4f, 0x4d0e, {0x9a, 0x51, 0x7e, 0x2c, 0x60, 0x1f, 0x8b, 0x3d}};

#define SURVIVES 7 /* non-volatile, accessible by boot and runtime services */
#define ALL_HANDLES 0
#define BY_PROTOCOL 2
#define SHUTDOWN 2

static efi_char line[512];
static unsigned line_length;

static void add_text(const char *text) {
    while (*text)
        line[line_length++] = (efi_char)*text++;
}

static void add_digit(unsigned digit) {
    line[line_length++] = (efi_char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
}

static void add_hex(unsigned number) {
    for (int shift = 12; shift >= 0; shift -= 4)
        add_digit((number >> shift) & 15);
}

static uint8_t read_byte(struct runtime_services *runtime, const efi_char *name,
                         const struct guid *vendor) {
    uint8_t value = 0;
    uint64_t size = sizeof value;
    return runtime->get_variable(name, vendor, 0, &size, &value) == 0 ? value : 0;
}

static void add_boots(struct runtime_services *runtime) {
    static const efi_char name[] = {'V', 'o', 'l', 't', 'B', 'o', 'o', 't', 's', 0};
    uint8_t boots = (uint8_t)(read_byte(runtime, name, &own_variable) + 1);
    add_text(" boots=");
    if (runtime->set_variable(name, &own_variable, SURVIVES, sizeof boots, &boots) == 0)
        add_digit(boots);
}

/* Devices have drivers only where they are needed to boot, unless all are asked for. */
static void connect_all(struct boot_services *boot) {
    void **handles;
    uint64_t count;
    if (boot->locate_handles(ALL_HANDLES, 0, 0, &count, &handles) == 0)
        for (uint64_t i = 0; i < count; i++)
            boot->connect_controller(handles[i], 0, 0, 1);
}

static efi_status open_usb(struct boot_services *boot, void *handle, struct usb_io **usb) {
    efi_status (*handle_protocol)(void *, const struct guid *, void **);
    /* Of the services that stand before ConnectController(), HandleProtocol() is the 17th. */
    *(void **)&handle_protocol = boot->before_connect[16];
    return handle_protocol(handle, &usb_io_protocol, (void **)usb);
}

static void add_usb(struct boot_services *boot) {
    void **handles;
    uint64_t count = 0;
    add_text(" usb=");
    connect_all(boot);
    if (boot->locate_handles(BY_PROTOCOL, &usb_io_protocol, 0, &count, &handles) != 0)
        return;
    for (uint64_t i = 0; i < count; i++) {
        struct usb_io *usb;
        uint8_t descriptor[18];
        if (open_usb(boot, handles[i], &usb) != 0 ||
            usb->get_device_descriptor(usb, descriptor) != 0)
            continue;
        add_hex((unsigned)(descriptor[8] | descriptor[9] << 8));
        add_text(":");
        add_hex((unsigned)(descriptor[10] | descriptor[11] << 8));
        add_text(",");
    }
}

efi_status efi_main(void *image, struct system_table *system) {
    static const efi_char secure_boot[] = {'S', 'e', 'c', 'u', 'r', 'e', 'B', 'o', 'o', 't', 0};
    void *tcg2;
    (void)image;
    add_text("\r\nVOLT-EFI tpm=");
    add_digit(system->boot->locate_protocol(&tcg2_protocol, 0, &tcg2) == 0);
    add_text(" secureboot=");
    add_digit(read_byte(system->runtime, secure_boot, &global_variable));
    add_boots(system->runtime);
    add_usb(system->boot);
    add_text("\r\n");
    system->out->output_string(system->out, line);
    system->runtime->reset_system(SHUTDOWN, 0, 0, 0);
    return 0;
}
