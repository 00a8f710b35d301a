/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The second vCPU: it changes what the first one has put before the backend, at the same moment on another
 * processor. It runs one small function again and again, which may write to shared memory and make hypercalls whose
 * arguments are on its own stack; nothing else of this kernel may be called from there (there are no locks), but
 * for what says here that it may.
 */
#ifndef HOSTILE_SECOND_H
#define HOSTILE_SECOND_H

#include <stdint.h>

#include "front.h"

/* One turn. Must return soon: the end of the race is looked for between turns. */
typedef void second_fn(struct front *f);

/*
 * Bring the second vCPU up; it calls step(f) until second_end(). Ends the domain with a verdict if there is
 * no second vCPU (vcpus=2 in the domain's configuration).
 * Source: xen/vcpu.h, VCPUOP_initialise, VCPUOP_up, VCPUOP_is_up.
 */
void second_begin(second_fn *step, struct front *f);

/*
 * Returns when the second vCPU is down again: how many turns it made since second_begin(). 0 if it was not up.
 * Source: xen/vcpu.h, VCPUOP_down: by the vCPU itself it is synchronous.
 */
unsigned long second_end(void);

/* For the second vCPU: xorshift32 of its own, begun from random_u32() by second_begin(). */
uint32_t second_random(void);

/* For the second vCPU: an event to the backend. */
void second_kick(struct front *f);

#endif
