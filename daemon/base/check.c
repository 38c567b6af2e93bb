#include "base/check.h"
#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *file, int line, const char *condition)
{
    fprintf(stderr, "bounced: a bug at %s:%d: %s does not hold; please report this line\n", file,
            line, condition);
    abort();
}
