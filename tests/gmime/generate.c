/* Well-formed in the first place; then perhaps broken as mails are broken on their way: boundaries
 * that are missing, wrong or the beginning of another, lines lost, doubled, cut, bytes changed. */
#include "gmime/generate.h"
#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 12, PARTS_MAX = 60, BOUNDARY_MAX = 60 };

struct maker {
    uint64_t state;
    struct buffer *out;
    unsigned parts, boundaries;
    bool is_broken;
};

static uint64_t next(struct maker *maker)
{
    uint64_t z = maker->state += UINT64_C(0x9E3779B97F4A7C15); /* splitmix64 */
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static unsigned below(struct maker *maker, unsigned limit)
{
    return (unsigned)(next(maker) % limit);
}

static bool once_in(struct maker *maker, unsigned count)
{
    return below(maker, count) == 0;
}

static void put(struct maker *maker, const char *text)
{
    buffer_add_text(maker->out, text);
}

#define PICK(maker, list) (list)[below((maker), sizeof(list) / sizeof *(list))]

static void words(struct maker *maker)
{
    static const char *const list[] = {
        "the ",    "mail to <anna@example.com> ",
        "550 ",    "5.1.1 ",
        "--",      "-- signature",
        "\n",      "\n\n",
        "\n--\n",  "caf\xc3\xa9 ",
        "=3D=\n",  "\xff\xfe",
        "\t",      " \n",
        "From x ", "\n--not-a-boundary\n",
        "a=b; ",   "user unknown\n",
        "",        "\n\n\n",
    };
    for (unsigned left = below(maker, 12); left > 0; left--) put(maker, PICK(maker, list));
}

static void base64(struct maker *maker)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned groups = below(maker, 60);
    for (unsigned i = 0; i < groups; i++) {
        for (unsigned j = 0; j < 4; j++) buffer_add_byte(maker->out, alphabet[below(maker, 64)]);
        if (i % 18 == 17) put(maker, "\n");
    }
    if (once_in(maker, 3)) put(maker, once_in(maker, 2) ? "YQ==" : "YWI=");
    if (once_in(maker, 2)) put(maker, "\n");
}

static void quoted(struct maker *maker)
{
    static const char *const list[] = {"text ",  "=E5=AE=9B", "=\n",   "=3d",
                                       "line\n", "  x\n",     "=20\n", "\n"};
    for (unsigned left = below(maker, 12); left > 0; left--) put(maker, PICK(maker, list));
}

static void end_header(struct maker *maker)
{
    static const char *const more[] = {
        "Content-Disposition: inline\n", "Content-Description: a\n part\n", "X-Empty:\n",
        "Content-ID: <1@example.com>\n", "X-Long: one\n\ttwo\n  three\n",
    };
    while (once_in(maker, 3)) put(maker, PICK(maker, more));
    put(maker, "\n");
}

static void leaf(struct maker *maker)
{
    static const char *const types[] = {
        "",
        "Content-Type: text/plain\n",
        "Content-Type: text/plain; charset=utf-8\n",
        "Content-type: TEXT/HTML;\n\tcharset=\"us-ascii\"\n",
        "Content-Type: message/delivery-status\n",
        "Content-Type: message/feedback-report\n",
        "Content-Type: text/rfc822-headers\n",
        "Content-Type: application/octet-stream; name=\"a;b.bin\"\n",
        "content-type:image/png\n",
    };
    put(maker, PICK(maker, types));
    switch (below(maker, 5)) {
    case 0:
        put(maker, "Content-Transfer-Encoding: base64\n");
        end_header(maker);
        base64(maker);
        return;
    case 1:
        put(maker, "Content-Transfer-Encoding: Quoted-Printable\n");
        end_header(maker);
        quoted(maker);
        return;
    case 2:
        put(maker, "Content-Transfer-Encoding: 8bit\n");
        break;
    }
    end_header(maker);
    words(maker);
}

/* Some are the beginning of another, some hold what needs quotes. */
static void boundary_make(struct maker *maker, const char *outer, char *out, size_t size)
{
    unsigned number = maker->boundaries++;
    if (*outer && once_in(maker, 4))
        snprintf(out, size, "%.30s%u", outer, number);
    else if (strlen(outer) > 2 && once_in(maker, 8))
        snprintf(out, size, "%.*s", (int)strlen(outer) - 1, outer);
    else if (once_in(maker, 6))
        snprintf(out, size, "=_b b:%u?", number);
    else
        snprintf(out, size, "%c%u", once_in(maker, 2) ? 'b' : '-', number);
    /* RFC 2046 5.1.1: a boundary does not end in a blank. */
    size_t len = strlen(out);
    if (out[len - 1] == ' ') out[len - 1] = 'x';
}

static void boundary_declare(struct maker *maker, const char *boundary)
{
    bool needs_quotes = strpbrk(boundary, " :?=") != NULL;
    static const char *const types[] = {"mixed", "report", "alternative", "related", "x-new"};
    put(maker, "Content-Type: multipart/");
    put(maker, PICK(maker, types));
    static const char *const between[] = {";", "; ", ";\n\t", "; report-type=delivery-status;\n ",
                                          " ; x=\"a;b\";"};
    put(maker, PICK(maker, between));
    put(maker, once_in(maker, 5) ? "BOUNDARY=" : "boundary=");
    if (needs_quotes || once_in(maker, 2)) {
        put(maker, "\"");
        put(maker, boundary);
        put(maker, "\"");
    } else {
        put(maker, boundary);
    }
    put(maker, once_in(maker, 6) ? "; charset=utf-8\n" : "\n");
}

static void entity(struct maker *maker, const char *outer, unsigned depth);

static void delimiter(struct maker *maker, const char *boundary, bool is_close)
{
    static const char *const blanks[] = {"", "", "", " ", "\t "};
    put(maker, "--");
    put(maker, boundary);
    if (is_close) put(maker, "--");
    put(maker, PICK(maker, blanks));
    put(maker, "\n");
}

static void multipart(struct maker *maker, const char *outer, unsigned depth)
{
    char boundary[BOUNDARY_MAX + 16];
    boundary_make(maker, outer, boundary, sizeof boundary);
    boundary_declare(maker, boundary);
    end_header(maker);
    bool ends_line = true;
    if (once_in(maker, 3)) {
        words(maker);
        put(maker, "\n");
    }
    unsigned count = maker->is_broken && once_in(maker, 10) ? 0 : 1 + below(maker, 3);
    for (unsigned i = 0; i < count && maker->parts < PARTS_MAX; i++) {
        bool is_lost = maker->is_broken && once_in(maker, 12);
        if (!is_lost) delimiter(maker, boundary, false);
        entity(maker, boundary, depth + 1);
        put(maker, "\n");
    }
    if (ends_line && !(maker->is_broken && once_in(maker, 4))) delimiter(maker, boundary, true);
    if (once_in(maker, 4)) words(maker);
}

static void entity(struct maker *maker, const char *outer, unsigned depth)
{
    maker->parts++;
    unsigned kind = depth >= DEPTH_MAX ? 9 : below(maker, 10);
    if (kind < 3) {
        multipart(maker, outer, depth);
    } else if (kind < 4) {
        put(maker, "Content-Type: message/rfc822\n");
        end_header(maker);
        put(maker, "From: a@example.com\nSubject: returned\n");
        entity(maker, outer, depth + 1);
    } else {
        leaf(maker);
    }
}

static void remove_bytes(struct buffer *mail, size_t at, size_t count)
{
    memmove(mail->ptr + at, mail->ptr + at + count, mail->len - at - count);
    mail->len -= count;
}

static void line_lose(struct maker *maker)
{
    struct buffer *mail = maker->out;
    size_t from = below(maker, (unsigned)mail->len), to;
    while (from > 0 && mail->ptr[from - 1] != '\n') from--;
    for (to = from; to < mail->len && mail->ptr[to] != '\n';) to++;
    if (to < mail->len) to++;
    remove_bytes(mail, from, to - from);
}

static void damage(struct maker *maker)
{
    struct buffer *mail = maker->out;
    if (mail->len < 8) return;
    size_t at = below(maker, (unsigned)mail->len);
    switch (below(maker, 5)) {
    case 0:
        mail->len = at; /* cut */
        break;
    case 1:
        line_lose(maker);
        break;
    case 2:
        mail->ptr[at] = (char)below(maker, 256);
        break;
    case 3: /* doubled from there on */
        buffer_add(mail, span_of(mail->ptr + at, mail->len - at < 500 ? mail->len - at : 500));
        break;
    case 4:
        remove_bytes(mail, at, mail->len - at < 3 ? mail->len - at : 1 + below(maker, 3));
        break;
    }
}

/* LF as it was made, or another line end throughout. */
static void line_ends(struct maker *maker)
{
    static const char *const ends[] = {"\n", "\n", "\r\n", "\r\n", "\r", "\r\r\n"};
    static char copy[GENERATE_SIZE_MAX];
    struct buffer *mail = maker->out;
    const char *end = PICK(maker, ends);
    size_t len = mail->len;
    if (*end == '\n') return;
    memcpy(copy, mail->ptr, len);
    buffer_reset(mail);
    for (size_t i = 0; i < len; i++) {
        if (copy[i] == '\n')
            put(maker, end);
        else
            buffer_add_byte(mail, copy[i]);
    }
}

void generate_mail(uint64_t seed, struct buffer *out)
{
    struct maker maker = {.state = seed, .out = out};
    buffer_reset(out);
    maker.is_broken = once_in(&maker, 2);
    put(&maker, "From: MAILER-DAEMON@example.net\nSubject: a mail\n");
    if (once_in(&maker, 8))
        leaf(&maker);
    else
        multipart(&maker, "", 0);
    if (maker.is_broken)
        for (unsigned left = below(&maker, 4); left > 0; left--) damage(&maker);
    line_ends(&maker);
}
