#ifndef OS_MEMORY_H
#define OS_MEMORY_H
/* How the C library keeps what was freed. Once, before other threads exist. */

/* Few heaps for all threads, and large blocks go back to the system when they are freed. The
 * buffers that a backlog passes through are taken by one thread and freed by another; with a heap a
 * thread (glibc's way) the freed ones pile up in each, to twice of what is in use. Does nothing
 * where the C library is not glibc. */
void memory_keep_little(void);
#endif
