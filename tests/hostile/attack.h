/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The attacks. Each is called with a connected vif and returns NULL, or why the backend did not do
 * what it should. After each one the vif, connected anew if need be, must still carry frames.
 */
#ifndef HOSTILE_ATTACK_H
#define HOSTILE_ATTACK_H

#include <stdbool.h>

#include "front.h"

struct attack {
    const char *group; /* NULL ends a table */
    const char *name;
    const char *(*run)(struct front *f);
    bool is_last; /* the vif is lost afterwards: no proof of life, nothing can follow */
};

extern const struct attack attacks_honest[], attacks_ring[], attacks_slots[], attacks_extra[],
    attacks_headers[], attacks_grant[], attacks_rings_bad[], attacks_event[], attacks_store[],
    attacks_nodes[], attacks_multicast[], attacks_ctrl[], attacks_grefs[], attacks_flood[],
    attacks_two[], attacks_two_grants[], attacks_gap[], attacks_end[];

#endif
