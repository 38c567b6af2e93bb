/* Sun/Oracle Messaging Server (iPlanet, PMDF): a block of labelled lines for each recipient, where
 * the report for machines was lost or was never asked for. "Original address" is the one that was
 * mailed, "Recipient address" what it became. */
#include "intake/dialect.h"
#include "intake/intake_private.h"
#include "intake/notice.h"
#include "mail/address.h"
#include "mail/line.h"

enum { LOOK_MAX = 64 * 1024, BLOCKS_MAX = 200 };

struct block {
    struct span final, original, reason, diagnostic, system;
};

/* What stands behind "Label:" in the line. */
static bool labelled(struct span line, struct span label, struct span *value)
{
    if (!span_starts_fold(line, label)) return false;
    *value = span_trim(span_skip(line, label.len));
    return true;
}

static void block_note(struct block *block, struct span line)
{
    (void)(labelled(line, SPAN("original address:"), &block->original) ||
           labelled(line, SPAN("reason:"), &block->reason) ||
           labelled(line, SPAN("diagnostic code:"), &block->diagnostic) ||
           labelled(line, SPAN("remote system:"), &block->system));
}

static size_t blocks_read(struct span text, struct block *blocks)
{
    struct line_reader lines;
    struct span line, address;
    size_t count = 0;
    line_reader_init(&lines, span_take(text, LOOK_MAX));
    while (line_next(&lines, &line)) {
        line = span_trim(line);
        if (labelled(line, SPAN("recipient address:"), &address)) {
            if (count == BLOCKS_MAX) break;
            blocks[count++] = (struct block){.final = address};
        } else if (count) {
            block_note(&blocks[count - 1], line);
        }
    }
    return count;
}

/* "smtp;550 …" → "550 …", "dns;mx.example.com (…)" → "mx.example.com". */
static struct span behind_type(struct span value)
{
    size_t at = span_find_byte(span_take(value, 16), ';');
    return at == SPAN_NOT_FOUND ? value : span_trim(span_skip(value, at + 1));
}

static struct span first_word(struct span text)
{
    size_t len = 0;
    while (len < text.len && !byte_is_space(text.ptr[len])) len++;
    return span_take(text, len);
}

static bool block_fill(const struct report *report, const struct returned *returned, bool is_only,
                       const struct block *block, struct bounce *bounce)
{
    const struct intake_scratch *scratch = report->scratch;
    struct span final = SPAN_NONE, original = SPAN_NONE;
    address_find(block->final, scratch->arena, &final);
    address_find(block->original, scratch->arena, &original);
    returned_choose(returned, scratch->config, is_only, original, final, bounce);
    struct span words = behind_type(block->diagnostic);
    bounce->diagnostic = intake_diagnostic(words.len ? words : block->reason, scratch);
    bounce->remote_host = first_word(behind_type(block->system));
    returned_apply(returned, bounce);
    report_apply(report, bounce);
    return bounce->recipient.len > 0;
}

bool messaging_server_read(const struct report *report, const struct traits *traits,
                           struct intake_output *out)
{
    struct span text = report_human_text(report);
    struct block *blocks = arena_take(report->scratch->arena, BLOCKS_MAX * sizeof *blocks);
    struct notice notice;
    if (!blocks || !notice_read(text, report->scratch->arena, &notice)) return false;
    size_t count = blocks_read(notice.text, blocks), kept = 0;
    if (count == 0) return false;
    struct bounce *bounces =
        intake_bounces(report->input, report->scratch, FORMAT_MAIL, count, out);
    if (!bounces) return true;
    struct returned returned = report->returned;
    if (!report->has_original) returned_read(notice.copy, report->scratch, &returned);
    bool is_delay = notice_is_delay(traits->subject, notice.text);
    for (size_t i = 0; i < count; i++) {
        struct bounce *bounce = &bounces[kept], fresh = *bounce;
        bounce->delayed = is_delay;
        if (is_delay) bounce->type = BOUNCE_DEFERRAL;
        if (block_fill(report, &returned, count == 1, &blocks[i], bounce))
            kept++;
        else
            *bounce = fresh;
    }
    out->count = kept;
    return kept > 0;
}
