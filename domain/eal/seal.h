/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of DPDK and of this room that does not change while the NICs run: summed once they do, and
 * compared before a restarted kernel goes on with it.
 */
#ifndef EAL_SEAL_H
#define EAL_SEAL_H

#include <stddef.h>

#include "arch/x86/cpu.h"

/* Begin anew, with nothing. */
void seal_begin(void);

/* what: for seal_broken(); lives for ever. */
void seal_add(const char *what, const void *start, size_t size);

/* Sum all that was added. */
void seal_close(void);

/* NULL if all of it is as it was, else what is not. */
const char *seal_broken(void) __must_check;

#endif
