#ifndef STORE_STORED_H
#define STORE_STORED_H
/* What a state file holds of one recipient, as far as its totals (count and sum of the checksums of
 * all rows) are concerned. Whoever has read a recipient hands it back with what is to be written:
 * then nothing has to be read for that, and rows of grounds that are as they were are not touched.
 */
#include <stdbool.h>
#include <stdint.h>

struct stored {
    uint64_t soft;    /* checksum of its row in soft_fail; 0 without one */
    uint64_t grounds; /* sum of the checksums of its rows in suppression */
    uint8_t ground_count;
    bool has_soft; /* false: it has no row at all */
    bool is_known; /* false: nothing above says anything, the file has to be asked */
};
#define STORED_UNKNOWN ((struct stored){.is_known = false})
#endif
