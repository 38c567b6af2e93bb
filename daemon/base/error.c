#include "base/error.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool error_set(struct error *error, enum exit_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error->code = code;
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return false;
}

bool error_prefix(struct error *error, const char *format, ...)
{
    char prefix[ERROR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    size_t head = strlen(prefix), tail = strlen(error->text);
    if (head + 2 >= sizeof error->text) return false;
    if (head + 2 + tail >= sizeof error->text) tail = sizeof error->text - head - 3;
    memmove(error->text + head + 2, error->text, tail);
    memcpy(error->text, prefix, head);
    memcpy(error->text + head, ": ", 2);
    error->text[head + 2 + tail] = '\0';
    return false;
}
