/* qmail's notice (qmail-send.c; https://cr.yp.to/proto/qsbmf.txt): a paragraph for each recipient
 * that begins with its address, a colon and a line end; the copy of the message behind a line that
 * begins with "---". Yahoo! JAPAN sends the same. */
#include "intake/cause.h"
#include "intake/intake_private.h"
#include "intake/notice.h"
#include "intake/returned.h"

/* "Giving up on 192.0.2.1." and "Connected to 192.0.2.1 but": the host that answered. */
static struct span remote_host(struct span text)
{
    static const struct span before[] = {{"Giving up on ", 13}, {"Connected to ", 13}};
    if (!text.ptr) return SPAN_NONE;
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        size_t at = span_find(text, before[i]);
        if (at == SPAN_NOT_FOUND) continue;
        struct span host = span_skip(text, at + before[i].len);
        size_t len = 0;
        while (len < host.len && len < 255 &&
               (byte_is_alnum(host.ptr[len]) || host.ptr[len] == '.' || host.ptr[len] == '-' ||
                host.ptr[len] == ':'))
            len++;
        while (len > 0 && !byte_is_alnum(host.ptr[len - 1])) len--;
        if (len > 0) return span_take(host, len);
    }
    return SPAN_NONE;
}

/* What Courier and phone carriers write above the address: that it is no more than a delay, and the
 * cause where none stands below. */
static void read_preamble(const struct notice *notice, const struct intake_scratch *scratch,
                          struct bounce *bounces)
{
    struct span before =
        span_of(notice->text.ptr, (size_t)(notice->entries[0].address.ptr - notice->text.ptr));
    bool is_delay = notice_is_delay(SPAN_NONE, before);
    for (size_t i = 0; i < notice->count; i++) {
        bounces[i].delayed = is_delay;
        if (is_delay) bounces[i].type = BOUNCE_DEFERRAL;
        if (bounces[i].diagnostic.len == 0)
            bounces[i].diagnostic = intake_diagnostic(cause_find(cue_index_get(), before), scratch);
    }
}

bool intake_qmail_notice(const struct notice *notice, const struct intake_input *input,
                         const struct intake_scratch *scratch, struct intake_output *out)
{
    if (notice->count == 0 || !notice->is_qmail) return false;
    struct bounce *bounces = intake_bounces(input, scratch, FORMAT_QMAIL, notice->count, out);
    if (!bounces) return true;
    struct returned returned;
    returned_read(notice->copy, scratch, &returned);
    for (size_t i = 0; i < notice->count; i++) {
        struct bounce *bounce = &bounces[i];
        bounce->recipient = notice->entries[i].address;
        bounce->diagnostic = intake_diagnostic(notice->entries[i].text, scratch);
        bounce->remote_host = remote_host(bounce->diagnostic);
        returned_apply(&returned, bounce);
    }
    read_preamble(notice, scratch, bounces);
    return true;
}

bool intake_qmail(struct span text, const struct intake_input *input,
                  const struct intake_scratch *scratch, struct intake_output *out)
{
    struct notice notice;
    return notice_read(text, scratch->arena, &notice) &&
           intake_qmail_notice(&notice, input, scratch, out);
}
