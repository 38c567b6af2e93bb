#include "main/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"

enum { ARENA_BLOCK = 64 * 1024, GAP = 2, FLEXIBLE_MIN = 12 };

struct table {
    struct arena arena;
    const struct table_column *columns;
    size_t column_count;
    struct span *cells; /* row after row */
    size_t row_count, row_size;
    size_t natural[TABLE_COLUMNS_MAX]; /* the widest cell of each column, title included */
};

struct table *table_new(const struct table_column *columns, size_t count)
{
    CHECK(count > 0 && count <= TABLE_COLUMNS_MAX);
    struct table *table = calloc(1, sizeof(*table));
    CHECK(table);
    arena_init(&table->arena, ARENA_BLOCK, 0);
    table->columns = columns;
    table->column_count = count;
    for (size_t i = 0; i < count; i++) table->natural[i] = text_width(span_from(columns[i].title));
    return table;
}

void table_free(struct table *table)
{
    if (!table) return;
    arena_done(&table->arena);
    free(table->cells);
    free(table);
}

size_t table_row_count(const struct table *table)
{
    return table->row_count;
}

void table_add_row(struct table *table, const struct span *cells)
{
    if (table->row_count == table->row_size) {
        table->row_size = table->row_size ? 2 * table->row_size : 64;
        struct span *grown =
            realloc(table->cells, table->row_size * table->column_count * sizeof(*grown));
        CHECK(grown);
        table->cells = grown;
    }
    struct span *row = &table->cells[table->row_count++ * table->column_count];
    for (size_t i = 0; i < table->column_count; i++) {
        char storage[TABLE_CELL_MAX];
        row[i] = arena_copy(&table->arena, text_clean(cells[i], storage));
        size_t width = text_width(row[i]);
        if (width > table->natural[i]) table->natural[i] = width;
    }
}

static void choose_widths(const struct table *table, unsigned width, size_t *out)
{
    size_t used = GAP * (table->column_count - 1), flexible = table->column_count;
    for (size_t i = 0; i < table->column_count; i++) {
        unsigned max = table->columns[i].width_max;
        out[i] = table->natural[i];
        if (max == 0)
            flexible = i;
        else if (out[i] > max)
            out[i] = max;
        if (max != 0) used += out[i];
    }
    if (flexible == table->column_count) return;
    size_t left = used + FLEXIBLE_MIN < width ? width - used : FLEXIBLE_MIN;
    if (out[flexible] > left) out[flexible] = left;
}

static void print_cell(struct span cell, size_t width, bool right, bool last, FILE *out)
{
    bool cut = text_width(cell) > width;
    struct span shown = cut ? text_cut(cell, width - 1) : cell;
    size_t used = text_width(shown) + (cut ? 1 : 0);
    int padding = (int)(width - used);
    if (right) fprintf(out, "%*s", padding, "");
    if (shown.len) fwrite(shown.ptr, 1, shown.len, out);
    if (cut) fputs("…", out);
    if (!right && !last) fprintf(out, "%*s", padding, "");
    if (!last) fprintf(out, "%*s", GAP, "");
}

void table_print(const struct table *table, FILE *out, unsigned width)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    choose_widths(table, width, widths);
    size_t last = table->column_count - 1;
    for (size_t i = 0; i <= last; i++)
        print_cell(span_from(table->columns[i].title), widths[i], table->columns[i].right,
                   i == last, out);
    fputc('\n', out);
    for (size_t row = 0; row < table->row_count; row++) {
        const struct span *cells = &table->cells[row * table->column_count];
        for (size_t i = 0; i <= last; i++)
            print_cell(cells[i], widths[i], table->columns[i].right, i == last, out);
        fputc('\n', out);
    }
}
