/* SPDX-License-Identifier: BSD-2-Clause */
#include "vif/waiting.h"

struct waiting_place waiting_places[WAITING_MAX];

/* The place freed last is used next: its line is in the processor's cache. */
uint16_t waiting_first_free = WAITING_NONE;

_Static_assert(WAITING_MAX <= WAITING_NONE, "places are told apart by 16 bits");

void waiting_init(void)
{
    for (uint32_t i = 0; i < WAITING_MAX; i++)
        waiting_places[i].next = (uint16_t)(i + 1 < WAITING_MAX ? i + 1 : WAITING_NONE);
    waiting_first_free = 0;
}
