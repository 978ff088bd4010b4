/* SPDX-License-Identifier: MIT */
#include "choice/host.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "run.h"
#include "util/dir.h"
#include "util/strbuf.h"

static const char template[] = "/tmp/test-host-XXXXXX";
static char directory[sizeof template];

static void make_directory(void) {
    strcpy(directory, template);
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void remove_directory(void) {
    ck_assert_int_eq(remove_tree(AT_FDCWD, directory), 0);
}

/* The state that a probe of this device finds, with these modules loaded. */
static int32_t probe(const char *device, const char *module, const char *mentioned) {
    _cleanup_free_ char *modules = format_string("%s/modules", directory);
    _cleanup_free_ char *path = format_string("%s/%s", modules, module ? module : "other");
    _cleanup_host_ vqemu_host *host = NULL;
    ck_assert_int_eq(mkdir(modules, 0755), 0);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    ck_assert_int_eq(host_probe_at(device, modules, &host, NULL), 0);
    ck_assert_ptr_nonnull(strstr(vqemu_host_kvm_reason(host), mentioned));
    ck_assert(vqemu_host_kvm_usable(host) == (vqemu_host_kvm_state(host) == VQEMU_KVM_USABLE));
    ck_assert_int_eq(remove_tree(AT_FDCWD, modules), 0);
    return vqemu_host_kvm_state(host);
}

START_TEST(no_device_means_no_kvm) {
    ck_assert_int_eq(probe("/nonexistent/kvm", NULL, "there is no /nonexistent/kvm"),
                     VQEMU_KVM_ABSENT);
}
END_TEST

START_TEST(another_device_is_no_kvm) {
    ck_assert_int_eq(probe("/dev/null", "kvm_intel", "answers with KVM API version"),
                     VQEMU_KVM_BROKEN);
}
END_TEST

START_TEST(a_device_without_permission_is_denied) {
    _cleanup_free_ char *path = format_string("%s/kvm", directory);
    _cleanup_close_ int fd = open(path, O_CREAT | O_CLOEXEC | O_WRONLY, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(chmod(directory, 0755), 0);
    pid_t child = fork();
    if (child == 0) {
        if (getuid() == 0 && setuid(65534) < 0)
            _exit(1);
        vqemu_host *host = NULL;
        int r = host_probe_at(path, "/sys/module", &host, NULL);
        bool denied = r == 0 && vqemu_host_kvm_state(host) == VQEMU_KVM_DENIED;
        vqemu_host_free(host);
        _exit(denied ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

#if defined(__x86_64__) || defined(__i386__)
/* The real device, wherever it creates VMs: then the module decides. */
START_TEST(the_module_tells_hardware_from_software) {
    static const struct {
        const char *module;
        int32_t state;
    } cases[] = {{"kvm_intel", VQEMU_KVM_USABLE},
                 {"kvm_amd", VQEMU_KVM_USABLE},
                 {"kvm_pvm", VQEMU_KVM_SOFTWARE},
                 {NULL, VQEMU_KVM_SOFTWARE}};
    if (probe("/dev/kvm", "kvm_intel", "/dev/kvm") != VQEMU_KVM_USABLE)
        return; /* no KVM here: nothing to tell apart */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_int_eq(probe("/dev/kvm", cases[i].module,
                               cases[i].module ? cases[i].module : "neither kvm_intel nor kvm_amd"),
                         cases[i].state);
}
END_TEST
#endif

START_TEST(this_machine_can_be_probed) {
    struct utsname name;
    _cleanup_host_ vqemu_host *host = NULL;
    ck_assert_int_eq(uname(&name), 0);
    ck_assert_int_eq(vqemu_host_probe(&host, NULL), 0);
    ck_assert_str_eq(vqemu_host_arch(host), host_arch_from_uname(name.machine));
    ck_assert_str_ne(vqemu_kvm_state_name(vqemu_host_kvm_state(host)), "unknown");
}
END_TEST

START_TEST(uname_names_become_names_of_the_table) {
    static const char *const cases[][2] = {
        {"x86_64", "x86_64"},   {"i686", "i386"},   {"i486", "i386"},   {"aarch64", "aarch64"},
        {"armv8l", "aarch64"},  {"armv7l", "arm"},  {"s390x", "s390x"}, {"ppc64le", "ppc64le"},
        {"riscv64", "riscv64"}, {"weird", "weird"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_str_eq(host_arch_from_uname(cases[i][0]), cases[i][1]);
}
END_TEST

START_TEST(a_host_can_be_described) {
    _cleanup_host_ vqemu_host *host = NULL;
    ck_assert_int_eq(vqemu_host_new("aarch64", VQEMU_KVM_BROKEN, &host, NULL), 0);
    ck_assert_str_eq(vqemu_host_arch(host), "aarch64");
    ck_assert_int_eq(vqemu_host_kvm_state(host), VQEMU_KVM_BROKEN);
    ck_assert(!vqemu_host_kvm_usable(host));
}
END_TEST

START_TEST(a_description_is_checked) {
    static const struct {
        const char *arch;
        int32_t kvm;
    } cases[] = {
        {"sparc", VQEMU_KVM_USABLE}, {NULL, VQEMU_KVM_USABLE}, {"x86_64", 0}, {"x86_64", 6}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        vqemu_host *host = (vqemu_host *)&error;
        ck_assert_int_eq(vqemu_host_new(cases[i].arch, cases[i].kvm, &host, &error),
                         VQEMU_ERR_INVALID);
        ck_assert_ptr_null(host);
        ck_assert_ptr_nonnull(error);
    }
    vqemu_host_free(NULL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("host");
    TCase *tests = tcase_create("host");
    tcase_add_checked_fixture(tests, make_directory, remove_directory);
    tcase_add_test(tests, no_device_means_no_kvm);
    tcase_add_test(tests, another_device_is_no_kvm);
    tcase_add_test(tests, a_device_without_permission_is_denied);
#if defined(__x86_64__) || defined(__i386__)
    tcase_add_test(tests, the_module_tells_hardware_from_software);
#endif
    tcase_add_test(tests, this_machine_can_be_probed);
    tcase_add_test(tests, uname_names_become_names_of_the_table);
    tcase_add_test(tests, a_host_can_be_described);
    tcase_add_test(tests, a_description_is_checked);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
