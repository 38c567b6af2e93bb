#include "pipeline/ruleset_holder.h"
#include "base/check.h"
#include <stddef.h>

void ruleset_holder_init(struct ruleset_holder *holder, const struct ruleset *set, unsigned workers)
{
    CHECK(workers >= 1 && workers <= RULESET_WORKERS_MAX);
    atomic_init(&holder->current, set);
    for (unsigned i = 0; i < RULESET_WORKERS_MAX; i++) atomic_init(&holder->held[i], NULL);
    holder->workers = workers;
}

/* A hazard pointer. The store of `held` and the second load of `current` are sequentially
 * consistent, as are the swap and the look at `held` in is_retired: in their one order either the
 * worker sees the swap and takes the new one, or who swaps sees that it is held. */
const struct ruleset *ruleset_holder_take(struct ruleset_holder *holder, unsigned worker)
{
    CHECK(worker < holder->workers);
    const struct ruleset *set = atomic_load_explicit(&holder->current, memory_order_acquire);
    for (;;) {
        atomic_store_explicit(&holder->held[worker], set, memory_order_seq_cst);
        const struct ruleset *again = atomic_load_explicit(&holder->current, memory_order_seq_cst);
        if (again == set) return set;
        set = again;
    }
}

/* Release: pairs with the load in is_retired, so that the worker's reads are over before the memory
 * is freed. */
void ruleset_holder_release(struct ruleset_holder *holder, unsigned worker)
{
    atomic_store_explicit(&holder->held[worker], NULL, memory_order_release);
}

const struct ruleset *ruleset_holder_swap(struct ruleset_holder *holder, const struct ruleset *set)
{
    return atomic_exchange_explicit(&holder->current, set, memory_order_seq_cst);
}

bool ruleset_holder_is_retired(struct ruleset_holder *holder, const struct ruleset *old)
{
    for (unsigned i = 0; i < holder->workers; i++)
        if (atomic_load_explicit(&holder->held[i], memory_order_seq_cst) == old) return false;
    return true;
}
