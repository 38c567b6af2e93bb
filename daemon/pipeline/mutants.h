#ifndef PIPELINE_MUTANTS_H
#define PIPELINE_MUTANTS_H
/* Known mistakes, to test the simulation of tests/sim: each takes one rule of the protocol away,
 * and the simulation has to notice. In the product MUTANT(…) is the constant false; only the build
 * of this module that the simulation links has BOUNCED_MUTANTS. Those marked `port` are made by the
 * simulation's own ports: the rule is one that kafka or store keep. */
#define MUTANT_LIST(ROW)                                                                           \
    ROW(TRUST_GROUP_OFFSET, "trust-group-offset", "stage 2 begins at the group's offset")          \
    ROW(NO_BARRIER, "no-barrier", "committed() is not asked before a restore")                     \
    ROW(NO_POSITION, "no-position", "no position record where the last change is a tombstone")     \
    ROW(NO_ORIGIN_CHECK, "no-origin-check", "what was decided before is decided again")            \
    ROW(STORE_FIRST, "store-first", "SQLite is committed before Kafka")                            \
    ROW(STABLE_END, "stable-end", "a restore ends where a read_committed reader stops")            \
    ROW(KEEP_PRODUCER, "keep-producer", "the producer is kept after a commit in doubt")            \
    ROW(NEW_ID, "new-id", "port: each producer has another transactional id")                      \
    ROW(NO_GENERATION, "no-generation", "port: offsets are sent without member and generation")    \
    ROW(IDLE_NO_OFFSETS, "idle-no-offsets", "an idle batch sends no offsets")                      \
    ROW(IGNORE_MARKERS, "ignore-markers", "`next` does not count control markers")                 \
    ROW(OLD_FILE, "old-file", "port: a file older than delete.retention.ms is kept")               \
    ROW(MEMORY_REWIND, "memory-rewind", "after doubt stage 1 goes on from what memory says")       \
    ROW(DOUBT_REWINDS, "doubt-rewinds", "after doubt stage 2 goes on from what memory says")       \
    ROW(NO_ROLLBACK, "no-rollback", "an abort keeps what its transaction changed")                 \
    ROW(UNWRITTEN_UNREAD, "unwritten-unread", "a look-up asks the state file alone")               \
    ROW(PLACE_AHEAD, "place-ahead", "a file's place is committed before what leads up to it")      \
    ROW(KEEP_UNWRITTEN, "keep-unwritten", "what was not written outlives its assignment")          \
    ROW(YOUNG_FILE, "young-file", "a file is as young as the moment that it was written")          \
    ROW(LEAVE_BEHIND, "leave-behind", "a drain does not write how far the end has moved")          \
    ROW(DRAIN_SKIPS, "drain-skips", "a drain moves to the end past records that it left")
#ifdef BOUNCED_MUTANTS
enum mutant {
    MUTANT_NONE,
#define ROW(symbol, name, help) MUTANT_##symbol,
    MUTANT_LIST(ROW)
#undef ROW
        MUTANT_COUNT
};
extern enum mutant mutant_in_force;
#define MUTANT(symbol) (mutant_in_force == MUTANT_##symbol)
#else
#define MUTANT(symbol) false
#endif
#endif
