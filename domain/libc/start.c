/* SPDX-License-Identifier: BSD-2-Clause */
/* What the compiler and the linker expect of a C library. */
#include <assert.h>
#include <stdio.h>

#include "libc/libc.h"

extern void (*const __init_array_start[])(void);
extern void (*const __init_array_end[])(void);

void __stack_chk_fail(void);
void *__tls_get_addr(void *index);

void libc_run_constructors(void)
{
    for (void (*const *fn)(void) = __init_array_start; fn < __init_array_end; fn++)
        (*fn)();
}

void __stack_chk_fail(void)
{
    libc_host_die("a function's stack was overwritten");
}

/* Named by position-independent objects; the linker turns every call into an offset from %fs. */
void *__tls_get_addr(void *index)
{
    (void)index;
    libc_host_die("__tls_get_addr()");
}

void __assert_fail(const char *text, const char *file, unsigned int line, const char *function)
{
    char reason[160];

    snprintf(reason, sizeof(reason), "assertion failed: %s at %s:%u (%s)", text, file, line,
             function);
    libc_host_die(reason);
}
