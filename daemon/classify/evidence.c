/* A relay writes code and status beside the words of the host that answered, and often puts 5.0.0
 * or its own guess there; the answer itself is nearer to the truth. */
#include "classify/evidence.h"

void evidence_find(const struct bounce *bounce, struct evidence *out)
{
    *out = (struct evidence){0};
    reply_find(bounce->diagnostic, &out->reply);
    out->own_code = out->reply.code != 0;
    out->own_status = out->reply.status.class != 0;
    if (!out->own_code) out->reply.code = bounce->code;
    if (!out->own_status) out->reply.status = bounce->status;
    out->stage = bounce->stage != STAGE_NONE ? bounce->stage : reply_find_stage(bounce->diagnostic);
}
