/* Keys and partitions. All tenants of a recipient share a partition: only the recipient is hashed.
 */
#include "wire/wire.h"
#include "base/check.h"
#include "base/hash.h"

void wire_key_format(struct span tenant, struct span key_recipient, struct buffer *out)
{
    if (tenant.len) {
        buffer_add(out, tenant);
        buffer_add_byte(out, ' ');
    }
    buffer_add(out, key_recipient);
}

/* A blank in a quoted local part is none that ends a tenant: no tenant begins with a quote. */
bool wire_key_parse(struct span key, struct span *tenant, struct span *key_recipient)
{
    if (key.len == 0 || key.len > WIRE_KEY_MAX || key.ptr[0] == '#') return false;
    size_t blank = span_find_byte(key, ' ');
    struct span before = blank == SPAN_NOT_FOUND ? SPAN_NONE : span_take(key, blank);
    bool has_tenant = before.len > 0 && (span_equal(before, SPAN("*")) || tenant_is_valid(before));
    struct span recipient = has_tenant ? span_skip(key, blank + 1) : key;
    if (recipient.len == 0 || recipient.ptr[0] == ' ') return false;
    *tenant = has_tenant ? before : SPAN_NONE;
    *key_recipient = recipient;
    return true;
}

int32_t wire_partition(struct span key_recipient, int32_t partitions)
{
    CHECK(partitions > 0);
    return (int32_t)((hash_murmur2(key_recipient) & 0x7fffffffu) % (uint32_t)partitions);
}
