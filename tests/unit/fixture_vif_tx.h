/* SPDX-License-Identifier: BSD-2-Clause */
/* One guest that is connected and transmits, and what its tests look at. */
#ifndef FIXTURE_VIF_TX_H
#define FIXTURE_VIF_TX_H

#include <stdint.h>

#include "fake_guest.h"

extern struct fake_guest guest;
extern uint8_t bytes[70000], got[70000];

/* For cmocka: a connected guest, bytes filled with a pattern. */
int tx_setup(void **state);
int tx_teardown(void **state);

/* The frame of that index that came in is bytes[0..len), in well-formed mbufs. */
void assert_frame(unsigned int index, uint32_t len);

/* The next nr responses have this status, and the ids that tx_send() gave, in order. */
void assert_responses(unsigned int nr, int status);
void assert_no_response(void);

/* One packet was refused, with so many slots, and the vif lives on. */
void assert_refused(unsigned int slots);

#endif
