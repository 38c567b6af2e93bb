#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H
/* Mail addresses: RFC 5321 4.1.2 paths, RFC 5322 3.4 forms, RFC 6531 in UTF-8. */
#include "base/arena.h"
#include "base/span.h"

enum { ADDRESS_MAX = 320 + 8 }; /* 64 + 1 + 255, and some for what strangers send */

/* The address inside any of: a@b · <a@b> · "Name" <a@b> · rfc822;a@b · rfc822; <a@b> · (comment)
 * a@b ·
 * <@relay:a@b> · "quoted local"@b · a@[192.0.2.1]. No comments, no <>, spelling kept. Points into
 * `text` or, where pieces had to be joined, into the arena. False where there is none. */
bool address_find(struct span text, struct arena *arena, struct span *out);
/* True for something of the shape local@domain with no blanks outside quotes, <= ADDRESS_MAX bytes.
 */
bool address_is_valid(struct span address);
/* Behind the last '@'; empty where there is none. */
struct span address_domain(struct span address);
struct span address_local(struct span address);
/* A domain as A-labels (UTS 46, non-transitional), in `out`; `domain` itself where it is ASCII, or
 * is none that libidn2 takes. */
struct span address_domain_to_ascii(struct span domain, char out[ADDRESS_MAX]);
/* The form used in keys: local part ASCII lower-case, domain as lower-case A-labels (UTS 46,
 * non-transitional; where that fails the bytes in ASCII lower-case), no <>, no comments, no
 * trailing dot. A local part that begins with "#" is put in quotes, which mean the same, as keys
 * with "#" in front are no recipients. Into the arena. */
struct span address_to_key(struct span address, struct arena *arena);
#endif
