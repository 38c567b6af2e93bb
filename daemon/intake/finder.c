#include "intake/finder.h"
#include "intake/config.h"
#include "intake/intake_private.h"
#include "mail/address.h"
#include "mail/line.h"
#include "mail/reply.h"
#include <string.h>

enum {
    LOOK_MAX = 64 * 1024,
    LINE_LOOK_MAX = 2048, /* of a line */
    IN_LINE_MAX = 16,     /* addresses of a line */
    LIST_LINES = 12,      /* how long an announcement lasts */
    LIST_LINE_OTHER = 3,  /* what a line without an address costs of that */
    WEIGHT_RCPT = 60,
    WEIGHT_LIST = 30,
    WEIGHT_IN_LIST = 15,
    WEIGHT_MEMBER = 45, /* of a list, to be taken beside the heaviest */
    WEIGHT_CUE_BEFORE = 30,
    WEIGHT_LABEL = 30,
    WEIGHT_TO = 14,
    WEIGHT_TO_WORD = 8,
    WEIGHT_BEGINS = 15,
    WEIGHT_ALONE = 10,
    WEIGHT_CAUSE = 20,
    WEIGHT_REPLY = 30,
    WEIGHT_MAILED = 20,
    WEIGHT_ROLE = -15,
    WEIGHT_OWN = -45,
    SLOTS = 2048,         /* more than FINDER_MAX */
    HASHED_FROM = 16,     /* fewer addresses are compared one by one */
    WEIGHT_CONTACT = -60, /* of the house that sent it, which is no mail system: whom to ask */
};

struct finder {
    const struct cue_index *index;
    const struct finder_known *known;
    const struct intake_scratch *scratch;
    struct finder_entry *found;
    size_t count;
    bool was_cut;          /* there are more addresses than FINDER_MAX */
    uint16_t slots[SLOTS]; /* by the hash of an address: its place + 1; from HASHED_FROM on */
    uint32_t hashes[FINDER_MAX];
    int list_lines; /* > 0: an announcement is at work */
};
struct line_facts {
    struct span line;
    struct cues cues;
    bool has_cause, has_reply, in_list;
    size_t begin; /* of its first word */
};

static bool is_role(struct span local)
{
    static const struct span names[] = {
        {"postmaster", 10}, {"abuse", 5},   {"support", 7},  {"mailer-daemon", 13},
        {"helpdesk", 8},    {"noreply", 7}, {"no-reply", 8}, {"webmaster", 9},
        {"hostmaster", 10}, {"help", 4},    {"admin", 5},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_equal_fold(local, names[i])) return true;
    return false;
}

static const struct span wide_colon = {"\xEF\xBC\x9A", 3};

/* What stands before an address, without the marks around it: its label. */
static struct span label_before(struct span line, size_t at)
{
    struct span before = span_take(line, at);
    for (;;) {
        if (span_ends(before, wide_colon))
            before.len -= wide_colon.len;
        else if (before.len && !byte_is_alnum(before.ptr[before.len - 1]) &&
                 (unsigned char)before.ptr[before.len - 1] < 0x80)
            before.len--;
        else
            return before;
    }
}

static bool ends_with_any(struct span label, const struct span *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (span_ends_fold(label, words[i])) return true;
    return false;
}

static const struct span recipient_labels[] = {
    {"recipient", 9},
    {"final-recipient", 15},
    {"rfc822", 6},
    {"address", 7},
    {"addressed to", 12},
    {"error-for", 9},
    {"destination", 11},
    {"recipients", 10},
    {"destinatario", 12},
    {"destinataire", 12},
    {"rcpt", 4},
    {"smtp", 4},
    {"mailbox", 7},
    {"user", 4},
    {"rcpt-to", 7},
    {"deliver to", 10},
    {"empfänger", 10},
    {"empfaenger", 10},
    {"destinatário", 13},
    {"ontvanger", 9},
    {"mottagare", 9},
    {"modtager", 8},
    {"mottaker", 8},
    {"odbiorca", 8},
    {"adresat", 7},
    {"příjemce", 10},
    {"alıcı", 7},
    {"címzett", 8},
    {"adresse", 7},
    {"dirección", 10},
    {"indirizzo", 9},
    {"endereço", 9},
    {"олучатель", 18},
    {"дресат", 12},
    {"адрес", 10},
    {"Адрес", 10},
    {"收件人", 9},
    {"收件人地址", 15},
    {"收件者", 9},
    {"收信人", 9},
    {"宛先", 6},
    {"あて先", 9},
    {"メールアドレス", 21},
    {"받는 사람", 13},
    {"수신자", 9},
    {"수신인", 9},
    {"받는사람", 12},
};

/* "could not deliver your mail to anna@example.com" in other languages. */
static const struct span to_words[] = {
    {" to", 3},    {" for", 4}, {" an", 3},  {" für", 5}, {" para", 5}, {" à", 3},     {" aan", 4},
    {" till", 5},  {" til", 4}, {" do", 3},  {" для", 7}, {" на", 5},   {" al", 3},    {"发给", 6},
    {"发送给", 9}, {"发往", 6}, {"發給", 6}, {"寄給", 6}, {"寄给", 6},  {"傳送給", 9}, {" a", 2},
};

static int label_weight(struct span line, size_t at)
{
    struct span label = label_before(line, at);
    bool has_colon = false;
    has_colon |= span_starts(span_skip(line, label.len), wide_colon);
    for (size_t i = label.len; i < at; i++)
        has_colon |= line.ptr[i] == ':' || line.ptr[i] == '=' || line.ptr[i] == ';';
    if (!has_colon)
        return ends_with_any(label, to_words, sizeof to_words / sizeof *to_words) ? WEIGHT_TO_WORD
                                                                                  : 0;
    if (ends_with_any(label, recipient_labels, sizeof recipient_labels / sizeof *recipient_labels))
        return WEIGHT_LABEL;
    label = span_trim(label);
    bool is_to = span_equal_fold(label, SPAN("to")) || span_equal_fold(label, SPAN("an")) ||
                 span_equal_fold(label, SPAN("para")) || span_equal_fold(label, SPAN("a"));
    return is_to ? WEIGHT_TO : 0;
}

static bool is_after_rcpt(struct span line, size_t at)
{
    struct span before = label_before(line, at);
    return span_ends_fold(before, SPAN("rcpt to")) || span_ends_fold(before, SPAN("rcpt"));
}

/* Nothing but marks behind it. */
static bool is_alone(struct span line, size_t end)
{
    for (; end < line.len; end++)
        if (byte_is_alnum(line.ptr[end]) || (unsigned char)line.ptr[end] >= 0x80) return false;
    return true;
}

static int weigh(const struct finder *finder, const struct line_facts *facts, size_t at,
                 struct span address, bool *is_member)
{
    const struct finder_known *known = finder->known;
    bool begins = at == facts->begin;
    int weight = label_weight(facts->line, at);
    if (is_after_rcpt(facts->line, at)) weight += WEIGHT_RCPT;
    bool is_behind = (facts->cues.mask & CUE_LIST) && facts->cues.list_at <= at;
    if (is_behind) weight += WEIGHT_CUE_BEFORE;
    *is_member = facts->in_list && (begins || weight >= WEIGHT_LABEL);
    if (facts->in_list) weight += *is_member ? WEIGHT_LIST : WEIGHT_IN_LIST;
    /* A table: each line has its recipient and the reply to it. */
    *is_member |= begins && facts->has_reply;
    if (begins) weight += WEIGHT_BEGINS;
    if (begins && is_alone(facts->line, at + address.len)) weight += WEIGHT_ALONE;
    if (facts->has_cause) weight += facts->has_reply ? WEIGHT_REPLY : WEIGHT_CAUSE;
    if (known->mailed.len && intake_same_address(address, known->mailed)) weight += WEIGHT_MAILED;
    bool is_own =
        intake_same_address(address, known->sender) || intake_same_address(address, known->from);
    if (is_own && !intake_same_address(address, known->mailed)) weight += WEIGHT_OWN;
    if (is_role(address_local(address))) weight += WEIGHT_ROLE;
    bool is_contact = !known->is_system && !facts->has_reply &&
                      !intake_same_address(address, known->mailed) &&
                      span_equal_fold(address_domain(address), address_domain(known->from));
    if (is_contact) weight += WEIGHT_CONTACT;
    return weight;
}

/* FNV-1a, whatever the case of letters. */
static uint32_t hash_of(struct span address)
{
    uint32_t hash = UINT32_C(2166136261);
    for (size_t i = 0; i < address.len; i++)
        hash = (hash ^ (unsigned char)(address.ptr[i] | 0x20)) * UINT32_C(16777619);
    return hash;
}

/* The slot in which an address of that hash stands, or the free one that it would take. */
static size_t slot_of(const struct finder *finder, struct span address, uint32_t hash)
{
    size_t slot = hash % SLOTS;
    for (; finder->slots[slot]; slot = (slot + 1) % SLOTS) {
        size_t place = finder->slots[slot] - 1u;
        if (finder->hashes[place] == hash &&
            intake_same_address(finder->found[place].address, address))
            break;
    }
    return slot;
}

static void slot_take(struct finder *finder, size_t place)
{
    struct span address = finder->found[place].address;
    uint32_t hash = hash_of(address);
    finder->hashes[place] = hash;
    finder->slots[slot_of(finder, address, hash)] = (uint16_t)(place + 1);
}

static struct finder_entry *entry_find(struct finder *finder, struct span address)
{
    if (finder->count >= HASHED_FROM) {
        size_t slot = slot_of(finder, address, hash_of(address));
        return finder->slots[slot] ? &finder->found[finder->slots[slot] - 1] : NULL;
    }
    for (size_t i = 0; i < finder->count; i++)
        if (intake_same_address(finder->found[i].address, address)) return &finder->found[i];
    return NULL;
}

static void entry_add(struct finder *finder, const struct finder_entry *entry)
{
    if (finder->count == FINDER_MAX) {
        finder->was_cut = true;
        return;
    }
    finder->found[finder->count++] = *entry;
    if (finder->count == HASHED_FROM) {
        memset(finder->slots, 0, sizeof finder->slots);
        for (size_t i = 0; i < finder->count; i++) slot_take(finder, i);
    } else if (finder->count > HASHED_FROM) {
        slot_take(finder, finder->count - 1);
    }
}

static void entry_note(struct finder *finder, const struct finder_entry *entry)
{
    struct finder_entry *old = entry_find(finder, entry->address);
    if (!old) {
        entry_add(finder, entry);
        return;
    }
    old->is_member |= entry->is_member;
    if (entry->weight <= old->weight) return;
    old->weight = entry->weight;
    old->line = entry->line;
    old->has_cause = entry->has_cause;
}

/* The first letter, digit or '<' of a line: bullets, rules and quotes are passed over. */
static size_t line_begin(struct span line)
{
    size_t at = 0;
    while (at < line.len && !byte_is_alnum(line.ptr[at]) && (unsigned char)line.ptr[at] < 0x80)
        at++;
    return at;
}

static bool says_failure(struct span line)
{
    struct reply reply;
    reply_find(line, &reply);
    return reply.code >= 400 || reply.status.class >= 4;
}

static void line_read(struct finder *finder, struct span line)
{
    struct line_facts facts = {.line = span_take(line, LINE_LOOK_MAX)};
    if (span_trim(line).len == 0) {
        if (finder->list_lines > 0) finder->list_lines--;
        return;
    }
    bool has_at = span_find_byte(facts.line, '@') != SPAN_NOT_FOUND;
    cue_find(finder->index, facts.line, &facts.cues);
    facts.begin = line_begin(facts.line);
    facts.in_list = finder->list_lines > 0;
    facts.has_reply = has_at && says_failure(facts.line);
    facts.has_cause = facts.has_reply || (facts.cues.mask & CUE_FAIL);
    struct span address;
    size_t at = 0, from;
    unsigned count = 0, members = 0;
    while (has_at && count < IN_LINE_MAX && text_next_address(facts.line, &at, &from, &address)) {
        count++;
        if (config_is_own(finder->scratch->config, address)) continue;
        if (text_is_other_party(facts.line, from) && !is_after_rcpt(facts.line, from)) continue;
        struct finder_entry entry = {.address = address, .line = line};
        entry.has_cause = facts.has_cause;
        entry.weight = weigh(finder, &facts, from, address, &entry.is_member);
        members += entry.is_member;
        entry_note(finder, &entry);
    }
    if ((facts.cues.mask & CUE_LIST) || members)
        finder->list_lines = LIST_LINES;
    else if (finder->list_lines > 0)
        finder->list_lines -= LIST_LINE_OTHER;
}

/* The heaviest, and where it stands in a list the others of the list. */
static size_t winners(struct finder *finder, int enough)
{
    int best = 0;
    bool is_list = false;
    for (size_t i = 0; i < finder->count; i++) {
        if (finder->found[i].weight < best) continue;
        if (finder->found[i].weight > best) is_list = false;
        best = finder->found[i].weight;
        is_list |= finder->found[i].is_member;
    }
    if (best < enough) return 0;
    int least = best < WEIGHT_MEMBER ? best : WEIGHT_MEMBER;
    size_t kept = 0;
    for (size_t i = 0; i < finder->count; i++) {
        const struct finder_entry *entry = &finder->found[i];
        bool is_kept = is_list ? entry->is_member && entry->weight >= least
                               : entry->weight == best && kept == 0;
        if (is_kept) finder->found[kept++] = *entry;
    }
    return kept;
}

size_t finder_find(const struct cue_index *index, struct span text,
                   const struct finder_known *known, const struct intake_scratch *scratch,
                   int enough, struct finder_entry *out)
{
    struct finder finder;
    finder.index = index;
    finder.known = known;
    finder.scratch = scratch;
    finder.found = out;
    finder.count = 0;
    finder.was_cut = false;
    finder.list_lines = 0;
    struct line_reader lines;
    struct span line;
    line_reader_init(&lines, span_take(text, LOOK_MAX));
    while (!finder.was_cut && line_next(&lines, &line)) line_read(&finder, line);
    return finder.was_cut ? FINDER_MAX + 1 : winners(&finder, enough);
}
