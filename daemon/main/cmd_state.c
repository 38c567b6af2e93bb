/* state verify, state rebuild: can the state files be trusted, and what to do where not. */
#include <inttypes.h>

#include "main/command.h"
#include "main/json_output.h"
#include "main/state_folder.h"
#include "store/store.h"

enum result {
    RESULT_SOUND,
    RESULT_DAMAGED,
    RESULT_UNUSABLE,
    RESULT_UNREADABLE, /* now: a failing disk, a file that another program writes to */
    RESULT_IN_USE,
    RESULT_MISSING
};

struct finding {
    int32_t partition;
    enum result result;
    struct store_sweep sweep;
    struct error error; /* what there is to say; empty where it is sound */
};

static const char *result_name(enum result result)
{
    static const char *const NAMES[] = {
        [RESULT_SOUND] = "sound",       [RESULT_DAMAGED] = "damaged",
        [RESULT_UNUSABLE] = "unusable", [RESULT_UNREADABLE] = "unreadable",
        [RESULT_IN_USE] = "in-use",     [RESULT_MISSING] = "missing"};
    return NAMES[result];
}

static enum exit_code result_code(enum result result)
{
    static const enum exit_code CODES[] = {
        [RESULT_SOUND] = EXIT_DONE,        [RESULT_DAMAGED] = EXIT_BAD_DATA,
        [RESULT_UNUSABLE] = EXIT_BAD_DATA, [RESULT_UNREADABLE] = EXIT_TEMPORARY,
        [RESULT_IN_USE] = EXIT_TEMPORARY,  [RESULT_MISSING] = EXIT_BAD_DATA};
    return CODES[result];
}

/* Of two partitions' codes the one that asks for more: damage before anything that passes. */
static enum exit_code worse(enum exit_code a, enum exit_code b)
{
    if (a == EXIT_DONE || b == EXIT_DONE) return a == EXIT_DONE ? b : a;
    if (a == EXIT_BAD_DATA || b == EXIT_BAD_DATA) return EXIT_BAD_DATA;
    return a > b ? a : b;
}

/* ---- verify ---- */

static void judge_sweep(struct finding *out)
{
    const struct store_sweep *sweep = &out->sweep;
    if (sweep->bad_rows)
        error_set(&out->error, EXIT_BAD_DATA,
                  "%" PRIu64 " of %" PRIu64 " rows do not match their checksums", sweep->bad_rows,
                  sweep->rows);
    else if (!sweep->matches_meta)
        error_set(&out->error, EXIT_BAD_DATA, "rows are missing or too many: there are %" PRIu64,
                  sweep->rows);
    out->result = sweep->bad_rows || !sweep->matches_meta ? RESULT_DAMAGED : RESULT_SOUND;
}

static enum result result_of(const struct error *error)
{
    if (error->code == EXIT_BAD_DATA) return RESULT_DAMAGED;
    return error->code == EXIT_TEMPORARY ? RESULT_UNREADABLE : RESULT_UNUSABLE;
}

static void verify(const char *folder, int32_t partition, struct finding *out)
{
    struct store *store = NULL;
    *out = (struct finding){.partition = partition};
    if (state_folder_is_owned(folder, partition)) {
        out->result = RESULT_IN_USE;
        error_set(&out->error, EXIT_TEMPORARY,
                  "a running daemon owns it: stop that first (stats can be read meanwhile)");
    } else if (!store_open_reader(folder, partition, &store, &out->error) ||
               (store && !store_verify(store, &out->sweep, &out->error))) {
        out->result = result_of(&out->error);
    } else if (!store) {
        out->result = RESULT_MISSING;
        error_set(&out->error, EXIT_BAD_DATA, "there is no file of it");
    } else {
        judge_sweep(out);
    }
    store_close(store);
}

static enum exit_code print_verified(const struct call *call, const struct finding *finding)
{
    const struct error *error = &finding->error;
    if (call->flags[FLAG_STATE_VERIFY_JSON]) {
        json_t *object =
            json_pack("{s:i, s:s, s:I, s:I}", "partition", (int)finding->partition, "result",
                      result_name(finding->result), "rows", (json_int_t)finding->sweep.rows,
                      "bad_rows", (json_int_t)finding->sweep.bad_rows);
        if (object && error->text[0])
            json_object_set_new(object, "error", json_text(span_from(error->text)));
        return json_print_line(call, object);
    }
    fprintf(call->io.out, "partition %d: %s", (int)finding->partition,
            result_name(finding->result));
    if (finding->result == RESULT_SOUND)
        fprintf(call->io.out, ", %" PRIu64 " rows\n", finding->sweep.rows);
    else
        fprintf(call->io.out, ": %s\n", error->text);
    return EXIT_DONE;
}

/* ---- rebuild ---- */

static void discard(const char *folder, int32_t partition, struct finding *out)
{
    bool found = false;
    *out = (struct finding){.partition = partition};
    if (!store_discard(folder, partition, &found, &out->error))
        out->result = out->error.code == EXIT_TEMPORARY ? RESULT_IN_USE : RESULT_UNUSABLE;
    else if (!found)
        out->result = RESULT_MISSING;
}

static enum exit_code print_discarded(const struct call *call, const struct finding *finding)
{
    static const char *const SAID[] = {
        [RESULT_SOUND] = "set-aside",   [RESULT_DAMAGED] = "failed", [RESULT_UNUSABLE] = "failed",
        [RESULT_UNREADABLE] = "failed", [RESULT_IN_USE] = "in-use",  [RESULT_MISSING] = "missing"};
    const char *said = SAID[finding->result];
    if (call->flags[FLAG_STATE_REBUILD_JSON]) {
        json_t *object =
            json_pack("{s:i, s:s}", "partition", (int)finding->partition, "result", said);
        if (object && finding->error.text[0])
            json_object_set_new(object, "error", json_text(span_from(finding->error.text)));
        return json_print_line(call, object);
    }
    fprintf(call->io.out, "partition %d: ", (int)finding->partition);
    if (finding->result == RESULT_SOUND)
        fprintf(call->io.out,
                "set aside as partition-%d.db.bad; whoever owns the partition next restores it "
                "from %s\n",
                (int)finding->partition, options_text(call->options, OPTION_TOPICS_RECIPIENTS));
    else if (finding->result == RESULT_MISSING)
        fputs("there is no file of it: it is restored from the topic anyhow\n", call->io.out);
    else
        fprintf(call->io.out, "%s: %s\n", said, finding->error.text);
    return EXIT_DONE;
}

static enum exit_code discarded_code(const struct finding *finding)
{
    if (finding->result == RESULT_MISSING) return EXIT_DONE; /* what was wanted is so */
    return finding->result == RESULT_UNUSABLE ? finding->error.code : result_code(finding->result);
}

/* ---- both ---- */

typedef void look_at(const char *folder, int32_t partition, struct finding *out);
typedef enum exit_code print_one(const struct call *call, const struct finding *finding);
struct way {
    look_at *look;
    print_one *print;
    enum exit_code (*code)(const struct finding *finding);
};

static enum exit_code verified_code(const struct finding *finding)
{
    return result_code(finding->result);
}

static enum exit_code go_through(const struct call *call, const struct way *way)
{
    static struct state_folder files; /* large; a command has one thread */
    const char *folder = options_text(call->options, OPTION_STATE_DIR);
    struct error error = {0};
    if (!state_folder_choose(call, folder, &files, &error)) return call_fail(call, &error);
    enum exit_code code = EXIT_DONE;
    for (size_t i = 0; i < files.count; i++) {
        struct finding finding;
        way->look(folder, files.partitions[i], &finding);
        enum exit_code printed = way->print(call, &finding);
        if (printed != EXIT_DONE) return printed;
        code = worse(code, way->code(&finding));
    }
    return code;
}

enum exit_code cmd_state_verify(const struct call *call)
{
    static const struct way WAY = {verify, print_verified, verified_code};
    return go_through(call, &WAY);
}

enum exit_code cmd_state_rebuild(const struct call *call)
{
    static const struct way WAY = {discard, print_discarded, discarded_code};
    bool all = call->flags[FLAG_STATE_REBUILD_ALL] != NULL;
    if (all == (call->argument_count > 0))
        return call_fail_usage(call, "say which partitions, or --all");
    return go_through(call, &WAY);
}
