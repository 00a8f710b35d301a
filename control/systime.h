/* SPDX-License-Identifier: BSD-2-Clause */
/* Xen's system time, in which the kernel notes its steps, as dom0 can read it. */
#ifndef CONTROL_SYSTIME_H
#define CONTROL_SYSTIME_H

#include <stdint.h>

#include <xenctrl.h>

/*
 * From the time record of any vCPU (xen/xen.h, struct vcpu_time_info), which need not be of now.
 * The record lies in the domain: take the result for a hint. 0: it makes no sense.
 */
uint64_t systime_now(const volatile struct vcpu_time_info *record);

/* The same at a given time-stamp counter. Pure. */
uint64_t systime_at(const struct vcpu_time_info *record, uint64_t tsc);

#endif
