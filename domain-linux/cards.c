/* SPDX-License-Identifier: BSD-2-Clause */
#include "cards.h"

#include <string.h>

static const struct net_nic *by_mac(const struct words_bridge *bridge, const struct net_nic *nics,
                                    size_t nr_nics)
{
    for (size_t i = 0; i < nr_nics; i++)
        if (nics[i].name[0] && memcmp(bridge->mac, nics[i].mac, sizeof(nics[i].mac)) == 0)
            return &nics[i];
    return NULL;
}

static bool is_asked_for(const struct words *words, const struct net_nic *nic)
{
    for (size_t i = 0; i < words->nr_bridges; i++)
        if (words->bridges[i].nic == WORDS_NIC_MAC && by_mac(&words->bridges[i], nic, 1))
            return true;
    return false;
}

/* Whether a card that a bridge asks for by its MAC has no interface yet. */
static bool is_any_missing(const struct words *words, const struct net_nic *nics, size_t nr_nics)
{
    for (size_t i = 0; i < words->nr_bridges; i++)
        if (words->bridges[i].nic == WORDS_NIC_MAC && !by_mac(&words->bridges[i], nics, nr_nics))
            return true;
    return false;
}

const struct net_nic *cards_find(const struct words *words, size_t bridge,
                                 const struct net_nic *nics, size_t nr_nics)
{
    bool is_missing = is_any_missing(words, nics, nr_nics);
    size_t before = 0;

    if (words->bridges[bridge].nic == WORDS_NIC_MAC)
        return by_mac(&words->bridges[bridge], nics, nr_nics);
    for (size_t i = 0; i < bridge; i++)
        before += words->bridges[i].nic == WORDS_NIC_NEXT;
    for (size_t i = 0; i < nr_nics; i++) {
        bool is_there = nics[i].name[0];

        if (!is_there && is_missing)
            return NULL;
        if (is_there && is_asked_for(words, &nics[i]))
            continue;
        if (before-- == 0)
            return is_there ? &nics[i] : NULL;
    }
    return NULL;
}
