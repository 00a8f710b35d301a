/* SPDX-License-Identifier: BSD-2-Clause */
#include "vif/multicast.h"

#include <errno.h>
#include <string.h>

#include "xen/recovery.h"

static uint32_t list_sum(const struct multicast_list *list)
{
    size_t skip = sizeof(list->sum);

    return recovery_sum((const char *)list + skip, sizeof(*list) - skip);
}

static bool is_group(const struct rte_ether_addr *address)
{
    return rte_is_multicast_ether_addr(address) && !rte_is_broadcast_ether_addr(address);
}

/* Returns its place, or list->nr. */
static unsigned int place_of(const struct multicast_list *list,
                             const struct rte_ether_addr *address)
{
    unsigned int i = 0;

    while (i < list->nr && !rte_is_same_ether_addr(&list->addresses[i], address))
        i++;
    return i;
}

void multicast_clear(struct multicast_list *list, bool is_whole)
{
    memset(list, 0, sizeof(*list));
    list->is_whole = is_whole;
    list->sum = list_sum(list);
}

int multicast_add(struct multicast_list *list, const struct rte_ether_addr *address)
{
    if (!is_group(address))
        return -EINVAL;
    if (list->nr == MULTICAST_MAX)
        return -ENOSPC;
    list->addresses[list->nr++] = *address;
    list->sum = list_sum(list);
    return 0;
}

void multicast_delete(struct multicast_list *list, const struct rte_ether_addr *address)
{
    unsigned int i = place_of(list, address);

    if (i == list->nr)
        return;
    list->addresses[i] = list->addresses[--list->nr];
    list->sum = list_sum(list);
}

bool multicast_is_sound(const struct multicast_list *list)
{
    return list->sum == list_sum(list) && list->nr <= MULTICAST_MAX;
}

bool multicast_filters(const struct multicast_list *list, const struct rte_mbuf *frame)
{
    const struct rte_ether_addr *to = rte_pktmbuf_mtod(frame, const struct rte_ether_addr *);

    return is_group(to) && list->is_whole && place_of(list, to) == list->nr;
}
