/* SPDX-License-Identifier: BSD-2-Clause */
/* The status page (ferry/status.h) as dom0 takes it: copied once, bounded, its text made harmless. Pure. */
#ifndef CONTROL_STATUSPAGE_H
#define CONTROL_STATUSPAGE_H

#include <stdbool.h>

#include <ferry/status.h>

/*
 * Copy a page that the domain may be writing.
 * Returns whether it is one: has the magic, and a version we know. Only then is status_r set; its
 * texts end within their bounds and hold nothing that a terminal would act on.
 */
bool statuspage_copy(const volatile void *page, struct ferry_status *status_r);

/* Xen's system time at which guests' frames reached the wire again after the last restart. */
int64_t statuspage_served_us(const struct ferry_status *status);

/* A word for the journal; never NULL. */
const char *statuspage_phase_word(uint32_t phase);
const char *statuspage_nic_word(uint32_t nic_fate);
const char *statuspage_step_word(unsigned int step);

/*
 * Whether a kernel that was started since serves guests, or runs its loop.
 *
 *   before  status.generation ahead of that; 0: not known
 *
 * Until its processor comes to run it, the page says what the kernel before it last said of itself: of one
 * that hung, that all is well.
 */
bool statuspage_serves(const struct ferry_status *status, uint32_t before);
bool statuspage_is_ready(const struct ferry_status *status, uint32_t before);

#endif
