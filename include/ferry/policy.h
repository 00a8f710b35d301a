/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a vif may do, as text: written by the admin in dom0, read by the driver domain and by dom0's tools.
 *
 * One statement stands on a line, or before a ';'. Words are separated by blanks; '#' begins a comment
 * that ends with the line. `out` is what the guest sends, `in` is what it is sent.
 *
 *     isolated                    exchanges no frames with other isolated vifs
 *     guard WHAT...               dhcp: the guest is no DHCP server
 *                                 ra: the guest is no IPv6 router
 *                                 mac: its Ethernet source, and its sender in ARP, is mac=
 *     rate in|out RATE            as rate= of xl: 10Mb/s, 250KB/s, 1MB/s@20ms
 *     storm FRAMES                so many flooded frames a second from the guest, at most
 *     station MAC                 is behind this vif, for good; 8 times at most
 *     tx-checksum off             frames to the guest have finished checksums
 *     vlan LIST                   as vlan= of xl
 *     default allow|deny in|out   for what no rule is about; `allow` unless said
 *     allow|deny in|out [proto P] [remote PREFIX] [remote-port N[-M]] [local-port N[-M]]
 *
 * The last are the rules, 24 at most: the first of a direction that matches decides. Their parts stand in
 * any order. P is tcp, udp, icmp, icmp6, a number of 0 to 255, or any. PREFIX is an address of the other
 * end, IPv4 or IPv6, with a prefix length or without, or any. Ports are of TCP and UDP only; the local
 * ones are the guest's.
 *
 * Pure: no allocation, no locale. The text is not trusted.
 */
#ifndef FERRY_POLICY_H
#define FERRY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_TEXT_MAX 2000 /* bytes: less than a node of xenstore holds */
#define POLICY_ERROR_SIZE 256
#define POLICY_RULES_MAX 24
#define POLICY_STATIONS_MAX 8
#define POLICY_VLAN_SIZE 64 /* with the NUL */
#define POLICY_STORM_MAX 1000000
#define POLICY_PROTO_ANY 256

enum policy_direction {
    POLICY_OUT, /* from the guest */
    POLICY_IN, /* to the guest */
    POLICY_DIRECTIONS
};

/* 0 to 65535 is any, and looks at no port. */
struct policy_ports {
    uint16_t first, last; /* host byte order */
};

struct policy_rule {
    bool allow;
    uint8_t direction; /* enum policy_direction */
    uint8_t family; /* 4, 6, or 0 for both */
    uint8_t remote_len; /* length of the prefix; 0 if family is 0 */
    uint16_t proto; /* IPPROTO_*, or POLICY_PROTO_ANY */
    struct policy_ports remote_ports, local_ports;
    uint8_t remote[16]; /* network byte order, the first 4 for IPv4; 0 behind the prefix */
};

/* So many bytes in each interval; both are 0 where nothing is said. */
struct policy_rate {
    uint64_t bytes;
    uint32_t interval_us;
    uint64_t bytes_per_s; /* as the text says it */
};

struct policy {
    bool isolated;
    bool guard_dhcp, guard_ra, guard_mac;
    bool tx_checksum_off;
    bool deny_default[POLICY_DIRECTIONS];
    uint8_t nr_stations, nr_rules;
    uint32_t storm; /* frames a second; 0: nothing is said */
    struct policy_rate rate_out, rate_in;
    uint8_t stations[POLICY_STATIONS_MAX][6];
    char vlan[POLICY_VLAN_SIZE]; /* printable, without blanks; "": nothing is said */
    struct policy_rule rules[POLICY_RULES_MAX];
};

/* The policy of an empty text: everything may pass. Padding is 0 too. */
void policy_init(struct policy *policy);

/*
 * Read a text.
 *
 *   text      len bytes, which need not end with NUL; POLICY_TEXT_MAX at most
 *   policy_r  set on success only; its padding is 0
 *   error     set on failure only: one printable line, "line N: " and what is wrong, the bad word and what
 *             is accepted; POLICY_ERROR_SIZE bytes
 *
 * Returns 0, or -EINVAL. What is written twice and can be meant only once is refused. A text that
 * policy_print() would make longer than POLICY_TEXT_MAX is, too.
 * Source: xl-network-configuration(5), "rate"; xl's libxlu_vif.c for its limits.
 */
int policy_parse(const char *text, size_t len, struct policy *policy_r, char *error)
    __attribute__((warn_unused_result));

/*
 * Write the text that policy_parse() makes the same of, in one form for all that mean the same: statements
 * on lines of their own, without a newline behind the last.
 *
 *   policy  from policy_init() or policy_parse()
 *   text    size bytes, at least one; ends with NUL, cut if there is no room. NULL if size is 0
 *
 * Returns the length of the whole text without the NUL, POLICY_TEXT_MAX at most.
 */
size_t policy_print(const struct policy *policy, char *text, size_t size);

#endif
