/* SPDX-License-Identifier: BSD-2-Clause */
/* filter_sources_parse(): the list of addresses in a vif's ip=. */
#include <ferry/address.h>

#include "fuzz.h"
#include "net/filter.h"

/* Every address of a list that is taken is one by itself, and is the guest's own. */
static void addresses_check(struct filter *filter, const char *ip)
{
    static const uint8_t zeros[16];
    unsigned int nr4 = 0, nr6 = 0;

    for (ip += strspn(ip, " ,\t"); *ip; ip += strspn(ip, " ,\t")) {
        size_t len = strcspn(ip, " ,\t");
        uint8_t addr[16], bits;
        bool is_ip6;

        FUZZ_CHECK(prefix_parse(ip, len, &is_ip6, addr, &bits) == 0);
        if (is_ip6) {
            struct filter_source6 *source = &filter->ip6[nr6++];
            struct address ip6 = address_of6(addr);

            FUZZ_CHECK(source->len == bits && address_is_in(&ip6, &source->net, bits));
        } else {
            struct filter_source4 *source = &filter->ip4[nr4++];
            rte_be32_t ip4;

            memcpy(&ip4, addr, 4);
            FUZZ_CHECK((ip4 & source->mask) == source->addr);
            FUZZ_CHECK((unsigned int)__builtin_popcount(source->mask) == bits);
        }
        ip += len;
    }
    FUZZ_CHECK(nr4 == filter->nr_ip4 && nr6 == filter->nr_ip6);
    FUZZ_CHECK(nr4 <= FILTER_SOURCES_MAX && nr6 <= FILTER_SOURCES_MAX);
    FUZZ_CHECK(filter->has_sources == (nr4 + nr6 > 0));
    for (unsigned int i = nr4; i < FILTER_SOURCES_MAX; i++)
        FUZZ_CHECK(memcmp(&filter->ip4[i], zeros, sizeof(filter->ip4[i])) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rte_ether_addr mac = { { 0x00, 0x16, 0x3e, 0, 0, 1 } };
    char *ip = malloc(size + 1);
    struct filter filter, before;
    const char *why = NULL;

    if (size)
        memcpy(ip, data, size);
    ip[size] = '\0';
    filter_init(&filter, &mac);
    before = filter;
    if (filter_sources_parse(&filter, ip, &why)) {
        FUZZ_CHECK(why && *why);
        FUZZ_CHECK(memcmp(&filter, &before, sizeof(filter)) == 0);
    } else {
        addresses_check(&filter, ip);
    }
    free(ip);
    return 0;
}
