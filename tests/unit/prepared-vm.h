/* SPDX-License-Identifier: MIT */
/* A VM in the scratch directory, and what becomes of it when it is prepared. */
#ifndef TEST_PREPARED_VM_H
#define TEST_PREPARED_VM_H

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "asserts.h"
#include "base/error.h"
#include "choice/selection.h"
#include "command/command.h"
#include "fixture.h"
#include "tree/runtime.h"
#include "util/strbuf.h"
#include "vm/vm.h"

#define OTHER_USER 12345 /* of no database */

/* Flash images have a size that flash can have. */
static inline void write_image(const char *path, const char *content) {
    _cleanup_free_ char *absolute = scratch_path(path);
    write_file(path, content, 0600);
    ck_assert_int_eq(truncate(absolute, 4096), 0);
}

static inline void make_directory(void) {
    make_scratch();
    ck_assert_int_eq(mkdirat(scratch_fd, "fw", 0755), 0);
    write_image("fw/OVMF_CODE_4M.fd", "code");
    write_image("fw/OVMF_VARS_4M.fd", "vars");
}

/* A UEFI guest with TPM and VNC, whose directories are below the scratch directory. */
static inline vqemu_vm *make_vm(void) {
    _cleanup_free_ char *state = scratch_path("a/state"), *run = scratch_path("b/run");
    vqemu_vm *vm = NULL;
    ck_assert_int_eq(vqemu_vm_new("x", &vm, NULL), 0);
    run_firmware_alone(vm);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "state_dir", state, NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "runtime_dir", run, NULL), 0);
    return vm;
}

static inline vqemu_vm *make_uefi_vm(void) {
    vqemu_vm *vm = make_vm();
    ck_assert_int_eq(vqemu_vm_set_string(vm, "firmware", "uefi", NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_string(vm, "display", "vnc", NULL), 0);
    ck_assert_int_eq(vqemu_vm_set_switch(vm, "tpm", VQEMU_SWITCH_ON, NULL), 0);
    return vm;
}

static inline int prepare_by(const vqemu_vm *vm, uint32_t flags, vqemu_call *call,
                             vqemu_error **error) {
    _cleanup_free_ char *firmware_dir = scratch_path("fw");
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_runtime_ vqemu_runtime *runtime =
        runtime_at(selection, runtime_paths("/t/bin/qemu", firmware_dir, NULL, NULL, NULL));
    _cleanup_command_ vqemu_command *command = NULL;
    int r = vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, error);
    return r < 0 ? r : vqemu_prepare(command, flags, call, error);
}

static inline int prepare(const vqemu_vm *vm, uint32_t flags, vqemu_error **error) {
    return prepare_by(vm, flags, NULL, error);
}

static inline void prepares(const vqemu_vm *vm, uint32_t flags) {
    _cleanup_error_ vqemu_error *error = NULL;
    int r = prepare(vm, flags, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
}

static inline void fails(const vqemu_vm *vm, uint32_t flags, int code, const char *mentioned) {
    _cleanup_error_ vqemu_error *error = NULL;
    ck_assert_int_eq(prepare(vm, flags, &error), code);
    ck_assert_msg(strstr(vqemu_error_message(error), mentioned), "%s", vqemu_error_message(error));
}

static inline void has_mode(const char *path, mode_t mode) {
    ck_assert_uint_eq(stat_of(path).st_mode, mode);
}

static inline void has_content(const char *path, const char *expected) {
    _cleanup_free_ char *content = read_file(path);
    ck_assert_str_eq(content, expected);
}

/* What a program can act on. */
static inline void refused_because(const vqemu_vm *vm, const char *reason, const char *key,
                                   const char *path) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_free_ char *absolute = scratch_path(path);
    ck_assert_int_lt(prepare(vm, 0, &error), 0);
    ck_assert_str_eq(vqemu_error_reason(error), reason);
    ck_assert_str_eq(vqemu_error_detail(error, "key"), key);
    ck_assert_str_eq(vqemu_error_detail(error, "path"), absolute);
    ck_assert_int_eq(strncmp(vqemu_error_message(error), key, strlen(key)), 0);
}

static inline void make_dir(const char *path, mode_t mode, uid_t owner) {
    ck_assert_int_eq(mkdirat(scratch_fd, path, 0700), 0);
    ck_assert_int_eq(fchmodat(scratch_fd, path, mode, 0), 0);
    ck_assert_int_eq(fchownat(scratch_fd, path, owner, owner, 0), 0);
}

static inline void set_path(vqemu_vm *vm, const char *key, const char *path) {
    _cleanup_free_ char *absolute = scratch_path(path);
    ck_assert_int_eq(vqemu_vm_set_string(vm, key, absolute, NULL), 0);
}

static inline vqemu_vm *make_vm_of_user(const char *user) {
    vqemu_vm *vm = make_uefi_vm();
    ck_assert_int_eq(vqemu_vm_set_string(vm, "user", user, NULL), 0);
    return vm;
}

static inline void set_string(vqemu_vm *vm, const char *key, const char *value) {
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_vm_set_string(vm, key, value, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
}

#endif
