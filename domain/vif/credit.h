/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Credit for bytes, given in equal parts at equal intervals: what `rate=` of a vif means. As with Linux'
 * netback, what is left over adds up to 128 KB or one interval's part, whichever is more, so that the
 * longest frame always finds enough in the end. Pure.
 * Source: xl-network-configuration(5), "rate".
 */
#ifndef VIF_CREDIT_H
#define VIF_CREDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/port.h"

#define CREDIT_BURST 131072u /* bytes */

struct credit {
    struct port_rate rate;
    uint64_t left; /* bytes */
    uint64_t due_ns; /* when the next part is given */
};

/* Begin with one part. A rate of 0 bytes is no limit. The same rate again changes nothing. */
void credit_set(struct credit *credit, const struct port_rate *rate, uint64_t now);

/* Take len bytes (64 KB at most). Returns whether there was enough; if not, nothing is taken. */
bool credit_take(struct credit *credit, uint32_t len, uint64_t now);

#endif
