/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "prepared-vm.h"
#include "run.h"

/* Bound, and not listened at. */
static int make_socket(const char *path, bool of_datagrams) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _cleanup_free_ char *absolute = scratch_path(path);
    int fd = socket(AF_UNIX, (of_datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    ck_assert_uint_lt(strlen(absolute), sizeof address.sun_path);
    strcpy(address.sun_path, absolute);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* ---- what the VM is made of ---- */

START_TEST(what_is_missing_is_named) {
    static const char *const keys[] = {"kernel",        "initrd",        "rootfs",
                                       "disks[0].file", "disks[1].file", "shares[0].path"};
    make_dir("there", 0755, geteuid());
    make_dir("also", 0755, geteuid());
    write_file("file", "x", 0600);
    write_file("also-file", "x", 0600);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        _cleanup_vm_ vqemu_vm *vm = make_vm();
        _cleanup_error_ vqemu_error *error = NULL;
        set_path(vm, "kernel", "file");
        set_path(vm, "initrd", "file");
        set_path(vm, "rootfs", "there");
        set_path(vm, "disks[0].file", "file");
        set_string(vm, "disks[0].id", "first");
        ck_assert_int_eq(vqemu_vm_set_switch(vm, "disks[1].cdrom", VQEMU_SWITCH_ON, NULL), 0);
        set_string(vm, "shares[0].tag", "data");
        set_path(vm, "shares[0].path", "there");
        prepares(vm, 0);
        set_path(vm, keys[i], "missing");
        _cleanup_free_ char *path = scratch_path("missing");
        _cleanup_free_ char *message =
            format_string("%s: %s: No such file or directory", keys[i], path);
        ck_assert_int_eq(prepare(vm, 0, &error), VQEMU_ERR_NOT_FOUND);
        ck_assert_str_eq(vqemu_error_message(error), message);
        ck_assert_str_eq(vqemu_error_detail(error, "key"), keys[i]);
        ck_assert_str_eq(vqemu_error_detail(error, "path"), path);
        bool is_share = strstr(keys[i], "rootfs") || strstr(keys[i], "shares");
        set_path(vm, keys[i], is_share ? "also-file" : "also");
        fails(vm, 0, VQEMU_ERR_INVALID, is_share ? "is no directory" : "is a directory");
    }
}
END_TEST

/* QEMU says little of these, and of vhost-net aborts. */
START_TEST(a_device_node_that_is_missing_is_named) {
    static const struct {
        const char *key, *node;
    } cases[] = {{"nics[0].ifname", "/dev/net/tun"},
                 {"nics[0].vhost", "/dev/vhost-net"},
                 {"vsock_cid", "/dev/vhost-vsock"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_vm_ vqemu_vm *vm = make_vm();
        _cleanup_error_ vqemu_error *error = NULL;
        if (i == 2) {
            ck_assert_int_eq(vqemu_vm_set_number(vm, "vsock_cid", 3, NULL), 0);
        } else {
            set_string(vm, "nics[0].backend", i == 0 ? "tap" : "bridge");
            set_string(vm, i == 0 ? "nics[0].ifname" : "nics[0].bridge", "one");
        }
        if (i == 1) {
            set_path(vm, "nics[0].helper", "helper");
            write_file("helper", "", 0755);
            ck_assert_int_eq(vqemu_vm_set_switch(vm, "nics[0].vhost", VQEMU_SWITCH_ON, NULL), 0);
        }
        int r = prepare(vm, 0, &error);
        if (access(cases[i].node, R_OK | W_OK) == 0) {
            ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
            continue;
        }
        ck_assert_int_lt(r, 0);
        ck_assert_str_eq(vqemu_error_detail(error, "key"), cases[i].key);
        ck_assert_str_eq(vqemu_error_detail(error, "path"), cases[i].node);
    }
}
END_TEST

static vqemu_vm *make_vm_with_program(const char *key) {
    vqemu_vm *vm = make_vm();
    if (strcmp(key, "swtpm_program") == 0) {
        ck_assert_int_eq(vqemu_vm_set_switch(vm, "tpm", VQEMU_SWITCH_ON, NULL), 0);
    } else if (strcmp(key, "virtiofsd_program") == 0) {
        set_string(vm, "shares[0].tag", "t");
        set_string(vm, "shares[0].driver", "virtiofs");
        set_path(vm, "shares[0].path", "there");
    } else {
        set_string(vm, "nics[0].backend", "bridge");
        set_string(vm, "nics[0].bridge", "br0");
    }
    set_path(vm, key, "program");
    return vm;
}

START_TEST(a_program_must_be_there_and_executable) {
    static const char *const keys[] = {"swtpm_program", "virtiofsd_program", "nics[0].helper"};
    make_dir("there", 0755, geteuid());
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        _cleanup_vm_ vqemu_vm *vm = make_vm_with_program(keys[i]);
        _cleanup_error_ vqemu_error *error = NULL;
        ck_assert_int_eq(prepare(vm, 0, &error), VQEMU_ERR_NOT_FOUND);
        ck_assert_str_eq(vqemu_error_detail(error, "key"), keys[i]);
        write_file("program", "", 0644);
        refused_because(vm, "no-access", keys[i], "program");
        ck_assert_int_eq(fchmodat(scratch_fd, "program", 0755, 0), 0);
        prepares(vm, 0);
        ck_assert_int_eq(unlinkat(scratch_fd, "program", 0), 0);
    }
}
END_TEST

/* Who serves the socket already has the program elsewhere. */
START_TEST(a_program_that_was_started_need_not_be_there) {
    _cleanup_vm_ vqemu_vm *vm = make_vm_with_program("swtpm_program");
    set_path(vm, "tpm_socket", "s");
    fails(vm, 0, VQEMU_ERR_NOT_FOUND, "swtpm_program: ");
    ck_assert_int_eq(mknodat(scratch_fd, "s", S_IFSOCK | 0600, 0), 0);
    prepares(vm, 0);
    set_string(vm, "nics[0].backend", "bridge");
    set_string(vm, "nics[0].bridge", "br0");
    set_path(vm, "nics[0].helper", "helper");
    fails(vm, 0, VQEMU_ERR_NOT_FOUND, "nics[0].helper: ");
}
END_TEST

START_TEST(what_the_user_cannot_open_is_named) {
    static const struct {
        mode_t mode;
        bool is_read_only, is_users, is_refused;
    } cases[] = {
        {0600, false, false, true}, {0600, true, false, true},   {0644, false, false, true},
        {0644, true, false, false}, {0660, false, false, false}, /* the group may be his */
        {0640, false, false, true}, {0600, false, true, false},  {0466, false, true, true}};
    if (geteuid() != 0)
        return;
    write_file("file", "x", 0600);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_vm_ vqemu_vm *vm = make_vm_of_user("12345");
        uid_t owner = cases[i].is_users ? OTHER_USER : 0;
        set_path(vm, "disks[0].file", "file");
        if (cases[i].is_read_only)
            ck_assert_int_eq(vqemu_vm_set_switch(vm, "disks[0].read_only", VQEMU_SWITCH_ON, NULL),
                             0);
        ck_assert_int_eq(fchmodat(scratch_fd, "file", cases[i].mode, 0), 0);
        ck_assert_int_eq(fchownat(scratch_fd, "file", owner, owner, 0), 0);
        if (cases[i].is_refused)
            refused_because(vm, "no-access", "disks[0].file", "file");
        else
            prepares(vm, 0);
    }
}
END_TEST

START_TEST(what_is_no_file_is_named) {
    static const char *const keys[] = {"kernel", "initrd", "disks[0].file"};
    write_file("file", "x", 0600);
    _cleanup_free_ char *fifo = scratch_path("fifo");
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    make_socket("socket", false);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        _cleanup_vm_ vqemu_vm *vm = make_vm();
        set_path(vm, "kernel", "file");
        set_path(vm, keys[i], "fifo");
        fails(vm, 0, VQEMU_ERR_INVALID, "/fifo is a FIFO, and no file");
        set_path(vm, keys[i], "socket");
        fails(vm, 0, VQEMU_ERR_INVALID, "/socket is a socket, and no file");
    }
    _cleanup_vm_ vqemu_vm *vm = make_vm();
    set_string(vm, "kernel", "/dev/zero");
    fails(vm, 0, VQEMU_ERR_INVALID, "kernel: /dev/zero is a device, and no file");
    _cleanup_vm_ vqemu_vm *logging = make_vm();
    set_path(logging, "console_log", "fw");
    fails(logging, 0, VQEMU_ERR_INVALID, "/fw is a directory, and no file");
    set_path(logging, "console_log", "socket");
    fails(logging, 0, VQEMU_ERR_INVALID, "/socket is a socket, and no file");
}
END_TEST

/* ---- sockets ---- */

/* QEMU removes what it finds there. */
START_TEST(what_a_socket_would_replace_is_refused) {
    static const char *const keys[] = {"qmp_socket", "guest_agent_socket", "vnc_socket",
                                       "console_path", "tpm_socket"};
    make_dir("sockets", 0700, geteuid());
    make_dir("sockets/directory", 0700, geteuid());
    write_file("sockets/file", "precious", 0600);
    ck_assert_int_eq(symlinkat("file", scratch_fd, "sockets/link"), 0);
    make_socket("sockets/left", false);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
        set_string(vm, "console", "socket");
        set_path(vm, keys[i], "sockets/new");
        prepares(vm, 0);
        set_path(vm, keys[i], "sockets/left");
        prepares(vm, 0);
        set_path(vm, keys[i], "sockets/file");
        refused_because(vm, "not-a-socket", keys[i], "sockets/file");
        set_path(vm, keys[i], "sockets/link");
        refused_because(vm, "not-a-socket", keys[i], "sockets/link");
        set_path(vm, keys[i], "sockets/directory");
        refused_because(vm, "not-a-socket", keys[i], "sockets/directory");
        set_path(vm, keys[i], "missing/socket");
        fails(vm, 0, VQEMU_ERR_NOT_FOUND, "/missing, in which the socket is to be: ");
    }
    has_content("sockets/file", "precious");
}
END_TEST

START_TEST(a_socket_that_somebody_listens_at_is_refused) {
    _cleanup_vm_ vqemu_vm *vm = make_vm();
    make_socket("datagrams", true);
    set_path(vm, "qmp_socket", "datagrams");
    refused_because(vm, "socket-in-use", "qmp_socket", "datagrams");
    int fd = make_socket("other", false);
    set_path(vm, "qmp_socket", "other");
    prepares(vm, 0);
    ck_assert_int_eq(listen(fd, 0), 0);
    for (int i = 0; i < 3; i++) /* until nobody more can wait */
        refused_because(vm, "socket-in-use", "qmp_socket", "other");
    close(fd);
    prepares(vm, 0);
}
END_TEST

START_TEST(who_listens_is_told) {
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        if (listen(make_socket("other", false), 8) == 0 && write(ready[1], "", 1) == 1)
            pause();
        _exit(1);
    }
    _cleanup_free_ char *message = format_string("qmp_socket: process %d listens at ", (int)child);
    _cleanup_vm_ vqemu_vm *vm = make_vm();
    set_path(vm, "qmp_socket", "other");
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    fails(vm, 0, VQEMU_ERR_BUSY, message);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    prepares(vm, 0);
}
END_TEST

/* ---- qcow2 ---- */

static void put_number(unsigned char *at, int size, uint64_t number) {
    for (int i = size; i-- > 0; number >>= 8)
        at[i] = (unsigned char)number;
}

/* An image whose header names a backing file, or has its content in another file. */
static void write_qcow2(const char *path, unsigned version, const char *backing,
                        const char *data_file) {
    unsigned char bytes[512] = "QFI\xfb";
    unsigned header_size = version < 3 ? 72 : 104;
    _cleanup_free_ char *absolute = scratch_path(path);
    put_number(bytes + 4, 4, version);
    put_number(bytes + 24, 8, 1 << 20);
    if (version >= 3)
        put_number(bytes + 100, 4, header_size);
    if (data_file) {
        put_number(bytes + 72, 8, 4);
        put_number(bytes + header_size, 4, 0xe2792aca); /* the format of a backing file */
        put_number(bytes + header_size + 4, 4, 3);
        memcpy(bytes + header_size + 8, "raw", 3);
        put_number(bytes + header_size + 16, 4, 0x44415441);
        put_number(bytes + header_size + 20, 4, strlen(data_file));
        memcpy(bytes + header_size + 24, data_file, strlen(data_file));
    }
    if (backing) {
        put_number(bytes + 8, 8, 400);
        put_number(bytes + 16, 4, strlen(backing));
        memcpy(bytes + 400, backing, strlen(backing));
    }
    int fd = open(absolute, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_eq(write(fd, bytes, sizeof bytes), sizeof bytes);
    close(fd);
}

static vqemu_vm *make_vm_of_qcow2(void) {
    vqemu_vm *vm = make_vm();
    set_path(vm, "disks[0].file", "image");
    set_string(vm, "disks[0].format", "qcow2");
    return vm;
}

static void refused_for(const vqemu_vm *vm, const char *reason, const char *key,
                        const char *named) {
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(prepare(vm, 0, &error), VQEMU_ERR_REFUSED);
    ck_assert_str_eq(vqemu_error_reason(error), reason);
    ck_assert_str_eq(vqemu_error_detail(error, "key"), key);
    ck_assert_str_eq(vqemu_error_detail(error, "value"), named);
    ck_assert_ptr_nonnull(strstr(vqemu_error_message(error), named));
}

START_TEST(what_only_a_header_names_is_refused) {
    unsigned version = _i ? 3 : 2;
    _cleanup_vm_ vqemu_vm *vm = make_vm_of_qcow2();
    write_qcow2("image", version, NULL, NULL);
    prepares(vm, 0);
    write_qcow2("image", version, "/etc/shadow", NULL);
    refused_for(vm, "unnamed-backing", "disks[0].file", "/etc/shadow");
    set_path(vm, "disks[0].backing[0].file", "middle");
    set_string(vm, "disks[0].backing[0].format", "qcow2");
    write_qcow2("middle", version, "base", NULL);
    refused_for(vm, "unnamed-backing", "disks[0].backing[0].file", "base");
    set_path(vm, "disks[0].backing[1].file", "base");
    fails(vm, 0, VQEMU_ERR_NOT_FOUND, "disks[0].backing[1].file: ");
    write_qcow2("base", version, "what raw images have is content", NULL);
    prepares(vm, 0);
    write_file("image", "QFI", 0600);
    fails(vm, 0, VQEMU_ERR_INVALID, "/image is no qcow2 image");
    ck_assert_int_eq(vqemu_vm_remove(vm, "disks[0]", NULL), 0);
    set_path(vm, "disks[0].file", "image");
    prepares(vm, 0); /* a raw one is what it is */
}
END_TEST

START_TEST(a_data_file_that_only_a_header_names_is_refused) {
    _cleanup_vm_ vqemu_vm *vm = make_vm_of_qcow2();
    write_qcow2("image", 3, NULL, "/etc/shadow");
    refused_for(vm, "unnamed-data-file", "disks[0].file", "/etc/shadow");
    write_file("data", "content", 0600);
    set_path(vm, "disks[0].data_file", "data");
    prepares(vm, 0);
    write_qcow2("layer", 3, NULL, "");
    set_path(vm, "disks[0].backing[0].file", "layer");
    set_string(vm, "disks[0].backing[0].format", "qcow2");
    refused_for(vm, "unnamed-data-file", "disks[0].backing[0].file", "");
    set_path(vm, "disks[0].backing[0].data_file", "data2");
    fails(vm, 0, VQEMU_ERR_NOT_FOUND, "disks[0].backing[0].data_file: ");
}
END_TEST

START_TEST(logs_are_made_for_the_user) {
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    mode_t before = umask(0);
    uid_t user = geteuid() == 0 ? OTHER_USER : geteuid();
    _cleanup_free_ char *number = format_string("%u", (unsigned)user);
    set_string(vm, "user", number);
    set_string(vm, "console", "file"); /* in the state directory: /run is memory */
    set_path(vm, "console_log", "logs/x.log");
    prepares(vm, 0);
    umask(before);
    has_mode("a/state/console.log", S_IFREG | 0600);
    has_mode("logs/x.log", S_IFREG | 0600);
    has_mode("logs", S_IFDIR | 0700);
    ck_assert_uint_eq(stat_of("a/state/console.log").st_uid, user);
    ck_assert_uint_eq(stat_of("logs/x.log").st_uid, user);
    write_file("logs/x.log", "said", 0600);
    prepares(vm, 0);
    has_content("logs/x.log", "said");
    set_string(vm, "console_log", "/dev/null");
    prepares(vm, 0);
    if (geteuid() != 0)
        return;
    set_path(vm, "console_log", "a/state/link"); /* the user's own, to a file of root */
    write_file("root", "", 0600);
    ck_assert_int_eq(symlinkat("../../root", scratch_fd, "a/state/link"), 0);
    ck_assert_int_eq(
        fchownat(scratch_fd, "a/state/link", OTHER_USER, OTHER_USER, AT_SYMLINK_NOFOLLOW), 0);
    refused_because(vm, "symbolic-link", "console_log", "a/state/link");
    ck_assert_uint_eq(stat_of("root").st_uid, 0);
}
END_TEST

/* QEMU opens the data file by its name, whoever has opened the image. */
START_TEST(an_image_by_descriptor_is_looked_at) {
    static const char key[] = "disks[0].fd";
    _cleanup_vm_ vqemu_vm *vm = make_vm();
    write_qcow2("image", 3, NULL, "/etc/shadow");
    int fd = openat(scratch_fd, "image", O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(lseek(fd, 7, SEEK_SET), 7);
    ck_assert_int_eq(vqemu_vm_set_number(vm, key, (uint64_t)fd, NULL), 0);
    prepares(vm, 0); /* a raw one is what it is */
    set_string(vm, "disks[0].format", "qcow2");
    refused_for(vm, "unnamed-data-file", key, "/etc/shadow");
    write_qcow2("image", 3, "/etc/passwd", NULL);
    refused_for(vm, "unnamed-backing", key, "/etc/passwd");
    write_qcow2("image", 3, NULL, NULL);
    prepares(vm, 0);
    ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 7);
    close(fd);
    prepares(vm, 0); /* it is another process that has it */
}
END_TEST

static void hear(const vqemu_log_record *record, void *userdata) {
    ck_assert_int_eq(vqemu_log_record_level(record), VQEMU_LOG_WARNING);
    ck_assert_str_eq(vqemu_log_record_event(record), "log-is-fifo");
    ck_assert_ptr_nonnull(strstr(vqemu_log_record_message(record), "logs/fifo is a FIFO"));
    ++*(int *)userdata;
}

/* QEMU opens it before it does anything else, and waits for a reader. */
START_TEST(a_log_that_is_a_fifo_is_warned_of) {
    _cleanup_vm_ vqemu_vm *vm = make_uefi_vm();
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_call *call = NULL;
    int heard = 0;
    ck_assert_int_eq(mkdirat(scratch_fd, "logs", 0700), 0);
    ck_assert_int_eq(mkfifoat(scratch_fd, "logs/fifo", 0600), 0);
    set_path(vm, "console_log", "logs/fifo");
    ck_assert_int_eq(vqemu_call_new(&call, NULL), 0);
    ck_assert_int_eq(vqemu_call_set_log(call, hear, &heard, NULL), 0);
    int r = prepare_by(vm, 0, call, &error);
    vqemu_call_unref(call);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    ck_assert_int_eq(heard, 1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("vm-files");
    TCase *tests = tcase_create("vm-files");
    tcase_add_checked_fixture(tests, make_directory, remove_scratch);
    tcase_add_test(tests, what_is_missing_is_named);
    tcase_add_test(tests, a_log_that_is_a_fifo_is_warned_of);
    tcase_add_test(tests, an_image_by_descriptor_is_looked_at);
    tcase_add_test(tests, a_device_node_that_is_missing_is_named);
    tcase_add_test(tests, a_program_must_be_there_and_executable);
    tcase_add_test(tests, a_program_that_was_started_need_not_be_there);
    tcase_add_test(tests, what_the_user_cannot_open_is_named);
    tcase_add_test(tests, what_is_no_file_is_named);
    tcase_add_test(tests, what_a_socket_would_replace_is_refused);
    tcase_add_test(tests, a_socket_that_somebody_listens_at_is_refused);
    tcase_add_test(tests, who_listens_is_told);
    tcase_add_loop_test(tests, what_only_a_header_names_is_refused, 0, 2);
    tcase_add_test(tests, a_data_file_that_only_a_header_names_is_refused);
    tcase_add_test(tests, logs_are_made_for_the_user);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
