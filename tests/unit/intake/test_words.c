/* What is read from words alone: set phrases, the cause, recipients by weight, transcripts. */
#include "intake/cause.h"
#include "intake/cue.h"
#include "intake/finder.h"
#include "intake/transcript.h"
#include "unit/intake/fixture.h"

static const char *const phrases[] = {
#define CUE(text, mask) text,
#include "schema/cues.def"
#undef CUE
};

static void set_phrases_are_sorted_and_lower_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
        struct span phrase = span_from(phrases[i]);
        if (phrase.len < 3) fail_msg("\"%s\" is too short", phrases[i]);
        for (size_t c = 0; c < phrase.len; c++)
            if (phrase.ptr[c] != byte_lower(phrase.ptr[c])) fail_msg("\"%s\"", phrases[i]);
        if (i && span_compare(span_from(phrases[i - 1]), phrase) >= 0)
            fail_msg("\"%s\" is not in its place", phrases[i]);
    }
}

static void every_set_phrase_is_found(void **state)
{
    (void)state;
    const struct cue_index *index = cue_index_get();
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
        char text[128] = "x ";
        struct cues cues;
        put(text + 2, phrases[i]);
        text[2] = (char)(text[2] >= 'a' && text[2] <= 'z' ? text[2] - 32 : text[2]);
        cue_find(index, span_of(text, 2 + strlen(phrases[i])), &cues);
        if (!cues.mask) fail_msg("\"%s\"", phrases[i]);
    }
    struct cues cues;
    cue_find(index, SPAN("misuser unknown"), &cues);
    assert_int_equal(cues.mask, 0); /* not in the middle of a word */
    cue_find(index, SPAN_NONE, &cues);
    assert_int_equal(cues.mask, 0);
}

static const unsigned masks[] = {
#define CUE(text, mask) mask,
#include "schema/cues.def"
#undef CUE
};

/* What cue.h says, phrase by phrase and byte by byte. */
static void find_slowly(struct span text, struct cues *out)
{
    *out = (struct cues){.mask = 0};
    for (size_t at = 0; at < text.len; at++) {
        bool is_start =
            at == 0 || !byte_is_alpha(text.ptr[at - 1]) || (unsigned char)text.ptr[at] >= 0x80;
        for (size_t i = 0; is_start && i < sizeof phrases / sizeof *phrases; i++) {
            if (!span_starts_fold(span_skip(text, at), span_from(phrases[i]))) continue;
            out->mask |= masks[i];
            if (masks[i] & CUE_LIST) out->list_at = at + strlen(phrases[i]);
            if (masks[i] & CUE_CAUSE) out->cause_at = at + strlen(phrases[i]);
        }
    }
}

/* Phrases, whole and cut, in capitals now and then, with marks and letters between. */
static void phrases_in_a_row_are_found_as_one_by_one(void **state)
{
    static const char *const between[] = {" ", "", ". ", "\n", "x", "\x80", "-"};
    uint32_t seed = 5;
    (void)state;
    for (unsigned round = 0; round < 500; round++) {
        char text[300];
        size_t len = 0;
        while (len < 200) {
            seed = seed * 1664525u + 1013904223u;
            const char *phrase = phrases[(seed >> 12) % (sizeof phrases / sizeof *phrases)];
            size_t room = strlen(phrase) - (seed >> 28 ? 0 : 1);
            if (room > 80) room = 80;
            for (size_t i = 0; i < room; i++, len++)
                text[len] = (char)(seed & 1 && phrase[i] >= 'a' && phrase[i] <= 'z' ? phrase[i] - 32
                                                                                    : phrase[i]);
            for (const char *mark = between[(seed >> 8) % 7]; *mark; mark++) text[len++] = *mark;
        }
        struct cues cues, wanted;
        struct span all = span_of(text, len - (seed >> 4) % 40);
        cue_find(cue_index_get(), all, &cues);
        find_slowly(all, &wanted);
        assert_int_equal(cues.mask, wanted.mask);
        assert_int_equal(cues.list_at, wanted.list_at);
        assert_int_equal(cues.cause_at, wanted.cause_at);
    }
}

static void the_cause_is_the_paragraph_that_names_it(void **state)
{
    (void)state;
    static const struct {
        const char *text, *cause;
    } rows[] = {
        {"", ""},
        {"\n\n---\n", ""},
        {"Hello,\n\nyour message\nwas not taken.\n\n550 5.1.1 no\n\nBye", "550 5.1.1 no"},
        {"Your mail failed.\n\nReason:\n\nNobody lives here\n\nBye", "Nobody lives here"},
        {"Not delivered to:\n\n  a@example.com\n\nbecause:\n\n  Not listed\n", "Not listed"},
        {"We are sorry.\n\nThe mailbox is full\n\nThe mail system", "The mailbox is full"},
        {"The mail could not be delivered.\n\nReason: gone for good\n", "Reason: gone for good"},
        {"Mailbox is full\n\nI'm not going to try again\n\nBye",
         "Mailbox is full\n\nI'm not going to try again"},
        {"   ----- Transcript of session follows -----\n<a@example.com>... Deferred: x\n",
         "<a@example.com>... Deferred: x"},
        {"a@example.com", ""},
    };
    const struct cue_index *index = cue_index_get();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span cause = cause_find(index, span_from(rows[i].text));
        if (!span_equal(cause, span_from(rows[i].cause)))
            fail_msg("row %zu: \"%.*s\"", i, SPAN_ARG(cause));
    }
    assert_true(cause_is_bare(SPAN("71")));
    assert_true(cause_is_bare(SPAN("550 5.1.1")));
    assert_true(cause_is_bare(SPAN("(reason: )")));
    assert_false(cause_is_bare(SPAN("550 gone")));
}

static void a_reply_of_several_lines_is_put_together_again(void **state)
{
    (void)state;
    static const char text[] = "(reason: 550-first line here)\n>>> DATA\n<<< 550-first line here\n"
                               "<<< 550-second\n<<< 550 third\n<<< 503 no\n";
    assert_span(cause_whole_reply(SPAN(text), SPAN("550-first line here"), &arena),
                "550-first line here\n550-second\n550 third");
    assert_span(cause_whole_reply(SPAN(text), SPAN("550 third"), &arena), "");
    assert_span(cause_whole_reply(SPAN(text), SPAN("550-other"), &arena), "");
    assert_span(cause_whole_reply(SPAN_NONE, SPAN("550-other"), &arena), "");
}

static void recipients_are_told_from_other_addresses_by_what_stands_around_them(void **state)
{
    (void)state;
    static const struct {
        const char *text, *found; /* with blanks between */
    } rows[] = {
        {"", ""},
        {"Write to help@example.net.", ""},
        {"The following addresses failed:\n\n  a@example.com\n  b@example.com\n",
         "a@example.com b@example.com"},
        {"The following addresses failed:\n\n  a@example.com\n\nContact help@example.net\n",
         "a@example.com"},
        {"The following addresses failed:\n a@example.com\n a@example.com\n", "a@example.com"},
        {"From: x@example.net\nRCPT TO:<a@example.com>\n550 no\n", "a@example.com"},
        {"Recipient: [SMTP:a@example.com]\nReason: unknown user\n", "a@example.com"},
        {"Undeliverable to 'o'neil@example.com'\n", "o'neil@example.com"},
        {"550 <a@example.com> unknown user, says postmaster@example.com\n", "a@example.com"},
        {"a@example.com: 550 gone\nb@example.com: 552 full\n", "a@example.com b@example.com"},
        {"Message of me@example.org to a@example.com could not be delivered: unknown user\n",
         "a@example.com"},
        {"Message to me@example.org: user unknown\n", ""},
        {"Version 1@2.3 failed, user unknown\n", ""},
    };
    const struct finder_known known = {.sender = SPAN("me@example.org")};
    const struct cue_index *index = cue_index_get();
    struct finder_entry found[FINDER_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char all[256] = "";
        size_t count =
            finder_find(index, span_from(rows[i].text), &known, &scratch, FINDER_ENOUGH, found);
        for (size_t n = 0; n < count; n++)
            snprintf(all + strlen(all), 64, "%s%.*s", n ? " " : "", SPAN_ARG(found[n].address));
        if (strcmp(all, rows[i].found) != 0) fail_msg("row %zu: %s", i, all);
    }
}

static void more_addresses_than_are_weighed_are_told_not_left_out(void **state)
{
    (void)state;
    static char text[2 * 32 * (FINDER_MAX + 2)];
    struct finder_entry found[FINDER_MAX];
    const struct cue_index *index = cue_index_get();
    for (size_t extra = 0; extra < 2; extra++) {
        size_t len = (size_t)snprintf(text, sizeof text, "The following addresses failed:\n");
        for (size_t i = 0; i < FINDER_MAX - 1 + 2 * extra; i++)
            len += (size_t)snprintf(text + len, sizeof text - len, "a%zu@example.com\n", i);
        for (size_t i = 0; i < FINDER_MAX - 1; i++) /* the same again, otherwise spelt */
            len += (size_t)snprintf(text + len, sizeof text - len, "A%zu@Example.Com\n", i);
        const struct finder_known known = {.sender = SPAN_NONE};
        size_t count =
            finder_find(index, span_of(text, len), &known, &scratch, FINDER_ENOUGH, found);
        assert_int_equal(count, extra ? FINDER_MAX + 1 : FINDER_MAX - 1);
    }
}

static void a_transcript_tells_who_was_refused_and_when(void **state)
{
    (void)state;
    static const char text[] = ">>> MAIL FROM:<s@example.org>\n<<< 250 ok\n"
                               ">>> RCPT TO:<a@example.com>\n<<< 550-no such user\n<<< 550 here\n"
                               ">>> RCPT TO:<b@example.com>\n<<< 250 ok\n>>> DATA\n<<< 354 go\n"
                               "<<< 554 spam\n";
    struct transcript_entry entries[2];
    assert_int_equal(transcript_read(SPAN(text), &arena, entries, 2), 2);
    assert_span(entries[0].address, "a@example.com");
    assert_span(entries[0].reply, "550-no such user\n<<< 550 here");
    assert_int_equal(entries[0].stage, STAGE_RCPT);
    assert_span(entries[1].address, "b@example.com");
    assert_span(entries[1].reply, "554 spam");
    assert_int_equal(entries[1].stage, STAGE_EOD);
    assert_int_equal(transcript_read(SPAN(text), &arena, entries, 1), 1);
    assert_int_equal(transcript_read(SPAN("RCPT TO:<a@example.com>\n550 no"), &arena, entries, 2),
                     0);
    static const char dated[] =
        " Tue 2026-11-03 09:14:02: --> RCPT To:<a@example.com>\n"
        " Tue 2026-11-03 09:14:03: <-- 550 no such user\n"
        "[09:14:03.120] --> RCPT To:<b@example.com>\n[09:14:04.007] <-- 552 full\n"
        "09:14:0\n09:14:03\n";
    assert_int_equal(transcript_read(SPAN(dated), &arena, entries, 2), 2);
    assert_span(entries[0].reply, "550 no such user");
    assert_span(entries[1].address, "b@example.com");
    assert_span(entries[1].reply, "552 full");
    assert_int_equal(
        transcript_read(SPAN(" In:  RCPT TO:<a@example.com>\n Out: 250 ok\n"), &arena, entries, 2),
        0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_phrases_are_sorted_and_lower_case),
        cmocka_unit_test(every_set_phrase_is_found),
        cmocka_unit_test(phrases_in_a_row_are_found_as_one_by_one),
        cmocka_unit_test(the_cause_is_the_paragraph_that_names_it),
        cmocka_unit_test(a_reply_of_several_lines_is_put_together_again),
        cmocka_unit_test(recipients_are_told_from_other_addresses_by_what_stands_around_them),
        cmocka_unit_test(more_addresses_than_are_weighed_are_told_not_left_out),
        cmocka_unit_test(a_transcript_tells_who_was_refused_and_when),
    };
    return run_all("intake.words", tests, sizeof tests / sizeof *tests);
}
