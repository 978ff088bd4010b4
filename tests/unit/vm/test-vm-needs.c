/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "choice/host.h"
#include "choice/request.h"
#include "choice/selection.h"
#include "fixture.h"
#include "run.h"
#include "util/strbuf.h"
#include "vm/vm.h"

#define DISPLAY VQEMU_ABILITY_DISPLAY
#define USB VQEMU_ABILITY_USB
#define TPM VQEMU_ABILITY_TPM
#define UEFI VQEMU_ABILITY_UEFI
#define STORAGE VQEMU_ABILITY_STORAGE
#define NICS VQEMU_ABILITY_NICS
#define HYPERV VQEMU_ABILITY_HYPERV

static vqemu_vm *read_vm(const char *keys) {
    _cleanup_free_ char *text = format_string("{\"name\": \"web\"%s%s}", *keys ? ", " : "", keys);
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_vm *vm = NULL;
    ck_assert_msg(vqemu_vm_from_json(text, strlen(text), NULL, 0, &vm, &error) == 0, "%s: %s", keys,
                  vqemu_error_message(error));
    return vm;
}

static vqemu_request *request_for(const char *keys) {
    _cleanup_vm_ vqemu_vm *vm = read_vm(keys);
    vqemu_request *request = NULL;
    ck_assert_int_eq(vqemu_request_new(&request, NULL), 0);
    ck_assert_int_eq(vqemu_request_set_vm(request, vm, 0, NULL), 0);
    return request; /* which needs the VM no more */
}

static const struct {
    const char *keys, *arch;
    uint64_t needs;
} cases[] = {
    {"", "x86_64", 0},
    {"\"guest_os\": \"linux\", \"rootfs\": \"/srv\"", "x86_64", 0},
    {"\"guest_os\": \"windows\"", "x86_64", UEFI},
    {"\"guest_os\": \"windows\", \"firmware\": \"bios\"", "x86_64", UEFI},
    {"\"firmware\": \"uefi\"", "x86_64", UEFI},
    {"\"firmware\": \"bios\"", "x86_64", 0},
    {"\"secure_boot\": true", "x86_64", UEFI},
    {"\"secure_boot\": false", "x86_64", 0},
    {"\"display\": \"vnc\"", "x86_64", DISPLAY | USB},
    {"\"display\": \"vnc\"", "s390x", DISPLAY}, /* it points by virtio */
    {"\"display\": \"vnc\", \"usb\": false", "x86_64", DISPLAY},
    {"\"display\": \"none\"", "x86_64", 0},
    {"\"video\": \"std\"", "aarch64", DISPLAY | USB},
    {"\"vnc_port\": 5901", "x86_64", DISPLAY | USB},
    {"\"vnc_socket\": \"/run/v\"", "x86_64", DISPLAY | USB},
    {"\"usb\": true", "x86_64", USB},
    {"\"usb_tablet\": true", "x86_64", USB},
    {"\"usb\": false", "x86_64", 0},
    {"\"tpm\": true", "x86_64", TPM},
    {"\"tpm\": false", "x86_64", 0},
    {"\"tpm_socket\": \"/run/t\"", "x86_64", TPM},
    {"\"tpm_state\": \"/srv/t\", \"tpm\": false", "x86_64", 0},
    {"\"hyperv\": true", "x86_64", HYPERV},
    {"\"hyperv\": true", "aarch64", 0}, /* its machine refuses it */
    {"\"hyperv\": false, \"guest_os\": \"windows\"", "x86_64", UEFI},
    {"\"disks\": [{\"file\": \"/d\"}]", "x86_64", 0},
    {"\"disks\": [{\"file\": \"/d\", \"bus\": \"virtio\"}, {\"file\": \"/e\", \"bus\": \"scsi\"}]",
     "x86_64", 0},
    {"\"disks\": [{\"file\": \"/d\"}, {\"file\": \"/e\", \"bus\": \"ide\"}]", "x86_64", STORAGE},
    {"\"disks\": [{\"file\": \"/d\", \"bus\": \"nvme\"}]", "aarch64", STORAGE},
    {"\"disks\": [{\"cdrom\": true}]", "x86_64", STORAGE},
    {"\"disks\": [{\"cdrom\": true, \"bus\": \"scsi\"}]", "x86_64", 0},
    {"\"disks\": [{\"cdrom\": true}]", "aarch64", 0}, /* its default is scsi */
    {"\"disks\": [{\"file\": \"/d\"}], \"guest_os\": \"other\"", "x86_64", STORAGE},
    {"\"disks\": [{\"file\": \"/d\"}], \"guest_os\": \"other\"", "aarch64", STORAGE}, /* nvme */
    {"\"disks\": [{\"file\": \"/d\"}], \"guest_os\": \"other\"", "riscv64", 0},
    {"\"disks\": [{\"cdrom\": true}], \"guest_os\": \"other\"", "aarch64", STORAGE | USB},
    {"\"disks\": [{\"cdrom\": true}], \"guest_os\": \"other\", \"usb\": false", "aarch64", STORAGE},
    {"\"disks\": [{\"cdrom\": true}], \"guest_os\": \"other\"", "x86_64", STORAGE},
    {"\"disks\": [{\"file\": \"/d\", \"bus\": \"usb\"}]", "x86_64", USB},
    {"\"disks\": [{\"file\": \"/d\"}], \"guest_os\": \"windows\"", "x86_64", STORAGE | UEFI},
    {"\"nics\": [{}]", "x86_64", 0},
    {"\"nics\": [{\"model\": \"virtio\"}], \"guest_os\": \"other\"", "x86_64", 0},
    {"\"nics\": [{}, {\"model\": \"e1000e\"}]", "x86_64", NICS},
    {"\"nics\": [{\"model\": \"rtl8139\"}]", "aarch64", NICS},
    {"\"nics\": [{}], \"guest_os\": \"other\"", "x86_64", NICS},
    {"\"nics\": [{}], \"guest_os\": \"other\"", "aarch64", 0},
    {"\"nics\": [{}], \"guest_os\": \"other\", \"machine\": \"pc-i440fx-7.2\"", "x86_64", NICS},
};

START_TEST(keys_need_abilities) {
    _cleanup_request_ vqemu_request *request = request_for(cases[_i].keys);
    uint64_t needs = request_needs(request, arch_find(cases[_i].arch));
    ck_assert_msg(needs == cases[_i].needs, "%s on %s: %#x, not %#x", cases[_i].keys,
                  cases[_i].arch, (unsigned)needs, (unsigned)cases[_i].needs);
}
END_TEST

START_TEST(a_vm_gets_the_profile_that_can_run_it) {
    static const struct {
        const char *keys, *with_kvm, *without;
    } vms[] = {
        {"", "kvm-linux", "emulate-x86"},
        {"\"guest_os\": \"windows\"", "kvm-uefi", "emulate-x86"},
        {"\"firmware\": \"uefi\"", "kvm-uefi", "emulate-x86"},
        {"\"display\": \"vnc\"", "kvm-uefi", "emulate-x86"},
        {"\"tpm\": true", "kvm-uefi", "emulate-x86"},
        {"\"usb\": true", "kvm-uefi", "emulate-x86"},
        {"\"disks\": [{\"file\": \"/d\", \"bus\": \"nvme\"}]", "kvm-uefi", "emulate-x86"},
    };
    for (size_t i = 0; i < 2 * sizeof vms / sizeof vms[0]; i++) {
        bool kvm = i % 2 == 0;
        _cleanup_host_ vqemu_host *host =
            describe_host("x86_64", kvm ? VQEMU_KVM_USABLE : VQEMU_KVM_ABSENT);
        _cleanup_request_ vqemu_request *request = request_for(vms[i / 2].keys);
        _cleanup_selection_ vqemu_selection *selection = NULL;
        ck_assert_int_eq(vqemu_select(host, request, 0, &selection, NULL), 0);
        ck_assert_str_eq(vqemu_profile_name(vqemu_selection_profile(selection)),
                         kvm ? vms[i / 2].with_kvm : vms[i / 2].without);
    }
}
END_TEST

/* Also where there is no UEFI firmware. */
START_TEST(desktops_of_all_hosts_are_run_under_kvm) {
    static const struct {
        const char *arch, *keys, *profile;
    } vms[] = {
        {"s390x", "\"display\": \"vnc\"", "kvm-uefi"},
        {"ppc64le", "\"display\": \"vnc\"", "kvm-uefi"},
        {"ppc64", "\"usb_tablet\": true", "kvm-uefi"},
        {"ppc64", "\"tpm\": true", "kvm-uefi"},
        {"ppc64le", "\"disks\": [{\"file\": \"/d\"}]", "kvm-linux"},
        {"ppc64le", "\"firmware\": \"uefi\"",
         "emulate-foreign"}, /* and is refused by the machine */
    };
    for (size_t i = 0; i < sizeof vms / sizeof vms[0]; i++) {
        _cleanup_host_ vqemu_host *host = describe_host(vms[i].arch, VQEMU_KVM_USABLE);
        _cleanup_request_ vqemu_request *request = request_for(vms[i].keys);
        _cleanup_selection_ vqemu_selection *selection = NULL;
        ck_assert_int_eq(vqemu_select(host, request, 0, &selection, NULL), 0);
        ck_assert_str_eq(vqemu_profile_name(vqemu_selection_profile(selection)), vms[i].profile);
    }
}
END_TEST

START_TEST(a_vm_says_what_it_runs_on) {
    static const struct {
        const char *keys, *profile, *arch;
    } vms[] = {
        {"\"guest_arch\": \"aarch64\"", "emulate-foreign", "aarch64"},
        {"\"guest_arch\": \"i386\", \"guest_os\": \"windows\"", "kvm-uefi", "i386"},
        {"\"mode\": \"hybrid-emulated\"", "emulate-x86", "x86_64"},
        {"\"mode\": \"hybrid-kvm\"", "kvm-linux", "x86_64"},
        {"\"profile\": \"kvm-uefi\"", "kvm-uefi", "x86_64"},
        /* a name is an order: what it lacks is found when the command is built */
        {"\"profile\": \"kvm-linux\", \"display\": \"vnc\"", "kvm-linux", "x86_64"},
        {"\"profile\": \"emulate-foreign\"", "emulate-foreign", "aarch64"},
    };
    _cleanup_host_ vqemu_host *host = describe_host("x86_64", VQEMU_KVM_USABLE);
    for (size_t i = 0; i < sizeof vms / sizeof vms[0]; i++) {
        _cleanup_request_ vqemu_request *request = request_for(vms[i].keys);
        _cleanup_selection_ vqemu_selection *selection = NULL;
        ck_assert_int_eq(vqemu_select(host, request, 0, &selection, NULL), 0);
        ck_assert_str_eq(vqemu_profile_name(vqemu_selection_profile(selection)), vms[i].profile);
        ck_assert_str_eq(vqemu_selection_guest_arch(selection), vms[i].arch);
    }
}
END_TEST

START_TEST(another_vm_replaces_the_first) {
    _cleanup_request_ vqemu_request *request = request_for("\"guest_os\": \"windows\"");
    _cleanup_vm_ vqemu_vm *plain = read_vm("");
    ck_assert_int_eq(vqemu_request_set_abilities(request, TPM, NULL), 0);
    ck_assert_int_eq(vqemu_request_set_vm(request, plain, 0, NULL), 0);
    ck_assert_uint_eq(request_needs(request, arch_find("x86_64")), TPM);
    ck_assert_ptr_null(request_guest_os(request));
}
END_TEST

START_TEST(mistakes_of_callers_are_named) {
    _cleanup_request_ vqemu_request *request = request_for("");
    _cleanup_vm_ vqemu_vm *vm = read_vm("");
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(vqemu_request_set_vm(NULL, vm, 0, &error), VQEMU_ERR_USAGE);
    ck_assert_str_eq(vqemu_error_detail(error, "argument"), "request");
    ck_assert_int_eq(vqemu_request_set_vm(request, NULL, 0, &error), VQEMU_ERR_USAGE);
    ck_assert_str_eq(vqemu_error_detail(error, "argument"), "vm");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("vm-needs");
    TCase *tests = tcase_create("vm-needs");
    tcase_add_loop_test(tests, keys_need_abilities, 0, sizeof cases / sizeof cases[0]);
    tcase_add_test(tests, a_vm_gets_the_profile_that_can_run_it);
    tcase_add_test(tests, desktops_of_all_hosts_are_run_under_kvm);
    tcase_add_test(tests, a_vm_says_what_it_runs_on);
    tcase_add_test(tests, another_vm_replaces_the_first);
    tcase_add_test(tests, mistakes_of_callers_are_named);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
