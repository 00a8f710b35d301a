/* SPDX-License-Identifier: BSD-2-Clause */
/* The control ring from the guest's side, and a page that its requests may name. One of each. */
#ifndef HOSTILE_CTRL_H
#define HOSTILE_CTRL_H

#include <stdint.h>

#include "front.h"

#define CTRL_ANSWER_MS 3000

extern xen_netif_ctrl_front_ring_t ctrl_ring;
extern uint8_t ctrl_data[4096];
extern grant_ref_t ctrl_data_ref;

/* data[] of the last response that ctrl_judge() took. */
extern uint32_t ctrl_value;

/* Each returns NULL, or why it did not work. */

/* Close, and up to Connected's nodes, with a control ring's among them; not published. */
const char *ctrl_prepare(struct front *f);

/* The same, and connect. */
const char *ctrl_open(struct front *f);

/* A request; not pushed. */
void ctrl_put(uint16_t type, uint32_t a, uint32_t b, uint32_t c);
void ctrl_push(struct front *f);

/* All requests have their answers, with id and type; want: their status, or UINT32_MAX for any. */
const char *ctrl_judge(uint32_t want);

/* One request and its answer. */
const char *ctrl_ask(struct front *f, uint16_t type, uint32_t a, uint32_t b, uint32_t c,
                     uint32_t want);

#endif
