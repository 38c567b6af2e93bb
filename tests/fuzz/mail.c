/* A whole mail of any dialect, from its bytes to the verdicts. */
#include "fuzz/mail_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct span verp[] = {{"bounces+{local}={domain}@mail.example.org", 41}};
    static const struct span trace[] = {{"X-Recipient", 11}};
    static const struct span own[] = {{"example.org", 11}};
    static const struct intake_config config = {.verp = verp,
                                                .verp_count = 1,
                                                .trace_headers = trace,
                                                .trace_header_count = 1,
                                                .own_domains = own,
                                                .own_domain_count = 1};
    oracle_ask_often(oracle_open(), span_of(bytes, size), size % 2 ? &config : NULL);
    return 0;
}
