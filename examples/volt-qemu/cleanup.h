/* SPDX-License-Identifier: MIT */
/* Automatic release of locals at the end of their scope, so that functions can return early. */
#ifndef CLEANUP_H
#define CLEANUP_H

#include <stdlib.h>
#include <volt-qemu/volt-qemu.h>

/* Defines cleanup_<name>(), which releases the pointer in a local variable. */
#define DEFINE_CLEANUP(type, name, release)                                                        \
    static inline void cleanup_##name(type **variable) {                                           \
        release(*variable);                                                                        \
    }                                                                                              \
    struct cleanup_##name##_needs_semicolon

/* For a pointer to whatever. */
static inline void cleanup_free(void *variable) {
    free(*(void **)variable);
}

DEFINE_CLEANUP(char, vqemu_free, vqemu_free);
DEFINE_CLEANUP(vqemu_error, error, vqemu_error_free);
DEFINE_CLEANUP(vqemu_host, host, vqemu_host_free);
DEFINE_CLEANUP(vqemu_request, request, vqemu_request_free);
DEFINE_CLEANUP(vqemu_store, store, vqemu_store_unref);
DEFINE_CLEANUP(vqemu_store_options, store_options, vqemu_store_options_free);
DEFINE_CLEANUP(vqemu_capabilities, capabilities, vqemu_capabilities_unref);
DEFINE_CLEANUP(vqemu_collect_options, collect_options, vqemu_collect_options_free);
DEFINE_CLEANUP(vqemu_ingest_options, ingest_options, vqemu_ingest_options_free);
DEFINE_CLEANUP(vqemu_ingest, ingest, vqemu_ingest_free);
DEFINE_CLEANUP(vqemu_revision, revision, vqemu_revision_unref);
DEFINE_CLEANUP(vqemu_revision_list, revision_list, vqemu_revision_list_free);
DEFINE_CLEANUP(vqemu_profile_list, profile_list, vqemu_profile_list_free);
DEFINE_CLEANUP(vqemu_manifest, manifest, vqemu_manifest_unref);
DEFINE_CLEANUP(vqemu_runtime, runtime, vqemu_runtime_unref);
DEFINE_CLEANUP(vqemu_placement_list, placement_list, vqemu_placement_list_free);
DEFINE_CLEANUP(vqemu_check, check, vqemu_check_free);
DEFINE_CLEANUP(vqemu_collection, collection, vqemu_collection_free);
DEFINE_CLEANUP(vqemu_pin_list, pin_list, vqemu_pin_list_free);
DEFINE_CLEANUP(vqemu_push, push, vqemu_push_free);
DEFINE_CLEANUP(vqemu_remote, remote, vqemu_remote_free);
DEFINE_CLEANUP(vqemu_tag_list, tag_list, vqemu_tag_list_free);
DEFINE_CLEANUP(vqemu_use_list, use_list, vqemu_use_list_free);
DEFINE_CLEANUP(vqemu_signature_list, signature_list, vqemu_signature_list_free);
DEFINE_CLEANUP(vqemu_size_list, size_list, vqemu_size_list_free);
DEFINE_CLEANUP(vqemu_trust, trust, vqemu_trust_unref);
DEFINE_CLEANUP(vqemu_vm, vm, vqemu_vm_free);
DEFINE_CLEANUP(vqemu_policy, policy, vqemu_policy_unref);
DEFINE_CLEANUP(vqemu_command_options, command_options, vqemu_command_options_free);
DEFINE_CLEANUP(vqemu_command, command, vqemu_command_unref);
DEFINE_CLEANUP(vqemu_monitor, monitor, vqemu_monitor_free);
DEFINE_CLEANUP(vqemu_unit_options, unit_options, vqemu_unit_options_free);
DEFINE_CLEANUP(vqemu_units, units, vqemu_units_free);

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_vqemu_free_ _cleanup_(cleanup_vqemu_free)
#define _cleanup_error_ _cleanup_(cleanup_error)
#define _cleanup_host_ _cleanup_(cleanup_host)
#define _cleanup_request_ _cleanup_(cleanup_request)
#define _cleanup_store_ _cleanup_(cleanup_store)
#define _cleanup_store_options_ _cleanup_(cleanup_store_options)
#define _cleanup_capabilities_ _cleanup_(cleanup_capabilities)
#define _cleanup_collect_options_ _cleanup_(cleanup_collect_options)
#define _cleanup_ingest_options_ _cleanup_(cleanup_ingest_options)
#define _cleanup_ingest_ _cleanup_(cleanup_ingest)
#define _cleanup_revision_ _cleanup_(cleanup_revision)
#define _cleanup_revision_list_ _cleanup_(cleanup_revision_list)
#define _cleanup_profile_list_ _cleanup_(cleanup_profile_list)
#define _cleanup_manifest_ _cleanup_(cleanup_manifest)
#define _cleanup_runtime_ _cleanup_(cleanup_runtime)
#define _cleanup_placement_list_ _cleanup_(cleanup_placement_list)
#define _cleanup_check_ _cleanup_(cleanup_check)
#define _cleanup_collection_ _cleanup_(cleanup_collection)
#define _cleanup_pin_list_ _cleanup_(cleanup_pin_list)
#define _cleanup_push_ _cleanup_(cleanup_push)
#define _cleanup_remote_ _cleanup_(cleanup_remote)
#define _cleanup_tag_list_ _cleanup_(cleanup_tag_list)
#define _cleanup_use_list_ _cleanup_(cleanup_use_list)
#define _cleanup_signature_list_ _cleanup_(cleanup_signature_list)
#define _cleanup_size_list_ _cleanup_(cleanup_size_list)
#define _cleanup_trust_ _cleanup_(cleanup_trust)
#define _cleanup_vm_ _cleanup_(cleanup_vm)
#define _cleanup_policy_ _cleanup_(cleanup_policy)
#define _cleanup_command_options_ _cleanup_(cleanup_command_options)
#define _cleanup_command_ _cleanup_(cleanup_command)
#define _cleanup_monitor_ _cleanup_(cleanup_monitor)
#define _cleanup_unit_options_ _cleanup_(cleanup_unit_options)
#define _cleanup_units_ _cleanup_(cleanup_units)

#endif
