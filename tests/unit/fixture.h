/* SPDX-License-Identifier: MIT */
/* A scratch directory with a small profile and a store, and looks at them. */
#ifndef TEST_FIXTURE_H
#define TEST_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include <volt-qemu/volt-qemu.h>

extern char scratch[]; /* the directory's path */
extern int scratch_fd;

/* Check fixtures: make the directory with a profile in profile/; remove all of it. */
void make_scratch(void);
void remove_scratch(void);

void write_file(const char *path, const char *content, mode_t mode);
char *read_file(const char *path);
/* Paths are below the scratch directory; owned by the caller. */
char *scratch_path(const char *path);
bool exists(const char *path);
struct stat stat_of(const char *path);
/* How many entries a directory has; 0 if it is missing. */
int count_entries(const char *path);
/* The number of files that an operation which failed or ended may not leave behind. */
int count_leftovers(void);

/* Run a function in a child, where it must return 0, or this if it may not do what it was to do. */
#define SKIPPED 77
void child_succeeds(int (*function)(void));

/* The store in store/. Aborts the test if it cannot be opened. */
vqemu_store *open_store(uint32_t flags);
/* Collect, with the N newest revisions of each profile kept. */
int collect_keeping(vqemu_store *store, uint64_t keep, uint32_t flags, vqemu_call *call,
                    vqemu_collection **collection, vqemu_error **error);

/* Another, in other/. */
vqemu_store *open_other_store(void);
/* How many problems a check finds, of which so many are left. */
size_t count_problems(vqemu_store *store, const char *name, uint32_t flags, const char *source,
                      size_t unrepaired);
/* The file archive.tar; export_archive() writes it. The caller closes it. */
int open_archive(int flags);
void export_archive(vqemu_store *store, const vqemu_revision *revision);

/* A call with one setting (key NULL for none), or with a callback. */
vqemu_call *make_call(const char *key, uint64_t value);
vqemu_call *make_watched_call(vqemu_progress_fn function, void *userdata);
/* A callback that takes longer than this (microseconds) hears of every item. */
#define LONGER_THAN_INTERVAL 60000
/* What is said of a profile that is emulate-x86, and one more thing (key NULL for none). */
vqemu_ingest_options *make_ingest_options(const char *key, const char *value);
/* vqemu_store_ingest() of profile/ as emulate-x86. */
int ingest(vqemu_store *store, vqemu_call *call, vqemu_ingest **result, vqemu_error **error);
/* Build profile/ into it as emulate-x86; NULL created_at for now. */
vqemu_revision *build(vqemu_store *store, const char *created_at);
/* The result of a build of profile/ that must fail, and whose message must mention something. */
void build_fails(int code, const char *mentioned);
/* A host of this architecture, with this state of KVM. */
vqemu_host *describe_host(const char *arch, int32_t kvm);
/* The same with a state of vhost-net by its name; NULL for none. */
vqemu_host *describe_host_with(const char *arch, int32_t kvm, const char *vhost_net);
/* A request for a profile by its name; guest_arch may be NULL. */
vqemu_request *request_profile(const char *profile, const char *guest_arch);
/* On an x86_64 host with KVM. */
vqemu_selection *select_profile(const char *profile, const char *guest_arch);
/* Paths for vqemu_runtime_new(), NULL where not set; and the runtime of a selection at these, which
 * are freed. */
vqemu_runtime_options *runtime_paths(const char *binary, const char *firmware_dir,
                                     const char *lib_dir, const char *module_dir,
                                     const char *loader);
vqemu_runtime *runtime_at(const vqemu_selection *selection, vqemu_runtime_options *paths);
/* A VM that says nothing of what it boots runs the firmware alone, which is refused unless it is
 * asked for. */
void run_firmware_alone(vqemu_vm *vm);
/* Resolve emulate-x86 for x86_64; the test fails unless that succeeds. */
vqemu_runtime *resolve(vqemu_store *store, uint32_t flags);
void resolve_fails(vqemu_store *store, uint32_t flags, int code, const char *mentioned);
/* The path of a file in a runtime's tree, or of the object that it was made from. */
char *tree_path(const vqemu_runtime *runtime, const char *path);
char *object_path(const vqemu_revision *revision, const char *path);

#endif
