/* Bounces and automatic answers carry the same fields (Auto-Submitted, a null return path), so each
 * sign is kept by itself, and only together they decide. */
#include "intake/traits.h"
#include "intake/intake_private.h"
#include "intake/words.h"
#include "mail/address.h"

enum { FIELD_LOOK_MAX = 1024 };

static const struct span daemon_names[] = {
    {"mailer-daemon", 13},
    {"mailerdaemon", 12},
    {"mailer daemon", 13},
    {"mail-daemon", 11},
    {"maildaemon", 10},
    {"mail daemon", 11},
    {"mdaemon@", 8},
    {"mail delivery s", 15},
    {"mail deamon", 11},
    {"mail delivery system", 20},
    {"mmsc ndr", 8},
    {"mail delivery service", 21},
    {"mail delivery agent", 19},
};
static const struct span postmaster_names[] = {
    {"postmaster", 10},
    {"system administrator", 20},
    {"mail administrator", 18},
    {"mailadministrator", 17},
    {"mail system", 11},
    {"mail router", 11},
    {"mail server", 11},
    {"email server", 12},
    {"mail transport", 14},
    {"microsoft exchange", 18},
    {"systemadministrator", 19},
    {"microsoft outlook", 17},
    {"administrateur", 14},
    {"mail gateway", 12},
    {"email gateway", 13},
    {"mail security", 13},
    {"message router", 14},
    {"smtp@", 5},
    {"mta@", 4},
    {"bounce@", 7},
    {"bounces@", 8},
    {"post_master", 11},
    {"mail delivery", 13},
    {"groups-noreply@", 15},
    {"spam firewall", 13},
    {"spam filter", 11},
};
static const struct span role_names[] = {
    {"no-reply", 8},  {"noreply", 7},  {"no_reply", 8}, {"donotreply", 10}, {"do-not-reply", 12},
    {"sysadmin", 8},  {"admin", 5},    {"root@", 5},    {"system@", 7},     {"notification", 12},
    {"mailer", 6},    {"delivery", 8}, {"daemon", 6},   {"mailbot", 7},     {"robot", 5},
    {"autoreply", 9}, {"mail@", 5},    {"error", 5},    {"undeliver", 9},   {"returned", 8},
};
static const struct span bounce_subjects[] = {
    {"undeliver", 9},
    {"delivery status", 15},
    {"failure notice", 14},
    {"failure delivery", 16},
    {"returned mail", 13},
    {"returned message", 16},
    {"mail returned", 13},
    {"mail delivery failed", 20},
    {"mail delivery error", 19},
    {"delivery failure", 16},
    {"delivery failed", 15},
    {"failed delivery", 15},
    {"failed mail", 11},
    {"delivery has failed", 19},
    {"could not be delivered", 22},
    {"couldn't be delivered", 21},
    {"cannot be delivered", 19},
    {"mail delivery system", 20},
    {"non-delivery", 12},
    {"nondelivery", 11},
    {"nondeliverable", 14},
    {"non delivery", 12},
    {"non remis", 9},
    {"delivery notification", 21},
    {"delivery report", 15},
    {"delivery error", 14},
    {"delivery problem", 16},
    {"delivery delayed", 16},
    {"delivery unsuccessful", 21},
    {"delivery warning", 16},
    {"problem delivering", 18},
    {"problems delivering", 19},
    {"unable to deliver", 17},
    {"unable to send", 14},
    {"mail failure", 12},
    {"mail error", 10},
    {"mail system error", 17},
    {"mail delivery problem", 21},
    {"message delayed", 15},
    {"message status", 14},
    {"could not send", 14},
    {"user unknown", 12},
    {"unknown user", 12},
    {"address not found", 17},
    {"returned to sender", 18},
    {"return to sender", 16},
    {"returning message to sender", 27},
    {"rejected mail", 13},
    {"rejected:", 9},
    {"message rejected", 16},
    {"mail rejected", 13},
    {"automatically rejected", 22},
    {"message blocked", 15},
    {"not delivered", 13},
    {"wasn't delivered", 16},
    {"not been delivered", 18},
    {"error sending", 13},
    {"bounced mail", 12},
    {"[bounce]", 8},
    {"bounce ", 7},
    {"unzustellbar", 12},
    {"nicht zugestellt", 16},
    {"nicht zustellbar", 16},
    {"zustellung", 10},
    {"fehler bei der zustellung", 25},
    {"chec de la remise", 17},
    {"chec de remise", 14},
    {"no se puede entregar", 20},
    {"no entregado", 12},
    {"error de entrega", 16},
    {"non recapitabile", 16},
    {"mancata consegna", 16},
    {"mancato recapito", 16},
    {"falha na entrega", 16},
    {"falha de entrega", 16},
    {"onbestelbaar", 12},
    {"niet bezorgd", 12},
    {"niedostarczon", 13},
    {"nie dostarczon", 14},
    {"недостав", 16},
    {"не доставлено", 25},
    {"エラー通知", 15},
    {"配信不能", 12},
    {"送信エラー", 15},
    {"配信エラー", 15},
    {"退信", 6},
    {"message you sent blocked", 24},
    {"mail delivery warning", 21},
    {"mensaje devuelto", 16},
    {"correo devuelto", 15},
    {"devuelto al remitente", 21},
    {"no entregad", 11},
    {"no se pudo entregar", 19},
    {"error en la entrega", 19},
    {"fallo en la entrega", 19},
    {"fallo de entrega", 16},
    {"falló la entrega", 17},
    {"non délivré", 13},
    {"non distribu", 12},
    {"non-remis", 9},
    {"message refus", 13},
    {"echec de", 8},
    {"chec de l'envoi", 15},
    {"retour à l'exp", 15},
    {"nachricht konnte nicht", 22},
    {"não entregue", 13},
    {"nao entregue", 12},
    {"mensagem devolvida", 18},
    {"e-mail devolvido", 16},
    {"erro de entrega", 15},
    {"erro na entrega", 15},
    {"falha no envio", 14},
    {"impossibile recapitare", 22},
    {"impossibile consegnare", 22},
    {"impossibile inviare", 19},
    {"errore di consegna", 18},
    {"consegna non riuscita", 21},
    {"messaggio respinto", 18},
    {"non consegnat", 13},
    {"non recapitat", 13},
    {"niet afgeleverd", 15},
    {"niet-bezorgd", 12},
    {"bezorging mislukt", 17},
    {"aflevering mislukt", 18},
    {"nieudane dostarczenie", 21},
    {"nedoručen", 10},
    {"nedoruciteln", 12},
    {"kunde inte levereras", 20},
    {"ej levererat", 12},
    {"kunne ikke leveres", 18},
    {"ikke levert", 11},
    {"ikke leveret", 12},
    {"ei voitu toimittaa", 18},
    {"toimitus epäonn", 16},
    {"teslim edilemedi", 16},
    {"iletilemedi", 11},
    {"gönderilemedi", 14},
    {"kézbesít", 10},
    {"шибка достав", 23},
    {"едостав", 14},
    {"е доставлен", 21},
    {"оставка не удалась", 34},
    {"е удалось достав", 30},
    {"евозможно достав", 31},
    {"озврат письм", 23},
    {"озврат сообщ", 23},
    {"投递失败", 12},
    {"е вдалося достав", 30},
    {"е доставлено", 23},
    {"unzustell", 9},
    {"zustellfehler", 13},
    {"投递不成功", 15},
    {"发送失败", 12},
    {"退件", 6},
    {"傳送失敗", 12},
    {"寄送失敗", 12},
    {"無法傳送", 12},
    {"無法送達", 12},
    {"无法投递", 12},
    {"无法送达", 12},
    {"无法发送", 12},
    {"未送达", 9},
    {"送信できません", 21},
    {"配信できません", 21},
    {"届きません", 15},
    {"エラーメール", 18},
    {"送信失敗", 12},
    {"配送エラー", 15},
    {"未配信", 9},
    {"お届けできません", 24},
    {"반송 메일", 13},
    {"반송메일", 12},
    {"메일 반송", 13},
    {"전송 실패", 13},
    {"전송실패", 12},
    {"발송 실패", 13},
    {"발송실패", 12},
    {"전달 실패", 13},
    {"배달 실패", 13},
    {"배달되지 않", 16},
};
static const struct span answer_subjects[] = {
    {"out of office", 13},
    {"out of the office", 17},
    {"out-of-office", 13},
    {"automatic reply", 15},
    {"automated reply", 15},
    {"automated response", 18},
    {"automatic response", 18},
    {"autoreply", 9},
    {"auto-reply", 10},
    {"auto reply", 10},
    {"autorespon", 10},
    {"auto respon", 11},
    {"auto-respon", 11},
    {"auto:", 5},
    {"on vacation", 11},
    {"vacation", 8},
    {"away from my", 12},
    {"automatische antwort", 20},
    {"automatisch antwoord", 20},
    {"automatisk svar", 15},
    {"abwesen", 7},
    {"absence", 7},
    {"absent du bureau", 16},
    {"réponse automatique", 20},
    {"respuesta autom", 15},
    {"resposta autom", 14},
    {"risposta automatica", 19},
    {"fuera de la oficina", 19},
    {"ausente", 7},
    {"assente", 7},
    {"afwezig", 7},
    {"autosvar", 8},
    {"автоответ", 18},
    {"автоматический ответ", 39},
    {"自動応答", 12},
    {"自動返信", 12},
    {"不在", 6},
    {"自动回复", 12},
    {"自動回覆", 12},
    {"외출", 6},
    {"자동 회신", 13},
    {"please confirm", 14},
    {"confirm your message", 20},
    {"challenge-response", 18},
    {"verify your email", 17},
};

static const struct span success_subjects[] = {
    {"relayed:", 8},     {"delivered:", 10},       {"successful mail delivery", 24},
    {"(success)", 9},    {"(relay)", 7},           {"delivery success", 16},
    {"zugestellt:", 11}, {"delivery receipt", 16},
};

static struct words daemons = WORDS(daemon_names), postmasters = WORDS(postmaster_names),
                    roles = WORDS(role_names), of_bounces = WORDS(bounce_subjects),
                    of_answers = WORDS(answer_subjects), of_successes = WORDS(success_subjects);

static bool has_any(struct span text, struct words *words)
{
    return words_find_any(words, span_take(text, FIELD_LOOK_MAX));
}

static bool is_answer_to(struct span subject)
{
    static const struct span marks[] = {{"re:", 3},  {"fwd:", 4},  {"fw:", 3}, {"aw:", 3},
                                        {"wg:", 3},  {"sv:", 3},   {"tr:", 3}, {"rv:", 3},
                                        {"rif:", 4}, {"antw:", 5}, {"vs:", 3}, {"res:", 4}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (span_starts_fold(subject, marks[i])) return true;
    return false;
}

/* Help desks quote what they were sent under its own subject. */
static bool is_of_help_desk(struct span subject)
{
    static const struct span marks[] = {
        {"[ticket", 7}, {"[#", 2},       {"[case", 5},     {"[request", 8}, {"[rt ", 4},
        {"ticket#", 7}, {"ticket #", 8}, {"ticket id", 9}, {"case #", 6},   {"[incident", 9},
    };
    if (span_find_byte(subject, '[') == SPAN_NOT_FOUND &&
        span_find_byte(subject, '#') == SPAN_NOT_FOUND)
        return span_find_fold(subject, SPAN("ticket id")) != SPAN_NOT_FOUND;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (span_find_fold(subject, marks[i]) != SPAN_NOT_FOUND) return true;
    return false;
}

static bool is_null_path(struct span value)
{
    return value.len == 0 || span_equal(value, SPAN("<>")) ||
           span_starts_fold(value, SPAN("<mailer-daemon")) ||
           span_starts_fold(value, SPAN("mailer-daemon"));
}

void traits_read(const struct report *report, struct traits *out)
{
    const struct mail_head *head = &report->head;
    const struct intake_scratch *scratch = report->scratch;
    struct span from =
        header_decode(span_take(head->from, FIELD_LOOK_MAX), scratch->charset, scratch->arena);
    struct span subject =
        header_decode(span_take(head->subject, FIELD_LOOK_MAX), scratch->charset, scratch->arena);
    *out = (struct traits){.from = from, .subject = subject};
    address_find(from, scratch->arena, &out->from_address);
    out->is_daemon = has_any(from, &daemons);
    out->is_postmaster = has_any(from, &postmasters);
    out->is_role = out->is_postmaster || has_any(from, &roles);
    out->is_null_sender = head->has_return_path && is_null_path(head->return_path);
    out->is_answer_to = is_answer_to(subject) || is_of_help_desk(subject);
    out->is_success = words_find_any(&of_successes, subject);
    out->is_bounce_subject = !out->is_answer_to && has_any(subject, &of_bounces);
    out->is_auto =
        head->auto_submitted.len > 0 && !span_starts_fold(head->auto_submitted, SPAN("no"));
    out->says_answer = head->says_auto_reply || has_any(subject, &of_answers) ||
                       span_starts_fold(head->precedence, SPAN("auto_reply"));
    out->is_list = head->list_id.len > 0 || span_starts_fold(head->precedence, SPAN("list"));
}

bool traits_are_of_bounce(const struct report *report, const struct traits *traits)
{
    if (report->head.failed_recipients.len || report->head.is_qmail_bounce) return true;
    if (traits->is_success) return false;
    if (traits->is_daemon) return !traits->says_answer || traits->is_bounce_subject;
    return (traits->is_null_sender || traits->is_postmaster) && traits->is_bounce_subject;
}

bool traits_allow_bounce(const struct traits *traits)
{
    if (traits->is_list || traits->is_answer_to || traits->says_answer || traits->is_success)
        return false;
    if (traits->is_null_sender || traits->is_postmaster) return true;
    return traits->is_role && traits->is_bounce_subject;
}
