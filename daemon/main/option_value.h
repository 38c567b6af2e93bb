#ifndef MAIN_OPTION_VALUE_H
#define MAIN_OPTION_VALUE_H
/* One value of one option: checked against its row of schema/options.def. */
#include "main/options.h"

/* The error says what is allowed, without naming the place. `value` is NUL-terminated. */
bool option_value_check(enum option option, const char *value, int64_t *number,
                        struct error *error) MUST_USE;
/* False where `text` holds bytes that no setting needs: controls, NUL, malformed UTF-8. */
bool option_text_is_clean(struct span text);
/* The option of that name, or OPTION_COUNT. */
enum option option_find(struct span name);
/* The nearest name of all options and sections: for "unknown key". The literal lives for ever. */
const char *option_nearest(struct span name);
#endif
