/* SPDX-License-Identifier: MIT */
#include "command/plan-claim.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "command/refusal.h"
#include "util/beneath.h"
#include "util/cleanup.h"

#define FIRST_PASSED_FD 3 /* behind those of stdio(3) */

/* Claims are pairs: a key and what it takes. */
void plan_claim(struct plan *plan, const char *key, const char *what) {
    strv_add(&plan->claims, key);
    strv_take_in(&plan->claims, *what == '/' ? plain_path(what) : strdup(what));
}

void plan_claim_reading(struct plan *plan, const char *key, const char *path) {
    strv_add(&plan->readings, key);
    strv_take_in(&plan->readings, plain_path(path));
}

void plan_claim_mention(struct plan *plan, size_t argument, const char *path) {
    strv_addf(&plan->mentions, "extra_args[%zu]", argument);
    strv_take_in(&plan->mentions, plain_path(path));
}

/* ---- descriptors ---- */

/* Whether the VM gives a descriptor this number, before or behind the one that is claimed now. */
static bool is_number_of_vm(const vqemu_vm *vm, uint64_t number) {
    bool is_one = vm->qmp_fd == number;
    for (size_t i = 0; i < vm->disks.count; i++) {
        const vqemu_disk *disk = vm->disks.items[i];
        is_one = is_one || disk->fd == number;
        for (size_t j = 0; j < disk->backing.count; j++)
            is_one = is_one || ((const struct layer *)disk->backing.items[j])->fd == number;
    }
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

/* The lowest that is free, as a service's sockets and os/exec's extra files are numbered. Those
 * below the last one are taken. */
static int number_by_name(struct plan *plan) {
    int number = plan->last_named_fd ? plan->last_named_fd + 1 : FIRST_PASSED_FD;
    while (is_number_of_vm(plan->vm, (uint64_t)number) || is_passed_on(&plan->resources, number))
        number++;
    plan->last_named_fd = number;
    return number;
}

int plan_claim_descriptor(struct plan *plan, const char *key, uint64_t fd, const char *name) {
    int number = fd ? (int)fd : number_by_name(plan);
    strv_addf(&plan->claims, "%s%s", key, fd ? "" : "_name");
    if (fd)
        strv_addf(&plan->claims, "descriptor %d", number);
    else
        strv_addf(&plan->claims, "descriptor \"%s\"", name);
    const char *whole_key = plan->claims.failed ? key : plan->claims.items[plan->claims.count - 2];
    resources_add_fd(&plan->resources, number, whole_key, fd ? NULL : name);
    return number;
}

/* ---- looking for what is taken twice ---- */

enum way { WAY_OWN, WAY_READ, WAY_MENTION };

struct claim {
    const char *key, *what;
    enum way way;
    size_t number;
};

static int compare(const void *a, const void *b) {
    const struct claim *first = a, *second = b;
    int order = strcmp(first->what, second->what);
    return order ? order : first->number < second->number ? -1 : 1;
}

/* What has no key of the VM, such as a socket of the service, does not begin the message. */
static int taken_twice(const struct claim *late, const struct claim *early, vqemu_error **error) {
    bool is_key = !strchr(late->key, ' ');
    return refuse(error, VQEMU_ERR_INVALID, "%s: %s is that of %s as well%s",
                  is_key ? late->key : early->key, late->what, is_key ? early->key : late->key,
                  late->way == WAY_READ ? ", which is not read_only" : "");
}

/* Of all pairs, that whose later half was claimed first; those who do not own it come last. */
static const struct claim *find_twice(const struct claim *claims, size_t count) {
    const struct claim *found = NULL;
    for (size_t i = 1; i < count; i++) {
        bool is_second = strcmp(claims[i].what, claims[i - 1].what) == 0 &&
                         (i == 1 || strcmp(claims[i].what, claims[i - 2].what) != 0);
        if (is_second && claims[i - 1].way == WAY_OWN &&
            (!found || claims[i].number < found->number))
            found = &claims[i];
    }
    return found;
}

static void take(struct claim *claims, size_t *count, const struct strv *pairs, enum way way) {
    for (size_t i = 0; i + 1 < pairs->count; i += 2, (*count)++)
        claims[*count] = (struct claim){pairs->items[i], pairs->items[i + 1], way, *count};
}

int plan_check_claims(const struct plan *plan, vqemu_error **error) {
    size_t pairs = (plan->claims.count + plan->readings.count + plan->mentions.count) / 2,
           count = 0;
    if (plan->claims.failed || plan->readings.failed || plan->mentions.failed)
        return error_no_memory(error);
    if (pairs == 0)
        return 0;
    _cleanup_free_ struct claim *claims = calloc(pairs, sizeof *claims);
    if (!claims)
        return error_no_memory(error);
    take(claims, &count, &plan->claims, WAY_OWN);
    take(claims, &count, &plan->readings, WAY_READ);
    take(claims, &count, &plan->mentions, WAY_MENTION);
    qsort(claims, count, sizeof *claims, compare);
    const struct claim *twice = find_twice(claims, count);
    return twice ? taken_twice(twice, twice - 1, error) : 0;
}
