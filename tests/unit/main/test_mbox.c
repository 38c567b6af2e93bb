#include "main/mbox.h"

#include "harness.h"

enum { MAILS_MAX = 16 };

struct mails {
    char *text[MAILS_MAX]; /* NUL-terminated where they hold no NUL */
    size_t len[MAILS_MAX];
    size_t count;
};

static struct mails read_all(const char *bytes, size_t len)
{
    struct mails mails = {0};
    struct error error = {0};
    struct input_file input;
    struct mbox mbox;
    FILE *file = len ? fmemopen((void *)bytes, len, "r") : fopen("/dev/null", "re");
    assert_non_null(file);
    assert_true(input_open(&input, "-", file, &error));
    mbox_init(&mbox, &input);
    for (;;) {
        struct span mail;
        bool found;
        assert_true(mbox_next(&mbox, &mail, &found, &error));
        if (!found) break;
        assert_true(mails.count < MAILS_MAX);
        assert_true(mail.len <= INPUT_RECORD_MAX);
        mails.text[mails.count] = strndup(mail.ptr, mail.len);
        mails.len[mails.count++] = mail.len;
    }
    mbox_done(&mbox);
    input_close(&input);
    fclose(file);
    return mails;
}

static void mails_free(struct mails *mails)
{
    for (size_t i = 0; i < mails->count; i++) free(mails->text[i]);
}

static void a_mailbox_is_told_by_its_first_line(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool is;
    } cases[] = {
        {"", false},
        {"From ", false},
        {"From: a@example.com", false},
        {"From a@example.com", false},
        {"From here on, it is 10:42", false},
        {"From 2026 on nothing changed", false},
        {"from a@example.com Mon Nov  2 10:42:07 2026", false},
        {" From a@example.com Mon Nov  2 10:42:07 2026", false},
        {"From a@example.com Mon Nov  2 10:42:07 20261", false},
        {"From a@example.com Mon Nov  2 10:4 2026", false},
        {"From a@example.com Mon Nov  2 10:42:07 2026", true},
        {"From a@example.com  Mon Nov  2 9:42 2026", true},
        {"From MAILER-DAEMON Mon Nov  2 10:42:07 2026 remote from relay", true},
        {"From MAILER DAEMON Mon Nov 2 10:42:07 MET 2026", true},
        {"From - Mon Nov 02 10:42:07 2026\r", true},
        {"From \"a b\"@example.com Mon, 2 Nov 2026 10:42:07 +0100", true},
        {"From a@example.com 2026-11-02T10:42:07Z", true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (mbox_is(span_from(cases[i].line)) != cases[i].is) fail_msg("%s", cases[i].line);
    char *longer = malloc(MBOX_SEPARATOR_MAX + 100);
    memset(longer, 'x', MBOX_SEPARATOR_MAX + 100);
    static const char start[] = "From a 10:42 2026 ";
    memcpy(longer, start, sizeof(start) - 1);
    assert_true(mbox_is(span_of(longer, MBOX_SEPARATOR_MAX)));
    assert_false(mbox_is(span_of(longer, MBOX_SEPARATOR_MAX + 1)));
    free(longer);
}

#define FROM "From a@example.com Mon Nov  2 10:42:07 2026\n"

static void mails_are_parted_where_a_new_one_begins_and_nowhere_else(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t count;
        const char *mails[3];
    } cases[] = {
        {"", 0, {NULL}},
        {FROM, 1, {FROM}},
        {FROM "A: 1\n\none\n\n" FROM "A: 2\n\ntwo\n",
         2,
         {FROM "A: 1\n\none\n\n", FROM "A: 2\n\ntwo\n"}},
        /* CRLF; the last line without its end */
        {"From a 10:42 2026\r\nA: 1\r\n\r\none\r\n\r\nFrom b 10:42 2026\r\nA: 2\r\n\r\ntwo",
         2,
         {"From a 10:42 2026\nA: 1\n\none\n\n", "From b 10:42 2026\nA: 2\n\ntwo\n"}},
        /* A mail without a body. */
        {FROM "A: 1\n\n" FROM "A: 2\n\n", 2, {FROM "A: 1\n\n", FROM "A: 2\n\n"}},
        /* No empty line before it, no field behind it, no date, the end behind it. */
        {FROM "A: 1\n\none\n" FROM "A: 2\n", 1, {FROM "A: 1\n\none\n" FROM "A: 2\n"}},
        {FROM "A: 1\n\n" FROM "not a field\n\nB\n", 1, {FROM "A: 1\n\n" FROM "not a field\n\nB\n"}},
        {FROM "A: 1\n\n" FROM "\nB\n", 1, {FROM "A: 1\n\n" FROM "\nB\n"}},
        {FROM "A: 1\n\nFrom here: on\n\nB: 1\n", 1, {FROM "A: 1\n\nFrom here: on\n\nB: 1\n"}},
        {FROM "A: 1\n\n" FROM, 1, {FROM "A: 1\n\n" FROM}},
        /* Two of them in a row: the second begins the mail. */
        {FROM "A: 1\n\n" FROM "\n" FROM "A: 2\n", 2, {FROM "A: 1\n\n" FROM "\n", FROM "A: 2\n"}},
        /* Quoted by mboxo and mboxrd; in the header it is a line that spoolers write. */
        {FROM ">From b remote from c\nA: 1\n\n>From d\n>>From e\n> From f\n>Fromage\n>\n",
         1,
         {FROM ">From b remote from c\nA: 1\n\nFrom d\n>From e\n> From f\n>Fromage\n>\n"}},
        {FROM "A: 1\n\n" FROM ">From b remote from c\nA: 2\n",
         2,
         {FROM "A: 1\n\n", FROM ">From b remote from c\nA: 2\n"}},
        /* A length that lies in both directions. */
        {FROM "Content-Length: 9999\n\none\n\n" FROM "Content-Length: 0\n\ntwo\n",
         2,
         {FROM "Content-Length: 9999\n\none\n\n", FROM "Content-Length: 0\n\ntwo\n"}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mails mails = read_all(cases[i].text, strlen(cases[i].text));
        if (mails.count != cases[i].count) fail_msg("%s: %zu mails", cases[i].text, mails.count);
        for (size_t m = 0; m < mails.count; m++)
            assert_string_equal(mails.text[m], cases[i].mails[m]);
        mails_free(&mails);
    }
}

static void a_mailbox_cut_at_every_byte_loses_nothing_before_the_cut(void **state)
{
    (void)state;
    static const char text[] = FROM "A: 1\n\none\n\n" FROM "A: 2\n\ntwo\0two\n\n" FROM "A: 3\n";
    for (size_t len = 0; len < sizeof(text); len++) {
        struct mails mails = read_all(text, len);
        size_t sum = 0;
        for (size_t m = 0; m < mails.count; m++) sum += mails.len[m];
        bool ended = len == 0 || text[len - 1] == '\n';
        assert_int_equal(sum, len + (ended ? 0 : 1));
        mails_free(&mails);
    }
}

static void a_mail_above_the_limit_is_cut_and_the_next_one_is_whole(void **state)
{
    (void)state;
    static const char next[] = "\n" FROM "A: 2\n\ntwo\n";
    /* As many short lines, and as one line. */
    for (size_t lines = 0; lines < 2; lines++) {
        size_t len = 2 * (size_t)INPUT_RECORD_MAX + 17;
        char *text = malloc(len + sizeof(next));
        assert_non_null(text);
        memset(text, 'x', len);
        for (size_t i = 99; lines == 0 && i < len; i += 100) text[i] = '\n';
        memcpy(text, FROM "A: 1\n\n", sizeof(FROM "A: 1\n\n") - 1);
        text[len - 1] = '\n';
        memcpy(text + len, next, sizeof(next) - 1);
        struct mails mails = read_all(text, len + sizeof(next) - 1);
        assert_int_equal(mails.count, 2);
        assert_int_equal(mails.len[0], INPUT_RECORD_MAX);
        assert_string_equal(mails.text[1], next + 1);
        mails_free(&mails);
        free(text);
    }
}

/* A mailbox without end: counts what it has given. */
static ssize_t give_mails(void *cookie, char *out, size_t size)
{
    static const char one[] = FROM "Subject: x\n\nnothing of interest\n\n";
    size_t *left = cookie;
    size_t whole = size / (sizeof(one) - 1);
    if (whole > *left) whole = *left;
    for (size_t i = 0; i < whole; i++) memcpy(out + i * (sizeof(one) - 1), one, sizeof(one) - 1);
    *left -= whole;
    return (ssize_t)(whole * (sizeof(one) - 1));
}

static void a_large_mailbox_takes_no_more_memory_than_a_small_one(void **state)
{
    (void)state;
    enum { MAILS = 400 * 1000 }; /* 32 MB */
    size_t left = MAILS, count = 0;
    struct error error = {0};
    struct input_file input;
    struct mbox mbox;
    FILE *file = fopencookie(&left, "r", (cookie_io_functions_t){.read = give_mails});
    assert_non_null(file);
    assert_true(input_open(&input, "-", file, &error));
    mbox_init(&mbox, &input);
    for (bool found = true; found;) {
        struct span mail;
        assert_true(mbox_next(&mbox, &mail, &found, &error));
        count += found;
    }
    assert_int_equal(count, MAILS);
    assert_true(mbox.size + input.size <= 1024 * 1024);
    mbox_done(&mbox);
    input_close(&input);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mailbox_is_told_by_its_first_line),
        cmocka_unit_test(mails_are_parted_where_a_new_one_begins_and_nowhere_else),
        cmocka_unit_test(a_mailbox_cut_at_every_byte_loses_nothing_before_the_cut),
        cmocka_unit_test(a_mail_above_the_limit_is_cut_and_the_next_one_is_whole),
        cmocka_unit_test(a_large_mailbox_takes_no_more_memory_than_a_small_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
