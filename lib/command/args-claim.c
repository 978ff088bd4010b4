/* SPDX-License-Identifier: MIT */
#include "command/args-claim.h"

#include <string.h>

#include "base/error.h"

#define FIRST_PASSED_FD 3 /* behind those of stdio(3) */

/* A path without what means nothing in it: "//" and "/./". Links cannot be known. */
static char *plain_path(const char *path) {
    char *plain = strdup(path), *end = plain;
    for (const char *c = path; plain && *c; c++) {
        bool is_dot = c[0] == '.' && end > plain && end[-1] == '/' && (c[1] == '/' || !c[1]);
        bool is_slash = c[0] == '/' && end > plain && end[-1] == '/';
        if (!is_dot && !is_slash)
            *end++ = *c;
    }
    if (plain)
        *end = '\0';
    return plain;
}

/* Claims are pairs: a key and what it takes. */
void args_claim(struct args *args, const char *key, const char *what) {
    strv_add(&args->claims, key);
    strv_take_in(&args->claims, *what == '/' ? plain_path(what) : strdup(what));
}

/* ---- descriptors ---- */

/* Whether the VM gives a descriptor this number, before or behind the one that is claimed now. */
static bool is_number_of_vm(const vqemu_vm *vm, uint64_t number) {
    bool is_one = vm->qmp_fd == number;
    for (size_t i = 0; i < vm->disks.count; i++)
        is_one = is_one || ((const vqemu_disk *)vm->disks.items[i])->fd == number;
    for (size_t i = 0; i < vm->nics.count; i++) {
        const vqemu_nic *nic = vm->nics.items[i];
        is_one = is_one || nic->fd == number || nic->vhost_fd == number;
    }
    return is_one;
}

static bool is_passed_on(const struct resources *resources, int number) {
    for (size_t i = 0; i < resources->fd_count; i++)
        if (resources->fds[i].fd == number)
            return true;
    return false;
}

/* The lowest that is free, as a service's sockets and os/exec's extra files are numbered. */
static int number_by_name(const struct args *args) {
    int number = FIRST_PASSED_FD;
    while (is_number_of_vm(args->vm, (uint64_t)number) || is_passed_on(&args->resources, number))
        number++;
    return number;
}

int args_claim_descriptor(struct args *args, const char *key, uint64_t fd, const char *name) {
    int number = fd ? (int)fd : number_by_name(args);
    strv_addf(&args->claims, "%s%s", key, fd ? "" : "_name");
    if (fd)
        strv_addf(&args->claims, "descriptor %d", number);
    else
        strv_addf(&args->claims, "descriptor \"%s\"", name);
    const char *whole_key = args->claims.failed ? key : args->claims.items[args->claims.count - 2];
    resources_add_fd(&args->resources, number, whole_key, fd ? NULL : name);
    return number;
}

/* What has no key of the VM, such as a socket of the service, does not begin the message. */
static int taken_twice(const char *a, const char *b, const char *what, vqemu_error **error) {
    bool is_key = !strchr(a, ' ');
    return args_refuse(error, VQEMU_ERR_INVALID, "%s: %s is that of %s as well", is_key ? a : b,
                       what, is_key ? b : a);
}

int args_check_claims(const struct args *args, vqemu_error **error) {
    const struct strv *claims = &args->claims;
    if (claims->failed)
        return error_no_memory(error);
    for (size_t i = 0; i < claims->count; i += 2)
        for (size_t j = 0; j < i; j += 2)
            if (strcmp(claims->items[i + 1], claims->items[j + 1]) == 0)
                return taken_twice(claims->items[i], claims->items[j], claims->items[i + 1], error);
    return 0;
}
