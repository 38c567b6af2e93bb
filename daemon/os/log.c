/* A line is put together in memory and leaves by one write(2), so that lines of several threads
 * never mix. */
#include "os/log.h"
#include "base/buffer.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "os/clock.h"
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096, QUOTE_CUT = 200, DOMAIN_CUT = 253 };

static _Atomic int level_max = LOG_INFO;
static _Atomic bool addresses_shown;
static pthread_mutex_t limit_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&level_max, (int)level, memory_order_relaxed);
}

bool log_find_level(struct span name, enum log_level *out)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (!span_equal(name, span_from(level_names[i]))) continue;
        *out = (enum log_level)i;
        return true;
    }
    return false;
}

void log_set_addresses(bool shown)
{
    atomic_store_explicit(&addresses_shown, shown, memory_order_relaxed);
}

static bool level_is_on(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&level_max, memory_order_relaxed);
}

static void write_all(const char *bytes, size_t len)
{
    while (len) {
        ssize_t written = write(STDERR_FILENO, bytes, len);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return; /* nowhere left to complain to */
        bytes += written;
        len -= (size_t)written;
    }
}

static void PRINTF_LIKE(4, 0) write_line(enum log_level level, const char *event,
                                         uint64_t suppressed, const char *format, va_list arguments)
{
    char line[LINE_MAX_BYTES];
    const size_t room = sizeof line - 1; /* for the end of line */
    int head = snprintf(line, room, "%s %s", level_names[level], event);
    size_t len = head < 0 ? 0 : (size_t)head < room ? (size_t)head : room - 1;
    if (suppressed && len < room) {
        int part =
            snprintf(line + len, room - len, " suppressed=%llu", (unsigned long long)suppressed);
        if (part > 0) len = len + (size_t)part < room ? len + (size_t)part : room - 1;
    }
    if (format && *format && len + 1 < room) {
        line[len++] = ' ';
        // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): the callers start it
        int part = vsnprintf(line + len, room - len, format, arguments);
        if (part > 0) len = len + (size_t)part < room ? len + (size_t)part : room - 1;
    }
    for (size_t i = 0; i < len; i++) /* one event is one line, whatever a value holds */
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) line[i] = '?';
    line[len++] = '\n';
    int saved = errno;
    write_all(line, len);
    errno = saved;
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    if (!level_is_on(level)) return;
    va_list arguments;
    va_start(arguments, format);
    write_line(level, event, 0, format, arguments);
    va_end(arguments);
}

/* True where a line may pass; *suppressed is what did not since the last one. */
static bool limit_pass(struct log_limit *limit, uint64_t *suppressed)
{
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&limit_lock);
    bool pass = limit->last_ms == 0 || now - limit->last_ms >= limit->interval_ms;
    if (pass) {
        *suppressed = limit->suppressed;
        limit->suppressed = 0;
        limit->last_ms = now ? now : 1;
    } else {
        limit->suppressed++;
    }
    pthread_mutex_unlock(&limit_lock);
    return pass;
}

void log_event_limited(struct log_limit *limit, enum log_level level, const char *event,
                       const char *format, ...)
{
    uint64_t suppressed = 0;
    if (!level_is_on(level) || !limit_pass(limit, &suppressed)) return;
    va_list arguments;
    va_start(arguments, format);
    write_line(level, event, suppressed, format, arguments);
    va_end(arguments);
}

static void quote_byte(struct buffer *out, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    const char escaped[] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    buffer_add(out, span_of(escaped, sizeof escaped));
}

/* Printable characters as they stand, the C1 controls and malformed bytes as \xNN. */
static void quote_into(struct buffer *out, struct span text)
{
    while (text.len) {
        unsigned char byte = (unsigned char)*text.ptr;
        size_t length = utf8_length(text);
        bool control = byte < 0x20 || byte == 0x7f ||
                       (length == 2 && byte == 0xC2 && (unsigned char)text.ptr[1] < 0xA0);
        if (length == 0 || control) {
            quote_byte(out, byte);
            text = span_skip(text, 1);
            continue;
        }
        if (byte == '"' || byte == '\\') buffer_add_byte(out, '\\');
        buffer_add(out, span_take(text, length));
        text = span_skip(text, length);
    }
}

const char *log_quote(struct span text, char out[LOG_QUOTE_MAX])
{
    struct buffer buffer;
    buffer_init(&buffer, out, LOG_QUOTE_MAX - 1);
    buffer_add_byte(&buffer, '"');
    quote_into(&buffer, span_cut_utf8(text, QUOTE_CUT));
    buffer_add_text(&buffer, text.len > QUOTE_CUT ? "...\"" : "\"");
    out[buffer.len] = '\0';
    return out;
}

const char *log_address(struct span address, char out[LOG_ADDRESS_MAX])
{
    struct buffer buffer;
    buffer_init(&buffer, out, LOG_ADDRESS_MAX - 1);
    if (atomic_load_explicit(&addresses_shown, memory_order_relaxed)) {
        quote_into(&buffer, span_cut_utf8(address, LOG_ADDRESS_MAX / 4 - 1));
        out[buffer.len] = '\0';
        return out;
    }
    char hash[HASH_HEX64_SIZE];
    hash_format_hex64(hash_xxh64(address, 0), hash);
    buffer_add(&buffer, span_of(hash, 8));
    size_t at = span_find_last_byte(address, '@');
    struct span domain = at == SPAN_NOT_FOUND ? SPAN_NONE : span_skip(address, at + 1);
    if (domain.len) buffer_add_byte(&buffer, '@');
    for (size_t i = 0; i < domain.len && i < DOMAIN_CUT; i++) {
        char c = byte_lower(domain.ptr[i]);
        buffer_add_byte(&buffer, byte_is_alnum(c) || c == '.' || c == '-' || c == '_' ? c : '?');
    }
    out[buffer.len] = '\0';
    return out;
}
