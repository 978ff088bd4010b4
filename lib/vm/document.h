/* SPDX-License-Identifier: MIT */
#ifndef LIB_DOCUMENT_H
#define LIB_DOCUMENT_H

#include <stdbool.h>

#include "vm/vm.h"

/*
 * Read the JSON text of a VM. With merge, over what is set already; after a failure the VM is half
 * read. source stands for the document in messages; NULL for "VM description".
 */
int document_read(const char *text, size_t size, const char *source, bool merge, vqemu_vm *vm,
                  vqemu_error **error);

#endif
