/* MTAs say at which command they were refused, each in its own words. The words are theirs
 * (Postfix, Exim, Sendmail, qmail), so a remote host's own text rarely holds them; where it does,
 * it names a stage earlier than RCPT at most, which makes a verdict milder. */
#include "mail/reply.h"
#include "base/simd.h"

/* How a phrase goes on, what is said most first; lower case; a blank stands for any white space. */
struct stage_phrase {
    const char *text;
    enum stage stage;
};

static const struct stage_phrase after[] = {
    {"pipelined rcpt to:", STAGE_RCPT},
    {"rcpt to:", STAGE_RCPT},
    {"connecting", STAGE_CONNECT},
    {"data", STAGE_DATA},
    {"ehlo", STAGE_HELO},
    {"end of data", STAGE_EOD},
    {"helo", STAGE_HELO},
    {"initial connection", STAGE_CONNECT},
    {"mail from:", STAGE_MAIL},
    {"pipelined data", STAGE_DATA},
    {"pipelined end of data", STAGE_EOD},
    {"pipelined mail from:", STAGE_MAIL},
    {"sending data block", STAGE_EOD},
};
static const struct stage_phrase but[] = {
    {"greeting failed", STAGE_CONNECT},
    {"my name was rejected", STAGE_HELO},
    {"sender was rejected", STAGE_MAIL},
};
static const struct stage_phrase does[] = {
    {"not like recipient", STAGE_RCPT},
};
static const struct stage_phrase failed[] = {
    {"after i sent the message", STAGE_EOD},
    {"on data command", STAGE_DATA},
};
static const struct stage_phrase in_reply_to[] = {
    {"rcpt to command", STAGE_RCPT}, {"data command", STAGE_DATA},
    {"ehlo command", STAGE_HELO},    {"end of data command", STAGE_EOD},
    {"helo command", STAGE_HELO},    {"mail from command", STAGE_MAIL},
};
static const struct stage_phrase refused[] = {
    {"to talk to me", STAGE_CONNECT},
};
static const struct stage_phrase while_[] = {
    {"sending rcpt to", STAGE_RCPT},
    {"performing the ehlo handshake", STAGE_HELO},
    {"performing the helo handshake", STAGE_HELO},
    {"performing the initial protocol handshake", STAGE_HELO},
    {"receiving the initial server greeting", STAGE_CONNECT},
    {"sending data command", STAGE_DATA},
    {"sending end of data", STAGE_EOD},
    {"sending mail from", STAGE_MAIL},
    {"sending message body", STAGE_DATA},
};
/* Sendmail's transcript: the last command that was sent. */
static const struct stage_phrase commands[] = {
    {"ehlo", STAGE_HELO},     {"helo", STAGE_HELO}, {"mail from:", STAGE_MAIL},
    {"rcpt to:", STAGE_RCPT}, {"data", STAGE_DATA},
};

/* The beginnings, told by their first three letters. */
enum beginning { AFTER, BUT, DOES, FAILED, IN_REPLY_TO, REFUSED, WHILE, COMMAND, BEGINNINGS };
static const struct {
    const char *text;
    const struct stage_phrase *phrases;
    size_t count;
} beginnings[BEGINNINGS] = {
    [AFTER] = {"after ", after, sizeof after / sizeof after[0]},
    [BUT] = {"but ", but, sizeof but / sizeof but[0]},
    [DOES] = {"does ", does, sizeof does / sizeof does[0]},
    [FAILED] = {"failed ", failed, sizeof failed / sizeof failed[0]},
    [IN_REPLY_TO] = {"in reply to ", in_reply_to, sizeof in_reply_to / sizeof in_reply_to[0]},
    [REFUSED] = {"refused ", refused, sizeof refused / sizeof refused[0]},
    [WHILE] = {"while ", while_, sizeof while_ / sizeof while_[0]},
    [COMMAND] = {">>> ", commands, sizeof commands / sizeof commands[0]},
};

/* The length of what `phrase` stands for at the start of the text; 0: it does not stand there. */
static size_t length_of(struct span text, const char *phrase)
{
    size_t at = 0;
    for (; *phrase; phrase++) {
        if (*phrase == ' ') {
            if (at == text.len || !byte_is_space(text.ptr[at])) return 0;
            while (at < text.len && byte_is_space(text.ptr[at])) at++;
        } else {
            if (at == text.len || byte_lower(text.ptr[at]) != *phrase) return 0;
            at++;
        }
    }
    bool edge = at == text.len || !byte_is_alnum(phrase[-1]) || !byte_is_alnum(text.ptr[at]);
    return edge ? at : 0;
}

static enum stage stage_of(struct span text, enum beginning beginning)
{
    size_t length = length_of(text, beginnings[beginning].text);
    if (length == 0) return STAGE_NONE;
    struct span rest = span_skip(text, length);
    for (size_t i = 0; i < beginnings[beginning].count; i++) {
        const struct stage_phrase *phrase = &beginnings[beginning].phrases[i];
        if (length_of(rest, phrase->text)) return phrase->stage;
    }
    return STAGE_NONE;
}

/* Letters at word starts that may begin a phrase, and the first of ">>>". */
static uint32_t find_beginnings(const char *step, unsigned shift, uint32_t before)
{
    uint32_t brackets = simd_find_byte(step, '>') >> shift;
    uint32_t letter = simd_find_letters(step, 'i', 'r', 'w') >> shift;
    if (brackets)
        brackets &= (brackets >> 1 | UINT32_C(1) << 31) & (brackets >> 2 | UINT32_C(3) << 30);
    return (letter & ~(simd_find_alnum(step) >> shift << 1 | before)) | brackets;
}

static inline uint32_t three(char first, char second, char third)
{
    return (uint32_t)(unsigned char)first | (uint32_t)(unsigned char)second << 8 |
           (uint32_t)(unsigned char)third << 16;
}
/* The same at compile time. */
#define THREE(first, second, third)                                                                \
    ((uint32_t)(first) | (uint32_t)(second) << 8 | (uint32_t)(third) << 16)

/* Three letters in lower case and what begins with them; by a hash of them that has no collisions
 * here (the compiler would see one: two initializers of one slot). */
enum { SLOTS = 64 };
#define SLOT(letters) ((letters)*UINT32_C(0xD8F16ADF) >> 26)
#define BEGIN(first, second, third, beginning)                                                     \
    [SLOT(THREE(first, second, third))] = {THREE(first, second, third), beginning}
static const struct {
    uint32_t letters;
    enum beginning beginning;
} slots[SLOTS] = {
    BEGIN('a', 'f', 't', AFTER),
    BEGIN('b', 'u', 't', BUT),
    BEGIN('d', 'o', 'e', DOES),
    BEGIN('f', 'a', 'i', FAILED),
    BEGIN('i', 'n', ' ', IN_REPLY_TO),
    BEGIN('i', 'n', '\t' | 0x20, IN_REPLY_TO),
    BEGIN('i', 'n', '\n' | 0x20, IN_REPLY_TO),
    BEGIN('i', 'n', '\v' | 0x20, IN_REPLY_TO),
    BEGIN('i', 'n', '\f' | 0x20, IN_REPLY_TO),
    BEGIN('i', 'n', '\r' | 0x20, IN_REPLY_TO),
    BEGIN('r', 'e', 'f', REFUSED),
    BEGIN('w', 'h', 'i', WHILE),
    BEGIN('>', '>', '>', COMMAND),
};

/* Most words go by here, and which ones do not cannot be foreseen: one comparison for all. */
static enum beginning beginning_of(struct span text, size_t at)
{
    if (text.len - at < 3) return BEGINNINGS;
    const char *word = text.ptr + at;
    /* The bit makes letters lower case; what else it makes alike is told apart in stage_of. */
    uint32_t letters = three(word[0], word[1], word[2]) | 0x202020;
    if (slots[SLOT(letters)].letters != letters) return BEGINNINGS;
    enum beginning found = slots[SLOT(letters)].beginning;
    if (found == COMMAND && (text.len - at == 3 || word[3] != ' ')) return BEGINNINGS;
    return found;
}

enum stage reply_find_stage(struct span text)
{
    enum stage last_command = STAGE_NONE;
    uint32_t before = 0;
    char storage[SIMD_STEP];
    for (size_t step = 0; step < text.len; step += SIMD_STEP) {
        unsigned shift;
        const char *bytes = simd_end(text.ptr, step, text.len, storage, &shift);
        uint32_t begins = find_beginnings(bytes, shift, before);
        before = byte_is_alnum(bytes[SIMD_STEP - 1]);
        for (; begins; begins &= begins - 1) {
            size_t at = step + (size_t)__builtin_ctz(begins);
            if (at >= text.len) break;
            enum beginning beginning = beginning_of(text, at);
            if (beginning == BEGINNINGS) continue;
            enum stage stage = stage_of(span_skip(text, at), beginning);
            if (stage != STAGE_NONE && beginning != COMMAND) return stage;
            if (stage != STAGE_NONE) last_command = stage;
        }
    }
    return last_command;
}
