/* The fold of the whole input, beside what was committed. See oracle.h. */
#include "sim/oracle.h"
#include "base/check.h"
#include "base/hash.h"
#include "sim/disk.h"
#include "wire/wire.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECIPIENTS_MAX = 128, RAW_MAX = 4096, ARENA_BLOCK = 256 * 1024 };

struct known { /* a row as the fold has it, and as the log has it */
    char key[WIRE_KEY_MAX];
    size_t key_len;
    bool is_there, log_has;
    struct recipient_state state;
    uint64_t hash, log_hash;
};
struct prefix { /* of `recipients`: what all before this offset comes to */
    uint64_t rows_hash, position_hash;
};
struct fold {
    int32_t partition;
    struct position position;
    bool has_position;
    uint64_t rows_hash, log_rows_hash, log_position_hash;
    int64_t recipients_at, decisions_at;
    struct prefix *prefixes;
    int64_t prefix_size;
    struct known known[RECIPIENTS_MAX];
    unsigned known_count;
};
struct oracle {
    struct world *world;
    struct arena arena; /* of one record */
    struct fold folds[BROKER_PARTITIONS_MAX];
    int8_t expected[BROKER_PARTITIONS_MAX][RAW_MAX], decided[BROKER_PARTITIONS_MAX][RAW_MAX];
    uint64_t raw_dead, foreign;
    struct oracle_counts counts;
    struct classified classified;
    struct decision decision;
    struct position read;
    char text[WIRE_RECORD_MAX];
};

bool sim_state_is_empty(const struct recipient_state *state);
/* In the simulation a recipient is forgotten as soon as nothing is counted any more, though it
 * remembers events: so that there are tombstones. decide.c is compiled with this in the place of
 * state_is_empty. */
bool sim_state_is_empty(const struct recipient_state *state)
{
    return state->ground_count == 0 && state->held_until_ms == 0 && state->soft_day_count == 0 &&
           state->hard_count == 0;
}

/* One for all runs: it is large. */
struct oracle *oracle_new(struct world *world)
{
    static struct oracle oracle;
    if (!oracle.arena.block_size) arena_init(&oracle.arena, ARENA_BLOCK, 0);
    oracle.world = world;
    oracle.raw_dead = oracle.foreign = 0;
    memset(oracle.expected, 0, sizeof oracle.expected);
    memset(oracle.decided, 0, sizeof oracle.decided);
    memset(&oracle.counts, 0, sizeof oracle.counts);
    for (int32_t p = 0; p < BROKER_PARTITIONS_MAX; p++) {
        struct fold *fold = &oracle.folds[p];
        memset(fold, 0, offsetof(struct fold, known));
        fold->known_count = 0;
        fold->partition = p;
        fold->position.partitions = world->broker.partitions[TOPIC_CLASSIFIED];
        memcpy(fold->position.cluster, "sim", sizeof "sim");
    }
    return &oracle;
}

void oracle_raw(struct oracle *oracle, int32_t partition, int64_t offset, int bounces)
{
    CHECK(offset < RAW_MAX);
    if (bounces < 0)
        oracle->raw_dead++;
    else
        oracle->expected[partition][offset] = (int8_t)bounces;
}

void oracle_foreign(struct oracle *oracle)
{
    oracle->foreign++;
}

void oracle_count(const struct oracle *oracle, struct oracle_counts *out)
{
    *out = oracle->counts;
}

/* ---- rows ---- */

static struct known *find(struct fold *fold, struct span key)
{
    for (unsigned i = 0; i < fold->known_count; i++)
        if (span_equal(span_of(fold->known[i].key, fold->known[i].key_len), key))
            return &fold->known[i];
    CHECK(fold->known_count < RECIPIENTS_MAX && key.len <= sizeof fold->known[0].key);
    struct known *known = &fold->known[fold->known_count++];
    memcpy(known->key, key.ptr, key.len);
    known->key_len = key.len;
    known->is_there = known->log_has = false;
    return known;
}

static struct known *find_row(struct fold *fold, struct span tenant, struct span recipient)
{
    char storage[WIRE_KEY_MAX];
    struct buffer key;
    buffer_init(&key, storage, sizeof storage);
    wire_key_format(tenant, recipient, &key);
    CHECK(key.len > 0);
    struct known *known = find(fold, buffer_span(&key));
    if (!known->is_there) state_init(&known->state);
    return known;
}

static void keep(struct oracle *oracle, struct fold *fold, struct known *known, struct span tenant,
                 struct span recipient)
{
    struct buffer out;
    if (known->is_there) fold->rows_hash ^= known->hash;
    known->is_there = !sim_state_is_empty(&known->state);
    if (!known->is_there) return;
    buffer_init(&out, oracle->text, sizeof oracle->text);
    wire_recipient_format(tenant, recipient, &known->state, &out);
    known->hash = row_hash(span_of(known->key, known->key_len), buffer_span(&out));
    fold->rows_hash ^= known->hash;
}

static void take_log_row(struct oracle *oracle, struct fold *fold, const struct broker_entry *entry)
{
    struct known *known = find(fold, entry->key);
    if (known->log_has) fold->log_rows_hash ^= known->log_hash;
    known->log_has = entry->has_value;
    if (!entry->has_value) {
        oracle->counts.tombstones++;
        return;
    }
    known->log_hash = row_hash(entry->key, entry->value);
    fold->log_rows_hash ^= known->log_hash;
}

/* ---- decisions ---- */

static struct broker_log *log_of(struct oracle *oracle, enum broker_topic topic, int32_t partition)
{
    return &oracle->world->broker.logs[topic][partition];
}

static const struct broker_entry *next_decision(struct oracle *oracle, struct fold *fold)
{
    struct broker_log *log = log_of(oracle, TOPIC_DECISIONS, fold->partition);
    int64_t stable = broker_stable(log);
    while (fold->decisions_at < stable) {
        const struct broker_entry *entry = &log->entries[fold->decisions_at++];
        if (broker_is_visible(entry)) return entry;
    }
    return NULL;
}

static void check_decision(struct oracle *oracle, struct fold *fold,
                           const struct broker_entry *input, int64_t offset)
{
    struct buffer out;
    buffer_init(&out, oracle->text, sizeof oracle->text);
    wire_decision_format(&oracle->decision, &out);
    const struct broker_entry *entry = next_decision(oracle, fold);
    struct world *world = oracle->world;
    oracle->counts.decisions++;
    if (!entry)
        world_fail(world, "partition %d: classified %lld has no decision", (int)fold->partition,
                   (long long)offset);
    else if (!span_equal(entry->key, input->key) || !span_equal(entry->value, buffer_span(&out)))
        world_fail(world,
                   "partition %d: the decision %lld is not that of classified %lld:\n%.*s\nwant\n"
                   "%.*s",
                   (int)fold->partition, (long long)fold->decisions_at - 1, (long long)offset,
                   SPAN_ARG(entry->value), SPAN_ARG(buffer_span(&out)));
}

static void note_origin(struct oracle *oracle)
{
    const struct classified *classified = &oracle->classified;
    const struct origin *origin = &classified->origin;
    char id[64];
    int length = snprintf(id, sizeof id, "%d-%lld-%u", (int)origin->partition,
                          (long long)origin->offset, (unsigned)origin->index);
    bool is_again = span_starts(classified->event_id, SPAN("again")) ||
                    classified->bounce.format != FORMAT_EVENT;
    bool known = origin->partition < BROKER_PARTITIONS_MAX && origin->offset < RAW_MAX;
    if (!known || (!is_again && !span_equal(classified->event_id, span_of(id, (size_t)length)))) {
        world_fail(oracle->world, "the event %.*s does not come from %s",
                   SPAN_ARG(classified->event_id), id);
        return;
    }
    oracle->decided[origin->partition][origin->offset]++;
}

static void fold_record(struct oracle *oracle, struct fold *fold, const struct broker_entry *entry,
                        int64_t offset)
{
    struct classified *classified = &oracle->classified;
    struct wire_read read;
    struct span tenant, recipient;
    bool full;
    arena_reset(&oracle->arena);
    if (!entry->has_key || !wire_key_parse(entry->key, &tenant, &recipient)) return;
    if (wire_classified_parse(entry->value, &oracle->arena, classified, &read) != WIRE_OK) return;
    classified->key_recipient = recipient;
    if (!position_advance(&fold->position, &classified->origin, &full)) {
        oracle->counts.replayed++;
        return;
    }
    if (classified->time_ms > fold->position.clock_ms)
        fold->position.clock_ms = classified->time_ms;
    struct known *own = find_row(fold, tenant, recipient);
    struct known *shared = tenant.len ? find_row(fold, SPAN("*"), recipient) : NULL;
    struct decision *decision = &oracle->decision;
    policy_decide(&oracle->world->policy, classified, fold->position.clock_ms, &own->state,
                  shared ? &shared->state : NULL, decision);
    check_decision(oracle, fold, entry, offset);
    note_origin(oracle);
    if (decision->own_changed) keep(oracle, fold, own, tenant, recipient);
    if (shared && decision->shared_changed) keep(oracle, fold, shared, SPAN("*"), recipient);
}

/* Everything up to the position that a transaction of stage 2 says it has come to. */
static void fold_to(struct oracle *oracle, struct fold *fold, const struct broker_entry *entry,
                    int64_t offset)
{
    struct world *world = oracle->world;
    struct broker_log *log = log_of(oracle, TOPIC_CLASSIFIED, fold->partition);
    struct wire_read read;
    int32_t partition = fold->partition;
    arena_reset(&oracle->arena);
    if (wire_position_parse(entry->value, &oracle->arena, &oracle->read, &read) != WIRE_OK) {
        world_fail(world, "partition %d: the position at %lld: %s", (int)partition,
                   (long long)offset, read.text);
        return;
    }
    int64_t next = oracle->read.next, clock_ms = oracle->read.clock_ms;
    uint64_t decided = oracle->counts.decisions;
    if (next < fold->position.next || next > log->count || clock_ms < fold->position.clock_ms) {
        world_fail(world, "partition %d: the position at %lld goes back, from %lld to %lld",
                   (int)partition, (long long)offset, (long long)fold->position.next,
                   (long long)next);
        return;
    }
    for (int64_t at = fold->position.next; at < next && !world->failed; at++)
        if (broker_is_visible(&log->entries[at])) fold_record(oracle, fold, &log->entries[at], at);
    if (oracle->counts.decisions == decided) fold->position.clock_ms = clock_ms;
    fold->position.next = next;
    fold->has_position = true;
    struct buffer out;
    buffer_init(&out, oracle->text, sizeof oracle->text);
    wire_position_format(&fold->position, &out);
    if (!span_equal(buffer_span(&out), entry->value))
        world_fail(world, "partition %d: the position at %lld is\n%.*s\nwant\n%.*s", (int)partition,
                   (long long)offset, SPAN_ARG(entry->value), SPAN_ARG(buffer_span(&out)));
    if (fold->rows_hash != fold->log_rows_hash)
        world_fail(world, "partition %d: the states in recipients up to %lld are not the fold",
                   (int)partition, (long long)offset);
}

/* ---- looking ---- */

static void reserve(struct fold *fold, int64_t count)
{
    if (count < fold->prefix_size) return;
    fold->prefix_size = 2 * count + 64;
    fold->prefixes = realloc(fold->prefixes, (size_t)fold->prefix_size * sizeof *fold->prefixes);
    CHECK(fold->prefixes);
}

static void look_at(struct oracle *oracle, struct fold *fold)
{
    struct broker_log *log = log_of(oracle, TOPIC_RECIPIENTS, fold->partition);
    int64_t stable = broker_stable(log);
    reserve(fold, stable);
    while (fold->recipients_at < stable && !oracle->world->failed) {
        int64_t offset = fold->recipients_at;
        const struct broker_entry *entry = &log->entries[offset];
        fold->prefixes[offset] = (struct prefix){fold->log_rows_hash, fold->log_position_hash};
        fold->recipients_at++;
        if (!broker_is_visible(entry)) continue;
        if (!span_equal(entry->key, SPAN(WIRE_KEY_POSITION))) {
            take_log_row(oracle, fold, entry);
            continue;
        }
        fold->log_position_hash = hash_xxh64(entry->value, 2);
        fold_to(oracle, fold, entry, offset);
    }
    fold->prefixes[fold->recipients_at] =
        (struct prefix){fold->log_rows_hash, fold->log_position_hash};
}

/* The last committed record of the key in [from, to), hidden or not. */
static const struct broker_entry *find_entry(const struct broker_log *log, struct span key,
                                             int64_t from, int64_t to)
{
    for (int64_t at = to; at > from; at--) {
        const struct broker_entry *entry = &log->entries[at - 1];
        if (broker_is_visible(entry) && span_equal(entry->key, key)) return entry;
    }
    return NULL;
}

static uint64_t hash_in_file(const struct file *file, struct span key)
{
    for (unsigned i = 0; i < file->count; i++) {
        char storage[WIRE_KEY_MAX];
        struct buffer out;
        buffer_init(&out, storage, sizeof storage);
        wire_key_format(file->rows[i].tenant, file->rows[i].key, &out);
        if (span_equal(buffer_span(&out), key)) return file->rows[i].hash;
    }
    return 0;
}

/* The file is not what the log says up to its place. That is no harm where the difference is in
 * recipients that were written again behind it: one who reads while another writes (a process that
 * was given up for dead) may miss what compaction replaced meanwhile, and reads the newer one
 * before it is of any use. */
static bool is_made_good(struct oracle *oracle, struct fold *fold, const struct file *file)
{
    struct broker_log *log = log_of(oracle, TOPIC_RECIPIENTS, fold->partition);
    int64_t place = file->place, end = fold->recipients_at;
    for (unsigned i = 0; i < fold->known_count; i++) {
        struct span key = span_of(fold->known[i].key, fold->known[i].key_len);
        const struct broker_entry *entry = find_entry(log, key, 0, place);
        uint64_t want = entry && entry->has_value ? row_hash(key, entry->value) : 0;
        if (want != hash_in_file(file, key) && !find_entry(log, key, place, end)) return false;
    }
    uint64_t position = file->position ? file->position_hash : 0;
    return position == fold->prefixes[place].position_hash ||
           find_entry(log, SPAN(WIRE_KEY_POSITION), place, end);
}

static void check_claims(struct oracle *oracle, struct fold *fold)
{
    struct claim **first = &oracle->world->claims[fold->partition];
    for (struct claim *claim = *first; claim && !oracle->world->failed; claim = claim->next) {
        const struct file *file = claim->file;
        oracle->counts.claims++;
        if (file->place > fold->recipients_at) {
            world_fail(oracle->world, "i%u partition %d: the file is at %lld, the log ends at %lld",
                       claim->instance, (int)fold->partition, (long long)file->place,
                       (long long)fold->recipients_at);
            return;
        }
        const struct prefix *prefix = &fold->prefixes[file->place];
        bool same = prefix->rows_hash == file->rows_hash &&
                    prefix->position_hash == (file->position ? file->position_hash : 0);
        if (same || is_made_good(oracle, fold, file)) continue;
        world_fail(oracle->world,
                   "i%u partition %d, step %lld: the file at place %lld is not what the log says",
                   claim->instance, (int)fold->partition, (long long)claim->step,
                   (long long)file->place);
    }
    *first = NULL;
}

void oracle_look(struct oracle *oracle)
{
    for (int32_t p = 0; p < oracle->world->broker.partitions[TOPIC_CLASSIFIED]; p++) {
        look_at(oracle, &oracle->folds[p]);
        check_claims(oracle, &oracle->folds[p]);
    }
}

/* The newest position that was committed; -1: none. */
static int64_t last_next(struct oracle *oracle, int32_t partition)
{
    struct broker_log *log = log_of(oracle, TOPIC_RECIPIENTS, partition);
    struct wire_read read;
    for (int64_t at = broker_stable(log) - 1; at >= 0; at--) {
        const struct broker_entry *entry = &log->entries[at];
        if (!broker_is_visible(entry) || !span_equal(entry->key, SPAN(WIRE_KEY_POSITION))) continue;
        arena_reset(&oracle->arena);
        (void)wire_position_parse(entry->value, &oracle->arena, &oracle->read, &read);
        return oracle->read.next;
    }
    return -1;
}

/* Somebody reads it, has come to its end, and holds nothing in hand. What the group remembers of it
 * may be lost. */
static bool is_read(const struct world *world, int32_t partition)
{
    int64_t count = world->broker.logs[TOPIC_RAW][partition].count;
    for (unsigned i = 0; i < world->instance_count; i++) {
        const struct instance *instance = &world->instances[i];
        const struct member_client *source = &instance->sources[GROUP_CLASSIFY];
        if (instance->state == INSTANCE_UP && instance->stage1 && source->fetching[partition] &&
            source->at[partition] == count && source->records_out == 0 &&
            instance->sinks[GROUP_CLASSIFY].queue_count == 0)
            return true;
    }
    return false;
}

static bool is_classified(const struct oracle *oracle)
{
    const struct broker *broker = &oracle->world->broker;
    if (broker->unfinished) return false;
    for (unsigned i = 0; i < broker->id_count; i++)
        if (broker->ids[i].open) return false;
    for (int32_t p = 0; p < broker->partitions[TOPIC_RAW]; p++) {
        int64_t offset = broker->groups[GROUP_CLASSIFY].offsets[p];
        int64_t count = broker->logs[TOPIC_RAW][p].count;
        bool may_differ = oracle->world->offsets_were_lost && is_read(oracle->world, p);
        if (offset != count && count > 0 && !may_differ) return false;
    }
    return true;
}

bool oracle_is_drained(struct oracle *oracle)
{
    const struct broker *broker = &oracle->world->broker;
    if (!is_classified(oracle)) return false;
    for (int32_t p = 0; p < broker->partitions[TOPIC_CLASSIFIED]; p++)
        if (last_next(oracle, p) != broker->logs[TOPIC_CLASSIFIED][p].count) return false;
    return true;
}

bool oracle_is_decided(struct oracle *oracle)
{
    const struct broker *broker = &oracle->world->broker;
    if (!is_classified(oracle)) return false;
    for (int32_t p = 0; p < broker->partitions[TOPIC_CLASSIFIED]; p++) {
        const struct broker_log *log = &broker->logs[TOPIC_CLASSIFIED][p];
        int64_t at = last_next(oracle, p);
        for (at = at < log->low ? log->low : at; at < log->count; at++)
            if (broker_is_visible(&log->entries[at])) return false;
    }
    return true;
}

static void count_dead(struct oracle *oracle)
{
    uint64_t raw = 0, foreign = 0;
    struct world *world = oracle->world;
    for (int32_t p = 0; p < world->broker.partitions[TOPIC_DEAD]; p++) {
        struct broker_log *log = log_of(oracle, TOPIC_DEAD, p);
        for (int64_t at = 0; at < log->count; at++) {
            if (!broker_is_visible(&log->entries[at])) continue;
            if (span_starts(log->entries[at].value, SPAN("{\"foreign")))
                foreign++;
            else
                raw++;
        }
    }
    oracle->counts.dead = raw + foreign;
    if (foreign != oracle->foreign)
        world_fail(world, "%llu dead letters of %llu foreign records", (unsigned long long)foreign,
                   (unsigned long long)oracle->foreign);
    bool ok = world->offsets_were_lost ? raw >= oracle->raw_dead : raw == oracle->raw_dead;
    if (!ok)
        world_fail(world, "%llu dead letters of %llu unusable records", (unsigned long long)raw,
                   (unsigned long long)oracle->raw_dead);
}

void oracle_end(struct oracle *oracle)
{
    struct world *world = oracle->world;
    struct broker *broker = &world->broker;
    for (int32_t p = 0; p < broker->partitions[TOPIC_RAW]; p++)
        for (int64_t at = 0; at < broker->logs[TOPIC_RAW][p].count; at++)
            if (oracle->decided[p][at] != oracle->expected[p][at])
                world_fail(world, "raw %d, %lld: %d of %d bounces are decided", (int)p,
                           (long long)at, oracle->decided[p][at], oracle->expected[p][at]);
    for (int32_t p = 0; p < broker->partitions[TOPIC_CLASSIFIED]; p++)
        if (next_decision(oracle, &oracle->folds[p]))
            world_fail(world, "partition %d: there is a decision too many, %lld", (int)p,
                       (long long)oracle->folds[p].decisions_at - 1);
    count_dead(oracle);
}

uint64_t oracle_fingerprint(const struct oracle *oracle)
{
    uint64_t mark = 0;
    struct broker *broker = &oracle->world->broker;
    for (int t = 0; t < TOPIC_COUNT; t++)
        for (int p = 0; p < BROKER_PARTITIONS_MAX; p++)
            for (int64_t at = 0; at < broker->logs[t][p].count; at++) {
                const struct broker_entry *entry = &broker->logs[t][p].entries[at];
                mark = hash_xxh64(entry->key, hash_xxh64(entry->value, mark + entry->is_marker));
            }
    return mark;
}
