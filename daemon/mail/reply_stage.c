/* MTAs say at which command they were refused, each in its own words. The words are theirs
 * (Postfix, Exim, Sendmail, qmail), so a remote host's own text rarely holds them; where it does,
 * it names a stage earlier than RCPT at most, which makes a verdict milder. */
#include "mail/reply.h"

struct stage_phrase {
    const char *text; /* lower case; a blank stands for any white space */
    enum stage stage;
};

/* Longer phrases before their beginnings. */
static const struct stage_phrase phrases[] = {
    {"after connecting", STAGE_CONNECT},
    {"after data", STAGE_DATA},
    {"after ehlo", STAGE_HELO},
    {"after end of data", STAGE_EOD},
    {"after helo", STAGE_HELO},
    {"after initial connection", STAGE_CONNECT},
    {"after mail from:", STAGE_MAIL},
    {"after pipelined data", STAGE_DATA},
    {"after pipelined end of data", STAGE_EOD},
    {"after pipelined mail from:", STAGE_MAIL},
    {"after pipelined rcpt to:", STAGE_RCPT},
    {"after rcpt to:", STAGE_RCPT},
    {"after sending data block", STAGE_EOD},
    {"but greeting failed", STAGE_CONNECT},
    {"but my name was rejected", STAGE_HELO},
    {"but sender was rejected", STAGE_MAIL},
    {"does not like recipient", STAGE_RCPT},
    {"failed after i sent the message", STAGE_EOD},
    {"failed on data command", STAGE_DATA},
    {"in reply to data command", STAGE_DATA},
    {"in reply to ehlo command", STAGE_HELO},
    {"in reply to end of data command", STAGE_EOD},
    {"in reply to helo command", STAGE_HELO},
    {"in reply to mail from command", STAGE_MAIL},
    {"in reply to rcpt to command", STAGE_RCPT},
    {"refused to talk to me", STAGE_CONNECT},
    {"while performing the ehlo handshake", STAGE_HELO},
    {"while performing the helo handshake", STAGE_HELO},
    {"while performing the initial protocol handshake", STAGE_HELO},
    {"while receiving the initial server greeting", STAGE_CONNECT},
    {"while sending data command", STAGE_DATA},
    {"while sending end of data", STAGE_EOD},
    {"while sending mail from", STAGE_MAIL},
    {"while sending message body", STAGE_DATA},
    {"while sending rcpt to", STAGE_RCPT},
};

/* Sendmail's transcript: the last command that was sent. */
static const struct stage_phrase commands[] = {
    {">>> ehlo", STAGE_HELO},     {">>> helo", STAGE_HELO}, {">>> mail from:", STAGE_MAIL},
    {">>> rcpt to:", STAGE_RCPT}, {">>> data", STAGE_DATA},
};

static bool begins_with(struct span text, const char *phrase)
{
    size_t at = 0;
    for (; *phrase; phrase++) {
        if (*phrase == ' ') {
            if (at == text.len || !byte_is_space(text.ptr[at])) return false;
            while (at < text.len && byte_is_space(text.ptr[at])) at++;
        } else {
            if (at == text.len || byte_lower(text.ptr[at]) != *phrase) return false;
            at++;
        }
    }
    return at == text.len || !byte_is_alnum(phrase[-1]) || !byte_is_alnum(text.ptr[at]);
}

static enum stage stage_of(struct span text, const struct stage_phrase *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (begins_with(text, list[i].text)) return list[i].stage;
    return STAGE_NONE;
}

enum stage reply_find_stage(struct span text)
{
    enum stage last_command = STAGE_NONE;
    bool edge = true;
    for (size_t at = 0; at < text.len; at++) {
        char c = byte_lower(text.ptr[at]);
        struct span rest = span_skip(text, at);
        enum stage stage = STAGE_NONE;
        if (edge &&
            (c == 'a' || c == 'b' || c == 'd' || c == 'f' || c == 'i' || c == 'r' || c == 'w'))
            stage = stage_of(rest, phrases, sizeof phrases / sizeof phrases[0]);
        if (stage != STAGE_NONE) return stage;
        if (c == '>' && rest.len > 3 && rest.ptr[1] == '>' && rest.ptr[2] == '>' &&
            rest.ptr[3] == ' ') {
            stage = stage_of(rest, commands, sizeof commands / sizeof commands[0]);
            if (stage != STAGE_NONE) last_command = stage;
        }
        edge = !byte_is_alnum(c);
    }
    return last_command;
}
