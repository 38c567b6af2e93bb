#include "base/utf8.h"
#include "base/scan.h"
#include <string.h>

static const char REPLACEMENT[3] = {'\xEF', '\xBF', '\xBD'}; /* U+FFFD */

static bool is_tail(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* RFC 3629 4: the second byte alone tells overlong forms, surrogates and what lies above U+10FFFF.
 */
size_t utf8_length(struct span text)
{
    if (text.len == 0) return 0;
    const unsigned char *p = (const unsigned char *)text.ptr;
    if (p[0] < 0x80) return 1;
    if (p[0] < 0xC2 || p[0] > 0xF4) return 0;
    if (text.len < 2 || !is_tail(p[1])) return 0;
    if (p[0] < 0xE0) return 2;
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F)) return 0;
    if ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F)) return 0;
    if (text.len < 3 || !is_tail(p[2])) return 0;
    if (p[0] < 0xF0) return 3;
    return text.len >= 4 && is_tail(p[3]) ? 4 : 0;
}

bool utf8_is_valid(struct span text)
{
    while (text.len) {
        text = span_skip(text, scan_ascii(text));
        size_t length = utf8_length(text);
        if (length == 0) return text.len == 0;
        text = span_skip(text, length);
    }
    return true;
}

size_t utf8_repair(struct span text, char *out)
{
    size_t at = 0;
    while (text.len) {
        size_t plain = scan_ascii(text), length = utf8_length(span_skip(text, plain));
        memcpy(out + at, text.ptr, plain + length);
        at += plain + length;
        text = span_skip(text, plain + length);
        if (length || !text.len) continue;
        memcpy(out + at, REPLACEMENT, sizeof REPLACEMENT);
        at += sizeof REPLACEMENT;
        text = span_skip(text, 1);
    }
    return at;
}

size_t utf8_encode(uint32_t code_point, char out[4])
{
    if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF))
        code_point = 0xFFFD;
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    size_t length = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    out[0] = (char)((0xF00u >> length & 0xFF) | code_point);
    return length;
}
