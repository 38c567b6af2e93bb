#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H
/* A folder for each test, and states that are easy to tell apart. */
#include "store/store.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <string.h>

#define NOW_MS INT64_C(1795450737123)
#define DAY_MS INT64_C(86400000)

static char folder[64];
static struct error error;

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/bounced-store-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[256];
    snprintf(command, sizeof command, "chmod -R u+w '%s'; rm -rf '%s'", folder, folder);
    return system(command); // NOLINT(cert-env33-c): a folder of our own
}

static inline const char *in_folder(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, 256, "%s/%s", folder, name);
    return path;
}

static inline bool file_is_there(const char *name)
{
    return access(in_folder(name), F_OK) == 0;
}

static inline struct store_config usual_config(void)
{
    return (struct store_config){.folder = folder,
                                 .partition = 3,
                                 .partitions = 8,
                                 .cluster = "cluster-A",
                                 .now_ms = NOW_MS,
                                 .age_max_ms = 3 * DAY_MS};
}

/* Opens and expects `rebuilt` to begin with the given words. */
static inline struct store *open_expecting(const struct store_config *config, const char *words)
{
    struct store *store;
    const char *rebuilt;
    if (!store_open(config, &store, &rebuilt, &error)) fail_msg("%s", error.text);
    if (strncmp(rebuilt, words, strlen(words)) != 0 || (!*words && *rebuilt))
        fail_msg("rebuilt: '%s', not '%s'", rebuilt, words);
    return store;
}

static inline struct store *open_usual(void)
{
    struct store_config config = usual_config();
    return open_expecting(&config, "");
}

/* Recipient number i of the test, as a key. */
static inline struct span key_of(unsigned i, char out[64])
{
    int len = snprintf(out, 64, "user%u@example.com", i);
    return span_of(out, (size_t)len);
}

/* A state that tells its number in every field. */
static inline void make_state(unsigned i, struct recipient_state *out)
{
    state_init(out);
    out->ground_count = i % 4;
    for (unsigned n = 0; n < out->ground_count; n++) {
        struct ground *ground = &out->grounds[n];
        ground->reason = n == 0   ? REASON_USER_UNKNOWN
                         : n == 1 ? REASON_COMPLAINT
                                  : REASON_SOFT_LIMIT;
        snprintf(ground->rule, sizeof ground->rule, "rule.%u.%u", i, n);
        snprintf(ground->evidence, sizeof ground->evidence, "550 5.1.1 no user%u", i);
        ground->since_ms = NOW_MS + i;
        ground->expires_ms = n == 0 ? INT64_MAX : NOW_MS + i * DAY_MS;
    }
    out->soft_day_count = i % 3;
    for (unsigned n = 0; n < out->soft_day_count; n++) out->soft_days[n] = (int32_t)(20000 + i + n);
    out->message_count = i % 3;
    for (unsigned n = 0; n < out->message_count; n++)
        out->messages[n] = (struct soft_message){.id = i * 1000 + n, .day = (int32_t)(20000 + i)};
    out->soft_first_ms = out->soft_day_count ? NOW_MS - i : 0;
    out->soft_last_ms = out->soft_day_count ? NOW_MS + i : 0;
    out->hard_count = i % 2;
    out->hard[0] = (struct hard_count){
        .reason = REASON_HOST_UNKNOWN, .days = {(int32_t)i, (int32_t)i + 3}, .day_count = 2};
    if (!out->hard_count) memset(out->hard, 0, sizeof out->hard);
    out->held_until_ms = i % 5 == 0 ? NOW_MS + i : 0;
    out->recent_count = 1;
    out->recent[0] = i;
    out->at_ms = NOW_MS - i;
    snprintf(out->spelling, sizeof out->spelling, "User%u@Example.COM", i);
}

static inline bool grounds_are_equal(const struct recipient_state *a,
                                     const struct recipient_state *b)
{
    if (a->ground_count != b->ground_count) return false;
    for (unsigned n = 0; n < a->ground_count; n++) {
        const struct ground *x = &a->grounds[n], *y = &b->grounds[n];
        if (x->reason != y->reason || strcmp(x->rule, y->rule) != 0 || x->since_ms != y->since_ms ||
            x->expires_ms != y->expires_ms || strcmp(x->evidence, y->evidence) != 0)
            return false;
    }
    return true;
}

static inline bool counts_are_equal(const struct recipient_state *a,
                                    const struct recipient_state *b)
{
    if (a->hard_count != b->hard_count || a->message_count != b->message_count) return false;
    for (unsigned n = 0; n < a->message_count; n++)
        if (a->messages[n].id != b->messages[n].id || a->messages[n].day != b->messages[n].day)
            return false;
    for (unsigned n = 0; n < a->hard_count; n++) {
        const struct hard_count *x = &a->hard[n], *y = &b->hard[n];
        if (x->reason != y->reason || x->day_count != y->day_count ||
            memcmp(x->days, y->days, x->day_count * sizeof *x->days) != 0)
            return false;
    }
    return a->soft_day_count == b->soft_day_count &&
           memcmp(a->soft_days, b->soft_days, a->soft_day_count * sizeof *a->soft_days) == 0;
}

static inline bool states_are_equal(const struct recipient_state *a,
                                    const struct recipient_state *b)
{
    return grounds_are_equal(a, b) && counts_are_equal(a, b) &&
           a->held_until_ms == b->held_until_ms && a->soft_first_ms == b->soft_first_ms &&
           a->soft_last_ms == b->soft_last_ms && a->recent_count == b->recent_count &&
           memcmp(a->recent, b->recent, a->recent_count * sizeof *a->recent) == 0 &&
           a->at_ms == b->at_ms && strcmp(a->spelling, b->spelling) == 0;
}

static inline void put_numbers(struct store *store, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        char key[64];
        struct recipient_state state;
        make_state(i, &state);
        if (!store_put(store, SPAN("acme"), key_of(i, key), &state, &error))
            fail_msg("%s", error.text);
    }
}

/* Recipient i as it was put, or not there at all. */
static inline void expect_number(struct store *store, unsigned i, bool there)
{
    char key[64];
    struct recipient_state expected, got;
    bool found;
    make_state(i, &expected);
    if (!store_get(store, SPAN("acme"), key_of(i, key), &got, &found, &error))
        fail_msg("%s", error.text);
    assert_int_equal(found, there);
    if (there) assert_true(states_are_equal(&got, &expected));
}

static inline void expect_sound(struct store *store, uint64_t rows)
{
    struct store_sweep sweep;
    if (!store_verify(store, &sweep, &error)) fail_msg("%s", error.text);
    assert_true(sweep.matches_meta);
    assert_int_equal(sweep.bad_rows, 0);
    assert_int_equal(sweep.rows, rows);
}

#define ok(call)                                                                                   \
    do {                                                                                           \
        if (!(call)) fail_msg("%s", error.text);                                                   \
    } while (0)
#endif
