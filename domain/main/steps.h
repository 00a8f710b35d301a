/* SPDX-License-Identifier: BSD-2-Clause */
/* How long each step of the boot took: one log line at its end. */
#ifndef MAIN_STEPS_H
#define MAIN_STEPS_H

/* The step that began with the last call (or with the kernel's first instruction) ends now. */
void steps_mark(const char *name);

/* Log them all, in milliseconds, with the total. */
void steps_log(void);

/* The same for a restart, from the status page. */
void steps_log_restart(void);

#endif
