/* SPDX-License-Identifier: MIT */
/* Where PCI devices are: also when there are more than the machine's own bus has room for. */
#include <volt-qemu/volt-qemu.h>

#include "base/error.h"
#include "choice/selection.h"
#include "command/command.h"
#include "fixture.h"
#include "run.h"
#include "tree/runtime.h"
#include "util/cleanup.h"
#include "util/strbuf.h"
#include "util/strv.h"
#include "vm/vm.h"

static const struct {
    const char *profile, *arch, *machine;
    unsigned own; /* devices that the machine's own bus has room for */
    bool has_ports;
} machines[] = {
    {"emulate-x86", "x86_64", "q35", 30, true},
    {"emulate-x86", "x86_64", "pc", 30, false},
    {"emulate-foreign", "aarch64", "virt", 31, true},
    {"emulate-foreign", "arm", "virt", 31, true},
    {"emulate-foreign", "riscv64", "virt", 31, true},
    {"emulate-foreign", "loongarch64", "virt", 31, true},
    {"emulate-foreign", "ppc64", "pseries", 32, false},
};
enum { MACHINE_COUNT = sizeof machines / sizeof *machines, BEHIND_BRIDGES = 124 };

/* How many of each kind a VM has. */
struct number_of {
    unsigned disks, nics, shares, ports;
};

static void set(vqemu_vm *vm, const char *list, unsigned index, const char *key,
                const char *value) {
    _cleanup_free_ char *whole = format_string("%s[%u].%s", list, index, key);
    ck_assert_int_eq(vqemu_vm_set_string(vm, whole, value, NULL), 0);
}

static vqemu_vm *make_vm(const char *machine, struct number_of count) {
    vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_new("x", &vm, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "machine", machine, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "kernel", "/k", NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_number(vm, "hotplug_slots", count.ports, NULL), 0);
    for (unsigned i = 0; i < count.disks; i++) {
        _cleanup_free_ char *path = format_string("/d%u", i);
        set(vm, "disks", i, "file", path);
    }
    for (unsigned i = 0; i < count.nics; i++)
        set(vm, "nics", i, "backend", "user");
    for (unsigned i = 0; i < count.shares; i++) {
        _cleanup_free_ char *tag = format_string("t%u", i);
        set(vm, "shares", i, "tag", tag);
        set(vm, "shares", i, "path", "/s");
    }
    return vm;
}

static int build_one(int machine, struct number_of count, vqemu_command **command,
                     vqemu_error **error) {
    _cleanup_selection_ vqemu_selection *selection =
        select_profile(machines[machine].profile, machines[machine].arch);
    _cleanup_runtime_ vqemu_runtime *runtime =
        runtime_at(selection, runtime_paths("/t/bin/qemu", "/t/firmware", NULL, NULL, NULL));
    _cleanup_vm_ vqemu_vm *vm = make_vm(machines[machine].machine, count);
    return vqemu_command_build(runtime, vm, NULL, 0, NULL, command, error);
}

static vqemu_command *make_command(int machine, struct number_of count) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_command *command = NULL;
    int r = build_one(machine, count, &command, &error);
    ck_assert_msg(r == 0, "%s: %s", machines[machine].arch, vqemu_error_message(error));
    return command;
}

/* ---- addresses ---- */

/* A copy of what stands behind a key of a device; "" if it has none. */
static char *value_of(const char *device, const char *key) {
    _cleanup_free_ char *wanted = format_string(",%s=", key);
    const char *value = strstr(device, wanted);
    value = value ? value + strlen(wanted) : "";
    return strndup(value, strcspn(value, ","));
}

/* "drive0 at /0x18", "drive40 at bridge0/0x5": without the function, where it is the only one. */
static void list_places(const vqemu_command *command, struct strv *places) {
    char *const *argv = vqemu_command_argv(command);
    for (size_t i = 1; argv[i]; i++) {
        if (strcmp(argv[i - 1], "-device") != 0 || !strstr(argv[i], ",addr="))
            continue;
        _cleanup_free_ char *id = value_of(argv[i], "id"), *bus = value_of(argv[i], "bus"),
                            *address = value_of(argv[i], "addr");
        size_t length = strlen(address);
        if (length > 2 && strcmp(address + length - 2, ".0") == 0)
            address[length - 2] = '\0';
        strv_addf(places, "%s at %s/%s", id, bus, address);
    }
}

static const char *address_in(const char *place) {
    return strstr(place, " at ");
}

static bool has(const struct strv *places, const char *place) {
    for (size_t i = 0; i < places->count; i++)
        if (strcmp(places->items[i], place) == 0)
            return true;
    return false;
}

static void no_two_are_in_one_place(const struct strv *places) {
    for (size_t i = 0; i < places->count; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_msg(strcmp(address_in(places->items[i]), address_in(places->items[j])) != 0,
                          "%s, %s", places->items[i], places->items[j]);
}

static void take_places(int machine, struct number_of count, struct strv *places) {
    _cleanup_command_ vqemu_command *command = make_command(machine, count);
    list_places(command, places);
    no_two_are_in_one_place(places);
}

/* One more at the end of a list, again and again: all that were there stay. */
static void grows_in_place(int machine, struct number_of count, size_t offset, unsigned end) {
    _cleanup_strv_ struct strv before = {0};
    unsigned *number = (unsigned *)(void *)((char *)&count + offset);
    take_places(machine, count, &before);
    while (++*number <= end) {
        struct strv after = {0};
        take_places(machine, count, &after);
        ck_assert_uint_gt(after.count, before.count);
        for (size_t i = 0; i < before.count; i++)
            ck_assert_msg(has(&after, before.items[i]), "%s, with %u", before.items[i], *number);
        strv_release(&before);
        before = after;
    }
}

START_TEST(what_is_added_moves_nothing) {
    grows_in_place(_i, (struct number_of){.nics = 2, .shares = 1},
                   offsetof(struct number_of, disks), 120);
    grows_in_place(_i, (struct number_of){.disks = 2, .shares = 1},
                   offsetof(struct number_of, nics), 60);
    grows_in_place(_i, (struct number_of){.disks = 3}, offsetof(struct number_of, shares), 44);
}
END_TEST

/* Where bridges are full of one kind, another is not in its way. */
START_TEST(beyond_the_first_bus_no_kind_moves_another) {
    grows_in_place(_i, (struct number_of){40, 12, 6, 0}, offsetof(struct number_of, disks), 69);
    grows_in_place(_i, (struct number_of){40, 12, 6, 0}, offsetof(struct number_of, nics), 36);
    grows_in_place(_i, (struct number_of){40, 12, 6, 0}, offsetof(struct number_of, shares), 20);
}
END_TEST

START_TEST(there_is_room_for_so_many_and_no_more) {
    struct number_of count = {.disks = machines[_i].own + BEHIND_BRIDGES};
    _cleanup_strv_ struct strv places = {0};
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_command *command = NULL;
    take_places(_i, count, &places);
    ck_assert_uint_eq(places.count, count.disks + 4);
    count.disks++;
    ck_assert_int_eq(build_one(_i, count, &command, &error), VQEMU_ERR_UNSUPPORTED);
    ck_assert_ptr_null(command);
}
END_TEST

/* Those that fit are where they are on a machine that has no bridges. */
START_TEST(bridges_are_there_only_where_they_are_needed) {
    struct number_of count = {.disks = machines[_i].own};
    _cleanup_strv_ struct strv full = {0}, more = {0};
    take_places(_i, count, &full);
    ck_assert_uint_eq(full.count, count.disks);
    for (size_t i = 0; i < full.count; i++)
        ck_assert_ptr_nonnull(strstr(full.items[i], " at /"));
    count.disks++;
    take_places(_i, count, &more);
    ck_assert_uint_eq(more.count, count.disks + 1);
    ck_assert_int_eq(strncmp(more.items[0], "bridge", strlen("bridge")), 0);
}
END_TEST

/* ---- ports ---- */

START_TEST(ports_stay_where_they_are) {
    if (!machines[_i].has_ports)
        return;
    for (unsigned ports = 1; ports <= 32; ports++) {
        _cleanup_strv_ struct strv few = {0}, many = {0};
        take_places(_i, (struct number_of){.disks = 1, .nics = 1, .ports = ports}, &few);
        take_places(_i, (struct number_of){50, 20, 5, ports}, &many);
        ck_assert_uint_eq(few.count, 2 + ports);
        ck_assert_uint_ge(many.count, 75 + ports + 1);
        for (size_t i = 0; i < few.count; i++)
            ck_assert_msg(has(&many, few.items[i]), "%s", few.items[i]);
        ck_assert(has(&few, "port0 at /0x1"));
    }
    grows_in_place(_i, (struct number_of){.disks = 8, .nics = 8, .shares = 1, .ports = 1},
                   offsetof(struct number_of, ports), 8);
}
END_TEST

START_TEST(machines_without_ports_say_what_there_is_instead) {
    static const struct {
        const char *profile, *arch, *machine, *mentioned;
    } cases[] = {
        {"emulate-x86", "x86_64", "pc", "pci.0 takes devices while it runs"},
        {"emulate-foreign", "ppc64", "pseries", "pci.0 takes devices while it runs"},
        {"emulate-foreign", "mips", "malta", "nothing can be plugged in"},
        {"emulate-foreign", "s390x", "s390-ccw-virtio", "without one"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_selection_ vqemu_selection *selection =
            select_profile(cases[i].profile, cases[i].arch);
        _cleanup_runtime_ vqemu_runtime *runtime =
            runtime_at(selection, runtime_paths("/t/bin/qemu", "/t/firmware", NULL, NULL, NULL));
        _cleanup_vm_ vqemu_vm *vm = make_vm(cases[i].machine, (struct number_of){.ports = 1});
        _cleanup_error_ vqemu_error *error = NULL;
        vqemu_command *command = NULL;
        ck_assert_int_eq(vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, &error),
                         VQEMU_ERR_UNSUPPORTED);
        ck_assert_str_eq(vqemu_error_detail(error, "key"), "hotplug_slots");
        ck_assert_str_eq(vqemu_error_reason(error), "machine-lacks-device");
        ck_assert_msg(strstr(vqemu_error_message(error), cases[i].mentioned), "%s",
                      vqemu_error_message(error));
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("pci");
    TCase *tests = tcase_create("pci");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, what_is_added_moves_nothing, 0, MACHINE_COUNT);
    tcase_add_loop_test(tests, beyond_the_first_bus_no_kind_moves_another, 0, MACHINE_COUNT);
    tcase_add_loop_test(tests, there_is_room_for_so_many_and_no_more, 0, MACHINE_COUNT);
    tcase_add_loop_test(tests, bridges_are_there_only_where_they_are_needed, 0, MACHINE_COUNT);
    tcase_add_loop_test(tests, ports_stay_where_they_are, 0, MACHINE_COUNT);
    tcase_add_test(tests, machines_without_ports_say_what_there_is_instead);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
