/* SPDX-License-Identifier: MIT */
/* A second document over a VM: what it says counts, and the rest stays. */
#include "base/error.h"
#include "util/export.h"
#include "vm/document.h"
#include "vm/vm.h"

/* All or nothing: the work is done on a copy. */
VQEMU_EXPORT int vqemu_vm_merge_json(vqemu_vm *vm, const char *text, size_t size,
                                     const char *source, uint32_t flags, vqemu_error **error) {
    error_begin(error);
    REQUIRE_ARGUMENT(vm, error);
    REQUIRE_ARGUMENT(text, error);
    REQUIRE_FLAGS(flags, 0, error);
    _cleanup_vm_ vqemu_vm *merged = NULL;
    int r = vqemu_vm_copy(vm, &merged, error);
    if (r == 0)
        r = document_read(text, size, source, true, merged, error);
    if (r < 0)
        return r;
    vqemu_vm old = *vm;
    *vm = *merged;
    *merged = old;
    return 0;
}
