/* Lists of set words: found at the start of a word, whatever stands around it. */
#include "intake/words.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct span plain_list[] = {
    {"mailer-daemon", 13}, {"mail delivery", 13}, {"mail", 4},  {"über", 5},
    {"недостав", 16},      {"退信", 6},           {"smtp@", 5}, {"mai", 3},
};
static const struct span marked_list[] = {{"[bounce]", 8}, {"re: you", 7}, {"42 days", 7}};
static struct words plain = WORDS(plain_list), marked = WORDS(marked_list);

/* Where in memory that ends with it, so that a sanitizer sees a read behind. */
static bool finds(struct words *words, struct span text)
{
    char *copy = malloc(text.len ? text.len : 1);
    assert_non_null(copy);
    if (text.len) memcpy(copy, text.ptr, text.len);
    bool found = words_find_any(words, span_of(copy, text.len));
    free(copy);
    return found;
}

static void a_word_is_found_where_one_begins(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_plain, is_marked;
    } rows[] = {
        {"", false, false},
        {"m", false, false},
        {"ma", false, false},
        {"mai", true, false},
        {"MAILER-DAEMON@mx.example.com", true, false},
        {"e-mail", true, false}, /* a hyphen is no letter */
        {"email", false, false},
        {"my Mail", true, false},
        {"1mail", true, false},
        {"xmai mxai maxi ma i", false, false},
        {"smtp", false, false},
        {"smtp@x", true, false},
        {"SMTP@", true, false},
        {"esmtp@", false, false},
        {"Über den Wolken", false, false}, /* only ASCII has cases */
        {"alles über", true, false},
        {"xüber", false, false},
        {"сообщение недоставлено", true, false},
        {"系统退信", true, false},
        {"[Bounce] x", false, true},
        {"x[bounce]", false, false},
        {"x [bounce]", false, true},
        {"Re: your", false, true},
        {"142 days", false, true}, /* a digit is no letter either */
        {"42 day", false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span text = span_from(rows[i].text);
        if (finds(&plain, text) != rows[i].is_plain || finds(&marked, text) != rows[i].is_marked)
            fail_msg("row %zu: %s", i, rows[i].text);
    }
    assert_false(words_find_any(&plain, SPAN_NONE));
    assert_true(finds(&plain, span_of("\0mail", 5)));
    assert_false(finds(&plain, span_of("ma\0il", 5)));
}

static void the_text_begins_with_the_first_of_the_list(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t place; /* SIZE_MAX: none */
    } rows[] = {
        {"Mail Delivery System", 1},
        {"mail deliverer", 2},
        {"MAILER-DAEMON", 0},
        {"mailer", 2},
        {"maize", 7},
        {"ma", SIZE_MAX},
        {"", SIZE_MAX},
        {" mail", SIZE_MAX},
        {"smtp:", SIZE_MAX},
        {"退信", 5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct span *found = words_find_start(&plain, span_from(rows[i].text));
        const struct span *wanted = rows[i].place == SIZE_MAX ? NULL : &plain_list[rows[i].place];
        if (found != wanted) fail_msg("row %zu: %s", i, rows[i].text);
    }
}

/* What words.h says, byte by byte. */
static bool find_slowly(const struct words *words, struct span text)
{
    for (size_t at = 0; at < text.len; at++)
        for (size_t i = 0; i < words->count; i++)
            if ((at == 0 || !byte_is_alpha(text.ptr[at - 1])) &&
                span_starts_fold(span_skip(text, at), words->list[i]))
                return true;
    return false;
}

/* Words whole and cut, with letters and marks between, at all places of a step. */
static void any_mixture_is_read_as_byte_by_byte(void **state)
{
    static const char *const between[] = {" ", "", ".", "\n", "x", "\x80", "-", "0", "      "};
    enum { COUNT = sizeof between / sizeof *between };
    struct words *const lists[] = {&plain, &marked};
    uint32_t seed = 3;
    size_t found = 0, rounds = 20000;
    (void)state;
    for (size_t round = 0; round < rounds; round++) {
        char text[160];
        size_t len = 0;
        struct words *words = lists[round % 2];
        seed = seed * 1664525u + 1013904223u;
        size_t end = 1 + (seed >> 8) % 100;
        while (len < end) {
            seed = seed * 1664525u + 1013904223u;
            struct span word = words->list[(seed >> 12) % words->count];
            size_t cut = (seed >> 20) % 8 ? 1 + (seed >> 23) % 4 : 0;
            for (size_t i = 0; i + cut < word.len; i++)
                text[len++] = seed & 4 && word.ptr[i] >= 'a' && word.ptr[i] <= 'z'
                                  ? (char)(word.ptr[i] - 32)
                                  : word.ptr[i];
            for (const char *mark = between[(seed >> 16) % COUNT]; *mark; mark++)
                text[len++] = *mark;
        }
        bool wanted = find_slowly(words, span_of(text, len));
        if (finds(words, span_of(text, len)) != wanted)
            fail_msg("round %zu: \"%.*s\"", round, (int)len, text);
        found += wanted;
    }
    assert_true(found > rounds / 10 && found < rounds - rounds / 10); /* both ways are tried */
}

static void the_longest_list_is_found_whole(void **state)
{
    (void)state;
    static char letters[WORDS_MAX][4];
    static struct span list[WORDS_MAX];
    static struct words words = {.list = list, .count = WORDS_MAX};
    for (size_t i = 0; i < WORDS_MAX; i++) {
        letters[i][0] = (char)('a' + i % 26);
        letters[i][1] = (char)('a' + i / 26);
        letters[i][2] = 'q';
        list[i] = span_of(letters[i], 3);
    }
    for (size_t i = 0; i < WORDS_MAX; i++) {
        char text[] = {'.', letters[i][0], (char)(letters[i][1] - 32), 'Q', '.'};
        assert_true(finds(&words, span_of(text, sizeof text)));
        assert_ptr_equal(words_find_start(&words, list[i]), &list[i]);
    }
    assert_false(finds(&words, SPAN("aaa zzz qqq")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_is_found_where_one_begins),
        cmocka_unit_test(the_text_begins_with_the_first_of_the_list),
        cmocka_unit_test(any_mixture_is_read_as_byte_by_byte),
        cmocka_unit_test(the_longest_list_is_found_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
