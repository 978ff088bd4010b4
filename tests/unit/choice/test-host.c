/* SPDX-License-Identifier: MIT */
#include "choice/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "choice/vhost-net.h"
#include "fixture.h"
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
    struct kvm_paths paths = kvm_paths;
    paths.device = device;
    paths.modules_dir = modules;
    ck_assert_int_eq(mkdir(modules, 0755), 0);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    ck_assert_int_eq(host_probe_at(&paths, "/nonexistent/vhost-net", &host, NULL), 0);
    ck_assert_ptr_nonnull(strstr(vqemu_host_kvm_message(host), mentioned));
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
        struct kvm_paths paths = kvm_paths;
        paths.device = path;
        int r = host_probe_at(&paths, path, &host, NULL);
        bool denied = r == 0 && vqemu_host_kvm_state(host) == VQEMU_KVM_DENIED &&
                      vqemu_host_vhost_net_state(host) == VQEMU_VHOST_NET_DENIED;
        vqemu_host_free(host);
        _exit(denied ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* What is said of an x86 host whose device creates VMs. The contents of files: NULL for none; of
 * /sys/module, the one entry: NULL for no directory, "" for none in it. */
static const struct {
    const char *module, *proc_modules, *cpuinfo;
    int32_t state;
    const char *mentioned;
} x86_hosts[] = {
    {"kvm_intel", NULL, NULL, VQEMU_KVM_USABLE, "served by kvm_intel"},
    {"kvm_amd", NULL, NULL, VQEMU_KVM_USABLE, "served by kvm_amd"},
    {"kvm_pvm", NULL, NULL, VQEMU_KVM_SOFTWARE, "served by kvm_pvm"},
    {"other", NULL, NULL, VQEMU_KVM_SOFTWARE, "neither kvm_intel nor kvm_amd"},
    /* /sys/module has the last word */
    {"kvm_pvm", "kvm_intel 1 0 - Live\n", "flags\t: fpu vmx\n", VQEMU_KVM_SOFTWARE, "kvm_pvm"},
    /* where it is hidden, modules are in another list, too */
    {NULL, "ext4 9 1 - Live\nkvm_intel 401408 4 - Live 0x0\nkvm 1 1 kvm_intel,\n", NULL,
     VQEMU_KVM_USABLE, "lists kvm_intel"},
    {"", "kvm_amd 1 0 - Live 0x0\n", "flags\t: fpu\n", VQEMU_KVM_USABLE, "lists kvm_amd"},
    {NULL, "kvm_pvm 1 0 - Live 0x0\n", "flags\t: fpu vmx\n", VQEMU_KVM_SOFTWARE, "kvm_pvm"},
    /* or KVM is built in, and the processor tells */
    {NULL, "ext4 9 1 - Live 0x0\n", "processor\t: 0\nflags\t\t: fpu vmx sse\n", VQEMU_KVM_USABLE,
     "the processor has vmx"},
    {NULL, NULL, "flags\t\t: fpu svm\n", VQEMU_KVM_USABLE, "the processor has svm"},
    {NULL, NULL, "flags\t\t: svm\nflags\t: fpu\n", VQEMU_KVM_USABLE, "svm"},
    {NULL, NULL, "model : vmx\nflags\t: fpu vmx_other xvmx svml\n", VQEMU_KVM_SOFTWARE,
     "neither vmx nor svm"},
    /* what nobody shows is not denied */
    {NULL, "", "", VQEMU_KVM_UNSEEN, "cannot be seen"},
    {NULL, NULL, "processor\t: 0\n", VQEMU_KVM_UNSEEN, "cannot be seen"},
    {NULL, NULL, NULL, VQEMU_KVM_UNSEEN, "/modules, "},
};

static char *write_text(const char *name, const char *text) {
    char *path = format_string("%s/%s", directory, name);
    FILE *file = text ? fopen(path, "we") : NULL;
    if (file) {
        fputs(text, file);
        fclose(file);
    }
    return path;
}

START_TEST(what_is_hidden_is_looked_for_elsewhere) {
    _cleanup_free_ char *modules = format_string("%s/modules", directory);
    _cleanup_free_ char *proc_modules = write_text("proc_modules", x86_hosts[_i].proc_modules);
    _cleanup_free_ char *cpuinfo = write_text("cpuinfo", x86_hosts[_i].cpuinfo);
    const struct kvm_paths paths = {"/dev/kvm", modules, proc_modules, cpuinfo};
    _cleanup_free_ char *message = NULL;
    if (x86_hosts[_i].module) {
        _cleanup_free_ char *path = format_string("%s/%s", modules, x86_hosts[_i].module);
        ck_assert_int_eq(mkdir(modules, 0755), 0);
        ck_assert(mkdir(path, 0755) == 0 || x86_hosts[_i].module[0] == '\0');
    }
    ck_assert_int_eq(kvm_judge_x86(&paths, &message), x86_hosts[_i].state);
    ck_assert_msg(strstr(message, x86_hosts[_i].mentioned) != NULL, "%s", message);
    ck_assert_ptr_nonnull(strstr(message, "/dev/kvm"));
}
END_TEST

#if defined(__x86_64__) || defined(__i386__)
/* The real device, wherever it creates VMs: then the module decides. */
START_TEST(the_module_tells_hardware_from_software) {
    if (probe("/dev/kvm", "kvm_intel", "/dev/kvm") != VQEMU_KVM_USABLE)
        return; /* no KVM here: nothing to tell apart */
    ck_assert_int_eq(probe("/dev/kvm", "kvm_pvm", "kvm_pvm"), VQEMU_KVM_SOFTWARE);
}
END_TEST
#endif

/* Out of descriptors, nothing is known of KVM. */
START_TEST(a_shortage_is_an_error_and_no_answer) {
    struct rlimit limit;
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_host *host = (vqemu_host *)&error;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit none = {0, limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    bool is_short = open("/no/such/file", O_RDONLY | O_CLOEXEC) < 0 && errno == EMFILE;
    int r = vqemu_host_probe(0, &host, &error);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (!is_short) { /* valgrind looks for a file first, and at its own limit then */
        vqemu_host_free(r == 0 ? host : NULL);
        return;
    }
    ck_assert_int_eq(r, VQEMU_ERR_SYSTEM);
    ck_assert_int_eq(vqemu_error_errno(error), EMFILE);
    ck_assert_ptr_null(host);
}
END_TEST

START_TEST(this_machine_can_be_probed) {
    struct utsname name;
    _cleanup_host_ vqemu_host *host = NULL;
    ck_assert_int_eq(uname(&name), 0);
    ck_assert_int_eq(vqemu_host_probe(0, &host, NULL), 0);
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
    static const char *const names[] = {"usable", "absent",   "denied",
                                        "broken", "software", "unseen"};
    for (int32_t state = 1; state <= 6; state++) {
        _cleanup_host_ vqemu_host *host = describe_host("aarch64", state);
        ck_assert_str_eq(vqemu_kvm_state_name(state), names[state - 1]);
        ck_assert_str_eq(vqemu_host_arch(host), "aarch64");
        ck_assert_int_eq(vqemu_host_kvm_state(host), state);
        ck_assert(vqemu_host_kvm_usable(host) == (state == 1 || state == 6));
        ck_assert_ptr_nonnull(strstr(vqemu_host_kvm_message(host), "described"));
    }
    ck_assert_str_eq(vqemu_kvm_state_name(0), "unknown");
    ck_assert_str_eq(vqemu_kvm_state_name(7), "unknown");
    ck_assert_str_eq(vqemu_kvm_state_name(-1), "unknown");
}
END_TEST

START_TEST(a_description_is_checked) {
    static const struct {
        const char *key, *value;
        int code;
        const char *choice; /* one of those that are named */
    } cases[] = {
        {VQEMU_HOST_ARCH, "sparc", VQEMU_ERR_INVALID, "loongarch64"},
        {VQEMU_HOST_ARCH, "", VQEMU_ERR_INVALID, "x86_64"},
        {VQEMU_HOST_KVM, "Usable", VQEMU_ERR_INVALID, "unseen"},
        {VQEMU_HOST_KVM, "1", VQEMU_ERR_INVALID, "absent"},
        {VQEMU_HOST_VHOST_NET, "unknown", VQEMU_ERR_INVALID, "private"},
        {"architecture", "x86_64", VQEMU_ERR_UNKNOWN_KEY, "kvm"},
    };
    _cleanup_host_options_ vqemu_host_options *options = NULL;
    ck_assert_int_eq(vqemu_host_options_new(&options, NULL), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        _cleanup_error_ vqemu_error *error = NULL;
        ck_assert_int_eq(
            vqemu_host_options_set_string(options, cases[i].key, cases[i].value, &error),
            cases[i].code);
        ck_assert_str_eq(vqemu_error_detail(error, "key"), cases[i].key);
        ck_assert_ptr_nonnull(strstr(vqemu_error_detail(error, "choices"), cases[i].choice));
        if (cases[i].code == VQEMU_ERR_INVALID) {
            ck_assert_str_eq(vqemu_error_reason(error), "not-a-choice");
            ck_assert_int_eq(
                strncmp(vqemu_error_message(error), cases[i].key, strlen(cases[i].key)), 0);
        }
    }
}
END_TEST

/* ---- vhost-net ---- */

static int32_t probe_vhost_net(const char *device, const char *mentioned) {
    _cleanup_host_ vqemu_host *host = NULL;
    ck_assert_int_eq(host_probe_at(&kvm_paths, device, &host, NULL), 0);
    ck_assert_msg(strstr(vqemu_host_vhost_net_message(host), mentioned), "%s",
                  vqemu_host_vhost_net_message(host));
    return vqemu_host_vhost_net_state(host);
}

START_TEST(what_is_no_vhost_net_is_told) {
    ck_assert_int_eq(probe_vhost_net("/nonexistent", "there is no /nonexistent"),
                     VQEMU_VHOST_NET_ABSENT);
    ck_assert_int_eq(probe_vhost_net("/dev/null", "does not answer"), VQEMU_VHOST_NET_BROKEN);
    ck_assert_int_eq(probe_vhost_net("/", "cannot be opened: Is a directory"),
                     VQEMU_VHOST_NET_BROKEN);
}
END_TEST

/* Whoever can open the one must be able to open the other. */
START_TEST(a_node_that_is_less_open_than_kvm_is_private) {
    static const struct {
        unsigned uid, gid, mode, kvm_uid, kvm_gid, kvm_mode;
        bool is_as_open;
    } cases[] = {
        {0, 0, 0666, 0, 104, 0660, true},    {0, 104, 0660, 0, 104, 0660, true},
        {0, 104, 0666, 0, 104, 0660, true},  {0, 104, 0660, 0, 104, 0600, true},
        {0, 0, 0600, 0, 104, 0660, false},   {0, 0, 0660, 0, 104, 0660, false},
        {0, 104, 0600, 0, 104, 0660, false}, {0, 104, 0660, 0, 104, 0666, false},
        {0, 104, 0640, 0, 104, 0660, false}, {7, 104, 0660, 0, 104, 0660, false},
        {0, 104, 0664, 0, 104, 0666, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct stat node = {.st_uid = cases[i].uid,
                                  .st_gid = cases[i].gid,
                                  .st_mode = S_IFCHR | cases[i].mode},
                          kvm = {.st_uid = cases[i].kvm_uid,
                                 .st_gid = cases[i].kvm_gid,
                                 .st_mode = S_IFCHR | cases[i].kvm_mode};
        ck_assert_msg(vhost_net_is_as_open(&node, &kvm) == cases[i].is_as_open, "case %zu", i);
    }
}
END_TEST

START_TEST(vhost_net_can_be_described) {
    static const char *const names[] = {"usable", "absent",  "denied",
                                        "broken", "private", "unseen"};
    _cleanup_host_ vqemu_host *plain = describe_host("x86_64", VQEMU_KVM_USABLE);
    ck_assert_int_eq(vqemu_host_vhost_net_state(plain), VQEMU_VHOST_NET_UNSEEN);
    for (int32_t state = 1; state <= 6; state++) {
        _cleanup_host_ vqemu_host *host =
            describe_host_with("x86_64", VQEMU_KVM_USABLE, names[state - 1]);
        ck_assert_str_eq(vqemu_vhost_net_state_name(state), names[state - 1]);
        ck_assert_int_eq(vqemu_host_vhost_net_state(host), state);
        ck_assert_ptr_nonnull(strstr(vqemu_host_vhost_net_message(host), names[state - 1]));
    }
    ck_assert_str_eq(vqemu_vhost_net_state_name(0), "unknown");
    ck_assert_str_eq(vqemu_vhost_net_state_name(7), "unknown");
    ck_assert_int_eq(vqemu_host_vhost_net_state(NULL), -1);
    ck_assert_ptr_null(vqemu_host_vhost_net_message(NULL));
}
END_TEST

static void check_missing(const vqemu_host_options *options, const char *key) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_host *host = (vqemu_host *)&error;
    ck_assert_int_eq(vqemu_host_new(options, 0, &host, &error), VQEMU_ERR_INVALID);
    ck_assert_ptr_null(host);
    ck_assert_str_eq(vqemu_error_detail(error, "key"), key);
    ck_assert_str_eq(vqemu_error_reason(error), "missing-value");
}

START_TEST(a_description_must_be_complete) {
    _cleanup_host_options_ vqemu_host_options *options = NULL;
    ck_assert_int_eq(vqemu_host_options_new(&options, NULL), 0);
    check_missing(options, "arch");
    ck_assert_int_eq(vqemu_host_options_set_string(options, VQEMU_HOST_ARCH, "s390x", NULL), 0);
    check_missing(options, "kvm");
    ck_assert_int_eq(vqemu_host_options_set_string(options, VQEMU_HOST_KVM, "absent", NULL), 0);
    ck_assert_int_eq(vqemu_host_options_set_string(options, VQEMU_HOST_ARCH, NULL, NULL), 0);
    check_missing(options, "arch");
}
END_TEST

static void check_usage(int code, vqemu_error **error, const char *argument) {
    ck_assert_int_eq(code, VQEMU_ERR_USAGE);
    if (argument)
        ck_assert_str_eq(vqemu_error_detail(*error, "argument"), argument);
    else
        ck_assert_str_eq(vqemu_error_reason(*error), "unknown-flags");
}

START_TEST(mistakes_of_callers_are_named) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_host_options_ vqemu_host_options *options = NULL;
    vqemu_host *host = (vqemu_host *)&error;
    check_usage(vqemu_host_probe(1, &host, &error), &error, NULL);
    ck_assert_ptr_null(host);
    check_usage(vqemu_host_probe(0, NULL, &error), &error, "host");
    check_usage(vqemu_host_options_new(NULL, &error), &error, "options");
    ck_assert_int_eq(vqemu_host_options_new(&options, &error), 0);
    ck_assert_ptr_null(error);
    check_usage(vqemu_host_options_set_string(NULL, "arch", "x86_64", &error), &error, "options");
    check_usage(vqemu_host_options_set_string(options, NULL, "x86_64", &error), &error, "key");
    check_usage(vqemu_host_new(options, 0, NULL, &error), &error, "host");
    check_usage(vqemu_host_new(NULL, 0, &host, &error), &error, "options");
    ck_assert_ptr_null(vqemu_host_arch(NULL));
    ck_assert_ptr_null(vqemu_host_kvm_message(NULL));
    ck_assert_int_eq(vqemu_host_kvm_state(NULL), -1);
    ck_assert(!vqemu_host_kvm_usable(NULL));
    vqemu_host_free(NULL);
    vqemu_host_options_free(NULL);
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
    tcase_add_loop_test(tests, what_is_hidden_is_looked_for_elsewhere, 0,
                        sizeof x86_hosts / sizeof x86_hosts[0]);
    tcase_add_test(tests, a_shortage_is_an_error_and_no_answer);
    tcase_add_test(tests, this_machine_can_be_probed);
    tcase_add_test(tests, uname_names_become_names_of_the_table);
    tcase_add_test(tests, a_host_can_be_described);
    tcase_add_test(tests, a_description_is_checked);
    tcase_add_test(tests, a_description_must_be_complete);
    tcase_add_test(tests, what_is_no_vhost_net_is_told);
    tcase_add_test(tests, a_node_that_is_less_open_than_kvm_is_private);
    tcase_add_test(tests, vhost_net_can_be_described);
    tcase_add_test(tests, mistakes_of_callers_are_named);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
