#include "bench/replies.h"
#include "base/buffer.h"
#include "base/check.h"
#include "mail/address.h"
#include <stdio.h>
#include <string.h>

enum { REPLY_SIZE_MAX = 2048, SHORT_PHRASE = 24, MUTATION_TEXTS = 2 };

static uint64_t state;
static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* Changes letters to others, here and there: words stay words, few of them the same. */
static void mutate(char *text, size_t len, unsigned changes)
{
    for (unsigned i = 0; len && i < changes; i++) {
        char *c = text + next_random() % len;
        if (*c >= 'a' && *c <= 'z') *c = (char)('a' + next_random() % 26);
    }
}

static const char *const wrappings[] = {
    "%.*s",
    "host mx%u.example.net[192.0.2.%u] said: %.*s (in reply to RCPT TO command)",
    "smtp; %.*s",
    "SMTP error from remote mail server after RCPT TO:<user%u@example.net>: host mx.example.net "
    "[198.51.100.%u]: %.*s",
    "Remote host said: %.*s\nGiving up on 203.0.113.7.\n",
};

static size_t wrap(char *out, struct span text)
{
    size_t kind = next_random() % 5;
    unsigned a = (unsigned)(next_random() % 9000), b = (unsigned)(next_random() % 250);
    int len = 0;
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wformat-nonliteral\"");
    if (kind == 1 || kind == 3)
        len = snprintf(out, REPLY_SIZE_MAX, wrappings[kind], a, b, SPAN_ARG(text));
    else
        len = snprintf(out, REPLY_SIZE_MAX, wrappings[kind], SPAN_ARG(text));
    _Pragma("GCC diagnostic pop");
    return len < REPLY_SIZE_MAX ? (size_t)len : REPLY_SIZE_MAX - 1;
}

static const struct rule_example *example_at(const struct rule_list *list, size_t index)
{
    for (;;) {
        const struct rule *rule = &list->rules[index++ % list->rule_count];
        if (rule->example_count) return &rule->examples[next_random() % rule->example_count];
    }
}

void replies_init(struct replies *replies, const char *name, const struct rule_list *list,
                  size_t count, size_t different)
{
    state = UINT64_C(0x9E3779B97F4A7C15);
    *replies = (struct replies){.name = name, .count = count};
    arena_init(&replies->arena, 1 << 20, 0);
    replies->bounces = arena_take_zero(&replies->arena, count * sizeof *replies->bounces);
    for (size_t i = 0; i < count; i++) {
        struct bounce *bounce = &replies->bounces[i];
        if (i >= different) {
            *bounce = replies->bounces[i % different];
            continue;
        }
        char text[REPLY_SIZE_MAX];
        const struct rule_example *example = example_at(list, next_random());
        size_t len = wrap(text, example->text);
        if (i % 2) mutate(text, len, 4);
        bounce_init(bounce);
        bounce->type = BOUNCE_BOUNCE;
        bounce->format = FORMAT_EVENT;
        bounce->diagnostic = arena_copy(&replies->arena, span_of(text, len));
        bounce->recipient = example->recipient.len ? example->recipient : SPAN("user@example.org");
        bounce->remote_host = example->remote_host;
        bounce->stage = example->stage;
    }
}

void replies_done(struct replies *replies)
{
    arena_done(&replies->arena);
}

/* Short phrases would become the same ones soon. */
static struct span with_word(struct arena *arena, struct span phrase, size_t number)
{
    char text[SHORT_PHRASE + 16];
    int len = snprintf(text, sizeof text, "%.*s q%zx", SPAN_ARG(phrase), number);
    return arena_copy(arena, span_of(text, (size_t)len));
}

static void add_mutation(struct rule_list *list, const struct rule *model, size_t number)
{
    char id[RULE_ID_MAX];
    struct rule *rule = &list->rules[list->rule_count++];
    *rule = *model;
    int len = snprintf(id, sizeof id, "mutation.%zu", number);
    rule->id = arena_copy(list->arena, span_of(id, (size_t)len));
    rule->example_count = 0;
    /* Rules as people write them: one phrase or two. */
    if (rule->text_count > MUTATION_TEXTS) rule->text_count = MUTATION_TEXTS;
    size_t first = number % (model->text_count - rule->text_count + 1);
    for (unsigned i = 0; i < rule->text_count; i++) {
        struct span copy = arena_copy(list->arena, model->texts[first + i]);
        mutate((char *)(uintptr_t)copy.ptr, copy.len, 2 + (unsigned)copy.len / 8);
        if (copy.len < SHORT_PHRASE) copy = with_word(list->arena, copy, number);
        rule->texts[i] = copy;
        rule->text_places[i] = model->text_places[first + i];
    }
}

void rules_resize(struct rule_list *list, size_t count)
{
    size_t have = list->rule_count;
    if (count < have) {
        for (size_t i = 0; i < count; i++) list->rules[i] = list->rules[i * have / count];
        list->rule_count = count;
        return;
    }
    struct rule *rules = arena_take(list->arena, count * sizeof *rules);
    memcpy(rules, list->rules, have * sizeof *rules);
    list->rules = rules;
    list->rule_size = count;
    state = 88172645463325252u;
    for (size_t i = 0; list->rule_count < count; i++) {
        const struct rule *model = &list->rules[i % have];
        if (model->text_count) add_mutation(list, model, i);
    }
}
