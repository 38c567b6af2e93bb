/* Rules that change while workers judge: many of the shipped rules with one more, in a few
 * variants, each in memory of its own that is spoilt and freed as soon as nobody holds it. Every
 * verdict must be that of the image whose checksum it carries. */
#include "classify/classify.h"
#include "os/clock.h"
#include "os/thread.h"
#include "pipeline/pool.h"
#include "rules/builtin.h"
#include "wire/wire.h"
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum {
    VARIANTS = 4,
    REPLIES = 8,
    WORKERS = 3,
    SWAPS = 2000,
    RETIRING_MAX = 4,
    FILE_MAX = 16 * 1024, /* a sanitizer copies and spoils a big image thousands of times slowly */
    SPOILT = 0xA5,
    PATIENCE_MS = 100000
};

static const char *const REPLY[REPLIES] = {
    "550 5.1.1 the zebra has left the building",
    "550-5.1.1 The email account that you tried to reach does not exist.",
    "552 5.2.2 Mailbox full, zebra",
    "421 4.7.0 try again later",
    "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zebra.example",
    "host mx.example.com said: 550 no such user (in reply to RCPT TO command)",
    "451 greylisted, and the zebra has left the building",
    "571 words that nobody knows",
};

struct wanted {
    char rule[RULE_ID_MAX + 1];
    enum reason reason;
    enum action action;
};
struct variant {
    struct arena arena;
    struct ruleset set; /* the template */
    struct wanted wanted[REPLIES];
};
/* An image that can be freed. The set is what workers hold. */
struct image {
    struct ruleset set;
    unsigned char *bytes;
};

static struct variant variants[VARIANTS];

static void build_variant(struct variant *variant, unsigned number)
{
    static const char *const REASONS[VARIANTS] = {"user-unknown", "spam", "mailbox-full", "virus"};
    struct rule_list list;
    struct ruleset_built built;
    struct error error = {0};
    char *local = malloc(512);
    arena_init(&variant->arena, 1 << 20, 0);
    rule_list_init(&list, &variant->arena);
    (void)snprintf(local, 512,
                   "rule: swap.variant-%u\ntext: the zebra has left the building\nreason: %s\n"
                   "example: 550 the zebra has left the building\n",
                   number, REASONS[number]);
    bool good = rule_file_parse(&list, "swap.rules", span_from(local), true, &error);
    for (size_t i = 0; i < builtin_file_count && good; i++)
        good = builtin_files[i].bytes.len > FILE_MAX ||
               rule_file_parse(&list, builtin_files[i].path, builtin_files[i].bytes, false, &error);
    good = good && ruleset_build(&list, &built, &error) &&
           ruleset_open(&variant->set, built.image, built.size, &error);
    if (!good) fail_msg("%s", error.text);
    free(local);
}

static void judge(const struct ruleset *set, struct ruleset_scratch *scratch, const char *text,
                  struct arena *arena, struct classified *out)
{
    struct bounce bounce;
    bounce_init(&bounce);
    bounce.recipient = SPAN("someone@gmail.com");
    bounce.diagnostic = span_from(text);
    assert_true(classify_complete(set, scratch, &bounce, 0, arena, out));
}

static void note_wanted(struct variant *variant)
{
    struct ruleset_scratch *scratch = ruleset_scratch_new();
    struct arena arena;
    arena_init(&arena, 4096, 0);
    for (unsigned i = 0; i < REPLIES; i++) {
        struct classified classified;
        struct wanted *wanted = &variant->wanted[i];
        judge(&variant->set, scratch, REPLY[i], &arena, &classified);
        assert_true(classified.verdict.rule.len <= RULE_ID_MAX);
        if (classified.verdict.rule.len)
            memcpy(wanted->rule, classified.verdict.rule.ptr, classified.verdict.rule.len);
        wanted->reason = classified.verdict.reason;
        wanted->action = classified.verdict.action;
    }
    arena_done(&arena);
    ruleset_scratch_free(scratch);
}

static int build_variants(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VARIANTS; i++) {
        build_variant(&variants[i], i);
        note_wanted(&variants[i]);
        for (unsigned j = 0; j < i; j++)
            assert_true(ruleset_checksum(&variants[i].set) != ruleset_checksum(&variants[j].set));
    }
    return 0;
}

static int free_variants(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VARIANTS; i++) arena_done(&variants[i].arena);
    return 0;
}

static struct image *image_new(unsigned variant)
{
    const struct ruleset *set = &variants[variant].set;
    struct image *image = malloc(sizeof *image);
    assert_non_null(image);
    image->bytes = aligned_alloc(16, (set->size + 15) / 16 * 16);
    assert_non_null(image->bytes);
    memcpy(image->bytes, set->image, set->size);
    image->set = (struct ruleset){image->bytes, set->size};
    return image;
}

/* A late reader finds trash even where no sanitizer watches. */
static void image_free(struct image *image)
{
    memset(image->bytes, SPOILT, image->set.size);
    free(image->bytes);
    memset(image, SPOILT, sizeof *image);
    free(image);
}

static const struct variant *variant_of(uint64_t checksum)
{
    for (unsigned i = 0; i < VARIANTS; i++)
        if (ruleset_checksum(&variants[i].set) == checksum) return &variants[i];
    return NULL;
}

static bool is_as_wanted(const struct classified *classified, unsigned reply)
{
    const struct variant *variant = variant_of(classified->rules);
    if (!variant) return false;
    const struct wanted *wanted = &variant->wanted[reply];
    return span_equal(classified->verdict.rule, span_from(wanted->rule)) &&
           classified->verdict.reason == wanted->reason &&
           classified->verdict.action == wanted->action;
}

/* ---- those that swap ---- */

struct swapper {
    struct ruleset_holder *holder;
    struct image *retiring[RETIRING_MAX];
    unsigned retiring_count, freed;
};

static void free_retired(struct swapper *swapper)
{
    for (unsigned i = 0; i < swapper->retiring_count;) {
        struct image *image = swapper->retiring[i];
        if (!ruleset_holder_is_retired(swapper->holder, &image->set)) {
            i++;
            continue;
        }
        image_free(image);
        swapper->freed++;
        swapper->retiring[i] = swapper->retiring[--swapper->retiring_count];
    }
}

static void wait_for_room(struct swapper *swapper, unsigned count_max)
{
    int64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;
    for (;;) {
        free_retired(swapper);
        if (swapper->retiring_count <= count_max) return;
        if (clock_monotonic_ms() > end_ms) fail_msg("an image is held for ever");
        sched_yield();
    }
}

static void swap(struct swapper *swapper, unsigned variant)
{
    struct image *next = image_new(variant);
    wait_for_room(swapper, RETIRING_MAX - 1);
    /* The set is the first member of its image. */
    swapper->retiring[swapper->retiring_count++] =
        (struct image *)ruleset_holder_swap(swapper->holder, &next->set);
}

/* ---- workers that only judge ---- */

struct race {
    struct ruleset_holder holder;
    atomic_bool stop;
    atomic_uint next;
    atomic_ulong wrong, judged[WORKERS][VARIANTS];
};

static void judge_often(void *argument)
{
    struct race *race = argument;
    unsigned worker = atomic_fetch_add(&race->next, 1);
    struct ruleset_scratch *scratch = ruleset_scratch_new();
    struct arena arena;
    arena_init(&arena, 4096, 0);
    while (!atomic_load_explicit(&race->stop, memory_order_relaxed)) {
        const struct ruleset *set = ruleset_holder_take(&race->holder, worker);
        for (unsigned i = 0; i < REPLIES; i++) {
            struct classified classified;
            arena_reset(&arena);
            judge(set, scratch, REPLY[i], &arena, &classified);
            if (!is_as_wanted(&classified, i)) atomic_fetch_add(&race->wrong, 1);
            for (unsigned v = 0; v < VARIANTS; v++)
                if (classified.rules == ruleset_checksum(&variants[v].set))
                    atomic_fetch_add_explicit(&race->judged[worker][v], 1, memory_order_relaxed);
        }
        ruleset_holder_release(&race->holder, worker);
    }
    arena_done(&arena);
    ruleset_scratch_free(scratch);
}

static bool all_have_judged_by_all(struct race *race)
{
    for (unsigned worker = 0; worker < WORKERS; worker++)
        for (unsigned v = 0; v < VARIANTS; v++)
            if (atomic_load_explicit(&race->judged[worker][v], memory_order_relaxed) == 0)
                return false;
    return true;
}

static void test_a_verdict_belongs_to_the_image_whose_checksum_it_carries(void **state)
{
    (void)state;
    static struct race race;
    struct thread *threads[WORKERS];
    struct image *first = image_new(0);
    struct swapper swapper = {.holder = &race.holder};
    ruleset_holder_init(&race.holder, &first->set, WORKERS);
    for (int i = 0; i < WORKERS; i++) threads[i] = thread_start("judge", judge_often, &race);
    int64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;
    unsigned swaps = 0;
    while (swaps < SWAPS || !all_have_judged_by_all(&race)) {
        swap(&swapper, ++swaps % VARIANTS);
        if (clock_monotonic_ms() > end_ms) fail_msg("only %u swaps", swaps);
    }
    wait_for_room(&swapper, 0);
    atomic_store(&race.stop, true);
    for (int i = 0; i < WORKERS; i++) thread_join(threads[i]);
    assert_int_equal(swapper.freed, swaps); /* with workers at work: nobody had to stop for it */
    assert_int_equal(atomic_load(&race.wrong), 0);
    image_free((struct image *)ruleset_holder_swap(&race.holder, NULL));
}

/* ---- the pool of stage 1: what it gave back is read after its image was freed ---- */

static unsigned no_headers(void *self, const struct kafka_record *record, struct kafka_header *out,
                           unsigned max)
{
    (void)self, (void)record, (void)out, (void)max;
    return 0;
}

struct plant {
    struct pipeline_config config;
    struct stage_setup setup;
    struct ruleset_holder holder;
    struct pool *pool;
    char events[REPLIES][512];
    unsigned wrong, records, seen[VARIANTS];
};

static struct chunk *make_chunk(struct plant *plant)
{
    struct chunk *chunk = chunk_new();
    for (unsigned i = 0; i < CHUNK_RECORDS_MAX; i++)
        chunk->records[chunk->record_count++] = (struct kafka_record){
            .offset = i,
            .value = span_from(plant->events[i % REPLIES]),
            .has_value = true,
        };
    return chunk;
}

static void read_chunk(struct plant *plant, struct chunk *chunk, struct arena *arena)
{
    for (struct chunk_output *output = chunk->first; output; output = output->next) {
        struct classified classified;
        struct wire_read read;
        arena_reset(arena);
        assert_int_equal(output->dead, DEAD_NONE);
        assert_int_equal(wire_classified_parse(output->message.value, arena, &classified, &read),
                         WIRE_OK);
        if (!is_as_wanted(&classified, output->record % REPLIES)) plant->wrong++;
        plant->records++;
        for (unsigned v = 0; v < VARIANTS; v++)
            plant->seen[v] += classified.rules == ruleset_checksum(&variants[v].set);
    }
    assert_int_equal(chunk->at, chunk->record_count);
}

static void plant_init(struct plant *plant, const struct ruleset *set)
{
    static const struct source_ops ops = {.headers = no_headers};
    *plant = (struct plant){0};
    plant->config.topics.classified = "classified";
    plant->setup = (struct stage_setup){.config = &plant->config,
                                        .ports.source.ops = &ops,
                                        .partitions = 4,
                                        .dead_partitions = 1,
                                        .classified_max = 1 << 20,
                                        .dead_max = 1 << 20};
    for (unsigned i = 0; i < REPLIES; i++)
        (void)snprintf(plant->events[i], sizeof plant->events[i],
                       "{\"v\":1,\"recipient\":\"someone@gmail.com\",\"type\":\"bounce\","
                       "\"diagnostic\":\"%s\"}",
                       REPLY[i]);
    ruleset_holder_init(&plant->holder, set, WORKERS);
    plant->pool = pool_new(&plant->setup, &plant->holder, WORKERS);
}

static bool all_were_seen(const struct plant *plant)
{
    for (unsigned v = 0; v < VARIANTS; v++)
        if (!plant->seen[v]) return false;
    return true;
}

static void test_records_outlive_the_image_that_judged_them(void **state)
{
    (void)state;
    enum { CHUNKS = 200, AT_ONCE = 4 };
    static struct plant plant;
    struct image *first = image_new(0);
    struct swapper swapper = {.holder = &plant.holder};
    struct arena arena;
    unsigned swaps = 0;
    arena_init(&arena, 65536, 0);
    plant_init(&plant, &first->set);
    int64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;
    unsigned rounds = 0;
    for (; rounds < CHUNKS / AT_ONCE || !all_were_seen(&plant); rounds++) {
        struct chunk *chunks[AT_ONCE];
        if (clock_monotonic_ms() > end_ms) fail_msg("not all images judged in %u rounds", rounds);
        for (unsigned i = 0; i < AT_ONCE; i++) {
            pool_submit(plant.pool, make_chunk(&plant));
            swap(&swapper, ++swaps % VARIANTS);
        }
        for (unsigned i = 0; i < AT_ONCE; i++) {
            chunks[i] = pool_take(plant.pool, true);
            assert_non_null(chunks[i]);
            swap(&swapper, ++swaps % VARIANTS);
        }
        swap(&swapper, ++swaps % VARIANTS); /* and the next round begins with another image */
        wait_for_room(&swapper, 0);         /* all images but the one in force are gone */
        for (unsigned i = 0; i < AT_ONCE; i++) {
            read_chunk(&plant, chunks[i], &arena);
            chunk_free(chunks[i]);
        }
    }
    pool_free(plant.pool);
    assert_int_equal(plant.wrong, 0);
    assert_int_equal(plant.records, rounds * AT_ONCE * CHUNK_RECORDS_MAX);
    image_free((struct image *)ruleset_holder_swap(&plant.holder, NULL));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_verdict_belongs_to_the_image_whose_checksum_it_carries),
        cmocka_unit_test(test_records_outlive_the_image_that_judged_them),
    };
    return cmocka_run_group_tests(tests, build_variants, free_variants);
}
