/* SPDX-License-Identifier: BSD-2-Clause */
/* Being an address on the network that can be pinged. */
#ifndef HOSTILE_SERVE_H
#define HOSTILE_SERVE_H

#include "front.h"

struct served {
    unsigned int arps, pings, tcps, blank, validated, bad; /* bad: with a wrong checksum */
};

/*
 * Answer what comes in, until limit_ms are over or somebody has sent TCP to port 7; say "serving" first.
 *
 *   served  counted on
 *   want    as for tx_judge()
 *
 * Returns NULL, or what was wrong.
 */
const char *serve_run(struct front *f, struct served *served, unsigned int limit_ms, int want);

#endif
