#ifndef MAIN_TABLE_H
#define MAIN_TABLE_H
/* A table for people: columns aligned, cells cut with "…" so that a row fits the width. Cells may
 * hold what strangers wrote: controls, bidirectional marks and malformed UTF-8 are replaced, so
 * that no cell can move the cursor or colour the terminal. */
#include <stdio.h>

#include "base/span.h"

enum { TABLE_COLUMNS_MAX = 12, TABLE_WIDTH = 120, TABLE_CELL_MAX = 1024 };

struct table_column {
    const char *title;
    unsigned width_max; /* in screen columns; 0: what the others leave (one column at most) */
    bool right;         /* numbers */
};
struct table;
/* `columns` outlive the table. */
struct table *table_new(const struct table_column *columns, size_t count);
void table_free(struct table *table);
void table_add_row(struct table *table, const struct span *cells); /* copied */
size_t table_row_count(const struct table *table);
void table_print(const struct table *table, FILE *out, unsigned width);

/* The screen columns that a clean text takes. */
size_t text_width(struct span text);
/* `text` as it may be shown: at most TABLE_CELL_MAX bytes into `out`, white space as one blank. */
struct span text_clean(struct span text, char out[TABLE_CELL_MAX]);
/* The longest start of a clean text that fits `width`. */
struct span text_cut(struct span text, size_t width);
#endif
