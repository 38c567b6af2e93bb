/* The dispatcher: the limits that hold for every form, which form it is, and what the forms share.
 */
#include "intake/intake.h"
#include "intake/intake_private.h"
#include "mail/address.h"

static const struct {
    const char *name, *sentence;
} dead_reasons[] = {
    [DEAD_NONE] = {"", ""},
#define DEAD(symbol, name, sentence) [DEAD_##symbol] = {name, sentence},
#include "schema/dead_reasons.def"
#undef DEAD
};

const char *dead_reason_name(enum dead_reason reason)
{
    return dead_reasons[reason].name;
}

const char *dead_reason_sentence(enum dead_reason reason)
{
    return dead_reasons[reason].sentence;
}

void intake_dead(struct intake_output *out, enum dead_reason reason, struct span detail)
{
    *out = (struct intake_output){.dead = reason, .detail = detail};
}

struct bounce *intake_bounces(const struct intake_input *input,
                              const struct intake_scratch *scratch, enum format format,
                              size_t count, struct intake_output *out)
{
    struct bounce *bounces = NULL;
    if (count <= BOUNCE_RECIPIENTS_MAX)
        bounces = arena_take(scratch->arena, count * sizeof *bounces);
    if (!bounces) {
        bool is_many = count > BOUNCE_RECIPIENTS_MAX;
        intake_dead(out, is_many ? DEAD_TOO_MANY_RECIPIENTS : DEAD_TOO_LARGE,
                    is_many ? SPAN_NONE : SPAN("it needs more memory than is allowed"));
        return NULL;
    }
    struct bounce first;
    bounce_init(&first);
    first.format = format;
    first.tenant = input->tenant;
    first.message_id = intake_bare_id(input->message_id);
    first.time_ms = input->time_ms;
    for (size_t i = 0; i < count; i++) bounces[i] = first;
    *out = (struct intake_output){.bounces = bounces, .count = count, .dead = DEAD_NONE};
    return bounces;
}

bool intake_header_recipient(const struct intake_input *input, struct arena *arena,
                             struct span *out)
{
    return input->recipient.len > 0 && address_find(input->recipient, arena, out);
}

struct span intake_diagnostic(struct span text, const struct intake_scratch *scratch)
{
    text = span_trim(span_cut_utf8(span_trim(text), DIAGNOSTIC_MAX));
    text = charset_to_utf8(scratch->charset, SPAN("utf-8"), text, scratch->arena);
    return span_trim(
        span_cut_utf8(text, DIAGNOSTIC_MAX)); /* U+FFFD is longer than the byte it is for */
}

struct span intake_bare_id(struct span message_id)
{
    enum { LINE_MAX = 998 }; /* RFC 5322 2.1.1; each recipient of a mail carries it */
    struct span id = span_take(span_trim(message_id), LINE_MAX);
    size_t open = span_find_byte(id, '<');
    if (open != SPAN_NOT_FOUND) {
        id = span_skip(id, open + 1);
        size_t close = span_find_byte(id, '>');
        if (close != SPAN_NOT_FOUND) id = span_take(id, close);
    }
    return span_trim(id);
}

bool intake_same_address(struct span a, struct span b)
{
    return span_equal_fold(a, b);
}

static bool is_blank(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!byte_is_space(text.ptr[i])) return false;
    return true;
}

void intake_parse(const struct intake_input *input, const struct intake_scratch *scratch,
                  struct intake_output *out)
{
    *out = (struct intake_output){.dead = DEAD_NONE};
    if (is_blank(input->bytes)) {
        intake_dead(out, DEAD_EMPTY, SPAN_NONE);
        return;
    }
    if (input->bytes.len > INTAKE_SIZE_MAX) {
        intake_dead(out, DEAD_TOO_LARGE, SPAN_NONE);
        return;
    }
    if (!tenant_is_valid(input->tenant)) {
        intake_dead(out, DEAD_BAD_TENANT, SPAN("the tenant in the record's header"));
        return;
    }
    enum intake_form form = input->form;
    if (form == INTAKE_AUTO) form = intake_sniff(input->bytes, input->content_type);
    if (form != INTAKE_MAIL && span_find_byte(input->bytes, '\0') != SPAN_NOT_FOUND) {
        intake_dead(out, DEAD_NUL_BYTES, SPAN_NONE);
        return;
    }
    switch (form) {
    case INTAKE_MAIL:
        intake_mail(input, scratch, out);
        break;
    case INTAKE_EVENT:
        intake_event(input, scratch, out);
        break;
    case INTAKE_AUTO:
    case INTAKE_REPLY:
        intake_reply(input, scratch, out);
        break;
    }
}
