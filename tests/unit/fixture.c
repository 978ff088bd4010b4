/* SPDX-License-Identifier: MIT */
#include "asserts.h"
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "choice/host.h"
#include "choice/request.h"
#include "choice/selection.h"
#include "store/ingest-result.h"
#include "store/revision.h"
#include "store/store.h"
#include "tree/runtime.h"
#include "util/cleanup.h"
#include "util/dir.h"
#include "util/fd.h"
#include "util/path.h"
#include "util/strbuf.h"

static const char template[] = "/tmp/test-store-XXXXXX";
char scratch[sizeof template];
int scratch_fd = -1;

void make_scratch(void) {
    strcpy(scratch, template);
    ck_assert_ptr_nonnull(mkdtemp(scratch));
    ck_assert_int_eq(chmod(scratch, 0755), 0);
    scratch_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(scratch_fd, 0);
    write_file("profile/bin/qemu-system-x86_64", "#!/bin/sh\necho x86_64\n", 0755);
    write_file("profile/lib/libone.so.1", "one", 0644);
    write_file("profile/lib/qemu/accel.so", "module", 0644);
    write_file("profile/firmware/bios.bin", "firmware", 0644);
    write_file("profile/firmware/empty.bin", "", 0644);
}

void remove_scratch(void) {
    close(scratch_fd);
    ck_assert_int_eq(remove_tree(AT_FDCWD, scratch), 0);
}

char *scratch_path(const char *path) {
    return *path == '/' ? strdup(path) : format_string("%s/%s", scratch, path);
}

void write_file(const char *path, const char *content, mode_t mode) {
    _cleanup_free_ char *full = scratch_path(path);
    _cleanup_free_ char *parent = strndup(full, (size_t)(base_name(full) - full - 1));
    ck_assert_int_eq(make_directories(AT_FDCWD, parent), 0);
    _cleanup_close_ int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ck_assert_msg(fd >= 0, "%s: %s", full, strerror(errno));
    ck_assert_int_eq(write_all(fd, content, strlen(content)), 0);
    ck_assert_int_eq(fchmod(fd, mode), 0);
}

char *read_file(const char *path) {
    _cleanup_free_ char *full = scratch_path(path);
    _cleanup_close_ int fd = open(full, O_RDONLY | O_CLOEXEC);
    char *bytes = NULL;
    size_t size;
    ck_assert_msg(fd >= 0, "%s: %s", full, strerror(errno));
    ck_assert_int_eq(read_all(fd, (size_t)1 << 24, &bytes, &size), 0);
    return bytes;
}

bool exists(const char *path) {
    return faccessat(scratch_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

struct stat stat_of(const char *path) {
    struct stat status;
    ck_assert_msg(fstatat(scratch_fd, path, &status, AT_SYMLINK_NOFOLLOW) == 0, "%s: %s", path,
                  strerror(errno));
    return status;
}

static int count_in(const char *path, const char *prefix) {
    _cleanup_free_ char *full = scratch_path(path);
    DIR *directory = opendir(full);
    int count = 0;
    const struct dirent *entry;
    while (directory && (entry = readdir(directory)))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
                 strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    if (directory)
        closedir(directory);
    return count;
}

int count_entries(const char *path) {
    return count_in(path, "");
}

int count_leftovers(void) {
    return count_in("store/cas/tmp", "") + count_in("store/cas/refs", ".") +
           count_in("store/cas/objects", ".") + count_in("store/cas/alt", ".") +
           count_in("store/qemu/trees", ".") + count_in("store/qemu", ".");
}

vqemu_store *open_store(uint32_t flags) {
    _cleanup_free_ char *root = scratch_path("store");
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_store *store = NULL;
    ck_assert_msg(vqemu_store_open_root(root, flags, &store, &error) == 0, "%s",
                  vqemu_error_message(error));
    return store;
}

vqemu_call *make_call(const char *key, uint64_t value) {
    vqemu_call *call = NULL;
    ck_assert_int_eq(vqemu_call_new(&call, NULL), 0);
    if (key)
        ck_assert_int_eq(vqemu_call_set_number(call, key, value, NULL), 0);
    return call;
}

vqemu_call *make_watched_call(vqemu_progress_fn function, void *userdata) {
    vqemu_call *call = make_call(NULL, 0);
    ck_assert_int_eq(vqemu_call_set_progress(call, function, userdata, NULL), 0);
    return call;
}

vqemu_ingest_options *make_ingest_options(const char *key, const char *value) {
    vqemu_ingest_options *options = NULL;
    ck_assert_int_eq(vqemu_ingest_options_new(&options, NULL), 0);
    ck_assert_int_eq(vqemu_ingest_options_set_string(options, "profile", "emulate-x86", NULL), 0);
    if (key)
        ck_assert_int_eq(vqemu_ingest_options_set_string(options, key, value, NULL), 0);
    return options;
}

int collect_keeping(vqemu_store *store, uint64_t keep, uint32_t flags, vqemu_call *call,
                    vqemu_collection **collection, vqemu_error **error) {
    vqemu_collect_options *options = NULL;
    ck_assert_int_eq(vqemu_collect_options_new(&options, NULL), 0);
    ck_assert_int_eq(vqemu_collect_options_set_number(options, VQEMU_COLLECT_KEEP, keep, NULL), 0);
    int r = vqemu_store_collect(store, options, flags, call, collection, error);
    vqemu_collect_options_free(options);
    return r;
}

vqemu_store *open_other_store(void) {
    _cleanup_free_ char *root = scratch_path("other");
    vqemu_store *other = NULL;
    ck_assert_int_eq(vqemu_store_open_root(root, VQEMU_STORE_CREATE, &other, NULL), 0);
    return other;
}

size_t count_problems(vqemu_store *store, const char *name, uint32_t flags, const char *source,
                      size_t unrepaired) {
    vqemu_check *check = NULL;
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_store_check(store, name, flags, source, NULL, &check, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    size_t count = vqemu_check_problem_count(check);
    ck_assert_uint_eq(vqemu_check_unrepaired_count(check), unrepaired);
    ck_assert_ptr_null(vqemu_check_problem_kind(check, count));
    ck_assert_ptr_null(vqemu_check_problem_message(check, count));
    ck_assert_ptr_null(vqemu_check_place_revision_name(check, count, 0));
    ck_assert_ptr_null(vqemu_check_process_tree_name(check, count, 0));
    ck_assert(!vqemu_check_problem_repaired(check, count));
    vqemu_check_free(check);
    return count;
}

int open_archive(int flags) {
    _cleanup_free_ char *path = scratch_path("archive.tar");
    int fd = open(path, flags | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    return fd;
}

void export_archive(vqemu_store *store, const vqemu_revision *revision) {
    _cleanup_close_ int fd = open_archive(O_WRONLY | O_CREAT | O_TRUNC);
    _cleanup_error_ vqemu_error *error = NULL;
    int r = vqemu_store_export(store, revision, fd, NULL, 0, NULL, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
}

int ingest(vqemu_store *store, vqemu_call *call, vqemu_ingest **result, vqemu_error **error) {
    _cleanup_free_ char *directory = scratch_path("profile");
    vqemu_ingest_options *options = make_ingest_options(NULL, NULL);
    int r = vqemu_store_ingest(store, directory, options, 0, call, result, error);
    vqemu_ingest_options_free(options);
    return r;
}

vqemu_revision *build(vqemu_store *store, const char *created_at) {
    _cleanup_free_ char *directory = scratch_path("profile");
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_ingest_ vqemu_ingest *result = NULL;
    vqemu_ingest_options *options = make_ingest_options("created_at", created_at);
    int r = vqemu_store_ingest(store, directory, options, 0, NULL, &result, &error);
    vqemu_ingest_options_free(options);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    ck_assert_int_eq(count_leftovers(), 0);
    return vqemu_revision_ref(vqemu_ingest_revision(result));
}

void build_fails(int code, const char *mentioned) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    vqemu_ingest *result = (vqemu_ingest *)&error; /* must become NULL */
    int revisions = count_entries("store/cas/refs");
    int r = ingest(store, NULL, &result, &error);
    ck_assert_msg(r == code, "%d instead of %d: %s", r, code, vqemu_error_message(error));
    ck_assert_ptr_null(result);
    ck_assert_msg(strstr(vqemu_error_message(error), mentioned) != NULL, "\"%s\" in \"%s\"",
                  mentioned, vqemu_error_message(error));
    ck_assert_int_eq(count_leftovers(), 0);
    ck_assert_int_eq(count_entries("store/cas/refs"), revisions);
}

vqemu_host *describe_host(const char *arch, int32_t kvm) {
    return describe_host_with(arch, kvm, NULL);
}

vqemu_host *describe_host_with(const char *arch, int32_t kvm, const char *vhost_net) {
    _cleanup_host_options_ vqemu_host_options *options = NULL;
    vqemu_host *host = NULL;
    ck_assert_int_eq(vqemu_host_options_new(&options, NULL), 0);
    ck_assert_int_eq(vqemu_host_options_set_string(options, VQEMU_HOST_ARCH, arch, NULL), 0);
    ck_assert_int_eq(
        vqemu_host_options_set_string(options, VQEMU_HOST_KVM, vqemu_kvm_state_name(kvm), NULL), 0);
    ck_assert_int_eq(vqemu_host_options_set_string(options, VQEMU_HOST_VHOST_NET, vhost_net, NULL),
                     0);
    ck_assert_int_eq(vqemu_host_new(options, 0, &host, NULL), 0);
    return host;
}

vqemu_request *request_profile(const char *profile, const char *guest_arch) {
    vqemu_request *request = NULL;
    ck_assert_int_eq(vqemu_request_new(&request, NULL), 0);
    ck_assert_int_eq(vqemu_request_set_string(request, VQEMU_REQUEST_PROFILE, profile, NULL), 0);
    ck_assert_int_eq(vqemu_request_set_string(request, VQEMU_REQUEST_GUEST_ARCH, guest_arch, NULL),
                     0);
    return request;
}

vqemu_selection *select_profile(const char *profile, const char *guest_arch) {
    _cleanup_host_ vqemu_host *host = describe_host("x86_64", VQEMU_KVM_USABLE);
    _cleanup_request_ vqemu_request *request = request_profile(profile, guest_arch);
    vqemu_selection *selection = NULL;
    ck_assert_int_eq(vqemu_select(host, request, 0, &selection, NULL), 0);
    return selection;
}

void run_firmware_alone(vqemu_vm *vm) {
    const char *firmware;
    ck_assert_int_eq(vqemu_vm_get_string(vm, "firmware", &firmware, NULL), 0);
    if (!firmware)
        ck_assert_int_eq(vqemu_vm_set_string(vm, "firmware", "bios", NULL), 0);
}

vqemu_runtime_options *runtime_paths(const char *binary, const char *firmware_dir,
                                     const char *lib_dir, const char *module_dir,
                                     const char *loader) {
    const char *const strings[][2] = {{VQEMU_RUNTIME_BINARY, binary},
                                      {VQEMU_RUNTIME_FIRMWARE_DIR, firmware_dir},
                                      {VQEMU_RUNTIME_LIB_DIR, lib_dir},
                                      {VQEMU_RUNTIME_MODULE_DIR, module_dir},
                                      {VQEMU_RUNTIME_LOADER, loader}};
    vqemu_runtime_options *options = NULL;
    ck_assert_int_eq(vqemu_runtime_options_new(&options, NULL), 0);
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(
            vqemu_runtime_options_set_string(options, strings[i][0], strings[i][1], NULL), 0);
    return options;
}

vqemu_runtime *runtime_at(const vqemu_selection *selection, vqemu_runtime_options *paths) {
    vqemu_runtime *runtime = NULL;
    ck_assert_int_eq(vqemu_runtime_new(selection, paths, 0, &runtime, NULL), 0);
    vqemu_runtime_options_free(paths);
    return runtime;
}

vqemu_runtime *resolve(vqemu_store *store, uint32_t flags) {
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_runtime *runtime = NULL;
    ck_assert_msg(vqemu_resolve(store, selection, NULL, flags, NULL, &runtime, &error) == 0, "%s",
                  vqemu_error_message(error));
    return runtime;
}

void resolve_fails(vqemu_store *store, uint32_t flags, int code, const char *mentioned) {
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_runtime *runtime = (vqemu_runtime *)&error; /* must become NULL */
    int r = vqemu_resolve(store, selection, NULL, flags, NULL, &runtime, &error);
    ck_assert_msg(r == code, "%d instead of %d: %s", r, code, vqemu_error_message(error));
    ck_assert_ptr_null(runtime);
    ck_assert_msg(strstr(vqemu_error_message(error), mentioned) != NULL, "\"%s\" in \"%s\"",
                  mentioned, vqemu_error_message(error));
    ck_assert_int_eq(count_leftovers(), 0);
}

char *tree_path(const vqemu_runtime *runtime, const char *path) {
    return format_string("%s/%s", vqemu_runtime_tree(runtime), path);
}

char *object_path(const vqemu_revision *revision, const char *path) {
    const vqemu_manifest *manifest = vqemu_revision_manifest(revision);
    int64_t index = vqemu_manifest_find(manifest, path);
    ck_assert_int_ge(index, 0);
    return format_string("%s/store/cas/objects/%s", scratch,
                         vqemu_manifest_object_digest(manifest, (size_t)index));
}

void child_succeeds(int (*function)(void)) {
    pid_t pid = fork();
    int status;
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(function());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == SKIPPED),
                  "status %d", status);
}
