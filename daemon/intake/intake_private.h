#ifndef INTAKE_INTAKE_PRIVATE_H
#define INTAKE_INTAKE_PRIVATE_H
/* What the forms share. */
#include "intake/intake.h"

/* Ends with a dead letter. `detail` is a literal or lies in the arena. */
void intake_dead(struct intake_output *out, enum dead_reason reason, struct span detail);
/* `count` bounces with nothing known but what came beside the bytes (tenant, message id, time) and
 * the format. NULL with a dead letter in *out: more than BOUNCE_RECIPIENTS_MAX, or the arena is at
 * its limit. */
struct bounce *intake_bounces(const struct intake_input *input,
                              const struct intake_scratch *scratch, enum format format,
                              size_t count, struct intake_output *out);
/* The recipient that came beside the bytes; false where none or none that is valid. */
bool intake_header_recipient(const struct intake_input *input, struct arena *arena,
                             struct span *out);
/* At most DIAGNOSTIC_MAX bytes of UTF-8, trimmed. */
struct span intake_diagnostic(struct span text, const struct intake_scratch *scratch);
/* Without blanks and <>, at most 998 bytes. */
struct span intake_bare_id(struct span message_id);
/* Equal as recipients: ASCII without case. */
bool intake_same_address(struct span a, struct span b);

/* ---- text.c: addresses in running text ---- */
/* The recipient that a reply names: after "RCPT TO:", else the first <address>, else the first bare
 * one; never what stands behind "from", "sender", "contact" and the like, nor the address `other`
 * (which may be empty). False where there is none. */
bool text_find_recipient(struct span text, struct span other, struct arena *arena,
                         struct span *out);
/* The next address at or behind *at, in <> or bare; *from is where it begins, *at behind it. */
bool text_next_address(struct span text, size_t *at, size_t *from, struct span *out);
/* True where the words before `at` say that the address there is not the recipient's. */
bool text_is_other_party(struct span text, size_t at);
/* True where that address stands in the text, as a word of its own. */
bool text_has_address(struct span text, struct span address);
/* Only what stands after "RCPT TO:". */
bool text_find_rcpt_to(struct span text, struct arena *arena, struct span *out);
/* Text of an HTML body: tags out, the entities of ASCII in. In the arena. */
struct span text_from_html(struct span html, struct arena *arena);
#endif
