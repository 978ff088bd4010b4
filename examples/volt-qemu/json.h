/* SPDX-License-Identifier: MIT */
/*
 * Output for programs (--json), made with jansson. JSON cannot carry strings that are not UTF-8:
 * one that is added makes print_json() fail in the end.
 */
#ifndef JSON_H
#define JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Add a member to an object. */
void json_add(json_t *object, const char *key, json_t *value);         /* takes over the value */
void json_add_text(json_t *object, const char *key, const char *text); /* null for NULL */
void json_add_number(json_t *object, const char *key, int64_t number); /* null for -1 */
void json_add_process(json_t *object, const char *key, int64_t pid);   /* null for 0 */
void json_add_count(json_t *object, const char *key, size_t count);

/* Add an element to an array. */
void json_append(json_t *array, json_t *value);         /* takes over the value */
void json_append_text(json_t *array, const char *text); /* null for NULL */

/* Print a document of the library's. */
void print_json_text(const char *json);

/* Print a value and release it. Returns the exit status. */
int print_json(json_t *value);

#endif
