/* Header fields, unfolding, encoded words, parameters, addresses and dates. The fields are the same
 * with CRLF for LF. */
#include "base/check.h"
#include "base/civil.h"
#include "base/utf8.h"
#include "fuzz/mail_oracle.h"
#include "mail/address.h"
#include "mail/header.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_lines(struct span text)
{
    struct line_reader lines;
    struct span line;
    const char *behind = text.ptr;
    line_reader_init(&lines, text);
    while (line_next(&lines, &line)) {
        oracle_within(text, line);
        CHECK(line.len == 0 || line.ptr == behind);
        CHECK(span_find_byte(line, '\n') == SPAN_NOT_FOUND && !oracle_has_cr(line));
        CHECK(lines.rest.ptr > behind); /* it moves on */
        behind = lines.rest.ptr;
    }
    CHECK(behind == text.ptr + text.len || text.len == 0);
}

static struct span check_unfold(struct span value, struct arena *arena)
{
    struct span flat = header_unfold(value, arena);
    CHECK(flat.len <= value.len);
    CHECK(span_find_byte(flat, '\n') == SPAN_NOT_FOUND && !oracle_has_cr(flat));
    CHECK(span_equal(header_unfold(flat, arena), flat));
    return flat;
}

static void check_value(struct span value, struct charset *charset, struct arena *arena)
{
    struct span flat = check_unfold(value, arena);
    struct span decoded = header_decode(value, charset, arena);
    CHECK(decoded.len <= 3 * value.len);
    /* Encoded words come out as UTF-8; bytes beside them stand as they were. */
    CHECK(utf8_is_valid(decoded) || !utf8_is_valid(flat));
    static const struct span names[] = {{"boundary", 8}, {"charset", 7}, {"report-type", 11}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct span found;
        if (!header_parameter(value, names[i], arena, &found)) continue;
        CHECK(found.len <= value.len);
        oracle_touch(found);
    }
    struct span address;
    if (address_find(value, arena, &address)) {
        CHECK(address_is_valid(address));
        oracle_check_key(address_to_key(address, arena), arena);
    }
    int64_t time_ms;
    if (civil_parse_mail_date(value, &time_ms)) CHECK(time_ms != INT64_MIN);
    oracle_touch(decoded);
}

/* How many fields; what is behind them in *body. */
static size_t check_fields(struct span text, struct oracle *oracle, struct arena *arena,
                           struct span *body)
{
    struct header_reader reader;
    struct header_field field;
    enum header_next next;
    size_t count = 0;
    const char *behind = text.ptr;
    header_reader_init(&reader, text);
    while ((next = header_next(&reader, &field)) == HEADER_FIELD) {
        oracle_within(text, field.name);
        oracle_within(text, field.value);
        CHECK(field.name.len > 0 && field.name.ptr >= behind);
        CHECK(field.value.len == 0 || field.value.ptr > field.name.ptr);
        CHECK(span_equal(span_trim(field.value), field.value));
        behind = field.name.ptr + field.name.len;
        check_value(field.value, oracle->charset, arena);
        count++;
    }
    CHECK(next == HEADER_END || text.len > HEADER_SIZE_MAX);
    oracle_within(text, reader.block);
    oracle_within(text, reader.rest);
    CHECK(reader.block.len + reader.rest.len <= text.len);
    CHECK(reader.rest.len == 0 || reader.rest.ptr + reader.rest.len == text.ptr + text.len);
    CHECK(header_next(&reader, &field) != HEADER_FIELD); /* the end stays the end */
    *body = reader.rest;
    return count;
}

static void check_same(struct span text, struct span crlf, struct arena *arena)
{
    struct header_reader a, b;
    struct header_field one, other;
    header_reader_init(&a, text);
    header_reader_init(&b, crlf);
    while (header_next(&a, &one) == HEADER_FIELD) {
        CHECK(header_next(&b, &other) == HEADER_FIELD);
        CHECK(span_equal(one.name, other.name));
        CHECK(span_equal(header_unfold(one.value, arena), header_unfold(other.value, arena)));
        struct span first;
        CHECK(header_find(text, one.name, &first));
    }
    CHECK(header_next(&b, &other) != HEADER_FIELD);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct oracle *oracle = oracle_open();
    struct span text = span_of(bytes, size), body, again;
    struct arena *arena = size % 2 ? &oracle->arena : &oracle->pieces;
    check_lines(text);
    size_t count = check_fields(text, oracle, arena, &body);
    /* A header is what it is without its body. */
    struct span head = span_take(text, text.len - body.len);
    CHECK(check_fields(head, oracle, arena, &again) == count);
    if (!oracle_has_cr(text) && size < HEADER_SIZE_MAX / 2 && count < 64) {
        struct span crlf = oracle_with_crlf(text);
        check_same(text, crlf, &oracle->arena);
        free((void *)(uintptr_t)crlf.ptr);
    }
    return 0;
}
