/* SPDX-License-Identifier: MIT */
/* Commands that are saved by one process and loaded by another. */
#include "command/command.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/call.h"
#include "base/error.h"
#include "base/json.h"
#include "choice/selection.h"
#include "fixture.h"
#include "run.h"
#include "store/revision.h"
#include "store/store.h"
#include "tree/runtime.h"
#include "util/strbuf.h"
#include "vm/vm.h"

static const char everything[] =
    "{\"name\": \"my web\", \"user\": \"vm\", \"tpm\": true, \"display\": \"vnc\","
    "\"vnc_password_file\": \"/secret\", \"console\": \"socket\", \"guest_agent_socket\": "
    "\"/agent\","
    "\"kernel\": \"/k\", \"console_log\": \"/log\", \"rng\": true, \"disks\": [{\"file\": \"/d\"},"
    "{\"file\": \"/dev/x\", \"read_only\": true}, {\"fd\": 7, \"format\": \"qcow2\"}, "
    "{\"fd_name\": \"data\"}], "
    "\"qmp_fd\": 8,"
    "\"shares\": [{\"path\": \"/s\", \"tag\": \"s\", \"driver\": \"virtiofs\"}],"
    "\"extra_args\": [\"-snapshot\"]}";

static vqemu_command *build_on(vqemu_runtime *runtime, const char *json) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_vm_ vqemu_vm *vm = NULL;
    vqemu_command *command = NULL;
    int r = vqemu_vm_from_json(json, strlen(json), "vm", 0, &vm, &error);
    if (r == 0)
        run_firmware_alone(vm);
    if (r == 0)
        r = vqemu_command_build(runtime, vm, NULL, VQEMU_COMMAND_FOR_UNIT, NULL, &command, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return command;
}

static vqemu_command *build_by_hand(const char *profile, const char *json) {
    _cleanup_selection_ vqemu_selection *selection = select_profile(profile, "x86_64");
    _cleanup_runtime_ vqemu_runtime *runtime = runtime_at(
        selection, runtime_paths("/t/bin/qemu", "/t/firmware", "/t/lib", NULL, "/t/lib/ld.so"));
    return build_on(runtime, json);
}

static char *save(const vqemu_command *command) {
    _cleanup_error_ vqemu_error *error = NULL;
    char *text = NULL;
    int r = vqemu_command_save(command, 0, &text, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return text;
}

static vqemu_command *load(const char *text) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_command *command = NULL;
    int r = vqemu_command_load(text, strlen(text), "web.command", 0, NULL, &command, &error);
    ck_assert_msg(r == 0, "%s", vqemu_error_message(error));
    return command;
}

static void load_fails(const char *text, int code, const char *key, const char *mentioned) {
    _cleanup_error_ vqemu_error *error = NULL;
    vqemu_command *command = (vqemu_command *)&error;
    int r = vqemu_command_load(text, strlen(text), "web.command", 0, NULL, &command, &error);
    ck_assert_msg(r == code, "%d: %s", r, vqemu_error_message(error));
    ck_assert_ptr_null(command);
    ck_assert_pstr_eq(vqemu_error_detail(error, "key"), key);
    ck_assert_msg(strstr(vqemu_error_message(error), mentioned), "%s", vqemu_error_message(error));
}

/* ---- round trips ---- */

static void words_equal(char *const *a, char *const *b) {
    size_t i = 0;
    for (; a[i] && b[i]; i++)
        ck_assert_str_eq(a[i], b[i]);
    ck_assert(!a[i] && !b[i]);
}

START_TEST(a_command_comes_back_as_it_was) {
    _cleanup_command_ vqemu_command *command = build_by_hand("emulate-x86", everything);
    _cleanup_free_ char *text = save(command);
    _cleanup_command_ vqemu_command *loaded = load(text);
    _cleanup_free_ char *again = save(loaded);
    ck_assert_str_eq(again, text);
    words_equal(vqemu_command_argv(loaded), vqemu_command_argv(command));
    words_equal(vqemu_command_envp(loaded), vqemu_command_envp(command));
    ck_assert_str_eq(vqemu_command_cwd(loaded), vqemu_command_cwd(command));
    ck_assert_str_eq(vqemu_command_user(loaded), "vm");
    ck_assert_str_eq(vqemu_command_socket(loaded, "stop"), vqemu_command_socket(command, "stop"));
    ck_assert_str_eq(command_vnc_password_file(loaded), "/secret");
    ck_assert_uint_eq(vqemu_command_fd_count(loaded), 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(vqemu_command_fd_at(loaded, i), vqemu_command_fd_at(command, i));
        ck_assert_str_eq(vqemu_command_fd_key(loaded, i), vqemu_command_fd_key(command, i));
    }
    ck_assert_str_eq(vqemu_command_fd_name(loaded, 2), "data");
    ck_assert_int_eq(vqemu_command_fd_at(loaded, 2), 3);
    ck_assert_ptr_null(vqemu_command_fd_name(loaded, 1));
    ck_assert_ptr_null(vqemu_command_fd_name(loaded, 3));
    ck_assert_uint_eq(vqemu_command_companion_count(loaded), 2);
    for (size_t i = 0; i < 2; i++)
        words_equal(vqemu_command_companion_argv(loaded, i),
                    vqemu_command_companion_argv(command, i));
    ck_assert_str_eq(vqemu_profile_name(vqemu_runtime_profile(vqemu_command_runtime(loaded))),
                     "emulate-x86");
    ck_assert_str_eq(vqemu_runtime_loader(vqemu_command_runtime(loaded)), "/t/lib/ld.so");
}
END_TEST

START_TEST(a_command_without_much_comes_back) {
    _cleanup_command_ vqemu_command *command = build_by_hand("kvm-linux", "{\"name\": \"x\"}");
    _cleanup_free_ char *text = save(command);
    _cleanup_command_ vqemu_command *loaded = load(text);
    _cleanup_free_ char *again = save(loaded);
    ck_assert_str_eq(again, text);
    ck_assert_ptr_null(vqemu_command_user(loaded));
}
END_TEST

START_TEST(what_is_not_utf_8_is_not_saved) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_vm_ vqemu_vm *vm = NULL;
    _cleanup_selection_ vqemu_selection *selection = select_profile("emulate-x86", "x86_64");
    _cleanup_runtime_ vqemu_runtime *runtime =
        runtime_at(selection, runtime_paths("/b", "/f", NULL, NULL, NULL));
    _cleanup_command_ vqemu_command *command = NULL;
    char *text = (char *)&error;
    ck_assert_int_eq(vqemu_vm_new("\xff", &vm, NULL), 0);
    run_firmware_alone(vm);
    ck_assert_int_eq(vqemu_command_build(runtime, vm, NULL, 0, NULL, &command, NULL), 0);
    ck_assert_int_eq(vqemu_command_save(command, 0, &text, &error), VQEMU_ERR_UNSUPPORTED);
    ck_assert_ptr_null(text);
    ck_assert_str_eq(vqemu_error_reason(error), "not-utf-8");
}
END_TEST

/* ---- the lease ---- */

static uint64_t collect(vqemu_store *store) {
    vqemu_collection *collection = NULL;
    ck_assert_int_eq(collect_keeping(store, 1, 0, NULL, &collection, NULL), 0);
    uint64_t count = vqemu_collection_count(collection);
    vqemu_collection_free(collection);
    return count;
}

START_TEST(a_loaded_command_keeps_its_tree) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_revision_ vqemu_revision *old = build(store, "2020-01-01T00:00:00Z");
    vqemu_runtime *runtime = resolve(store, 0);
    vqemu_command *command = build_on(runtime, "{\"name\": \"x\"}");
    _cleanup_free_ char *text = save(command), *tree = strdup(vqemu_runtime_tree(runtime));
    vqemu_command_unref(command);
    vqemu_runtime_unref(runtime);
    write_file("profile/firmware/bios.bin", "newer", 0644);
    _cleanup_revision_ vqemu_revision *newer = build(store, "2026-01-01T00:00:00Z");

    command = load(text); /* as another process would, after a restart */
    runtime = vqemu_command_runtime(command);
    ck_assert_str_eq(vqemu_runtime_tree(runtime), tree);
    ck_assert_str_eq(vqemu_runtime_revision_name(runtime), vqemu_revision_name(old));
    ck_assert_ptr_null(vqemu_runtime_manifest_path(runtime));
    ck_assert_int_ge(vqemu_runtime_lease_fd(runtime), 0);
    vqemu_runtime_unref(resolve(store, 0)); /* the link is the newer one's now */
    ck_assert_uint_eq(collect(store), 0);
    ck_assert_int_eq(access(tree, F_OK), 0);

    vqemu_command_unref(command);
    ck_assert_uint_gt(collect(store), 0);
    ck_assert_int_ne(access(tree, F_OK), 0);
    load_fails(text, VQEMU_ERR_CHANGED, NULL, "is gone");
}
END_TEST

START_TEST(another_tree_is_told) {
    _cleanup_store_ vqemu_store *store = open_store(VQEMU_STORE_CREATE);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    vqemu_runtime *runtime = resolve(store, 0);
    vqemu_command *command = build_on(runtime, "{\"name\": \"x\"}");
    _cleanup_free_ char *text = save(command), *tree = strdup(vqemu_runtime_tree(runtime));
    vqemu_command_unref(command);
    vqemu_runtime_unref(runtime);
    _cleanup_free_ char *aside = format_string("%s.aside", tree);
    ck_assert_int_eq(rename(tree, aside), 0);
    ck_assert_int_eq(mkdir(tree, 0755), 0);
    load_fails(text, VQEMU_ERR_CHANGED, NULL, "is not that of the profile any more");
    ck_assert_int_eq(rmdir(tree), 0);
    ck_assert_int_eq(symlink(aside, tree), 0);
    load_fails(text, VQEMU_ERR_CHANGED, NULL, "is gone");
    ck_assert_int_eq(unlink(tree), 0);
    ck_assert_int_eq(rename(aside, tree), 0);
    vqemu_command_unref(load(text));
}
END_TEST

static char *save_of_store(uint32_t flags, char **tree) {
    _cleanup_store_ vqemu_store *store = open_store(flags);
    _cleanup_revision_ vqemu_revision *revision = build(store, NULL);
    _cleanup_runtime_ vqemu_runtime *runtime = resolve(store, 0);
    _cleanup_command_ vqemu_command *command = build_on(runtime, "{\"name\": \"x\"}");
    *tree = strdup(vqemu_runtime_tree(runtime));
    return save(command);
}

/* Who can write to the tree, to its stamp, or to what it lies in, has programs of his own run. */
START_TEST(a_tree_that_others_can_change_is_refused) {
    _cleanup_free_ char *tree = NULL, *same = NULL;
    _cleanup_free_ char *text = save_of_store(VQEMU_STORE_CREATE, &tree);
    _cleanup_free_ char *allowing = save_of_store(VQEMU_STORE_ALLOW_OTHERS, &same);
    _cleanup_free_ char *stamp = format_string("%s/" TREE_STAMP_NAME, tree);
    _cleanup_free_ char *trees = scratch_path("store/qemu/trees"),
                        *above = scratch_path("store/qemu");
    const char *const paths[] = {tree, stamp, trees, above};
    for (size_t i = 0; i < 4; i++) {
        const mode_t mode = i == 1 ? 0444 : 0755;
        ck_assert_int_eq(chmod(paths[i], mode | S_IWOTH), 0);
        load_fails(text, VQEMU_ERR_REFUSED, NULL,
                   i < 2 ? "another user's, or others may write to it" : paths[i]);
        vqemu_command_unref(load(allowing));
        ck_assert_int_eq(chmod(paths[i], mode), 0);
    }
    vqemu_command_unref(load(text));
}
END_TEST

/* ---- faults ---- */

/* The text with one thing replaced by another, once. */
static char *altered(const char *text, const char *from, const char *to) {
    const char *found = strstr(text, from);
    ck_assert_msg(found, "%s in %s", from, text);
    return format_string("%.*s%s%s", (int)(found - text), text, to, found + strlen(from));
}

START_TEST(faults_are_told) {
    static const struct {
        const char *from, *to;
        int code;
        const char *key, *mentioned;
    } cases[] = {
        {"volt-command 1", "volt-command 2", VQEMU_ERR_UNSUPPORTED, "format",
         "web.command: format: \"volt-command 2\" is of a newer version"},
        {"volt-command 1", "volt-command 10", VQEMU_ERR_UNSUPPORTED, "format", "newer version"},
        {"volt-command 1", "volt-command 02", VQEMU_ERR_MALFORMED, "format", "web.command: format"},
        {"volt-command 1", "volt-command 0", VQEMU_ERR_MALFORMED, "format", "web.command: format"},
        {"volt-command 1", "volt-command 2x", VQEMU_ERR_MALFORMED, "format", "web.command: format"},
        {"volt-command 1", "volt-commander", VQEMU_ERR_MALFORMED, "format", "web.command: format"},
        {"\"cwd\": \"/\"", "\"cwd\": \".\"", VQEMU_ERR_MALFORMED, "cwd", "absolute path"},
        {"\"cwd\": \"/\"", "\"cwd\": 7", VQEMU_ERR_MALFORMED, "cwd", "cwd"},
        {"\"cwd\"", "\"directory\"", VQEMU_ERR_UNKNOWN_KEY, "directory", "directory"},
        {"\"name\": \"my web\"", "\"name\": null", VQEMU_ERR_MALFORMED, "vm.name", "vm.name"},
        {"\"tpm\": \"/", "\"tpm\": \"x/", VQEMU_ERR_MALFORMED, "sockets", "sockets"},
        {"\"guest_arch\": \"x86_64\"", "\"guest_arch\": 7", VQEMU_ERR_MALFORMED,
         "runtime.guest_arch", "a string is missing"},
        {"\"guest_arch\"", "\"vhost_net\": 7, \"guest_arch\"", VQEMU_ERR_MALFORMED,
         "runtime.vhost_net", "a string is missing"},
        {"\"abilities\": [", "\"abilities\": [7, ", VQEMU_ERR_MALFORMED,
         "runtime.profile.abilities", "no string"},
        {"\"binary\": \"/t", "\"binary\": \"t", VQEMU_ERR_MALFORMED, "runtime.binary", "binary"},
        {"\"access\": \"write\"", "\"access\": {}", VQEMU_ERR_MALFORMED, "files[].access",
         "a string is missing"},
        {"\"fd\": 7", "\"fd\": -1", VQEMU_ERR_MALFORMED, "fds[].fd", "no descriptor"},
        {"\"fd\": 7", "\"fd\": 4294967296", VQEMU_ERR_MALFORMED, "fds[].fd", "no descriptor"},
        {"\"kind\": \"swtpm\"", "\"kind\": true", VQEMU_ERR_MALFORMED, "companions[].kind",
         "a string is missing"},
        {"\"read_only\": false", "\"read_only\": 0", VQEMU_ERR_MALFORMED, "companions[].read_only",
         "true or false"},
        {"\"-snapshot\"", "\"-other\"", VQEMU_ERR_CORRUPT, NULL, "was altered"},
        {"\"-snapshot\"", "7", VQEMU_ERR_MALFORMED, "argv", "argv"},
        {"\"digest\": \"", "\"digest\": \"x", VQEMU_ERR_MALFORMED, "digest", "hex digits"},
        {"{", "[", VQEMU_ERR_MALFORMED, NULL, "web.command"},
    };
    _cleanup_command_ vqemu_command *command = build_by_hand("emulate-x86", everything);
    _cleanup_free_ char *text = save(command);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_free_ char *bad = altered(text, cases[i].from, cases[i].to);
        load_fails(bad, cases[i].code, cases[i].key, cases[i].mentioned);
    }
}
END_TEST

/* The lists of words may be longer in later versions. */
START_TEST(a_word_of_a_later_version_is_told) {
    static const struct {
        const char *from, *to, *key;
    } cases[] = {
        {"\"kind\": \"swtpm\"", "\"kind\": \"teleport\"", "companions[].kind"},
        {"\"access\": \"write\"", "\"access\": \"teleport\"", "files[].access"},
        {"\"guest_arch\": \"x86_64\"", "\"guest_arch\": \"teleport\"", "runtime.guest_arch"},
        {"\"guest_arch\"", "\"vhost_net\": \"teleport\", \"guest_arch\"", "runtime.vhost_net"},
        {"\"abilities\": [", "\"abilities\": [\"teleport\", ", "runtime.profile.abilities"},
        {"\"accel\": \"tcg\"", "\"accel\": \"teleport\"", "runtime.profile.accel"},
    };
    _cleanup_command_ vqemu_command *command = build_by_hand("emulate-x86", everything);
    _cleanup_free_ char *text = save(command);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_free_ char *later = altered(text, cases[i].from, cases[i].to);
        _cleanup_error_ vqemu_error *error = NULL;
        vqemu_command *loaded = NULL;
        ck_assert_int_eq(
            vqemu_command_load(later, strlen(later), "web.command", 0, NULL, &loaded, &error),
            VQEMU_ERR_UNSUPPORTED);
        ck_assert_ptr_nonnull(
            strstr(vqemu_error_message(error), "a later one may have written it"));
        ck_assert_str_eq(vqemu_error_reason(error), "newer-value");
        ck_assert_str_eq(vqemu_error_detail(error, VQEMU_DETAIL_KEY), cases[i].key);
        ck_assert_str_eq(vqemu_error_detail(error, VQEMU_DETAIL_VALUE), "teleport");
    }
}
END_TEST

/* Whatever is taken away, there is an error and no crash. */
START_TEST(nothing_of_it_can_be_missing) {
    _cleanup_command_ vqemu_command *command = build_by_hand("emulate-x86", everything);
    _cleanup_free_ char *text = save(command);
    _cleanup_json_ json_t *root = json_loads(text, 0, NULL);
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value) {
        _cleanup_json_ json_t *copy = json_deep_copy(root);
        ck_assert_int_eq(json_object_del(copy, key), 0);
        char *without = json_dumps(copy, 0);
        load_fails(without, VQEMU_ERR_MALFORMED, key, "is missing");
        free(without);
        ck_assert_int_eq(json_object_set_new(copy, key, json_integer(7)), 0);
        without = json_dumps(copy, 0);
        load_fails(without, VQEMU_ERR_MALFORMED, key, "web.command: ");
        free(without);
    }
    for (size_t length = 0; length < strlen(text) - 1; length += 7) {
        vqemu_command *loaded = NULL;
        ck_assert_int_eq(vqemu_command_load(text, length, NULL, 0, NULL, &loaded, NULL),
                         VQEMU_ERR_MALFORMED);
    }
}
END_TEST

START_TEST(arguments_are_checked) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_call_ vqemu_call *call = make_call(NULL, 0);
    vqemu_command *command = NULL;
    char *text = NULL;
    ck_assert_int_eq(vqemu_command_save(NULL, 0, &text, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_command_load(NULL, 0, NULL, 0, NULL, &command, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_command_load("{}", 2, NULL, 0, NULL, NULL, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_command_load("{}", 2, NULL, 1, NULL, &command, &error), VQEMU_ERR_USAGE);
    ck_assert_int_eq(vqemu_command_load("{}", 2, NULL, 0, NULL, &command, &error),
                     VQEMU_ERR_MALFORMED);
    vqemu_call_cancel(call);
    ck_assert_int_eq(vqemu_command_load("{}", 2, NULL, 0, call, &command, &error),
                     VQEMU_ERR_CANCELLED);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("saved");
    TCase *tests = tcase_create("saved");
    tcase_add_checked_fixture(tests, make_scratch, remove_scratch);
    tcase_add_test(tests, a_command_comes_back_as_it_was);
    tcase_add_test(tests, a_command_without_much_comes_back);
    tcase_add_test(tests, what_is_not_utf_8_is_not_saved);
    tcase_add_test(tests, a_loaded_command_keeps_its_tree);
    tcase_add_test(tests, another_tree_is_told);
    tcase_add_test(tests, a_tree_that_others_can_change_is_refused);
    tcase_add_test(tests, faults_are_told);
    tcase_add_test(tests, a_word_of_a_later_version_is_told);
    tcase_add_test(tests, nothing_of_it_can_be_missing);
    tcase_add_test(tests, arguments_are_checked);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
