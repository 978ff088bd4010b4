/* SPDX-License-Identifier: MIT */
#include "command/policy-violation.h"

#include <stdarg.h>
#include <string.h>

#include "base/error.h"

/* Among keys with ", " between them. */
static bool is_among(const char *keys, const char *key) {
    size_t length = strlen(key);
    for (const char *at = keys; at && (at = strstr(at, key)); at += length)
        if ((at == keys || at[-1] == ' ') && (!at[length] || at[length] == ','))
            return true;
    return false;
}

void policy_violate(struct policy_check *check, const struct violation *violation,
                    const char *format, ...) {
    if (is_among(check->keys.text, violation->key)) /* it breaks more than one rule */
        return;
    strbuf_addf(&check->keys, "%s%s", check->count ? ", " : "", violation->key);
    if (check->count++ > 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    int r = error_set_va(&check->first, VQEMU_ERR_DENIED, 0, format, arguments);
    va_end(arguments);
    error_prefix(r, &check->first, "%s: ", violation->key);
    error_because(r, &check->first, violation->reason, VQEMU_DETAIL_KEY, violation->key,
                  VQEMU_DETAIL_RULE, violation->rule, VQEMU_DETAIL_VALUE, violation->value,
                  VQEMU_DETAIL_CHOICES, violation->choices, NULL);
}

int policy_conclude(struct policy_check *check, vqemu_error **error) {
    bool is_short = vqemu_error_code(check->first) == VQEMU_ERR_NO_MEMORY;
    if (check->failed || check->keys.failed || is_short)
        return error_no_memory(error);
    if (check->count == 0)
        return 0;
    _cleanup_error_ vqemu_error *first = TAKE_POINTER(check->first);
    if (!first)
        return error_no_memory(error);
    int r = error_set(error, VQEMU_ERR_DENIED, 0, "%s%s%.400s", vqemu_error_message(first),
                      check->count > 1 ? "; denied in all: " : "",
                      check->count > 1 ? check->keys.text : "");
    return error_because(r, error, vqemu_error_reason(first), VQEMU_DETAIL_KEY,
                         vqemu_error_detail(first, VQEMU_DETAIL_KEY), VQEMU_DETAIL_RULE,
                         vqemu_error_detail(first, VQEMU_DETAIL_RULE), VQEMU_DETAIL_VALUE,
                         vqemu_error_detail(first, VQEMU_DETAIL_VALUE), VQEMU_DETAIL_CHOICES,
                         vqemu_error_detail(first, VQEMU_DETAIL_CHOICES), VQEMU_DETAIL_KEYS,
                         check->keys.text, NULL);
}
