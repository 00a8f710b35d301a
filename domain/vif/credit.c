/* SPDX-License-Identifier: BSD-2-Clause */
#include "vif/credit.h"

#define NS_PER_US 1000ull

void credit_set(struct credit *credit, const struct port_rate *rate, uint64_t now)
{
    if (credit->rate.bytes == rate->bytes && credit->rate.interval_us == rate->interval_us)
        return;
    credit->rate = *rate;
    credit->left = rate->bytes;
    credit->due_ns = now + rate->interval_us * NS_PER_US;
}

static void refill(struct credit *credit, uint64_t now)
{
    uint64_t most = RTE_MAX(credit->rate.bytes, (uint64_t)CREDIT_BURST);
    uint64_t interval = credit->rate.interval_us * NS_PER_US;
    uint64_t parts = (now - credit->due_ns) / interval + 1;

    if (parts > (most - RTE_MIN(credit->left, most)) / credit->rate.bytes)
        credit->left = most;
    else
        credit->left += parts * credit->rate.bytes;
    credit->due_ns += parts * interval;
}

bool credit_take(struct credit *credit, uint32_t len, uint64_t now)
{
    if (credit->rate.bytes == 0)
        return true;
    if (now >= credit->due_ns)
        refill(credit, now);
    if (credit->left < len)
        return false;
    credit->left -= len;
    return true;
}
