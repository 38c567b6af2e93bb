#ifndef INTAKE_CAUSE_H
#define INTAKE_CAUSE_H
/* The words in which a notice says why: the reply, or the sentence nearest to one. */
#include "base/arena.h"
#include "intake/cue.h"

/* The paragraph of `text` that names the cause: the one with a reply code or a status; else what
 * stands behind "reason:", "because:" and the like; else the first that says that something failed;
 * else the first that is no set phrase. What says that the host gave up is kept behind it. Points
 * into `text`; empty only where nothing is left. At most the first 64 KiB are looked at. */
struct span cause_find(const struct cue_index *index, struct span text);
/* True where a text names a cause: a reply, or words that do. */
bool cause_is_said(const struct cue_index *index, struct span text);
/* A diagnostic that says nothing by itself: digits, "(reason: )". */
bool cause_is_bare(struct span diagnostic);
/* The whole of a reply of several lines of which `diagnostic` is the first ("550-…"), as a
 * transcript in `text` quotes it, its lines in the arena; empty where there is none or the
 * diagnostic is whole. */
struct span cause_whole_reply(struct span text, struct span diagnostic, struct arena *arena);
#endif
