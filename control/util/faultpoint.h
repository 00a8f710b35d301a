/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Points at which a ferry or ferryd built for tests dies (make control-faults). A production build has none:
 * there this is nothing, and faultpoint.c is not in it.
 */
#ifndef CONTROL_FAULTPOINT_H
#define CONTROL_FAULTPOINT_H

#ifdef FERRY_FAULTS
/*
 * Die by SIGKILL if FERRY_DIE_AT names this point: with all of its processes, or, if
 * FERRY_DIE_WHO is "worker", only the one that works, and only once (FERRY_DIE_ONCE names a file that
 * tells that it has been).
 */
void faultpoint(const char *name);
#else
static inline void faultpoint(const char *name)
{
    (void)name;
}
#endif

#endif
