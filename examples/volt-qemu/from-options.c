/* SPDX-License-Identifier: MIT */
#include "from-options.h"

#include <stdlib.h>
#include <string.h>

#include "checked.h"
#include "cleanup.h"
#include "message.h"
#include "policy-options.h"
#include "progress.h"
#include "revision-name.h"
#include "text.h"
#include "trust-options.h"
#include "user-directories.h"

/* ---- where it begins ---- */

static int describe_host(const char *arch, int32_t kvm, const char *vhost_net, vqemu_host **host,
                         vqemu_error **error) {
    vqemu_host_options *description;
    int code = vqemu_host_options_new(&description, error);
    if (!code)
        code = vqemu_host_options_set_string(description, VQEMU_HOST_ARCH, arch, error);
    if (!code)
        code = vqemu_host_options_set_string(description, VQEMU_HOST_KVM, vqemu_kvm_state_name(kvm),
                                             error);
    if (!code)
        code = vqemu_host_options_set_string(description, VQEMU_HOST_VHOST_NET, vhost_net, error);
    if (!code)
        code = vqemu_host_new(description, 0, host, error);
    vqemu_host_options_free(description);
    return code;
}

int host_from_options(const struct options *options, vqemu_host **host) {
    _cleanup_error_ vqemu_error *error = NULL;
    if (!options->host_arch && !options->kvm && !options->vhost_net)
        return vqemu_host_probe(0, host, &error) ? fail(error) : 0;

    _cleanup_host_ vqemu_host *probed = NULL;
    if (!options->host_arch && vqemu_host_probe(0, &probed, &error))
        return fail(error);
    const char *arch = probed ? vqemu_host_arch(probed) : options->host_arch;
    int32_t kvm = probed ? vqemu_host_kvm_state(probed) : VQEMU_KVM_ABSENT;
    const char *vhost_net =
        probed ? vqemu_vhost_net_state_name(vqemu_host_vhost_net_state(probed)) : NULL;
    if (describe_host(arch, options->kvm ? options->kvm : kvm,
                      options->vhost_net ? options->vhost_net : vhost_net, host, &error))
        return fail_request(options->command, error);
    return 0;
}

static int set_paths(const struct options *options, vqemu_store_options *paths,
                     vqemu_error **error) {
    const char *root = options_name_store(options) ? options->root : DEFAULT_ROOT;
    const struct {
        const char *key, *path;
    } rows[] = {
        {VQEMU_STORE_ROOT, root},
        {VQEMU_STORE_OBJECTS, options->objects},
        {VQEMU_STORE_REFS, options->refs},
        {VQEMU_STORE_TREES, options->trees},
        {VQEMU_STORE_LINKS, options->links},
    };
    int code = 0;
    for (size_t i = 0; !code && i < sizeof rows / sizeof *rows; i++)
        code = vqemu_store_options_set_string(paths, rows[i].key, rows[i].path, error);
    return code;
}

int store_at(const struct options *options, const char *root, uint32_t flags, vqemu_store **store) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_store_options_ vqemu_store_options *paths = NULL;
    _cleanup_trust_ vqemu_trust *trust = NULL;
    int status = trust_from_options(options, &trust);
    if (status)
        return status;
    int code = vqemu_store_options_new(&paths, &error);
    if (!code)
        code = root ? vqemu_store_options_set_string(paths, VQEMU_STORE_ROOT, root, &error)
                    : set_paths(options, paths, &error);
    if (!code)
        code = vqemu_store_options_set_trust(paths, trust, &error);
    if (!code)
        code = vqemu_store_open(paths, flags, store, &error);
    return code ? fail_request(options->command, error) : 0;
}

int store_from_options(const struct options *options, uint32_t flags, vqemu_store **store) {
    if (options->read_only)
        flags = VQEMU_STORE_READ_ONLY;
    if (options->allow_others)
        flags |= VQEMU_STORE_ALLOW_OTHERS;
    return store_at(options, NULL, flags, store);
}

int ingest_options_from_options(const struct options *options, vqemu_ingest_options **said) {
    const struct {
        const char *key, *value;
    } rows[] = {
        {VQEMU_INGEST_PROFILE, options->profile},
        {VQEMU_INGEST_DIGEST, options->digest},
        {VQEMU_INGEST_CREATED_AT, options->created_at},
        {VQEMU_INGEST_QEMU_VERSION, options->qemu_version},
        {VQEMU_INGEST_BUILD_DATE, options->build_date},
        {VQEMU_INGEST_BUILD_HOST, options->build_host},
        {VQEMU_INGEST_DESCRIPTION, options->description},
        {VQEMU_INGEST_ACCEL, options->accel},
        {VQEMU_INGEST_ABILITIES, options->abilities},
        {VQEMU_INGEST_GUESTS, options->guests},
    };
    _cleanup_error_ vqemu_error *error = NULL;
    int code = vqemu_ingest_options_new(said, &error);
    for (size_t i = 0; !code && i < sizeof rows / sizeof *rows; i++)
        code = vqemu_ingest_options_set_string(*said, rows[i].key, rows[i].value, &error);
    return code ? fail_request(options->command, error) : 0;
}

/* ---- selection ---- */

/* The revision that --revision or --profile names; both take names of revisions and profiles. */
static int find_revision(const struct options *options, struct way *way) {
    bool is_in_profile = options->profile && is_revision_name(options->profile);
    const char *name = options->revision ? options->revision
                       : is_in_profile   ? options->profile
                                         : NULL;
    int status = name && !way->store ? store_from_options(options, 0, &way->store) : 0;
    return status || !name ? status : find_revision_of(options, way->store, name, &way->revision);
}

/* NULL: the one that fits. */
static const char *wanted_profile(const struct options *options, const struct way *way) {
    if (options->profile && !is_revision_name(options->profile))
        return options->profile;
    return way->revision ? vqemu_revision_profile_name(way->revision) : NULL;
}

static int set_request(const struct options *options, const struct way *way, vqemu_request *request,
                       vqemu_error **error) {
    const char *profile = wanted_profile(options, way);
    bool is_uefi = options_guest_is_uefi(options);
    const struct {
        const char *key, *value;
    } strings[] = {
        {VQEMU_REQUEST_PROFILE, profile},
        {VQEMU_REQUEST_MODE, options->mode},
        {VQEMU_REQUEST_ACCEL, options->accel},
        {VQEMU_REQUEST_GUEST_ARCH, options->guest_arch},
        {VQEMU_REQUEST_GUEST_OS, is_uefi ? NULL : options->guest_os},
    };
    int code = 0;
    for (size_t i = 0; !code && i < sizeof strings / sizeof *strings; i++)
        code = vqemu_request_set_string(request, strings[i].key, strings[i].value, error);
    if (!code && is_uefi && !profile)
        code = vqemu_request_set_abilities(request, VQEMU_ABILITY_UEFI, error);
    if (!code && way->vm)
        code = vqemu_request_set_vm(request, way->vm, 0, error);
    return code;
}

/* Which profiles a store has matters not to one of the library's own that is asked for by name. */
static bool is_choice_of_store(const struct options *options, const struct way *way) {
    const char *name = wanted_profile(options, way);
    if (!name && way->vm)
        vqemu_vm_get_string(way->vm, VQEMU_KEY_PROFILE, &name, NULL);
    return way->store && !vqemu_profile_find(name);
}

/* Options win over what the document says it runs on, which is then not so. */
static int forget_overridden(const struct options *options, struct way *way, vqemu_error **error) {
    bool other_profile = options->mode || options->accel || wanted_profile(options, way);
    int code = 0;
    if (way->vm && options->guest_arch)
        code = vqemu_vm_unset(way->vm, VQEMU_KEY_GUEST_ARCH, error);
    if (!code && way->vm && other_profile)
        code = vqemu_vm_unset(way->vm, VQEMU_KEY_PROFILE, error);
    if (!code && way->vm && other_profile)
        code = vqemu_vm_unset(way->vm, VQEMU_KEY_MODE, error);
    return code;
}

static int make_selection(const struct options *options, struct way *way) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_request_ vqemu_request *request = NULL;
    int code = vqemu_request_new(&request, &error);
    if (!code)
        code = set_request(options, way, request, &error);
    if (!code && is_choice_of_store(options, way))
        code = vqemu_request_set_store(request, way->store, 0, options->call, &error);
    if (!code)
        code = vqemu_select(way->host, request, 0, &way->selection, &error);
    if (!code)
        code = forget_overridden(options, way, &error);
    return code ? fail_request(options->command, error) : 0;
}

int way_to_selection(const struct options *options, struct way *way) {
    int status = 0;
    if (!way->store && options_name_store(options))
        status = store_from_options(options, 0, &way->store);
    if (!status)
        status = find_revision(options, way);
    if (!status)
        status = host_from_options(options, &way->host);
    return status ? status : make_selection(options, way);
}

/* ---- runtime and command ---- */

int way_to_runtime(const struct options *options, struct way *way) {
    int status = way->store ? 0 : store_from_options(options, 0, &way->store);
    if (!status && !way->selection)
        status = way_to_selection(options, way);
    if (status)
        return status;

    _cleanup_error_ vqemu_error *error = NULL;
    uint32_t flags =
        (options->verify ? VQEMU_RESOLVE_VERIFY : 0) | (options->trust ? VQEMU_RESOLVE_TRUST : 0);
    progress_begin(options);
    int code = vqemu_resolve(way->store, way->selection, way->revision, flags, options->call,
                             &way->runtime, &error);
    progress_end();
    return code ? fail_request(options->command, error) : 0;
}

static int set_user_bases(vqemu_command_options *described, vqemu_error **error) {
    _cleanup_free_ char *runtime_base = user_runtime_base(), *state_base = user_state_base();
    int code = vqemu_command_options_set_string(described, VQEMU_COMMAND_RUNTIME_BASE, runtime_base,
                                                error);
    return code ? code
                : vqemu_command_options_set_string(described, VQEMU_COMMAND_STATE_BASE, state_base,
                                                   error);
}

int command_options_from_options(const struct options *options, vqemu_command_options **described) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_policy_ vqemu_policy *policy = NULL;
    _cleanup_command_options_ vqemu_command_options *new = NULL;
    int status = policy_from_options(options, &policy);
    if (status)
        return status;
    int code = vqemu_command_options_new(&new, &error);
    if (!code && options->user_manager)
        code = set_user_bases(new, &error);
    if (!code)
        code = vqemu_command_options_set_policy(new, policy, &error);
    if (code)
        return fail(error);
    *described = new;
    new = NULL;
    return 0;
}

/* Whoever is not root may be unable to have the default one. */
static int use_writable_runtime_base(const struct options *options, struct way *way,
                                     vqemu_command_options *described, vqemu_error **error) {
    _cleanup_free_ char *base = user_runtime_base_instead(way->command);
    if (!base)
        return 0;
    vqemu_command_unref(way->command);
    way->command = NULL;
    int code = vqemu_command_options_set_string(described, VQEMU_COMMAND_RUNTIME_BASE, base, error);
    return code ? code
                : vqemu_command_build(way->runtime, way->vm, described, 0, options->call,
                                      &way->command, error);
}

/* Only now, for starting QEMU takes longer than all that a VM may be refused for without it. */
static int check_command(const struct options *options, const struct way *way,
                         vqemu_command_options *described) {
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_capabilities_ vqemu_capabilities *capabilities = NULL;
    _cleanup_command_ vqemu_command *checked = NULL;
    int status = capabilities_to_check(options, way, &capabilities);
    if (status || !capabilities)
        return status;
    int code = vqemu_command_options_set_capabilities(described, capabilities, way->store, &error);
    if (!code)
        code = vqemu_command_build(way->runtime, way->vm, described, 0, options->call, &checked,
                                   &error);
    return code ? fail_vm(error) : 0;
}

int way_to_command(const struct options *options, struct way *way) {
    int status = way_to_runtime(options, way);
    if (status)
        return status;
    _cleanup_error_ vqemu_error *error = NULL;
    _cleanup_command_options_ vqemu_command_options *described = NULL;
    status = command_options_from_options(options, &described);
    if (status)
        return status;
    int code = vqemu_command_build(way->runtime, way->vm, described, 0, options->call,
                                   &way->command, &error);
    if (!code)
        code = use_writable_runtime_base(options, way, described, &error);
    return code ? fail_vm(error) : check_command(options, way, described);
}

void way_free(struct way *way) {
    vqemu_command_unref(way->command);
    vqemu_runtime_unref(way->runtime);
    vqemu_selection_free(way->selection);
    vqemu_revision_unref(way->revision);
    vqemu_host_free(way->host);
    vqemu_store_unref(way->store);
    vqemu_vm_free(way->vm);
}

int prepare_from_options(const struct options *options, const vqemu_command *command) {
    _cleanup_error_ vqemu_error *error = NULL;
    uint32_t flags = (options->keep_variables ? VQEMU_PREPARE_KEEP_VARIABLES : 0) |
                     (options->reset_variables ? VQEMU_PREPARE_RESET_VARIABLES : 0);
    return vqemu_prepare(command, flags, options->call, &error) ? fail_vm(error) : 0;
}
