#ifndef WIRE_CLASSIFIED_PRIVATE_H
#define WIRE_CLASSIFIED_PRIVATE_H
/* The members that a classified record and a decision share. */
#include "wire/record.h"

struct classified_reader {
    struct classified *out;
    uint64_t seen;   /* one bit a member */
    unsigned expect; /* members mostly come in the order in which we write them */
};
void classified_put(struct json_writer *writer, const struct classified *classified);
void classified_reader_init(struct classified_reader *reader, struct classified *out);
/* False where `name` is none of them; else the value was read, or the record is bad. */
bool classified_take(struct classified_reader *reader, struct record *record, struct span name);
/* Says what is missing. */
bool classified_is_whole(const struct classified_reader *reader, struct record *record);
#endif
