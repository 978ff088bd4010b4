/* SPDX-License-Identifier: MIT */
/* Places that the VM gives its devices, and those that a completed VM has: none moves. */
#include <stdlib.h>

#include <volt-qemu/volt-qemu.h>

#include "base/error.h"
#include "choice/selection.h"
#include "command/command.h"
#include "fixture.h"
#include "run.h"
#include "tree/runtime.h"
#include "util/strbuf.h"
#include "util/strv.h"
#include "vm/vm.h"

static const struct {
    const char *profile, *arch, *machine;
    unsigned crowd; /* devices of each list, that are more than the bus has room for */
} machines[] = {
    {"emulate-x86", "x86_64", "q35", 16},
    {"emulate-x86", "x86_64", "pc", 16},
    {"emulate-foreign", "aarch64", "virt", 16},
    {"emulate-foreign", "ppc64", "pseries", 16},
    {"emulate-foreign", "s390x", "s390-ccw-virtio", 40},
    {"emulate-foreign", "mips", "malta", 9},
    {"emulate-foreign", "ppc", "mac99", 4},
};
enum { MACHINE_COUNT = sizeof machines / sizeof *machines, ROUNDS = 30 };

static vqemu_runtime *make_runtime(int machine) {
    _cleanup_selection_ vqemu_selection *selection =
        select_profile(machines[machine].profile, machines[machine].arch);
    return runtime_at(selection, runtime_paths("/t/bin/qemu", "/t/firmware", NULL, NULL, NULL));
}

static vqemu_vm *vm_of(const char *json) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_vm *vm = NULL;
    int r = vqemu_vm_from_json(json, strlen(json), NULL, 0, &vm, &error);
    ck_assert_msg(r == 0, "%s: %s", vqemu_error_message(error), json);
    return vm;
}

static char *text_of(const vqemu_vm *vm) {
    char *text = NULL;
    ck_assert_int_eq(vqemu_vm_to_json(vm, 0, &text, NULL), 0);
    return text;
}

static vqemu_command *make_command(vqemu_runtime *runtime, const vqemu_vm *vm) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *text = text_of(vm);
    vqemu_command *command = NULL;
    int r = vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, &error);
    ck_assert_msg(r == 0, "%s: %s", vqemu_error_message(error), text);
    return command;
}

static void complete(vqemu_vm *vm, vqemu_runtime *runtime) {
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_vm_complete(vm, runtime, NULL, 0, NULL, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
}

/* ---- devices of a command ---- */

/* What the guest sees of a device: not what serves it, nor the order of booting. */
static char *seen_of(const char *device) {
    static const char *const unseen[] = {"drive=", "netdev=", "fsdev=", "chardev=", "bootindex="};
    _cleanup_free_ char *copy = strdup(device);
    struct strbuf seen = {0};
    char *rest = copy;
    for (char *word; (word = strsep(&rest, ","));) {
        bool is_seen = true;
        for (size_t i = 0; i < sizeof unseen / sizeof *unseen; i++)
            is_seen = is_seen && strncmp(word, unseen[i], strlen(unseen[i])) != 0;
        if (is_seen)
            strbuf_addf(&seen, "%s%s", seen.length ? "," : "", word);
    }
    return strbuf_take(&seen);
}

static void list_devices(const vqemu_command *command, struct strv *devices) {
    char *const *argv = vqemu_command_argv(command);
    for (size_t i = 1; argv[i]; i++)
        if (strcmp(argv[i - 1], "-device") == 0)
            strv_take_in(devices, seen_of(argv[i]));
}

static void devices_of(vqemu_runtime *runtime, const vqemu_vm *vm, struct strv *devices) {
    _cleanup_command_ vqemu_command *command = make_command(runtime, vm);
    list_devices(command, devices);
}

static bool has(const struct strv *devices, const char *device) {
    for (size_t i = 0; i < devices->count; i++)
        if (strcmp(devices->items[i], device) == 0)
            return true;
    return false;
}

static bool has_id(const struct strv *devices, const char *id) {
    _cleanup_free_ char *inner = format_string(",id=%s,", id), *last = format_string(",id=%s", id);
    for (size_t i = 0; i < devices->count; i++) {
        const char *device = devices->items[i];
        size_t length = strlen(device), end = strlen(last);
        if (strstr(device, inner) || (length >= end && strcmp(device + length - end, last) == 0))
            return true;
    }
    return false;
}

static bool is_bridge(const char *device) {
    return strncmp(device, "pci-bridge,", 11) == 0 || strncmp(device, "pcie-pci-bridge,", 16) == 0;
}

/* ---- what is given ---- */

static void check_device(const vqemu_command *command, const char *wanted) {
    _cleanup_strv_ struct strv devices = {0};
    char *const *argv = vqemu_command_argv(command);
    bool found = false;
    for (size_t i = 1; argv[i]; i++)
        if (strcmp(argv[i - 1], "-device") == 0) {
            strv_add(&devices, argv[i]);
            found = found || strstr(argv[i], wanted);
        }
    for (size_t i = 0; !found && i < devices.count; i++)
        fprintf(stderr, "# %s\n", devices.items[i]);
    ck_assert_msg(found, "no device has %s", wanted);
}

static void check_given(int machine, const char *json, const char *const *wanted) {
    _cleanup_runtime_ vqemu_runtime *runtime = make_runtime(machine);
    _cleanup_free_ char *whole = format_string("{\"name\": \"x\", \"kernel\": \"/k\", "
                                               "\"machine\": \"%s\", %s}",
                                               machines[machine].machine, json);
    _cleanup_vm_ vqemu_vm *vm = vm_of(whole);
    _cleanup_command_ vqemu_command *command = make_command(runtime, vm);
    for (; *wanted; wanted++)
        check_device(command, *wanted);
}
#define WANTED(...) ((const char *const[]){__VA_ARGS__, NULL})

START_TEST(devices_are_where_the_vm_wants_them) {
    check_given(0,
                "\"nics\": [{}, {}, {\"id\": \"lan\"}], \"slots\": {\"nic1\": \"0x5\", "
                "\"lan\": 6, \"nic0\": \"0x1E\"}",
                WANTED("id=nic1,netdev=net1,", "romfile=,addr=0x5", "romfile=,addr=0x6",
                       "romfile=,addr=0x1e"));
    check_given(0, "\"nics\": [{}, {}], \"slots\": {\"nic0\": \"0x10\", \"nic1\": \"0x10.3\"}",
                WANTED("addr=0x10.0,multifunction=on", "addr=0x10.3"));
    check_given(0, "\"nics\": [{}], \"slots\": {\"nic0\": \"0x10.0\"}",
                WANTED("addr=0x10.0,multifunction=on"));
    check_given(0, "\"nics\": [{}], \"slots\": {\"nic0\": \"bridge2:0x1f\"}",
                WANTED("pcie-pci-bridge,id=bridge2,addr=0x1f.6", "bus=bridge2,addr=0x1f"));
    check_given(
        1, "\"nics\": [{}], \"slots\": {\"nic0\": \"bridge2:0x1\"}",
        WANTED("pci-bridge,id=bridge2,chassis_nr=3,shpc=off,addr=0x1.6", "bus=bridge2,addr=0x1"));
    check_given(4, "\"nics\": [{}, {}], \"slots\": {\"nic0\": \"fe.0.2001\", \"nic1\": 1}",
                WANTED("devno=fe.0.2001", "devno=fe.0.0001"));
    check_given(5, "\"nics\": [{}, {}], \"slots\": {\"nic1\": \"0x12\"}",
                WANTED("id=nic0,netdev=net0,", "romfile=,addr=0x13", "romfile=,addr=0x12"));
    check_given(5, "\"nics\": [{}, {}], \"slots\": {\"nic1\": \"0x12.7\"}",
                WANTED("addr=0x12.0,multifunction=on", "addr=0x12.7"));
}
END_TEST

START_TEST(drives_are_where_the_vm_wants_them) {
    check_given(0,
                "\"disks\": [{\"file\": \"/a\", \"bus\": \"scsi\"}, {\"file\": \"/b\", \"bus\": "
                "\"scsi\"}, {\"cdrom\": true}, {\"cdrom\": true}], \"slots\": {\"drive0\": "
                "\"scsi:1\", \"drive3\": \"ide:0\"}",
                WANTED("id=drive0,bus=scsi.0,scsi-id=1", "id=drive1,bus=scsi.0,scsi-id=0",
                       "id=drive2,bus=ide.1", "id=drive3,bus=ide.0"));
    check_given(1, "\"disks\": [{\"cdrom\": true}], \"slots\": {\"drive0\": \"ide:3\"}",
                WANTED("id=drive0,bus=ide.1,unit=1"));
    check_given(0,
                "\"display\": \"vnc\", \"disks\": [{\"file\": \"/a\", \"bus\": \"usb\"}, "
                "{\"file\": \"/b\", \"bus\": \"usb\"}], \"slots\": {\"tablet\": \"usb:3\", "
                "\"drive1\": \"usb:1\"}",
                WANTED("usb-tablet,id=tablet,bus=usb.0,port=3", "id=drive0,bus=usb.0,port=4",
                       "id=drive1,bus=usb.0,port=1"));
    check_given(2,
                "\"disks\": [{\"file\": \"/a\", \"bus\": \"ide\"}], \"slots\": {\"drive0\": "
                "\"ide:5\"}",
                WANTED("ich9-ahci,id=ide,addr=0xf", "id=drive0,bus=ide.5"));
}
END_TEST

/* What has a home that is taken goes elsewhere, and those beside it stay. */
START_TEST(others_go_around_what_is_given) {
    check_given(
        0,
        "\"disks\": [{\"file\": \"/a\"}, {\"file\": \"/b\"}], \"nics\": [{}], "
        "\"slots\": {\"nic0\": \"0x18\"}",
        WANTED("id=drive0,drive=disk0,serial=disk0,addr=0x1e", "addr=0x19", "romfile=,addr=0x18"));
    check_given(0,
                "\"disks\": [{\"file\": \"/a\"}], \"nics\": [{}], \"slots\": {\"nic0\": "
                "\"0x18.1\"}",
                WANTED("serial=disk0,addr=0x18.0,multifunction=on", "romfile=,addr=0x18.1"));
    check_given(4,
                "\"disks\": [{\"file\": \"/a\"}], \"nics\": [{}], \"slots\": {\"nic0\": "
                "\"fe.0.3000\"}",
                WANTED("serial=disk0,devno=fe.0.4000", "devno=fe.0.3000"));
}
END_TEST

/* The guest finds bridges only beside a first function. */
START_TEST(a_bridge_stands_in_for_the_first_function) {
    check_given(2, "\"nics\": [{}], \"slots\": {\"nic0\": \"bridge0:0x1\"}",
                WANTED("pcie-pci-bridge,id=bridge0,addr=0x1f.4",
                       "pcie-pci-bridge,id=bridge4,addr=0x1f.0,multifunction=on"));
    check_given(2, "\"nics\": [{}, {}], \"slots\": {\"nic0\": \"bridge0:0x1\", \"nic1\": 31}",
                WANTED("romfile=,addr=0x1f.0,multifunction=on"));
}
END_TEST

/* Such a guest would not boot: its bus would have no number. */
START_TEST(pseries_has_no_bridge_with_nothing_behind_it) {
    static const struct {
        const char *keys;
        bool bridge1;
    } cases[] = {
        {"\"nics\": [{}], \"slots\": {\"bridge1\": \"0x1f.5\"}", false},
        {"\"nics\": [{}], \"slots\": {\"bridge4\": \"0x1f.0\"}", false},
        {"\"nics\": [{}], \"slots\": {\"nic0\": \"bridge1:0x3\"}", true},
        {"\"nics\": [{}, {}], \"slots\": {\"nic0\": \"bridge1:0x3\", \"bridge4\": \"0x1f.0\", "
         "\"bridge0\": \"0x1f.4\"}",
         true},
    };
    _cleanup_runtime_ vqemu_runtime *runtime = make_runtime(3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_strv_ struct strv devices = {0};
        _cleanup_free_ char *json =
            format_string("{\"name\": \"x\", \"kernel\": \"/k\", %s}", cases[i].keys);
        _cleanup_vm_ vqemu_vm *vm = vm_of(json);
        devices_of(runtime, vm, &devices);
        ck_assert(has_id(&devices, "nic0"));
        ck_assert(has_id(&devices, "bridge1") == cases[i].bridge1);
        ck_assert(!has_id(&devices, "bridge0") && !has_id(&devices, "bridge4"));
    }
}
END_TEST

/* ---- ids and numbers ---- */

START_TEST(what_follows_from_the_number_goes_with_the_id) {
    check_given(0, "\"nics\": [{\"id\": \"nic5\"}, {}]",
                WANTED("id=nic5,netdev=net5,", "id=nic1,netdev=net1,", "romfile=,addr=0x15",
                       "romfile=,addr=0x11"));
    check_given(0, "\"nics\": [{}, {\"id\": \"nic0\"}, {\"id\": \"lan\"}, {}]",
                WANTED("id=nic1,netdev=net1,", "id=nic0,netdev=net0,", "id=lan,netdev=net2,",
                       "id=nic3,netdev=net3,"));
    check_given(0, "\"disks\": [{\"file\": \"/a\", \"id\": \"drive1\"}, {\"file\": \"/b\"}]",
                WANTED("id=drive1,drive=disk1,serial=disk1,addr=0x19",
                       "id=drive0,drive=disk0,serial=disk0,addr=0x18"));
    check_given(0, "\"disks\": [{\"file\": \"/a\", \"id\": \"drive999\", \"bus\": \"scsi\"}]",
                WANTED("id=drive999,bus=scsi.0,scsi-id=0,drive=disk999"));
    check_given(0,
                "\"shares\": [{\"path\": \"/a\", \"tag\": \"a\", \"id\": \"share2\"}, {\"path\": "
                "\"/b\", \"tag\": \"b\"}]",
                WANTED("id=share2,fsdev=share2,mount_tag=a,addr=0xc",
                       "id=share1,fsdev=share1,mount_tag=b,addr=0xb"));
}
END_TEST

/* Of a disk and a NIC that had a number before, serial and address may still be there. */
START_TEST(defaults_are_none_that_others_have) {
    check_given(0,
                "\"disks\": [{\"file\": \"/a\", \"serial\": \"disk1\"}, {\"file\": \"/b\"}], "
                "\"uuid\": \"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"",
                WANTED("id=drive1,drive=disk1,serial=disk1001,"));
    _cleanup_runtime_ vqemu_runtime *runtime = make_runtime(0);
    _cleanup_vm_ vqemu_vm *vm = vm_of("{\"name\": \"x\", \"kernel\": \"/k\", \"nics\": [{\"id\": "
                                      "\"lan\"}, {\"id\": \"wan\"}]}");
    complete(vm, runtime);
    ck_assert_int_eq(vqemu_vm_remove(vm, "nics[0]", NULL), 0);
    ck_assert_int_eq(vqemu_vm_unset(vm, "slots.lan", NULL), 0);
    ck_assert_int_eq(vqemu_vm_unset(vm, "uuid", NULL), 0); /* of which addresses follow */
    ck_assert_int_eq(vqemu_vm_set_string(vm, "nics[1].backend", "user", NULL), 0);
    vqemu_command_unref(make_command(runtime, vm)); /* or the address would be there twice */
}
END_TEST

/* ---- completed VMs ---- */

static unsigned chance_state;

static unsigned chance(unsigned below) {
    chance_state = chance_state * 1103515245U + 12345U;
    return (chance_state >> 16) % below;
}

static const char *random_bus(const char *arch) {
    static const char *const buses[] = {"virtio", "virtio", "scsi", "ide", "usb"};
    return buses[chance(strcmp(arch, "s390x") == 0 ? 3 : 5)];
}

static void add_id(struct strbuf *text, const char *noun, unsigned number) {
    if (chance(3) == 0)
        strbuf_addf(text, "\"id\": \"my-%s.%u\", ", noun, number);
}

static void add_disks(struct strbuf *text, int machine, unsigned count) {
    unsigned ide = 0, usb = 0;
    strbuf_add(text, ", \"disks\": [");
    for (unsigned i = 0; i < count; i++) {
        const char *bus = random_bus(machines[machine].arch);
        if ((strcmp(bus, "ide") == 0 && ide++ >= 4) || (strcmp(bus, "usb") == 0 && usb++ >= 9))
            bus = "scsi";
        strbuf_add(text, i > 0 ? ", {" : "{");
        add_id(text, "disk", i);
        if (strcmp(bus, "scsi") == 0 && chance(3) == 0)
            strbuf_addf(text, "\"iothread\": \"io%u\", ", chance(2));
        strbuf_addf(text, "\"file\": \"/d%u\", \"bus\": \"%s\"}", i, bus);
    }
    strbuf_add(text, "]");
}

static void add_nics(struct strbuf *text, unsigned count) {
    strbuf_add(text, ", \"nics\": [");
    for (unsigned i = 0; i < count; i++) {
        strbuf_add(text, i > 0 ? ", {" : "{");
        add_id(text, "nic", i);
        strbuf_add(text, "\"backend\": \"user\"}");
    }
    strbuf_add(text, "]");
}

static void add_shares(struct strbuf *text, unsigned count) {
    strbuf_add(text, ", \"shares\": [");
    for (unsigned i = 0; i < count; i++) {
        strbuf_add(text, i > 0 ? ", {" : "{");
        add_id(text, "share", i);
        strbuf_addf(text, "\"path\": \"/s\", \"tag\": \"t%u\"}", i);
    }
    strbuf_add(text, "]");
}

static vqemu_vm *random_vm(int machine) {
    static const char *const switches[] = {"\"rng\": true", "\"balloon\": true",
                                           "\"watchdog\": \"reset\"", "\"vsock_cid\": 3",
                                           "\"display\": \"vnc\""};
    unsigned most = chance(2) ? machines[machine].crowd : 3;
    struct strbuf text = {0};
    strbuf_addf(&text, "{\"name\": \"x\", \"kernel\": \"/k\", \"machine\": \"%s\"",
                machines[machine].machine);
    add_disks(&text, machine, chance(most + 1));
    add_nics(&text, chance(most + 1));
    add_shares(&text, chance(most + 1));
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
        if (chance(2))
            strbuf_addf(&text, ", %s", switches[i]);
    strbuf_add_char(&text, '}');
    _cleanup_free_ char *json = strbuf_take(&text);
    return vm_of(json);
}

/* Removes an element of a list or a device that there is one of; false if there is none. */
static bool remove_one(vqemu_vm *vm) {
    static const char *const keys[] = {"disks", "nics", "shares", "rng", "balloon", "watchdog"};
    unsigned which = chance(6);
    if (which >= 3)
        return vqemu_vm_unset(vm, keys[which], NULL) == 0;
    size_t count;
    ck_assert_int_eq(vqemu_vm_count(vm, keys[which], &count, NULL), 0);
    if (count == 0)
        return false;
    _cleanup_free_ char *key = format_string("%s[%u]", keys[which], chance((unsigned)count));
    return vqemu_vm_remove(vm, key, NULL) == 0;
}

/* The places of what is gone go, too: the error names them one by one. False if the VM cannot be
 * so: on a Malta board, the first of several functions can go. */
static bool forget_places(vqemu_runtime *runtime, vqemu_vm *vm, int machine) {
    for (;;) {
        _cleanup_error_ vqemu_error *error = NULL;
        _cleanup_command_ vqemu_command *command = NULL;
        int r = vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, &error);
        const char *reason = vqemu_error_reason(error);
        if (r == 0)
            return true;
        if (strcmp(machines[machine].machine, "malta") == 0 &&
            strcmp(reason, "no-first-function") == 0)
            return false;
        ck_assert_msg(strcmp(reason, "no-such-device") == 0, "%s", vqemu_error_message(error));
        ck_assert_int_eq(vqemu_vm_unset(vm, vqemu_error_detail(error, "key"), NULL), 0);
    }
}

/* Every device that is left is what it was; what is new is a bridge that stands in. */
static void check_left(const struct strv *before, const struct strv *after) {
    for (size_t i = 0; i < after->count; i++)
        ck_assert_msg(has(before, after->items[i]) || is_bridge(after->items[i]), "%s is new",
                      after->items[i]);
}

/* Where bridges come, the device beside them becomes the first of several functions, or takes the
 * place of the bridge that stood in for it. */
static void check_stayed(const struct strv *before, const struct strv *after) {
    for (size_t i = 0; i < before->count; i++) {
        const char *device = before->items[i];
        _cleanup_free_ char *first = format_string("%s.0,multifunction=on", device);
        ck_assert_msg(has(after, device) || has(after, first) || strstr(device, "id=bridge4"),
                      "%s is gone", device);
    }
}

static void check_complete_again(vqemu_runtime *runtime, const vqemu_vm *vm) {
    _cleanup_vm_ vqemu_vm *copy = NULL;
    ck_assert_int_eq(vqemu_vm_copy(vm, &copy, NULL), 0);
    complete(copy, runtime);
    _cleanup_command_ vqemu_command *before = make_command(runtime, vm),
                                    *after = make_command(runtime, copy);
    ck_assert_str_eq(vqemu_command_digest(after, VQEMU_DIGEST_COMMAND),
                     vqemu_command_digest(before, VQEMU_DIGEST_COMMAND));
}

/* What is appended gets a place of its own, and moves nothing. */
static void check_appending(vqemu_runtime *runtime, const vqemu_vm *vm, const struct strv *before) {
    _cleanup_vm_ vqemu_vm *more = NULL;
    _cleanup_strv_ struct strv after = {0};
    size_t disks, nics;
    ck_assert_int_eq(vqemu_vm_copy(vm, &more, NULL), 0);
    ck_assert_int_eq(vqemu_vm_count(more, "disks", &disks, NULL), 0);
    ck_assert_int_eq(vqemu_vm_count(more, "nics", &nics, NULL), 0);
    _cleanup_free_ char *disk = format_string("disks[%zu].file", disks),
                        *nic = format_string("nics[%zu].backend", nics);
    ck_assert_int_eq(vqemu_vm_set_string(more, disk, "/new", NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(more, nic, "user", NULL), 0);
    devices_of(runtime, more, &after);
    check_stayed(before, &after);
    ck_assert_uint_ge(after.count, before->count + 1); /* one may be in the place of a bridge */
    check_complete_again(runtime, more);
}

/* QEMU itself places what is on mac99, and on a Malta board that is not crowded. */
static bool are_places_held(const struct strv *devices) {
    bool found = false;
    for (size_t i = 0; i < devices->count; i++)
        found =
            found || strstr(devices->items[i], ",addr=") || strstr(devices->items[i], ",devno=");
    return found;
}

static void one_round(int machine, vqemu_runtime *runtime) {
    _cleanup_vm_ vqemu_vm *vm = random_vm(machine);
    _cleanup_strv_ struct strv before = {0}, after = {0};
    complete(vm, runtime);
    devices_of(runtime, vm, &before);
    if (!are_places_held(&before))
        return;
    check_appending(runtime, vm, &before);
    for (int i = 0; i < 5; i++) {
        _cleanup_vm_ vqemu_vm *rest = NULL;
        ck_assert_int_eq(vqemu_vm_copy(vm, &rest, NULL), 0);
        if (!remove_one(rest) || !forget_places(runtime, rest, machine))
            continue;
        devices_of(runtime, rest, &after);
        check_left(&before, &after);
        check_complete_again(runtime, rest);
        vqemu_vm_free(vm);
        vm = TAKE_POINTER(rest);
        strv_release(&before);
        before = after;
        after = (struct strv){0};
    }
    check_appending(runtime, vm, &before);
}

START_TEST(what_is_removed_or_added_moves_nothing) {
    _cleanup_runtime_ vqemu_runtime *runtime = make_runtime(_i);
    chance_state = (unsigned)_i + 1;
    for (int round = 0; round < ROUNDS; round++)
        one_round(_i, runtime);
}
END_TEST

/* ---- what a document holds ---- */

START_TEST(a_completed_vm_says_all_places) {
    _cleanup_runtime_ vqemu_runtime *runtime = make_runtime(2);
    _cleanup_vm_ vqemu_vm *vm = vm_of(
        "{\"name\": \"x\", \"kernel\": \"/k\", \"display\": \"vnc\", \"nics\": [{}], "
        "\"disks\": [{\"file\": \"/a\"}, {\"file\": \"/b\", \"bus\": \"scsi\", \"iothread\": "
        "\"io\"}, {\"file\": \"/c\", \"bus\": \"ide\"}, {\"file\": \"/d\", \"bus\": \"usb\"}], "
        "\"slots\": {\"nic0\": 17}}");
    static const char *const places[][2] = {
        {"video", "0x2"},     {"usb", "0x3"},       {"drive0", "0x18"},  {"scsi-io", "0x1f"},
        {"drive1", "scsi:0"}, {"ide", "0xf"},       {"drive2", "ide:0"}, {"drive3", "usb:3"},
        {"tablet", "usb:1"},  {"keyboard", "usb:2"}};
    const char *value;
    uint64_t number;
    complete(vm, runtime);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        _cleanup_free_ char *key = format_string("slots.%s", places[i][0]);
        ck_assert_int_eq(vqemu_vm_get_string(vm, key, &value, NULL), 0);
        ck_assert_pstr_eq(value, places[i][1]);
    }
    ck_assert_int_eq(vqemu_vm_get_number(vm, "slots.nic0", &number, NULL), 0);
    ck_assert_uint_eq(number, 17);
    ck_assert_uint_eq(vm->slots.count, sizeof places / sizeof *places + 1);
    ck_assert_int_eq(vqemu_vm_get_string(vm, "disks[3].id", &value, NULL), 0);
    ck_assert_str_eq(value, "drive3");
}
END_TEST

/* The first slot behind which others were found goes; what is behind the bridges stays. */
START_TEST(bridges_stay_when_what_is_behind_them_goes) {
    _cleanup_runtime_ vqemu_runtime *runtime = make_runtime(2);
    _cleanup_strv_ struct strv before = {0}, after = {0};
    struct strbuf text = {0};
    strbuf_add(&text, "{\"name\": \"x\", \"kernel\": \"/k\", \"disks\": [");
    for (int i = 0; i < 32; i++)
        strbuf_addf(&text, "%s{\"file\": \"/d%d\"}", i > 0 ? ", " : "", i);
    strbuf_add(&text, "]}");
    _cleanup_free_ char *json = strbuf_take(&text);
    _cleanup_vm_ vqemu_vm *vm = vm_of(json);
    complete(vm, runtime);
    devices_of(runtime, vm, &before);
    ck_assert(has(&before, "virtio-blk-pci,id=drive7,serial=disk7,addr=0x1f.0,multifunction=on"));
    ck_assert(has(&before, "virtio-blk-pci,id=drive31,serial=disk31,bus=bridge0,addr=0x19"));
    ck_assert_int_eq(vqemu_vm_remove(vm, "disks[31]", NULL), 0);
    ck_assert_int_eq(vqemu_vm_remove(vm, "disks[7]", NULL), 0);
    ck_assert(forget_places(runtime, vm, 2));
    devices_of(runtime, vm, &after);
    check_left(&before, &after);
    ck_assert(has_id(&after, "bridge0") && has_id(&after, "bridge4") && !has_id(&after, "drive7"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("slot");
    TCase *tests = tcase_create("slot");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, devices_are_where_the_vm_wants_them);
    tcase_add_test(tests, drives_are_where_the_vm_wants_them);
    tcase_add_test(tests, others_go_around_what_is_given);
    tcase_add_test(tests, a_bridge_stands_in_for_the_first_function);
    tcase_add_test(tests, pseries_has_no_bridge_with_nothing_behind_it);
    tcase_add_test(tests, what_follows_from_the_number_goes_with_the_id);
    tcase_add_test(tests, defaults_are_none_that_others_have);
    tcase_add_loop_test(tests, what_is_removed_or_added_moves_nothing, 0, MACHINE_COUNT);
    tcase_add_test(tests, a_completed_vm_says_all_places);
    tcase_add_test(tests, bridges_stay_when_what_is_behind_them_goes);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
