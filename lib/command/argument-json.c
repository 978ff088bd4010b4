/* SPDX-License-Identifier: MIT */
#include "command/argument-json.h"

#include "base/error.h"
#include "util/cleanup.h"
#include "util/utf8.h"

void argument_add(struct argument_writer *writer, json_t *object, const char *key, json_t *value) {
    if (json_object_set_new(object, key, value) < 0 && writer->code == 0)
        writer->code = error_no_memory(writer->error);
}

void argument_add_text(struct argument_writer *writer, json_t *object, const char *key,
                       const char *text, size_t index) {
    if (writer->code < 0)
        return;
    if (utf8_is_valid(text)) {
        argument_add(writer, object, key, json_string(text));
        return;
    }
    writer->code =
        error_set(writer->error, VQEMU_ERR_UNSUPPORTED, 0,
                  "argv[%zu] is not UTF-8, which JSON cannot carry%s", index, writer->way_out);
    error_because(writer->code, writer->error, "not-utf-8", VQEMU_DETAIL_KEY, "argv", NULL);
}

void argument_add_buffer(struct argument_writer *writer, json_t *object, const char *key,
                         struct strbuf *text, size_t index) {
    _cleanup_free_ char *taken = strbuf_take(text);
    if (taken)
        argument_add_text(writer, object, key, taken, index);
    else if (writer->code == 0)
        writer->code = error_no_memory(writer->error);
}

void argument_add_origin(struct argument_writer *writer, json_t *object,
                         const struct origin *origin) {
    struct strbuf key = {0};
    if (origin_has_key(origin)) {
        origin_add_key(origin, &key);
        argument_add_buffer(writer, object, "key", &key, 0);
    }
    if (origin_is_default(origin))
        argument_add(writer, object, "default", json_true());
    if (origin->message)
        argument_add(writer, object, "message", json_string(origin->message));
}

json_t *argument_append(struct argument_writer *writer, json_t *array) {
    json_t *object = json_object();
    if (json_array_append_new(array, object) == 0)
        return object;
    if (writer->code == 0)
        writer->code = error_no_memory(writer->error);
    return NULL;
}
