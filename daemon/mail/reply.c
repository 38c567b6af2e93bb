/* One pass over the digit runs of a text. A number of three digits is a candidate for the code by
 * what stands left and right of it; the best candidate wins, the first of equals. What decides,
 * best first: a failure code with a status behind it; a failure code where an MTA puts one (start
 * of a line, behind "said:", "smtp;", "error"); a success code likewise; any other failure code in
 * the middle of words. Every look around is bounded, so the whole is linear. */
#include "mail/reply.h"
#include "base/simd.h"
#include <string.h>

enum { WORD_MAX = 16, WORD_SIZE = 16, LOOK_BACK = 64, SEPARATORS_MAX = 8 };

/* How sure the left side is. */
enum left { LEFT_BAD, LEFT_HASH, LEFT_PLAIN, LEFT_COLON, LEFT_SURE };
enum rank { RANK_NONE, RANK_WORDS, RANK_SUCCESS, RANK_SUCCESS_STATUS, RANK_PLACED, RANK_STATUS };

struct finding {
    enum rank rank;
    uint16_t code;
    size_t code_at, code_end;
    struct status joined; /* directly behind the code */
    size_t joined_at, joined_end;
    struct status alone; /* the first that stands by itself */
    size_t alone_at, alone_end;
};

/* Zeroes behind each, so that 16 bytes are compared at once. */
static const char words_sure[][WORD_SIZE] = {
    "said", "error",     "smtp",    "code",   "esmtp",  "reply",    "response",  "returned",
    "says", "responded", "replied", "status", "answer", "answered", "diagnosis",
};
static const char words_number[][WORD_SIZE] = {
    "port",    "id",        "size",    "limit",   "limits",
    "after",   "than",      "of",      "max",     "maximum",
    "min",     "least",     "most",    "over",    "exceeds",
    "exceed",  "exceeding", "line",    "ticket",  "number",
    "count",   "length",    "every",   "within",  "page",
    "version", "rfc",       "section", "up",      "about",
    "first",   "last",      "next",    "ext",     "extension",
    "phone",   "fax",       "tel",     "call",    "room",
    "suite",   "uid",       "pid",     "case",    "ref",
    "item",    "each",      "per",     "between", "approximately",
};
static const char words_unit[][WORD_SIZE] = {
    "bytes",     "byte",       "bit",        "bits",      "kb",      "mb",      "gb",
    "kib",       "mib",        "kilobytes",  "megabytes", "octets",  "seconds", "secs",
    "sec",       "ms",         "minutes",    "min",       "hours",   "days",    "day",
    "times",     "messages",   "recipients", "mails",     "emails",  "e",       "connections",
    "users",     "characters", "chars",      "lines",     "percent", "per",     "times",
    "addresses", "mailboxes",  "entries",    "k",         "m",
};
/* What a dotted number of three parts behind such a word is: a version or a place in a document. */
static const char words_version[][WORD_SIZE] = {
    "version",  "ver",    "v",     "release",  "section", "sec",      "rfc",     "exim", "postfix",
    "sendmail", "kernel", "build", "firmware", "chapter", "revision", "openssl", "php",  "debian",
};

/* A set of ASCII bytes as bits. */
struct byte_set {
    uint64_t low, high;
};
static inline bool is_one_of(char c, struct byte_set set)
{
    unsigned byte = (unsigned char)c;
    return byte < 0x80 && ((byte < 64 ? set.low : set.high) >> byte % 64 & 1);
}
static const struct byte_set never_before_code = {
    UINT64_C(0xA000EC7000000000), UINT64_C(0x4000000090000001)}; /* .@_/=+-%&?*~$\\ */
static const struct byte_set before_code = {UINT64_C(0x4C00000000000000), UINT64_C(0x0)}; /* :;> */
static const struct byte_set between_code_and_status = {
    UINT64_C(0x1C00B18D00002600), UINT64_C(0x8000000)}; /*  \t\r\n-#/:,;('"[< */
static const struct byte_set behind_code = {UINT64_C(0x5800028400000000),
                                            UINT64_C(0x1000000020000000)}; /* );]"'><| */
static const struct byte_set never_before_status = {UINT64_C(0x2000E81000000000),
                                                    UINT64_C(0x4000000090000001)}; /* ._/@=-+~$\\ */
static const struct byte_set never_behind_status = {UINT64_C(0x880000000000),
                                                    UINT64_C(0x4000000080000001)}; /* @_/+~ */
static const struct byte_set closing = {UINT64_C(0xC00320000000000),
                                        UINT64_C(0x20000000)}; /* -:;,)] */
static const struct byte_set quoting = {UINT64_C(0x5000058D00000200),
                                        UINT64_C(0x1000000008000000)}; /*  \t"'<>([#*| */

static bool word_in(struct span word, const char (*list)[WORD_SIZE], size_t count)
{
    char lower[WORD_SIZE] = {0};
    uint64_t wanted[2], listed[2];
    if (word.len == 0 || word.len >= WORD_SIZE) return false;
    for (size_t i = 0; i < word.len; i++) lower[i] = byte_lower(word.ptr[i]);
    memcpy(wanted, lower, sizeof wanted);
    for (size_t i = 0; i < count; i++) {
        memcpy(listed, list[i], sizeof listed);
        if (wanted[0] == listed[0] && wanted[1] == listed[1]) return true;
    }
    return false;
}
#define WORD_IN(word, list) word_in(word, list, sizeof(list) / sizeof((list)[0]))

/* The letters before `at`, over blanks and a few marks between; empty where there are none. */
static struct span word_before(struct span text, size_t at)
{
    size_t end = at, marks = 0, low = at > LOOK_BACK ? at - LOOK_BACK : 0;
    while (end > low && marks < SEPARATORS_MAX && !byte_is_alnum(text.ptr[end - 1])) {
        if (!byte_is_space(text.ptr[end - 1])) marks++;
        end--;
    }
    size_t from = end;
    while (from > low && end - from <= WORD_MAX && byte_is_alpha(text.ptr[from - 1])) from--;
    return span_slice(text, from, end);
}

static struct span word_behind(struct span text, size_t at)
{
    while (at < text.len && (byte_is_blank(text.ptr[at]) || text.ptr[at] == '-')) at++;
    size_t end = at;
    while (end < text.len && end - at <= WORD_MAX && byte_is_alpha(text.ptr[end])) end++;
    return span_slice(text, at, end);
}

/* "192.0.2.1:587", "[192.0.2.1]:587", "mx.example:587": the number is a port; "::550" is of an
 * address. */
static bool colon_is_of_port(struct span text, size_t colon)
{
    if (colon == 0) return false;
    char last = text.ptr[colon - 1];
    if (last == ']' || last == ':' || byte_is_digit(last)) return true;
    for (size_t i = colon; i > 0 && colon - i < LOOK_BACK; i--) {
        char c = text.ptr[i - 1];
        if (c == '.') return true;
        if (!byte_is_alnum(c) && c != '-') break;
    }
    return false;
}

/* `fresh`: nothing but blanks and quoting since the line began. */
static enum left left_of(struct span text, size_t at, bool fresh)
{
    if (fresh) return LEFT_SURE;
    char c = text.ptr[at - 1]; /* at > 0: at 0 the line is fresh */
    if (c == '#') return LEFT_HASH;
    if (byte_is_alnum(c) || is_one_of(c, never_before_code)) return LEFT_BAD;
    if (c == ':' && colon_is_of_port(text, at - 1)) return LEFT_BAD;
    struct span word = word_before(text, at);
    if (WORD_IN(word, words_sure)) return LEFT_SURE; /* in this list only */
    if (WORD_IN(word, words_number)) return LEFT_BAD;
    size_t before = at;
    while (before > 0 && at - before < LOOK_BACK && byte_is_space(text.ptr[before - 1])) before--;
    if (before > 0 && is_one_of(text.ptr[before - 1], before_code)) return LEFT_COLON;
    return LEFT_PLAIN;
}

/* Separators between a code and its own status: "550 5.1.1", "550-5.1.1", "550 #5.1.1",
 * "550-'5.1.1". */
static size_t joined_status(struct span text, size_t code_end, struct status *out, size_t *end)
{
    size_t at = code_end;
    while (at < text.len && at - code_end < SEPARATORS_MAX &&
           is_one_of(text.ptr[at], between_code_and_status))
        at++;
    if (at == code_end) return 0;
    size_t length = status_prefix(span_skip(text, at), out);
    *end = at + length;
    return length ? at : 0;
}

static bool right_fits(struct span text, size_t end, enum left left)
{
    if (end == text.len) return true;
    char c = text.ptr[end], next = end + 1 < text.len ? text.ptr[end + 1] : ' ';
    if (byte_is_space(c)) return left == LEFT_SURE || !WORD_IN(word_behind(text, end), words_unit);
    if (c == '-') {
        if (left == LEFT_SURE) return true;
        return !byte_is_digit(next) && !WORD_IN(word_behind(text, end), words_unit);
    }
    if (c == ':') return left != LEFT_PLAIN ? !byte_is_digit(next) : byte_is_space(next);
    if (c == '.' || c == ',' || c == '!') return left == LEFT_SURE && byte_is_space(next);
    if (is_one_of(c, behind_code)) return true;
    return (unsigned char)c >= 0x80 && left == LEFT_SURE;
}

static enum rank rank_of(struct span text, size_t at, enum left left, bool joined)
{
    bool success = text.ptr[at] == '2';
    if (joined) return success ? RANK_SUCCESS_STATUS : RANK_STATUS;
    if (left == LEFT_HASH || !right_fits(text, at + 3, left)) return RANK_NONE;
    if (success) return left == LEFT_SURE ? RANK_SUCCESS : RANK_NONE;
    return left == LEFT_PLAIN ? RANK_WORDS : RANK_PLACED;
}

/* Three digits at `at`, 2yz, 4yz or 5yz. */
static void code_consider(struct span text, size_t at, bool fresh, struct finding *found)
{
    struct status joined = {0};
    enum left left = left_of(text, at, fresh);
    if (left == LEFT_BAD) return;
    size_t joined_end = 0, joined_at = joined_status(text, at + 3, &joined, &joined_end);
    enum rank rank = rank_of(text, at, left, joined_at != 0);
    if (rank <= found->rank) return;
    uint16_t code = (uint16_t)((text.ptr[at] - '0') * 100 + (text.ptr[at + 1] - '0') * 10 +
                               (text.ptr[at + 2] - '0'));
    /* "550-Please see …\n550 5.1.1 …": the words begin behind the first of them. */
    bool same = found->rank == RANK_PLACED && found->code == code;
    found->rank = rank;
    found->code = code;
    found->joined = joined;
    found->joined_at = joined_at;
    found->joined_end = joined_end;
    if (same) return;
    found->code_at = at;
    found->code_end = at + 3;
}

static bool ends_in_digits(struct span text, size_t count)
{
    for (size_t i = 1; i <= count; i++)
        if (text.len < i || !byte_is_digit(text.ptr[text.len - i])) return false;
    return true;
}

/* A dotted number by itself: "(#5.1.1)", "5.1.1 <a@b>…", "status=5.1.1" is not looked for. */
static void status_consider(struct span text, size_t at, bool fresh, struct finding *found)
{
    struct status status;
    size_t length = status_prefix(span_skip(text, at), &status);
    if (length == 0) return;
    char before = at ? text.ptr[at - 1] : ' ',
         behind = at + length < text.len ? text.ptr[at + length] : ' ';
    char next = at + length + 1 < text.len ? text.ptr[at + length + 1] : ' ';
    if (byte_is_alnum(before) || is_one_of(before, never_before_status)) return;
    if (byte_is_alnum(behind) || is_one_of(behind, never_behind_status)) return;
    if (behind == '-' && byte_is_alnum(next)) return;
    bool marked = fresh || before == '#' || before == '(';
    if (status.subject > 9 && before != '#') return; /* a date, a version */
    if (status.class == 2 && !marked) return;
    if (!marked && WORD_IN(word_before(text, at), words_version)) return;
    /* "RFC 5321 4.2.1": a number of four digits before it */
    if (before == ' ' && at >= 5 && ends_in_digits(span_take(text, at - 1), 4)) return;
    if (found->alone.class > 2 || (found->alone.class == 2 && status.class == 2)) return;
    found->alone = status;
    found->alone_at = at;
    found->alone_end = at + length;
}

/* Behind the code or status at [.., end) and the marks that close it. */
static size_t words_begin(struct span text, size_t end)
{
    while (end < text.len && (byte_is_space(text.ptr[end]) || is_one_of(text.ptr[end], closing)))
        end++;
    return end;
}

static void finding_to_reply(struct span text, const struct finding *found, struct reply *out)
{
    size_t end = 0;
    if (found->code) {
        out->code = found->code;
        out->code_at = found->code_at;
        end = found->code_end;
    }
    if (found->joined_at) {
        out->status = found->joined;
        out->status_at = found->joined_at;
        if (found->joined_at - found->code_end <= SEPARATORS_MAX) end = found->joined_end;
    } else if (found->alone.class > 2 || (found->alone.class == 2 && found->code < 400)) {
        out->status = found->alone;
        out->status_at = found->alone_at;
        if (!found->code) end = found->alone_end;
    }
    out->text_at = end ? words_begin(text, end) : 0;
}

/* Nothing but blanks and quoting since the line began. Stops at the digits before, so that all the
 * looks back of a text together are linear. */
static bool is_fresh(struct span text, size_t at)
{
    while (at > 0 && is_one_of(text.ptr[at - 1], quoting)) at--;
    return at == 0 || text.ptr[at - 1] == '\n' || text.ptr[at - 1] == '\r';
}

/* The digits that begin at `at`. */
static void digits_consider(struct span text, size_t at, struct finding *found)
{
    char c = text.ptr[at];
    if (c != '2' && c != '4' && c != '5') return;
    size_t end = at + 1;
    while (end < text.len && end - at < 4 && byte_is_digit(text.ptr[end])) end++;
    bool dotted = end + 1 < text.len && text.ptr[end] == '.' && byte_is_digit(text.ptr[end + 1]);
    /* An address or a number with a fraction begins with what may look like a code. */
    if (end - at == 3 && !dotted) code_consider(text, at, is_fresh(text, at), found);
    if (end - at == 1 && dotted) status_consider(text, at, is_fresh(text, at), found);
}

/* Where in a step a code or a status may begin: too many rather than too few, above all at its end
 * where more follows that is not seen. Most numbers of a reply are parts of addresses, and which
 * ones are cannot be foreseen: they go by here without a branch. */
static uint32_t find_numbers(const char *bytes, unsigned shift, bool more, uint32_t *carry)
{
    const uint64_t behind = more ? UINT64_C(0xFFFFFFFF) << 32 : 0;
    uint32_t digits = simd_find_digit(bytes) >> shift, dots = simd_find_byte(bytes, '.') >> shift;
    /* Neither stands behind a dot. */
    uint32_t begins = digits & ~((digits | dots) << 1 | *carry);
    *carry = (digits | dots) >> 31;
    if (begins == 0) return 0;
    uint64_t digit = digits | behind, other = ~(uint64_t)digits;
    uint64_t dot = dots | behind, no_dot = ~(uint64_t)dots;
    uint64_t code = digit >> 1 & digit >> 2 & other >> 3 & (no_dot >> 3 | other >> 4);
    uint64_t status = dot >> 1 & digit >> 2 & (dot >> 3 | dot >> 4 | dot >> 5);
    return begins & (uint32_t)(code | status);
}

void reply_find(struct span text, struct reply *out)
{
    struct finding found = {0};
    uint32_t carry = 0; /* 1: the step before ended in a digit or a dot */
    char storage[SIMD_STEP];
    *out = (struct reply){0};
    for (size_t step = 0; step < text.len && found.rank != RANK_STATUS; step += SIMD_STEP) {
        unsigned shift;
        const char *bytes = simd_end(text.ptr, step, text.len, storage, &shift);
        uint32_t begins = find_numbers(bytes, shift, text.len - step > SIMD_STEP, &carry);
        for (; begins && found.rank != RANK_STATUS; begins &= begins - 1)
            digits_consider(text, step + (size_t)__builtin_ctz(begins), &found);
    }
    finding_to_reply(text, &found, out);
}

bool reply_is_temporary(const struct reply *reply)
{
    return reply->code / 100 == 4 || reply->status.class == 4;
}
