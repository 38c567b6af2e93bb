#ifndef OS_CLOCK_H
#define OS_CLOCK_H
#include <stdint.h>
int64_t clock_wall_ms(void);      /* since 1970, UTC; may jump */
int64_t clock_monotonic_ms(void); /* never goes back */
int64_t clock_monotonic_ns(void);
int64_t clock_thread_cpu_ns(void);
void clock_sleep_ms(int64_t duration_ms);
#endif
