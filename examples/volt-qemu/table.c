/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "text.h"

void table_add(struct table *table, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    _cleanup_free_ char *text = format_text_va(format, arguments);
    va_end(arguments);
    table->cells = grow(table->cells, (table->cell_count + 1) * sizeof *table->cells);
    table->cells[table->cell_count++] = printable(text);
}

void table_free(struct table *table) {
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    free(table->cells);
}

static size_t column_width(const struct table *table, size_t column) {
    size_t width = text_width(table->columns[column].title);
    for (size_t i = column; i < table->cell_count; i += table->column_count) {
        size_t cell = text_width(table->cells[i]);
        if (cell > width)
            width = cell;
    }
    return width;
}

static void print_row(const struct table *table, const size_t *widths, char *const *cells) {
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        const char *text = cells ? cells[i] : column->title;
        int padding = (int)(widths[i] - text_width(text));
        int before = column->align == RIGHT ? padding : 0;
        int after = column->align == LEFT && i + 1 < table->column_count ? padding : 0;
        printf("%s%*s%s%*s", i ? "  " : "", before, "", text, after, "");
    }
    putchar('\n');
}

void table_print(const struct table *table) {
    size_t *widths = grow(NULL, table->column_count * sizeof *widths);
    for (size_t i = 0; i < table->column_count; i++)
        widths[i] = column_width(table, i);
    print_row(table, widths, NULL);
    for (size_t i = 0; i < table->cell_count; i += table->column_count)
        print_row(table, widths, &table->cells[i]);
    free(widths);
}

void print_field(const char *label, const char *value) {
    _cleanup_free_ char *safe = printable(value ? value : "-");
    printf("%-14s%s\n", label, safe);
}
