/* SPDX-License-Identifier: BSD-2-Clause */
/* Between fake_store.c and fake_xen.c. */
#ifndef FAKE_INTERNAL_H
#define FAKE_INTERNAL_H

#include <stdbool.h>

/* One request answered or one event delivered; false: there was none. */
bool fake_store_step(void);
void fake_store_reset(void);
void fake_store_error(int err); /* what injected failures answer */
void fake_store_restart(void); /* requests and watches end, nodes stay */

#endif
