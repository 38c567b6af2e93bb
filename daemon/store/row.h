#ifndef STORE_ROW_H
#define STORE_ROW_H
/* Rows as text: one column after the other, as they stand in the file, and the checksum over them.
 */
#include "base/buffer.h"
#include "policy/position.h"
#include "policy/state.h"

enum {
    ROW_COLUMNS_MAX = 12,
    ROW_TEXT_MAX = 4096,
    ROW_KEY_MAX = 512, /* bytes of a tenant or of a recipient in a key */
};
enum table { TABLE_SUPPRESSION, TABLE_SOFT_FAIL, TABLE_META };

/* Columns in the order of schema/state.sql, without the checksum. A NULL is a span without ptr. */
struct row {
    enum table table;
    struct span columns[ROW_COLUMNS_MAX];
    unsigned count;
    struct buffer text; /* of columns that were formatted here */
    char storage[ROW_TEXT_MAX];
};
unsigned table_column_count(enum table table);
const char *table_name(enum table table);
/* xxh64 of the table's name and each column with its length. */
uint64_t row_checksum(const struct row *row);

/* Spans point into the arguments and into row->storage. The state is CHECKed to be within its
 * limits. */
void row_from_ground(struct row *row, struct span tenant, struct span recipient, unsigned n,
                     const struct ground *ground);
void row_from_state(struct row *row, struct span tenant, struct span recipient,
                    const struct recipient_state *state);
/* False where a column cannot be read. */
bool row_to_ground(const struct row *row, unsigned *n, struct ground *out);
/* All of the state but its grounds, whose number is given. */
bool row_to_state(const struct row *row, unsigned *grounds, struct recipient_state *out);

/* "next=1 clock=… partitions=8 origins=P/EPOCH/OFFSET/INDEX,… cluster=…" */
enum { POSITION_TEXT_MAX = 128 + POSITION_CLUSTER_MAX + POSITION_ORIGINS_MAX * 64 };
void position_to_text(const struct position *position, struct buffer *out);
bool position_from_text(struct span text, struct position *out);

/* Times are RFC 3339 and days dates; what four digits of a year cannot say is a plain number. */
void text_add_time(struct buffer *out, int64_t time_ms);
bool text_to_time(struct span text, int64_t *time_ms);
bool text_to_i64(struct span text, int64_t *out);
#endif
