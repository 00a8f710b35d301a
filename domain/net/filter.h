/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a vif's guest may send and be sent. One filter belongs to one vif; it is plain data that can be
 * copied.
 *
 *     filter_init(&filter, &mac);
 *     filter_sources_parse(&filter, ip, &why);     what the toolstack says: ip=
 *     filter_policy_set(&filter, &policy);         what dom0 says
 *
 *     if (filter_from_port(&filter, frame, state, now) != 0)
 *         rte_pktmbuf_free(frame);
 *
 * What is looked at, for frames that the guest sends:
 *
 * With addresses given (ip=), the Ethernet source is mac=, and nothing but ARP, IPv4 and IPv6 passes, each
 * of the latter two only if an address of its kind was given; ARP belongs to IPv4.
 *   IPv4  The source is one of the addresses, or 0.0.0.0 in a DHCP client's broadcast (RFC 2131, 4.1).
 *   ARP   Ethernet and IPv4, a request or a reply. The sender is mac= and one of the addresses, or 0.0.0.0
 *         in a request (RFC 5227, 2.1.1).
 *   IPv6  The source is one of the addresses or the link-local one that EUI-64 makes of mac=, or :: in an
 *         NS that looks for a duplicate of one of these, in an RS and in MLD (RFC 4861, 4862, 3590). A guest
 *         that makes its link-local address another way (RFC 7217) needs fe80::/10, or that address, in ip=.
 *   ND    An NA is about one of its addresses, a redirect too; link-layer addresses in options are mac=.
 *         Options that cannot be read, and ND in fragments (RFC 6980), do not pass.
 *
 * With guard_mac alone the Ethernet source and the sender's MAC in ARP are looked at.
 * With guard_dhcp UDP from a server's port (67, over IPv6 547) or to a client's (68, 546) does not pass.
 * With guard_ra router advertisements and redirects do not pass, nor ND in fragments.
 *
 * Rules and the default that stands behind them are for IP in both directions; other EtherTypes match only
 * rules that say nothing but a direction. They do not touch ARP, nor ND and MLD that a router cannot have
 * forwarded (hop limits of 255 and 1): nothing would work without. Fragments other than the first match
 * only rules without ports.
 *
 * What cannot be told is dropped, but only if it had to be told: IP headers that are cut off or contradict
 * themselves, L4 headers that lie in a later fragment or behind extension headers that cannot be looked
 * through, three tags, IP in SNAP (RFC 1042). With addresses or a guard the next protocols AH, Mobility, HIP,
 * Shim6 and 253 and 254 are such, as others may follow them (RFC 7113).
 *
 * Sources: RFC 2827, 6105, 7113, 6980, 4890; RFC 1858 for fragments.
 */
#ifndef NET_FILTER_H
#define NET_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include <ferry/policy.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include "net/address.h"

#define FILTER_SOURCES_MAX 16 /* of each IP version */

/* Of the flow that a frame belongs to. Who knows no flows, as a bridge does not, says NEW. */
enum filter_state {
    FILTER_NEW,
    FILTER_ESTABLISHED, /* the rules are not asked, the rest is looked at */
};

/* Why a frame is dropped; 0 for none that is. */
enum filter_reason {
    FILTER_PASS,
    FILTER_MAC, /* Ethernet source */
    FILTER_IP, /* source address, or neither ARP nor IP */
    FILTER_ARP, /* sender */
    FILTER_ND, /* target, or link-layer address in an option */
    FILTER_DHCP,
    FILTER_RA,
    FILTER_RULE,
    FILTER_BAD_HEADER, /* what had to be looked at cannot be found */
    FILTER_NR_REASONS
};

struct filter_source4 {
    rte_be32_t addr, mask;
};

struct filter_source6 {
    struct address net;
    uint8_t len;
};

/* Padding is 0, so that it can be summed; what counts comes last. */
struct filter {
    struct rte_ether_addr mac;
    bool has_sources; /* ip= holds something */
    bool guard_mac, guard_dhcp, guard_ra;
    bool deny_default[POLICY_DIRECTIONS];
    uint8_t nr_ip4, nr_ip6;
    uint8_t nr_rules[POLICY_DIRECTIONS];
    struct filter_source4 ip4[FILTER_SOURCES_MAX];
    struct filter_source6 ip6[FILTER_SOURCES_MAX];
    struct policy_rule rules[POLICY_RULES_MAX]; /* those of POLICY_OUT first */
    uint64_t drops[FILTER_NR_REASONS]; /* frames, by reason */
};

/* Let everything pass. mac is the guest's. */
void filter_init(struct filter *filter, const struct rte_ether_addr *mac);

/*
 * Set the addresses that the guest may send from, in place of those there were.
 *
 *   ip     of the vif's ip=: IPv4 and IPv6 addresses, each with a prefix length or without, separated by
 *          blanks or commas; without any, the guest may send from any. Not trusted.
 *   why_r  set on failure only: a few words that say what is accepted; a constant
 *
 * Returns 0, or -EINVAL and nothing changed: not an address, a group's address, more than
 * FILTER_SOURCES_MAX of one IP version.
 * Source: xl-network-configuration(5), "ip"; Xen's vif-common.sh.
 */
int filter_sources_parse(struct filter *filter, const char *ip, const char **why_r)
    __attribute__((warn_unused_result));

/* Set guards, rules and defaults, in place of those there were. drops[] stay. */
void filter_policy_set(struct filter *filter, const struct policy *policy);

/* May anything ever be dropped? If not, a port does not need it. */
bool filter_is_needed(const struct filter *filter);

/*
 * May a frame pass that the guest sends?
 *
 *   frame  stays the caller's, and is not written to but for what frame_parse() notes; may be shared
 *   now    ns
 *
 * Returns 0, or why not (enum filter_reason), which is counted.
 */
int filter_from_port(struct filter *filter, struct rte_mbuf *frame, enum filter_state state,
                     uint64_t now) __attribute__((warn_unused_result));

/* The same for a frame toward the guest: the rules of `in`. */
int filter_to_port(struct filter *filter, struct rte_mbuf *frame, enum filter_state state,
                   uint64_t now) __attribute__((warn_unused_result));

/* "mac", "ip", ...: for status and log lines; "pass" for 0. */
const char *filter_reason_name(enum filter_reason reason);

#endif
