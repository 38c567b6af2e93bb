#include "unit/pipeline/fake_rules.h"
#include "base/check.h"
#include <stdio.h>

static const char RULES[] = "rule:    test.unknown\n"
                            "text:    no such user\n"
                            "reason:  user-unknown\n"
                            "source:  test\n"
                            "example: 550 5.1.1 no such user\n"
                            "\n"
                            "rule:    test.full\n"
                            "text:    mailbox is full\n"
                            "reason:  mailbox-full\n"
                            "source:  test\n"
                            "example: 552 5.2.2 mailbox is full\n";
static const char OTHER[] = "rule:    test.unknown\n"
                            "text:    no such user\n"
                            "reason:  mailbox-disabled\n"
                            "source:  test\n"
                            "example: 550 5.1.1 no such user\n";

void fake_rules(struct arena *arena, bool other, struct ruleset *out)
{
    struct rule_list list;
    struct ruleset_built built;
    struct error error = {0};
    rule_list_init(&list, arena);
    if (!rule_file_parse(&list, "test.rules", other ? SPAN(OTHER) : SPAN(RULES), false, &error) ||
        !ruleset_build(&list, &built, &error) ||
        !ruleset_open(out, built.image, built.size, &error)) {
        (void)fprintf(stderr, "%s\n", error.text);
        CHECK_NOT_REACHED();
    }
}
