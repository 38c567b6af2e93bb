/* The coordinator of a group: members, generations, assignment, offsets. `range` gives each member
 * a run of partitions and takes everything away before; the cooperative assignor leaves each what
 * it has as far as that is fair, and what moves is given only after its owner has let go. */
#include "sim/broker.h"
#include "base/check.h"
#include <string.h>

static struct broker_member *find(struct broker_members *group, unsigned number)
{
    for (unsigned i = 0; i < group->count; i++)
        if (number && group->list[i].number == number) return &group->list[i];
    return NULL;
}

static void prepare(struct broker *broker, struct broker_members *group)
{
    if (!group->preparing) {
        group->preparing_ms = broker->now_ms;
        for (unsigned i = 0; i < group->count; i++) group->list[i].joined = false;
    }
    group->preparing = true;
}

void group_rebalance(struct broker *broker, enum broker_group which)
{
    prepare(broker, &broker->groups[which]);
}

unsigned group_join(struct broker *broker, enum broker_group which, unsigned number, uint32_t owned)
{
    struct broker_members *group = &broker->groups[which];
    struct broker_member *member = find(group, number);
    prepare(broker, group);
    if (!member) {
        CHECK(group->count < BROKER_MEMBERS_MAX);
        member = &group->list[group->count++];
        *member = (struct broker_member){.number = ++broker->members_made};
    }
    member->joined = true;
    member->owned = owned;
    member->heartbeat_ms = broker->now_ms;
    return member->number;
}

static void remove_member(struct broker *broker, struct broker_members *group, unsigned index)
{
    prepare(broker, group);
    memmove(&group->list[index], &group->list[index + 1],
            (group->count - index - 1) * sizeof group->list[0]);
    group->count--;
}

void group_leave(struct broker *broker, enum broker_group which, unsigned number)
{
    struct broker_members *group = &broker->groups[which];
    struct broker_member *member = find(group, number);
    if (member) remove_member(broker, group, (unsigned)(member - group->list));
}

enum broker_status group_heartbeat(struct broker *broker, enum broker_group which, unsigned number)
{
    struct broker_members *group = &broker->groups[which];
    struct broker_member *member = find(group, number);
    if (!member) return MEMBER_UNKNOWN;
    member->heartbeat_ms = broker->now_ms;
    return group->preparing && !member->joined ? MEMBER_REJOIN : MEMBER_OK;
}

uint32_t group_target(struct broker *broker, enum broker_group which, unsigned number)
{
    const struct broker_member *member = find(&broker->groups[which], number);
    return member ? member->target : 0;
}

static void assign_range(struct broker_members *group)
{
    int32_t at = 0, each = group->partitions / (int32_t)group->count;
    int32_t more = group->partitions % (int32_t)group->count;
    for (unsigned i = 0; i < group->count; i++) {
        int32_t count = each + ((int32_t)i < more ? 1 : 0);
        group->list[i].target = 0;
        for (int32_t n = 0; n < count; n++) group->list[i].target |= UINT32_C(1) << at++;
    }
}

static int bit_count(uint32_t bits)
{
    return __builtin_popcount(bits);
}

/* The member that would have the fewest partitions. */
static unsigned least_loaded(const struct broker_members *group)
{
    unsigned least = 0;
    for (unsigned i = 1; i < group->count; i++)
        if (bit_count(group->list[i].target) < bit_count(group->list[least].target)) least = i;
    return least;
}

static void assign_cooperative(struct broker_members *group)
{
    int fair = (group->partitions + (int32_t)group->count - 1) / (int32_t)group->count;
    uint32_t taken = 0, held = 0;
    for (unsigned i = 0; i < group->count; i++) {
        struct broker_member *member = &group->list[i];
        member->target = 0;
        held |= member->owned;
        for (int32_t p = 0; p < group->partitions; p++) {
            uint32_t bit = UINT32_C(1) << p;
            if (!(member->owned & bit & ~taken) || bit_count(member->target) >= fair) continue;
            member->target |= bit;
            taken |= bit;
        }
    }
    for (int32_t p = 0; p < group->partitions; p++) {
        uint32_t bit = UINT32_C(1) << p;
        /* What somebody holds and is to lose is given in the next generation. */
        if (!((taken | held) & bit)) group->list[least_loaded(group)].target |= bit;
    }
}

void group_tick(struct broker *broker, enum broker_group which)
{
    struct broker_members *group = &broker->groups[which];
    for (unsigned i = 0; i < group->count;) {
        if (broker->now_ms - group->list[i].heartbeat_ms > broker->session_timeout_ms)
            remove_member(broker, group, i);
        else
            i++;
    }
    if (!group->preparing || group->count == 0) return;
    for (unsigned i = 0; i < group->count; i++)
        if (!group->list[i].joined) return;
    group->preparing = false;
    group->generation++;
    if (group->cooperative)
        assign_cooperative(group);
    else
        assign_range(group);
}

bool group_may_commit(struct broker *broker, enum broker_group which, unsigned number,
                      uint32_t generation)
{
    struct broker_members *group = &broker->groups[which];
    if (generation == 0) return true;
    return find(group, number) && generation == group->generation;
}

static bool holds_offset(const struct broker_txn *txn, enum broker_group which, int32_t partition)
{
    return txn && txn->has_offsets && txn->group == which && txn->offsets[partition] >= 0;
}

bool group_committed(struct broker *broker, enum broker_group which, int32_t partition,
                     int64_t *out)
{
    for (unsigned i = 0; i < broker->id_count; i++)
        if (holds_offset(broker->ids[i].open, which, partition)) return false;
    *out = broker->groups[which].offsets[partition];
    return true;
}
