#ifndef MAIN_OPTION_LIST_H
#define MAIN_OPTION_LIST_H
/* Options that hold several things, parted by commas: what the sender's own marks on its mail look
 * like. */
#include "intake/config.h"
#include "main/options.h"

/* How many rows the value has; at most CONFIG_ROWS_MAX of them, without blanks around them, go to
 * `out`, pointing into `value`. An empty value has none, an empty row counts. */
size_t option_list_split(struct span value, struct span out[CONFIG_ROWS_MAX]);
/* True for a row of schema/options.def whose `values` is the name of a list: "patterns", "fields"
 * or "domains". */
bool option_is_list(const struct option_info *info);
/* Each row of such a value; the error quotes the first that cannot be used and says why. */
bool option_list_check(const struct option_info *info, struct span value,
                       struct error *error) MUST_USE;
#endif
