/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults on request, for tests: only in an image built with FAULTS=1. dom0 writes the name of a
 * fault to our node ferry/fault, and anything behind a space to tell one request from the next. The
 * request is repeated in data/ferry-fault, then the domain dies of it: once, since a kernel that
 * comes after finds it there. "storm" alone is not noted and kills each kernel that starts.
 */
#ifndef MAIN_FAULT_H
#define MAIN_FAULT_H

#ifdef FERRY_FAULTS
void fault_init(void);
#else
static inline void fault_init(void)
{
}
#endif

#endif
