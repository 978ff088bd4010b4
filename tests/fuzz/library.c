/* SPDX-License-Identifier: MIT */
/* The library's objects that more than one target needs. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "choice/host.h"
#include "fuzz.h"
#include "store/store.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

#define MIB 1024 * 1024

static vqemu_host *describe_host(const char *arch) {
    vqemu_host_options *options = NULL;
    vqemu_host *host = NULL;
    vqemu_error *error = NULL;
    FUZZ_CHECK(vqemu_host_options_new(&options, NULL) == 0 &&
                   vqemu_host_options_set_string(options, VQEMU_HOST_KVM, "usable", NULL) == 0 &&
                   vqemu_host_options_set_string(options, VQEMU_HOST_ARCH, arch, NULL) == 0,
               "cannot describe a host");
    fuzz_check_result(vqemu_host_new(options, 0, &host, &error), &error);
    vqemu_host_options_free(options);
    return host;
}

vqemu_selection *fuzz_select(const char *host_arch, const char *profile, const char *guest_arch) {
    vqemu_host *host = describe_host(host_arch);
    vqemu_request *request = NULL;
    vqemu_selection *selection = NULL;
    vqemu_error *error = NULL;
    FUZZ_CHECK(vqemu_request_new(&request, NULL) == 0, "no memory");
    int r = vqemu_request_set_string(request, VQEMU_REQUEST_PROFILE, profile, &error);
    if (r == 0)
        r = vqemu_request_set_string(request, VQEMU_REQUEST_GUEST_ARCH, guest_arch, &error);
    if (r == 0 && host)
        r = vqemu_select(host, request, 0, &selection, &error);
    fuzz_check_result(r, &error);
    vqemu_request_free(request);
    vqemu_host_free(host);
    return selection;
}

/* ---- runtimes ---- */

/* A pair of each architecture that has UEFI; sparse files. The sizes of arm and riscv64 are fixed
 * by the machine. */
static void make_firmware(void) {
    static const struct {
        const char *name;
        off_t size;
    } files[] = {
        {"OVMF_CODE_4M.fd", 3 * MIB},     {"OVMF_VARS_4M.fd", 1 * MIB},
        {"OVMF_CODE_4M.ms.fd", 3 * MIB},  {"OVMF_VARS_4M.ms.fd", 1 * MIB},
        {"edk2-i386-code.fd", 3 * MIB},   {"edk2-i386-vars.fd", 1 * MIB},
        {"AAVMF_CODE.fd", 64 * MIB},      {"AAVMF_VARS.fd", 64 * MIB},
        {"AAVMF_CODE.ms.fd", 64 * MIB},   {"AAVMF_VARS.ms.fd", 64 * MIB},
        {"AAVMF32_CODE.fd", 64 * MIB},    {"AAVMF32_VARS.fd", 64 * MIB},
        {"RISCV_VIRT_CODE.fd", 32 * MIB}, {"RISCV_VIRT_VARS.fd", 32 * MIB},
    };
    static bool made;
    for (size_t i = 0; !made && i < sizeof files / sizeof *files; i++) {
        _cleanup_free_ char *path = format_string("tree/firmware/%s", files[i].name);
        FUZZ_CHECK(path, "no memory");
        fuzz_write(path, "", 0);
        int fd = openat(fuzz_scratch_fd(), path, O_WRONLY | O_CLOEXEC);
        FUZZ_CHECK(fd >= 0 && ftruncate(fd, files[i].size) == 0, "cannot make %s", path);
        close(fd);
    }
    made = true;
}

static void set_path(vqemu_runtime_options *options, const char *key, const char *path) {
    FUZZ_CHECK(vqemu_runtime_options_set_string(options, key, path, NULL) == 0, "%s: %s", key,
               path);
}

#define ODD_DIRECTORY "/volt a;b:c$d%n\"e'\\f"

vqemu_runtime *fuzz_make_runtime(const vqemu_selection *selection, bool plain) {
    const char *program = vqemu_guest_arch_binary_name(vqemu_selection_guest_arch(selection));
    _cleanup_free_ char *firmware = format_string("%s/tree/firmware", fuzz_scratch());
    _cleanup_free_ char *binary =
        format_string("%s/bin/%s", plain ? "/volt" : ODD_DIRECTORY, program);
    vqemu_runtime_options *options = NULL;
    vqemu_runtime *runtime = NULL;
    vqemu_error *error = NULL;
    make_firmware();
    FUZZ_CHECK(firmware && binary && vqemu_runtime_options_new(&options, NULL) == 0, "no memory");
    set_path(options, VQEMU_RUNTIME_BINARY, binary);
    set_path(options, VQEMU_RUNTIME_FIRMWARE_DIR, firmware);
    set_path(options, VQEMU_RUNTIME_LIB_DIR, plain ? "/volt/lib" : ODD_DIRECTORY "/lib");
    if (plain) {
        set_path(options, VQEMU_RUNTIME_MODULE_DIR, "/volt/lib/qemu");
        set_path(options, VQEMU_RUNTIME_LOADER, "/volt/lib/ld-linux-x86-64.so.2");
    }
    int r = vqemu_runtime_new(selection, options, 0, &runtime, &error);
    FUZZ_CHECK(r == 0, "%s", vqemu_error_message(error));
    vqemu_runtime_options_free(options);
    return runtime;
}

/* ---- stores ---- */

vqemu_store *fuzz_open_store(void) {
    _cleanup_free_ char *root = format_string("%s/store", fuzz_scratch());
    vqemu_store *store = NULL;
    vqemu_error *error = NULL;
    FUZZ_CHECK(root && vqemu_store_open_root(root, VQEMU_STORE_CREATE, &store, &error) == 0, "%s",
               vqemu_error_message(error));
    return store;
}

vqemu_store *fuzz_fill_store(vqemu_revision **revision) {
    _cleanup_free_ char *directory = format_string("%s/profile", fuzz_scratch());
    vqemu_store *store = fuzz_open_store();
    vqemu_ingest_options *options = NULL;
    vqemu_ingest *ingest = NULL;
    vqemu_error *error = NULL;
    fuzz_write("profile/bin/qemu-system-x86_64", "#!/bin/sh\n", 10);
    fuzz_write("profile/lib/libone.so.1", "one", 3);
    fuzz_write("profile/firmware/bios.bin", "firmware", 8);
    FUZZ_CHECK(directory && vqemu_ingest_options_new(&options, NULL) == 0 &&
                   vqemu_ingest_options_set_string(options, "profile", "emulate-x86", NULL) == 0 &&
                   vqemu_ingest_options_set_string(options, "created_at", "2025-01-31T10:00:00Z",
                                                   NULL) == 0,
               "no memory");
    int r = vqemu_store_ingest(store, directory, options, 0, NULL, &ingest, &error);
    FUZZ_CHECK(r == 0, "%s", vqemu_error_message(error));
    *revision = vqemu_revision_ref(vqemu_ingest_revision(ingest));
    vqemu_ingest_free(ingest);
    vqemu_ingest_options_free(options);
    return store;
}
