#ifndef RULES_RULE_FILE_H
#define RULES_RULE_FILE_H
/* Rules as people write them: stanzas of `field: value`, one blank line between rules. `provider:`
 * before the first `rule:` of a block binds the rules that follow (a later `provider:` outside a
 * stanza changes it, `provider: none` ends it). providers.rules has stanzas of its own: `provider:
 * NAME` with `mx:`, `host:`, `domain:`, `text:` lines (a signature), `kind: provider|gateway`;
 * phrases that say that the sending host gave up are a stanza `gave-up: PHRASE`. `disable: ID`
 * stands alone. See CONTRIBUTING.md "Add a rule". `mx:` and `host:` take a name and all names below
 * it, with a leading "." only those below; `domain:` takes exactly that domain, with a leading "."
 * or "*." those below. `text:` of a signature is a phrase like any other: a family of codes ends in
 * `*` ("RP-00*"). In a rule, `provider:` binds this rule alone. `reply:`, `status:` and `stage:`
 * take several values, in one line or several. Build-time code: it may allocate from its arena; it
 * is not on the message path. */
#include "base/arena.h"
#include "base/error.h"
#include "base/span.h"
#include "mail/reason.h"

enum {
    RULE_TEXTS_MAX = 64,
    RULE_CODES_MAX = 16,
    RULE_EXAMPLES_MAX = 64,
    RULE_ID_MAX = 64,
    RULES_MAX = 20000,
    RULE_FILE_SIZE_MAX = 8 << 20,
};

struct rule_place {
    const char *path; /* as given */
    uint32_t line, column;
};
/* A reply pattern: each digit 0-9 or 'x'; `none`: the reply has no code. */
struct reply_pattern {
    char digit[3];
    bool none;
};
/* A status pattern: each part a range, x = [0, 999]; `none`: the reply has no status. */
struct status_pattern {
    uint16_t from[3], to[3];
    bool none;
};
/* What stands behind "[host=…] [to=…] [stage=…]", all optional, and what stands in them. */
struct rule_example {
    struct span text;
    struct span remote_host, recipient;
    enum stage stage;
    struct rule_place place;
};
struct rule {
    struct span id, provider, source;
    struct reply_pattern replies[RULE_CODES_MAX];
    struct status_pattern statuses[RULE_CODES_MAX];
    struct span texts[RULE_TEXTS_MAX]; /* as written */
    struct rule_place text_places[RULE_TEXTS_MAX];
    unsigned reply_count, status_count, text_count, example_count;
    uint8_t stages; /* bit 1 << enum stage; 0: any */
    enum reason reason;
    bool local;                    /* of the operator's folder, not built in */
    struct rule_example *examples; /* in the arena */
    struct rule_place place;
};
enum signature_kind { SIGNATURE_MX, SIGNATURE_HOST, SIGNATURE_DOMAIN, SIGNATURE_TEXT };
struct rule_signature {
    struct span provider, value;
    enum signature_kind kind;
    bool gateway, local;
    struct rule_place place;
};
struct rule_phrase {
    struct span text;
    struct rule_place place;
};
struct rule_disable {
    struct span id;
    struct rule_place place;
};
/* All that the files of one layer or more say. Arrays grow in the arena. */
struct rule_list {
    struct arena *arena;
    struct rule *rules;
    struct rule_signature *signatures;
    struct rule_disable *disables;
    struct rule_phrase *gave_up;
    size_t rule_count, signature_count, disable_count, gave_up_count;
    size_t rule_size, signature_size, disable_size, gave_up_size; /* capacities */
};
void rule_list_init(struct rule_list *list, struct arena *arena);
/* Appends what one file says. Spans point into `bytes`, which outlive the list, as does `path`.
 * The error is "file:line:column: sentence", EXIT_CONFIG. */
bool rule_file_parse(struct rule_list *list, const char *path, struct span bytes, bool local,
                     struct error *error) MUST_USE;
#endif
