/* SPDX-License-Identifier: MIT */
/* Aligned text on stdout. Whatever the cells hold comes out printable. */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>

enum align { LEFT, RIGHT };

struct column {
    const char *title;
    enum align align;
};

/* Initialise columns and column_count, zero the rest; add the cells row by row. */
struct table {
    const struct column *columns;
    size_t column_count;
    char **cells;
    size_t cell_count;
};

void table_add(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_print(const struct table *table);
void table_free(struct table *table);

#define _cleanup_table_ __attribute__((cleanup(table_free)))

/* Print one line of a list of facts: a label and its value; NULL prints "-". */
void print_field(const char *label, const char *value);

#endif
