/* SPDX-License-Identifier: BSD-2-Clause */
/* Which card belongs into which bridge. Pure. */
#ifndef DOMAIN_LINUX_CARDS_H
#define DOMAIN_LINUX_CARDS_H

#include <stddef.h>

#include "net.h"
#include "words.h"

/*
 * A bridge without a MAC has the card at its place: that place does not change with which cards have an interface already, or
 * a missing card would put another one's wire into its bridge.
 *
 *   bridge  index into words->bridges; of one that has a card
 *   nics    of net_nics(), those without an interface included
 *
 * Returns its card; NULL while that has no interface, or while it cannot be said which it is: one before it has none yet, and may
 * be one that another bridge asks for by MAC.
 */
const struct net_nic *cards_find(const struct words *words, size_t bridge,
                                 const struct net_nic *nics, size_t nr_nics);

#endif
