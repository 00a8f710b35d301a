/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this C library offers beyond C's own headers, and what it asks of the kernel below it.
 *
 * Functions with no operating system in them come from Debian's musl archive as it is (the list
 * stands in mk/dpdk.mk and is held by tools/check-linkmap). Here is the rest. Everything is compiled
 * against glibc's headers, whose types DPDK's archives were built with.
 */
#ifndef LIBC_LIBC_H
#define LIBC_LIBC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Call the functions of .init_array in order, which the linker script lays between
 * __init_array_start and __init_array_end. Once, after thread-local storage is in place.
 */
void libc_run_constructors(void);

/* Bytes of the heap behind malloc(): in all, in use now, and the most that ever were. */
struct libc_heap_stats {
    size_t size, used, peak;
};
void libc_heap_stats(struct libc_heap_stats *stats_r);

/* Whether that heap is in order, as far as can be seen without knowing who has what of it. */
bool libc_malloc_is_sound(void);

/* The rest is implemented by the kernel (eal/libc_host.c). */

/* One line for the log, NUL-terminated and without a newline. */
void libc_host_log(const char *line);

/* The end, with a reason. */
__attribute__((noreturn)) void libc_host_die(const char *reason);

/* Nanoseconds, monotonic. */
uint64_t libc_host_now(void);

/* Wait that long. May busy-wait. */
void libc_host_sleep(uint64_t ns);

#endif
