/* SPDX-License-Identifier: MIT */
/* VMs as documents: the one with every key, reading and writing. */
#ifndef TEST_DOCUMENT_H
#define TEST_DOCUMENT_H

#include <volt-qemu/vm.h>

#include "base/error.h"
#include "cases.h"

static inline char *every_key(void) {
    size_t size;
    _cleanup_free_ char *path =
        format_string("%s/documents/every-key/vm.json", getenv("TEST_DATA"));
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = NULL;
    ck_assert_int_eq(read_all(fd, (size_t)1 << 20, &text, &size), 0);
    return text;
}

static inline vqemu_vm *read_vm(const char *text) {
    vqemu_vm *vm = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_vm_from_json(text, strlen(text), NULL, 0, &vm, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return vm;
}

static inline char *write_vm(const vqemu_vm *vm) {
    char *text = NULL;
    ck_assert_int_eq(vqemu_vm_to_json(vm, 0, &text, NULL), 0);
    return text;
}

#endif
