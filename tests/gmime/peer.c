#include "gmime/outline.h"
#include <gmime/gmime.h>

struct reader {
    struct arena *arena;
    struct outline *out;
};

static struct span copy_lower(const char *text, struct arena *arena)
{
    struct span name = span_from(text);
    char *bytes = arena_take(arena, name.len);
    for (size_t i = 0; i < name.len; i++) bytes[i] = byte_lower(name.ptr[i]);
    return span_of(bytes, name.len);
}

static struct span copy_stream(GMimeStream *stream, struct arena *arena)
{
    GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
    return arena_copy(arena, span_of(bytes->data, bytes->len));
}

static void leaf_read(GMimePart *part, struct arena *arena, struct outline_part *out)
{
    GMimeContentEncoding encoding = g_mime_part_get_content_encoding(part);
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    if (encoding == GMIME_CONTENT_ENCODING_BASE64) out->encoding = SPAN("base64");
    if (encoding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE)
        out->encoding = SPAN("quoted-printable");
    if (!content) return;
    GMimeStream *source = g_mime_data_wrapper_get_stream(content);
    GMimeStream *raw = g_mime_stream_mem_new(), *decoded = g_mime_stream_mem_new();
    g_mime_stream_reset(source);
    g_mime_stream_write_to_stream(source, raw);
    g_mime_stream_reset(source);
    g_mime_data_wrapper_write_to_stream(content, decoded);
    out->body = copy_stream(raw, arena);
    out->decoded = copy_stream(decoded, arena);
    g_object_unref(raw);
    g_object_unref(decoded);
}

static void object_add(struct reader *reader, GMimeObject *object, unsigned depth)
{
    if (reader->out->count == OUTLINE_MAX) return;
    struct outline_part *kept = &reader->out->parts[reader->out->count++];
    *kept = (struct outline_part){.depth = depth, .type = SPAN("text/plain")};
    if (!object) return; /* a mail of no bytes: no part for GMime, an empty one here */
    char *type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));
    kept->type = copy_lower(type, reader->arena);
    g_free(type);
    if (GMIME_IS_MULTIPART(object)) {
        GMimeMultipart *multipart = GMIME_MULTIPART(object);
        kept->is_multipart = true;
        for (int i = 0; i < g_mime_multipart_get_count(multipart); i++)
            object_add(reader, g_mime_multipart_get_part(multipart, i), depth + 1);
    } else if (GMIME_IS_MESSAGE_PART(object)) {
        GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
        object_add(reader, message ? g_mime_message_get_mime_part(message) : NULL, depth + 1);
    } else if (GMIME_IS_PART(object)) {
        leaf_read(GMIME_PART(object), reader->arena, kept);
    }
}

void outline_peer(struct span text, struct arena *arena, struct outline *out)
{
    struct reader reader = {.arena = arena, .out = out};
    static bool is_ready;
    if (!is_ready) g_mime_init();
    is_ready = true;
    out->count = 0;
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(text.len ? text.ptr : "", text.len);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    object_add(&reader, message ? g_mime_message_get_mime_part(message) : NULL, 0);
    if (message) g_object_unref(message);
    g_object_unref(parser);
    g_object_unref(stream);
}
