#include "harness.h"
#include "main/table.h"

static char *print(const struct table *table, unsigned width)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    table_print(table, out, width);
    fclose(out);
    return text;
}

static void columns_are_aligned_and_the_last_has_no_trailing_blanks(void **state)
{
    (void)state;
    static const struct table_column columns[] = {
        {"A", 10, false}, {"N", 5, true}, {"B", 0, false}};
    struct table *table = table_new(columns, 3);
    table_add_row(table, (struct span[]){SPAN("one"), SPAN("7"), SPAN("x")});
    table_add_row(table, (struct span[]){SPAN(""), SPAN("1234"), SPAN("yyy")});
    char *text = print(table, 40);
    assert_string_equal(text, "A       N  B\none     7  x\n     1234  yyy\n");
    assert_int_equal(table_row_count(table), 2);
    free(text);
    table_free(table);
}

static void a_table_without_rows_shows_its_titles(void **state)
{
    (void)state;
    static const struct table_column columns[] = {{"A", 10, false}, {"B", 0, false}};
    struct table *table = table_new(columns, 2);
    char *text = print(table, 40);
    assert_string_equal(text, "A  B\n");
    free(text);
    table_free(table);
}

static void no_row_is_wider_than_the_table(void **state)
{
    (void)state;
    static const struct table_column columns[] = {
        {"ONE", 10, false}, {"TWO", 10, true}, {"REST", 0, false}};
    char cell[3000];
    memset(cell, 'w', sizeof(cell));
    struct table *table = table_new(columns, 3);
    struct span longest = span_of(cell, sizeof(cell));
    table_add_row(table, (struct span[]){longest, longest, longest});
    table_add_row(table, (struct span[]){SPAN("日本語日本語日本語"), SPAN("ü"), longest});
    for (unsigned width = 40; width <= 120; width += 40) {
        char *text = print(table, width);
        struct span rest = span_from(text), line;
        while (span_next_line(&rest, &line)) assert_true(text_width(line) <= width);
        assert_contains(text, "wwwwwwwww…  wwwwwwwww…  www");
        assert_contains(text, "日本語日… "); /* a wide character is not halved */
        free(text);
    }
    table_free(table);
}

/* A right-to-left override, spelt so that no editor obeys it. */
static const char override_mark[] = {(char)0xe2, (char)0x80, (char)0xae, 'e', 'v', 'i', 'l'};

static void what_strangers_wrote_cannot_steer_the_terminal(void **state)
{
    (void)state;
    static const struct {
        struct span text;
        const char *clean;
    } cases[] = {
        {{"plain text", 10}, "plain text"},
        {{"", 0}, ""},
        {{"\x1b[31mred", 8}, "\xef\xbf\xbd[31mred"},
        {{"a\r\n\t b", 6}, "a b"},
        {{"  a  ", 5}, "a"},
        {{"nul\0byte", 8},
         "nul\xef\xbf\xbd"
         "byte"},
        {{"bad \xff\xfe", 6}, "bad \xef\xbf\xbd\xef\xbf\xbd"},
        {{"\xc2\x9b"
          "31m",
          5},
         "\xef\xbf\xbd"
         "31m"}, /* C1 control: CSI */
        {{override_mark, sizeof(override_mark)},
         "\xef\xbf\xbd"
         "evil"}, /* right-to-left override */
        {{"\xef\xbb\xbf"
          "bom",
          6},
         "\xef\xbf\xbd"
         "bom"},
        {{"gr\xc3\xbc\xc3\x9f", 6}, "gr\xc3\xbc\xc3\x9f"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char storage[TABLE_CELL_MAX];
        struct span clean = text_clean(cases[i].text, storage);
        assert_true(span_equal(clean, span_from(cases[i].clean)));
    }
}

static void a_cell_is_cut_at_its_limit_between_characters(void **state)
{
    (void)state;
    char text[2 * TABLE_CELL_MAX], storage[TABLE_CELL_MAX];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'a', shift);
        for (size_t i = shift; i + 3 <= sizeof(text); i += 3)
            for (size_t b = 0; b < 3; b++) text[i + b] = "\xe6\x97\xa5"[b];
        struct span clean = text_clean(span_of(text, sizeof(text) - 4), storage);
        assert_true(clean.len < TABLE_CELL_MAX && clean.len > TABLE_CELL_MAX - 8);
        assert_int_equal((clean.len - shift) % 3, 0);
    }
}

static void widths_count_screen_columns(void **state)
{
    (void)state;
    assert_int_equal(text_width(SPAN("")), 0);
    assert_int_equal(text_width(SPAN("abc")), 3);
    assert_int_equal(text_width(SPAN("日本")), 4);
    assert_int_equal(text_width(SPAN("e\xcc\x81")), 1); /* combining acute */
    assert_int_equal(text_cut(SPAN("日本"), 3).len, 3);
    assert_int_equal(text_cut(SPAN("abc"), 0).len, 0);
    assert_int_equal(text_cut(SPAN("abc"), 9).len, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned_and_the_last_has_no_trailing_blanks),
        cmocka_unit_test(a_table_without_rows_shows_its_titles),
        cmocka_unit_test(no_row_is_wider_than_the_table),
        cmocka_unit_test(what_strangers_wrote_cannot_steer_the_terminal),
        cmocka_unit_test(a_cell_is_cut_at_its_limit_between_characters),
        cmocka_unit_test(widths_count_screen_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
