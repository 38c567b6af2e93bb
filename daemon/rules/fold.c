#include "rules/fold.h"
#include "base/simd.h"
#include "base/utf8.h"
#include <string.h>

enum { ADDRESS_LITERAL_MAX = 64 };

struct folding {
    struct span text;
    const struct reply *reply;
    const struct fold_keep *keep;
    char *out;
    size_t at, len;
    char code[3];     /* all 0: none to be taken out */
    size_t code_at;   /* SPAN_NOT_FOUND: it does not stand in the text */
    bool hyphen_seen; /* a "C-" came before: a "C " may end the reply */
};

static void put(struct folding *folding, char c)
{
    if (c == ' ' && (folding->len == 0 || folding->out[folding->len - 1] == ' ')) return;
    folding->out[folding->len++] = c;
}

static bool is_local_byte(char c)
{
    /* Letters, digits and !#$%&'*+/=?^_`{|}~.- as bits: ASCII below and from 64. */
    const uint64_t low = UINT64_C(0xA3FFECFA00000000), high = UINT64_C(0x7FFFFFFFC7FFFFFE);
    unsigned char byte = (unsigned char)c;
    return byte < 0x80 && ((byte < 64 ? low : high) >> byte % 64 & 1);
}

static char byte_at(struct span text, size_t at)
{
    return at < text.len ? text.ptr[at] : '\0';
}

/* [192.0.2.1], [IPv6:...]: no words, which would be lost with it, and no line end. 0: none. */
static size_t literal_length(struct span text)
{
    size_t end = 1;
    while (end < ADDRESS_LITERAL_MAX && end < text.len &&
           (byte_is_alnum(text.ptr[end]) || text.ptr[end] == '.' || text.ptr[end] == ':' ||
            text.ptr[end] == '-'))
        end++;
    return end > 1 && end < ADDRESS_LITERAL_MAX && byte_at(text, end) == ']' ? end + 1 : 0;
}

/* Copies the domain or literal that the text begins with to `out`, in lower case; its length, 0:
 * none. It ends before "..", which sets words off from it ("user@example.net...User unknown"). */
static size_t domain_copy(struct span text, char *out)
{
    if (byte_at(text, 0) == '[') {
        size_t len = literal_length(text);
        for (size_t i = 0; i < len; i++) out[i] = byte_lower(text.ptr[i]);
        return len;
    }
    size_t end = 0;
    uint32_t dot = 0;
    while (end < text.len) {
        char storage[SIMD_STEP];
        const char *step = simd_tail(text.ptr + end, text.len - end, storage);
        uint32_t dots = simd_find_byte(step, '.'), doubled = dots & (dots << 1 | dot);
        uint32_t others = ~(simd_find_alnum(step) | dots | simd_find_byte(step, '-')) | doubled;
        simd_write_lower(out + end, step);
        end += others ? (size_t)__builtin_ctz(others) : SIMD_STEP;
        if (others) break;
        dot = dots >> 31;
    }
    while (end && !byte_is_alnum(text.ptr[end - 1])) end--;
    return end;
}

/* Where the local part begins that ends at the end of what was written; quotes before it are not of
 * it. */
static size_t local_begin(const struct folding *folding)
{
    size_t from = folding->len;
    while (from && is_local_byte(folding->out[from - 1])) from--;
    while (from < folding->len && (folding->out[from] == '\'' || folding->out[from] == '`')) from++;
    return from;
}

/* At an '@'. The local part is written already. */
static void fold_address(struct folding *folding)
{
    struct span rest = span_skip(folding->text, folding->at + 1);
    size_t from = local_begin(folding), domain = domain_copy(rest, folding->out + folding->len + 1);
    char behind = byte_at(rest, 0);
    bool cut = rest.len == 0 || byte_is_space(behind) || (behind && strchr(">]),;:", behind));
    if (from == folding->len || (domain == 0 && !cut)) {
        put(folding, '@');
        folding->at++;
        return;
    }
    size_t len = folding->len + 1 + domain;
    folding->out[folding->len] = '@';
    const struct fold_keep *keep = folding->keep;
    struct span address = span_of(folding->out + from, len - from);
    if (keep && keep->is_kept && domain && keep->is_kept(keep->context, address)) {
        folding->len = len;
    } else {
        folding->out[from] = '@';
        folding->len = from + 1;
    }
    folding->at += 1 + domain;
}

/* One character that is not ASCII. */
static void fold_wide(struct folding *folding)
{
    struct span rest = span_skip(folding->text, folding->at);
    size_t length = utf8_length(rest);
    struct span character = span_take(rest, length);
    folding->at += length ? length : 1;
    if (length == 0)
        character = SPAN("\xEF\xBF\xBD");
    else if (span_equal(character, SPAN("\xC2\xA0")) || span_equal(character, SPAN("\xE3\x80\x80")))
        character = SPAN(" ");
    else if (span_equal(character, SPAN("\xE2\x80\x98")) ||
             span_equal(character, SPAN("\xE2\x80\x99")))
        character = SPAN("'");
    else if (span_equal(character, SPAN("\xE2\x80\x9C")) ||
             span_equal(character, SPAN("\xE2\x80\x9D")))
        character = SPAN("\"");
    for (size_t i = 0; i < character.len; i++) put(folding, character.ptr[i]);
}

static void fold_character(struct folding *folding)
{
    char c = folding->text.ptr[folding->at];
    if (c == '@') {
        fold_address(folding);
    } else if ((unsigned char)c >= 0x80) {
        fold_wide(folding);
    } else {
        put(folding, byte_is_space(c) || c == '\0' ? ' ' : byte_lower(c));
        folding->at++;
    }
}

/* ---- codes and statuses ---- */

static size_t skip_blanks(struct span text, size_t at)
{
    while (at < text.len && byte_is_blank(text.ptr[at])) at++;
    return at;
}

/* The end of a status at `at`, perhaps behind '#' or inside marks of its own: "(#5.1.1)"; or `at`.
 */
static size_t status_end(struct span text, size_t at)
{
    size_t from = at;
    char open = byte_at(text, from);
    if (open == '(' || open == '[') from++;
    if (byte_at(text, from) == '#') from++;
    struct status status;
    size_t length = status_prefix(span_skip(text, from), &status);
    if (length == 0 || byte_is_alnum(byte_at(text, from + length))) return at;
    size_t end = from + length;
    char close = open == '(' ? ')' : open == '[' ? ']' : '\0';
    if (!close) return end;
    return byte_at(text, end) == close ? end + 1 : at;
}

/* Behind "550-5.1.1 ", "550 #5.1.1", "550-" at `at`, where the code stands. */
static size_t code_end(struct span text, size_t at, bool *status)
{
    size_t end = at + 3;
    if (byte_at(text, end) == '-' || byte_at(text, end) == ':') end++;
    size_t from = skip_blanks(text, end), behind = status_end(text, from);
    *status = behind != from;
    return *status ? behind : end;
}

static bool code_stands_at(const struct folding *folding, size_t at)
{
    struct span text = folding->text;
    return folding->code[0] && text.len >= 3 && at <= text.len - 3 &&
           memcmp(text.ptr + at, folding->code, 3) == 0 && !byte_is_alnum(byte_at(text, at + 3)) &&
           (byte_at(text, at + 3) != '.' || !byte_is_digit(byte_at(text, at + 4)));
}

/* Where a later line of a reply may begin: at a line start, behind a blank, or, where an MTA joined
 * the lines with nothing between, behind the end of a sentence ("… exist.550-5.1.1 Please"). */
static bool may_continue(const struct folding *folding, size_t at, bool status, bool hyphen)
{
    if (at == 0) return true;
    char before = folding->text.ptr[at - 1];
    if (before == '\n' || before == '\r') return true;
    if (byte_is_space(before)) return hyphen || folding->hyphen_seen || status;
    if (!hyphen && !(status && folding->hyphen_seen)) return false;
    if (!folding->hyphen_seen) return false;
    bool sentence_end = before && strchr(".!?,;:)>]\"'", before) &&
                        !(at > 1 && byte_is_digit(folding->text.ptr[at - 2]));
    return sentence_end || (status && byte_is_alpha(before));
}

/* True where a code was taken out. */
static bool fold_code(struct folding *folding)
{
    if (!code_stands_at(folding, folding->at)) return false;
    bool status = false, first = folding->at == folding->code_at;
    bool hyphen = byte_at(folding->text, folding->at + 3) == '-';
    size_t end = code_end(folding->text, folding->at, &status);
    if (!first && !may_continue(folding, folding->at, status, hyphen)) return false;
    if (!first && !hyphen && !status && !byte_is_space(byte_at(folding->text, folding->at + 3)) &&
        folding->at + 3 != folding->text.len)
        return false;
    folding->hyphen_seen |= hyphen;
    folding->at = end;
    put(folding, ' ');
    return true;
}

/* True where the reply's status, alone, was taken out: "(#5.1.1)", "… 5.1.1 …". */
static bool fold_status(struct folding *folding)
{
    struct span text = folding->text;
    const struct status *wanted = &folding->reply->status;
    size_t at = folding->at, from = at;
    if (wanted->class == 0) return false;
    char before = at ? text.ptr[at - 1] : ' ';
    if (byte_is_alnum(before) || strchr("._/@=-+~", before)) return false;
    while (from < at + 2 && strchr("([#", byte_at(text, from)) && byte_at(text, from)) from++;
    struct status status;
    size_t length = status_prefix(span_skip(text, from), &status);
    if (length == 0 || !status_equal(status, *wanted)) return false;
    char behind = byte_at(text, from + length);
    if (byte_is_alnum(behind) || (behind && strchr("@_/-+~", behind))) return false;
    size_t end = status_end(text, at);
    if (end == at) return false;
    folding->at = end;
    put(folding, ' ');
    return true;
}

/* ---- plain text ---- */

/* Where a mark that may begin a status ("(#") stands just before bit `at` of a step. */
static unsigned before_marks(const char *step, unsigned at)
{
    for (unsigned i = 0; i < 2 && at > 0; i++) {
        char c = step[at - 1];
        if (c != '(' && c != '[' && c != '#') break;
        at--;
    }
    return at;
}

/* Bytes of a step that may begin the code, or the status behind its marks: too many rather than too
 * few, above all at the end of the step, where the rest is not seen. */
static uint32_t find_codes(const struct folding *folding, const char *step)
{
    char class = (char)('0' + folding->reply->status.class);
    uint32_t found = 0, second = 0, firsts = 0;
    if (folding->reply->status.class) {
        second = simd_find_byte(step, '.');
        firsts = simd_find_byte(step, class);
        if (before_marks(step, 32) < 32) found |= UINT32_C(3) << 30;
    }
    if (folding->code[0]) {
        second |= simd_find_byte(step, folding->code[1]);
        if (folding->code[0] != class) firsts |= simd_find_byte(step, folding->code[0]);
    }
    return found | (firsts & (second >> 1 | UINT32_C(1) << 31));
}

/* Bytes of a step at which more is to be done than to copy them in lower case. */
static uint32_t find_special(const struct folding *folding, const char *step, size_t left)
{
    uint32_t blanks = simd_find_byte(step, ' ');
    uint32_t special =
        simd_find_unplain_or(step, '@') | (blanks & blanks << 1) | find_codes(folding, step);
    return left < SIMD_STEP ? special & ~(UINT32_MAX << left) : special;
}

static void fold_special(struct folding *folding)
{
    char c = folding->text.ptr[folding->at];
    if (c == folding->code[0] && c && fold_code(folding)) return;
    if ((byte_is_digit(c) || c == '(' || c == '[' || c == '#') && fold_status(folding)) return;
    fold_character(folding);
}

/* The bytes of a step, and perhaps some behind it that belong to its last special ones. Copying is
 * always of a whole step: what is too much is written over. */
static void fold_step(struct folding *folding, const char *step, size_t left)
{
    size_t from = (size_t)(step - folding->text.ptr);
    size_t end = from + (left < SIMD_STEP ? left : SIMD_STEP);
    /* The end is marked as well: how far it is to the next mark is asked without a branch. */
    uint64_t marks = find_special(folding, step, left) | UINT64_C(1) << (end - from);
    while (folding->at < end) {
        size_t done = folding->at - from, plain = (size_t)__builtin_ctzll(marks >> done);
        bool special = folding->at + plain < end;
        if (special && byte_is_digit(step[done + plain]))
            plain = before_marks(step + done, (unsigned)plain);
        /* What was written last may be a blank that does not stand in the text. */
        char last = folding->len ? folding->out[folding->len - 1] : ' ';
        if ((last == ' ') & (folding->text.ptr[folding->at] == ' ')) {
            folding->at++;
            continue;
        }
        simd_write_lower(folding->out + folding->len, folding->text.ptr + folding->at);
        folding->at += plain;
        folding->len += plain;
        if (special) fold_special(folding);
    }
}

static size_t fold_finish(struct folding *folding)
{
    while (folding->len && folding->out[folding->len - 1] == ' ') folding->len--;
    return folding->len;
}

size_t fold_reply(struct span text, const struct reply *reply, const struct fold_keep *keep,
                  char *out)
{
    struct folding folding = {
        .text = text, .reply = reply, .keep = keep, .code_at = SPAN_NOT_FOUND};
    folding.out = out;
    if (reply->code >= 200 && reply->code <= 599) {
        folding.code[0] = (char)('0' + reply->code / 100);
        folding.code[1] = (char)('0' + reply->code / 10 % 10);
        folding.code[2] = (char)('0' + reply->code % 10);
        if (code_stands_at(&folding, reply->code_at)) folding.code_at = reply->code_at;
    }
    while (folding.at < text.len) fold_step(&folding, text.ptr + folding.at, text.len - folding.at);
    return fold_finish(&folding);
}

struct phrase_keep {
    void (*on_address)(void *context, struct span address);
    void *context;
};

static bool keep_all(const void *context, struct span address)
{
    const struct phrase_keep *keep = context;
    keep->on_address(keep->context, address);
    return true;
}

size_t fold_phrase(struct span text, void (*on_address)(void *context, struct span address),
                   void *context, char *out)
{
    const struct phrase_keep phrase = {on_address, context};
    const struct fold_keep keep = {keep_all, &phrase};
    const struct reply none = {0};
    struct folding folding = {
        .text = text, .reply = &none, .keep = &keep, .code_at = SPAN_NOT_FOUND};
    folding.out = out;
    while (folding.at < text.len) fold_character(&folding);
    return fold_finish(&folding);
}
