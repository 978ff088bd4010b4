/* SPDX-License-Identifier: MIT */
#include "command/policy-violation.h"

#include <stdarg.h>

#include "base/error.h"

static void remember_first(struct policy_check *check, const struct violation *violation,
                           const char *text) {
    int r = error_set(&check->first, VQEMU_ERR_DENIED, 0, "%s: %s", violation->key, text);
    error_because(r, &check->first, violation->reason, VQEMU_DETAIL_KEY, violation->key,
                  VQEMU_DETAIL_RULE, violation->rule, VQEMU_DETAIL_VALUE, violation->value,
                  VQEMU_DETAIL_CHOICES, violation->choices, NULL);
}

void policy_violate(struct policy_check *check, const struct violation *violation,
                    const char *format, ...) {
    struct strbuf buffer = {0};
    va_list arguments;
    va_start(arguments, format);
    strbuf_addv(&buffer, format, arguments);
    va_end(arguments);
    _cleanup_free_ char *text = strbuf_take(&buffer);
    if (!text) {
        check->failed = true;
        return;
    }
    if (check->count == 0)
        remember_first(check, violation, text);
    strbuf_addf(&check->keys, "%s%s", check->count ? ", " : "", violation->key);
    check->count++;
}

int policy_conclude(struct policy_check *check, vqemu_error **error) {
    if (check->failed || check->keys.failed)
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
