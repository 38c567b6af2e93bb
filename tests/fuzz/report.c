/* The machine-readable part of a report, in a frame that is always sound: RFC 3464 and RFC 6533
 * groups, feedback reports, what was returned. The first byte chooses the frame; byte 0x1E ends the
 * part for people and the machine's part, what is behind the second is the returned message. */
#include "base/buffer.h"
#include "base/check.h"
#include "fuzz/mail_oracle.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define HEAD                                                                                       \
    "From: MAILER-DAEMON@mx.example.net\nTo: bounces+anna=example.com@mail.example.org\n"          \
    "Content-Type: multipart/report; boundary=0=0\n\n--0=0\nContent-Type: text/plain"
#define NEXT "\n--0=0\nContent-Type: "

static const struct frame {
    struct span human, machine, returned; /* what stands before each */
} frames[] = {
#define FRAME(human, machine, returned)                                                            \
    {                                                                                              \
        {HEAD human "\n\n", sizeof(HEAD human "\n\n") - 1},                                        \
            {NEXT machine "\n\n", sizeof(NEXT machine "\n\n") - 1},                                \
        {                                                                                          \
            NEXT returned "\n\n", sizeof(NEXT returned "\n\n") - 1                                 \
        }                                                                                          \
    }
    FRAME("", "message/delivery-status", "message/rfc822"),
    FRAME("; charset=utf-8", "message/global-delivery-status", "message/global-headers"),
    FRAME("; charset=iso-2022-jp", "message/delivery-status", "text/rfc822-headers"),
    FRAME("", "message/feedback-report", "message/rfc822"),
    FRAME("", "message/feedback-report", "text/rfc822-headers"),
    FRAME("", "message/disposition-notification", "message/rfc822"),
    FRAME("", "text/plain", "message/rfc822"), /* fields that lost their type */
    FRAME("\nContent-Transfer-Encoding: quoted-printable",
          "message/delivery-status\nContent-Transfer-Encoding: quoted-printable",
          "message/rfc822\nContent-Transfer-Encoding: quoted-printable"),
};
enum { FRAMES = sizeof frames / sizeof *frames, SEPARATOR = 0x1E };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct span verp[] = {{"bounces+{local}={domain}@mail.example.org", 41}};
    static const struct span trace[] = {{"X-Job = message-id", 18}, {"X-Customer = tenant", 19}};
    static const struct span own[] = {{"example.org", 11}};
    static const struct intake_config config = {.verp = verp,
                                                .verp_count = 1,
                                                .trace_headers = trace,
                                                .trace_header_count = 2,
                                                .own_domains = own,
                                                .own_domain_count = 1};
    if (size < 1) return 0;
    const struct frame *frame = &frames[bytes[0] % FRAMES];
    struct span rest = span_of(bytes + 1, size - 1);
    struct span human = span_split(&rest, SEPARATOR), machine = span_split(&rest, SEPARATOR);
    size_t room = frame->human.len + frame->machine.len + frame->returned.len + size;
    char *storage = malloc(room);
    CHECK(storage != NULL);
    struct buffer mail;
    buffer_init(&mail, storage, room);
    buffer_add(&mail, frame->human);
    buffer_add(&mail, human);
    buffer_add(&mail, frame->machine);
    buffer_add(&mail, machine);
    if (rest.len) {
        buffer_add(&mail, frame->returned);
        buffer_add(&mail, rest);
    }
    /* Memory that ends with the mail, so that a sanitizer sees a read behind it. */
    storage = realloc(storage, mail.len);
    CHECK(storage != NULL && !mail.full);
    mail.ptr = storage;
    oracle_ask_often(oracle_open(), buffer_span(&mail), bytes[0] & 0x80 ? &config : NULL);
    free(storage);
    return 0;
}
