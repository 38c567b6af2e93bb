/* A relay writes code and status beside the words of the host that answered, and often puts 5.0.0
 * or its own guess there; the answer itself is nearer to the truth. */
#include "classify/evidence.h"
#include "mail/address.h"

/* The query is filled in place: what was just written in pieces is slow to copy. */
void evidence_find(const struct bounce *bounce, struct ruleset_query *query, struct evidence *out)
{
    struct reply *reply = &query->reply;
    query->text = bounce->diagnostic;
    reply_find(bounce->diagnostic, reply);
    out->own_code = reply->code != 0;
    out->own_status = reply->status.class != 0;
    out->words_at = out->own_code || out->own_status ? reply->text_at : 0;
    if (!out->own_code) reply->code = bounce->code;
    if (!out->own_status) reply->status = bounce->status;
    query->stage = bounce->stage != STAGE_NONE ? bounce->stage : reply_find_stage(query->text);
    query->remote_host = bounce->remote_host;
    query->recipient_domain = address_domain(bounce->recipient);
}
