// SPDX-License-Identifier: MIT
/* A process that has jansson and nothing else: what loading the library is compared with. */
#include <jansson.h>

int main(void) {
    json_t *object = json_object();
    json_decref(object);
    return object == NULL;
}
