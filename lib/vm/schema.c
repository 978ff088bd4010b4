/* SPDX-License-Identifier: MIT */
/* The JSON Schema of a type of objects (json-schema.org, draft 2020-12). */
#include "vm/property.h"

static json_t *schema_of_choice(const struct property *property) {
    json_t *schema = json_pack("{s:s, s:[]}", "type", "string", "enum");
    const char *choice;
    for (size_t i = 0; schema && (choice = property_choice_at(property, i)); i++) {
        if (json_array_append_new(json_object_get(schema, "enum"), json_string(choice)) < 0) {
            json_decref(schema);
            return NULL;
        }
    }
    return schema;
}

static const char *pattern_of(const struct property *property) {
    return property->pattern ? property->pattern : property_is_path(property) ? "^/" : NULL;
}

/* What path_climbs() and path_is_of_process() find; between words there is any number of slashes
 * and single full stops. */
#define BETWEEN "/([.]?/)*"
#define UPWARDS "/[.][.](/|$)"
#define OF_PROCESS                                                                                 \
    "^" BETWEEN "(dev" BETWEEN "(fd|fdset|stdin|stdout|stderr)|proc" BETWEEN                       \
    "(self|thread-self|[0-9]+))(/|$)"

static json_t *no_path(void) {
    return json_pack("{s:s}", "pattern", UPWARDS "|" OF_PROCESS);
}

/* Not with "s*" of json_pack(), which leaves out what it has no memory for. */
static json_t *schema_of_string(const struct property *property) {
    const char *pattern = pattern_of(property);
    /* Limits are in bytes: a string of more characters has more bytes as well. */
    json_int_t maximum = (json_int_t)property_longest(property);
    json_t *schema = json_pack("{s:s}", "type", "string");
    if ((pattern && json_object_set_new(schema, "pattern", json_string(pattern)) < 0) ||
        (property_is_path(property) && json_object_set_new(schema, "not", no_path()) < 0) ||
        (property->required && json_object_set_new(schema, "minLength", json_integer(1)) < 0) ||
        (maximum && json_object_set_new(schema, "maxLength", json_integer(maximum)) < 0)) {
        json_decref(schema);
        return NULL;
    }
    return schema;
}

static json_t *schema_of_number(const struct property *property) {
    json_int_t minimum = (json_int_t)property->minimum, maximum = (json_int_t)property->maximum;
    bool has_minimum = property->required || property->is_never_zero;
    if (has_minimum || minimum <= 1)
        return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", has_minimum ? minimum : 0,
                         "maximum", maximum);
    /* 0 is as good as none. */
    return json_pack("{s:s, s:i, s:I, s:[{s:i}, {s:I}]}", "type", "integer", "minimum", 0,
                     "maximum", maximum, "anyOf", "const", 0, "minimum", minimum);
}

/* Numbers and text are what QEMU takes for a value. */
static json_t *schema_of_value(const struct property *property) {
    if (property->value_pattern)
        return json_pack("{s:[s,s], s:i, s:I, s:s}", "type", "integer", "string", "minimum", 0,
                         "maximum", (json_int_t)property->maximum, "pattern",
                         property->value_pattern);
    return json_pack("{s:[s,s,s], s:i, s:i, s:s}", "type", "boolean", "integer", "string",
                     "minimum", 0, "maxLength", VALUE_TEXT_MAX, "pattern", "^[^,\t\n\v\f\r]*$");
}

static json_t *schema_of_values(const struct property *property) {
    return json_pack("{s:s, s:{s:s}, s:o, s:i}", "type", "object", "propertyNames", "pattern",
                     property->pattern, "additionalProperties", schema_of_value(property),
                     "maxProperties", LIST_MAX);
}

static json_t *schema_of(const struct property *property) {
    switch (property->kind) {
    case PROPERTY_CHOICE:
        return schema_of_choice(property);
    case PROPERTY_NUMBER:
        return schema_of_number(property);
    case PROPERTY_SWITCH:
        return json_pack("{s:s}", "type", "boolean");
    case PROPERTY_STRINGS:
        return json_pack("{s:s, s:o, s:i}", "type", "array", "items", schema_of_string(property),
                         "maxItems", LIST_MAX);
    case PROPERTY_VALUES:
        return schema_of_values(property);
    case PROPERTY_OBJECTS:
        return json_pack("{s:s, s:o, s:i}", "type", "array", "items",
                         object_schema(property->element), "maxItems", LIST_MAX);
    case PROPERTY_STRING:
    case PROPERTY_PATH:
    case PROPERTY_SOCKET:
        break;
    }
    return schema_of_string(property);
}

static int add_property(json_t *properties, json_t *required, const struct property *property) {
    json_t *schema = schema_of(property);
    if (!schema)
        return -1;
    if (json_object_set_new(schema, "description", json_string(property->meaning)) < 0) {
        json_decref(schema);
        return -1;
    }
    if (property->required && json_array_append_new(required, json_string(property->key)) < 0) {
        json_decref(schema);
        return -1;
    }
    return json_object_set_new(properties, property->key, schema);
}

json_t *object_schema(const struct object_type *type) {
    json_t *properties = json_object(), *required = json_array();
    int r = properties && required ? 0 : -1;
    for (size_t i = 0; r == 0 && i < type->count; i++)
        r = add_property(properties, required, &type->properties[i]);
    if (r == 0) /* json_pack() takes both over, whether it succeeds or not */
        return json_pack("{s:s, s:o, s:o, s:b}", "type", "object", "properties", properties,
                         "required", required, "additionalProperties", 0);
    json_decref(properties);
    json_decref(required);
    return NULL;
}

json_t *document_schema(const struct object_type *type, const char *title) {
    json_t *schema = object_schema(type);
    if (schema && /* not one of the properties: it cannot be set */
        json_object_set_new(schema, "patternProperties",
                            json_pack("{s:{s:s}}", "^\\$schema$", "type", "string")) == 0 &&
        json_object_set_new(schema, JSON_SCHEMA_KEY,
                            json_string("https://json-schema.org/draft/2020-12/schema")) == 0 &&
        json_object_set_new(schema, "title", json_string(title)) == 0)
        return schema;
    json_decref(schema);
    return NULL;
}
