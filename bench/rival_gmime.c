/* The stream reads the bytes where they are: GMime copies nothing before it parses. */
#include "bench/rival_gmime.h"
#include <gmime/gmime.h>
#include <string.h>

void rival_gmime_open(void)
{
    g_mime_init();
}

void rival_gmime_close(void)
{
    g_mime_shutdown();
}

unsigned rival_gmime_parse(struct span mail)
{
    GByteArray bytes = {.len = (guint)mail.len};
    memcpy(&bytes.data, &mail.ptr, sizeof bytes.data); /* is read only, but does not say so */
    GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(&bytes);
    g_mime_stream_mem_set_owner((GMimeStreamMem *)stream, FALSE);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    unsigned seen = message != NULL;
    if (message) g_object_unref(message);
    g_object_unref(parser);
    g_object_unref(stream);
    return seen;
}
