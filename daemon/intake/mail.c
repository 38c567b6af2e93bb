/* A whole mail: which form it is. Reports with a machine-readable part come first, then what a
 * dialect reads. What is left is a bounce for people, an automatic answer (RFC 3834) or ordinary
 * mail; bounces carry Auto-Submitted too, so that the content decides: an answer is what says so
 * and does not come from a mail system. */
#include "intake/dialect.h"
#include "intake/intake_private.h"
#include "intake/people.h"
#include "mail/address.h"

static void one_ignored(const struct report *report, enum bounce_type type, enum reason reason,
                        struct intake_output *out)
{
    struct bounce *bounce = intake_bounces(report->input, report->scratch, FORMAT_MAIL, 1, out);
    if (!bounce) return;
    bounce->type = type;
    bounce->reason_by_form = reason;
    /* Of an automatic answer it is the sender of the answer who was mailed. */
    address_find(report->head.from, report->scratch->arena, &bounce->recipient);
    report_apply(report, bounce);
}

static void mail_for_people(const struct report *report, const struct traits *traits,
                            struct intake_output *out)
{
    bool is_answer = traits->says_answer || report->has_disposition;
    if (traits_are_of_bounce(report, traits))
        people_read(report, traits, out);
    else if (is_answer || !traits_allow_bounce(traits) || !people_try(report, traits, out))
        one_ignored(report, is_answer || traits->is_auto ? BOUNCE_AUTO_REPLY : BOUNCE_ORDINARY,
                    is_answer || traits->is_auto ? REASON_AUTO_REPLY : REASON_NOT_A_BOUNCE, out);
}

static void mail_read(const struct report *report, struct intake_output *out)
{
    struct traits traits;
    if (report->has_status) {
        intake_dsn(report, out);
        return;
    }
    if (report->has_feedback) {
        intake_arf(report, out);
        return;
    }
    traits_read(report, &traits);
    if (!dialect_read(report, &traits, out)) mail_for_people(report, &traits, out);
}

/* Whatever form named it: an address of the sender's own domains is nobody who bounced. */
static void own_drop(const struct intake_config *config, struct intake_output *out)
{
    size_t kept = 0;
    if (!config || !config->own_domain_count || out->count == 0) return;
    for (size_t i = 0; i < out->count; i++) {
        const struct bounce *bounce = &out->bounces[i];
        if (bounce->type < BOUNCE_AUTO_REPLY && config_is_own(config, bounce->recipient)) continue;
        if (kept != i) out->bounces[kept] = *bounce;
        kept++;
    }
    out->count = kept;
    if (kept == 0)
        intake_dead(out, DEAD_NO_RECIPIENT, SPAN("it names none but addresses of own domains"));
}

void intake_mail(const struct intake_input *input, const struct intake_scratch *scratch,
                 struct intake_output *out)
{
    struct report report;
    if (!report_open(input, scratch, &report)) {
        intake_dead(out, DEAD_TOO_LARGE, SPAN("it needs more memory than is allowed"));
        return;
    }
    mail_read(&report, out);
    own_drop(scratch->config, out);
}
