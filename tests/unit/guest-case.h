/* SPDX-License-Identifier: MIT */
/* The cases that have a selection and a VM: those of tests/cases/commands and refusals. */
#ifndef TEST_GUEST_CASE_H
#define TEST_GUEST_CASE_H

#include "cases.h"
#include "choice/host.h"
#include "choice/request.h"
#include "choice/selection.h"
#include "fixture.h"
#include "tree/runtime.h"

/* The file "selection" has one line: host architecture, profile, guest architecture, and where that
 * matters the state of vhost-net. */
static inline vqemu_selection *read_selection(int index) {
    size_t size;
    _cleanup_free_ char *text = read_case_file(index, "selection", &size);
    char host_arch[32], profile[32], guest_arch[32], vhost_net[32] = "unseen";
    int words = sscanf(text, "%31s %31s %31s %31s", host_arch, profile, guest_arch, vhost_net);
    ck_assert_int_ge(words, 3);
    _cleanup_host_ vqemu_host *host = describe_host_with(host_arch, VQEMU_KVM_USABLE, vhost_net);
    _cleanup_request_ vqemu_request *request = request_profile(profile, guest_arch);
    vqemu_selection *selection = NULL;
    ck_assert_int_eq(vqemu_select(host, request, 0, &selection, NULL), 0);
    return selection;
}

static inline vqemu_runtime *make_case_runtime(int index) {
    _cleanup_selection_ vqemu_selection *selection = read_selection(index);
    _cleanup_free_ char *binary = format_string(
        "/volt/tree/bin/%s", vqemu_guest_arch_binary_name(vqemu_selection_guest_arch(selection)));
    return runtime_at(selection,
                      runtime_paths(binary, "/volt/tree/firmware", "/volt/tree/lib",
                                    "/volt/tree/lib/qemu", "/volt/tree/lib/ld-linux-x86-64.so.2"));
}

#endif
