#include "intake/returned.h"
#include "intake/intake_private.h"
#include "mail/address.h"
#include "mail/header.h"

struct found { /* fields of the header, as they stand */
    struct span to, cc, sender_field, been_there, list_post, delivered, received_for;
    bool has_bcc;
};

/* "for <user@example.com>;" of a Received field: RFC 5321 4.4. */
static bool received_for(struct span value, struct arena *arena, struct span *out)
{
    for (size_t at = 0; at + 4 < value.len; at++) {
        size_t step = span_find(span_skip(value, at), SPAN("for "));
        if (step == SPAN_NOT_FOUND) return false;
        at += step;
        if (at == 0 || !byte_is_space(value.ptr[at - 1])) continue;
        struct span rest = span_trim(span_skip(value, at + 4));
        size_t len = 0;
        while (len < rest.len && rest.ptr[len] != ';' && !byte_is_space(rest.ptr[len])) len++;
        struct span word = span_take(rest, len);
        if (span_find_byte(word, '@') != SPAN_NOT_FOUND && address_find(word, arena, out))
            return true;
    }
    return false;
}

/* Received fields are read from the newest to the oldest: the last one that names a recipient wins.
 */
static void field_note(const struct header_field *field, const struct intake_scratch *scratch,
                       struct returned *out, struct found *found)
{
    struct arena *arena = scratch->arena;
    struct span name = field->name, value = field->value;
    if (scratch->config) config_read_field(scratch->config, name, value, arena, &out->marks);
    switch (name.len) {
    case 2:
        if (span_equal_fold(name, SPAN("to")) && !found->to.len) found->to = value;
        if (span_equal_fold(name, SPAN("cc"))) found->cc = value;
        break;
    case 3:
        found->has_bcc |= span_equal_fold(name, SPAN("bcc")) && value.len > 0;
        break;
    case 4:
        if (span_equal_fold(name, SPAN("from")) && !out->from.len)
            address_find(value, arena, &out->from);
        break;
    case 6:
        if (span_equal_fold(name, SPAN("sender"))) address_find(value, arena, &found->sender_field);
        break;
    case 8:
        if (span_equal_fold(name, SPAN("received")))
            received_for(value, arena, &found->received_for);
        break;
    case 9:
        if (span_equal_fold(name, SPAN("list-post"))) found->list_post = value;
        break;
    case 10:
        if (span_equal_fold(name, SPAN("message-id")) && !out->message_id.len)
            out->message_id = intake_bare_id(value);
        break;
    case 11:
        if (span_equal_fold(name, SPAN("return-path")) && !out->sender.len)
            address_find(value, arena, &out->sender);
        if (span_equal_fold(name, SPAN("x-beenthere"))) found->been_there = value;
        break;
    case 12:
        if (span_equal_fold(name, SPAN("delivered-to")))
            address_find(value, arena, &found->delivered);
        break;
    case 13:
        if (span_equal_fold(name, SPAN("x-original-to")) ||
            span_equal_fold(name, SPAN("x-envelope-to")))
            address_find(value, arena, &found->delivered);
        break;
    case 24: /* Outlook.com's complaints */
        if (span_equal_fold(name, SPAN("x-hmxmroriginalrecipient")))
            address_find(value, arena, &found->delivered);
        break;
    }
}

/* The one address of a field; false where there are several or none. */
static bool only_address(struct span value, struct arena *arena, struct span *out)
{
    bool is_quoted = false;
    unsigned angles = 0;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '\\')
            i++;
        else if (c == '"')
            is_quoted = !is_quoted;
        else if (!is_quoted && c == '<')
            angles++;
        else if (!is_quoted && (c == ',' || c == ';'))
            return false;
    }
    return angles <= 1 && address_find(value, arena, out);
}

void returned_read(struct span text, const struct intake_scratch *scratch, struct returned *out)
{
    struct arena *arena = scratch->arena;
    struct found found = {.has_bcc = false};
    struct header_reader reader;
    struct header_field field;
    *out = (struct returned){.is_list = false};
    text = span_take(text, 2 * HEADER_SIZE_MAX);
    while (text.len && byte_is_space(*text.ptr)) text = span_skip(text, 1);
    header_reader_init(&reader, text);
    while (header_next(&reader, &field) == HEADER_FIELD) field_note(&field, scratch, out, &found);
    out->is_list = found.list_post.len > 0 || found.been_there.len > 0;
    out->trace = found.received_for.len ? found.received_for : found.delivered;
    if (!found.cc.len && !found.has_bcc) only_address(found.to, arena, &out->to);
    if (found.sender_field.len && intake_same_address(out->to, found.sender_field))
        out->to = SPAN_NONE;
}

void returned_read_part(const struct mime_part *part, const struct intake_scratch *scratch,
                        struct returned *out)
{
    struct mime_part head = *part;
    bool is_encoded = span_equal_fold(part->encoding, SPAN("base64")) ||
                      span_equal_fold(part->encoding, SPAN("quoted-printable"));
    head.body = span_take(head.body, 2 * HEADER_SIZE_MAX);
    struct span text = head.body;
    if (is_encoded) text = mime_part_text(&head, scratch->charset, scratch->arena);
    returned_read(text, scratch, out);
}

void returned_apply(const struct returned *returned, struct bounce *bounce)
{
    if (returned->message_id.len) bounce->message_id = returned->message_id;
    if (!bounce->sender.len)
        bounce->sender = returned->sender.len ? returned->sender : returned->from;
    if (!bounce->from_domain.len) bounce->from_domain = address_domain(returned->from);
}

static bool is_usable(const struct returned *returned, const struct intake_config *config,
                      struct span address)
{
    return address.len > 0 && !returned->is_list && !intake_same_address(address, returned->from) &&
           !intake_same_address(address, returned->sender) && !config_is_own(config, address);
}

void returned_choose(const struct returned *returned, const struct intake_config *config,
                     bool is_only, struct span original, struct span final, struct bounce *bounce)
{
    struct span to = returned->to, mark = returned->marks.recipient;
    if (config_is_own(config, original)) original = SPAN_NONE;
    struct span reported = original.len                   ? original
                           : config_is_own(config, final) ? SPAN_NONE
                                                          : final;
    struct span chosen = reported;
    bool is_in_to = to.len && (intake_same_address(to, final) || intake_same_address(to, original));
    bool is_by_trace = !is_in_to && is_only && is_usable(returned, config, returned->trace);
    if (is_only && mark.len && !config_is_own(config, mark))
        chosen = mark;
    else if (is_by_trace)
        chosen = returned->trace;
    else if (is_in_to ? !config_is_own(config, to) : is_only && is_usable(returned, config, to))
        chosen = to;
    bounce->recipient = chosen;
    bounce->final_recipient = SPAN_NONE;
    struct span other = final.len ? final : original;
    if (chosen.len && other.len && !intake_same_address(other, chosen))
        bounce->final_recipient = other;
}
