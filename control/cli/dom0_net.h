/* SPDX-License-Identifier: BSD-2-Clause */
/* What dom0 itself uses a NIC for: its interface, the bridge that it is a port of, addresses, routes. Pure. */
#ifndef CONTROL_DOM0_NET_H
#define CONTROL_DOM0_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define DOM0_NET_NAME_SIZE 16
#define DOM0_NET_ADDRESSES_MAX 32
#define DOM0_NET_ADDRESS_SIZE 64
#define DOM0_NET_WORDS_MAX 40

struct dom0_address {
    char text[DOM0_NET_ADDRESS_SIZE]; /* "192.0.2.5/24" */
    bool is_ipv6;
    bool is_link_local; /* of IPv6: every interface that is up has one */
};

struct dom0_interface {
    char name[DOM0_NET_NAME_SIZE]; /* "": there is none */
    char over[DOM0_NET_NAME_SIZE]; /* an interface on top of it, but for a bridge; "" */
    bool up;
    bool has_default; /* a default route goes by it */
    unsigned int nr_addresses;
    struct dom0_address addresses[DOM0_NET_ADDRESSES_MAX];
};

struct dom0_net {
    struct dom0_interface nic, bridge;
    unsigned int nr_other_ports; /* of the bridge */
};

/*
 * Whether a default route goes by an interface.
 *
 *   route       /proc/net/route, or NULL
 *   ipv6_route  /proc/net/ipv6_route, or NULL
 */
bool dom0_net_has_default(const char *route, const char *ipv6_route, const char *interface);

/*
 * An address with its mask as ip(8) writes it. IPv6 addresses of the link are told apart.
 * Returns 0, or -EINVAL for other families.
 */
int dom0_net_address(const struct sockaddr *address, const struct sockaddr *mask,
                     struct dom0_address *address_r);

/*
 * What dom0 loses without the NIC, a sentence each: "eth0 has the address 192.0.2.5/24".
 *
 *   said    called for each, may be NULL
 *
 * Returns their number: 0 if dom0 does not use it.
 */
unsigned int dom0_net_uses(const struct dom0_net *net, void (*said)(void *ctx, const char *text),
                           void *ctx);

/*
 * A line of `ip route show table all` as words for `ip route replace`.
 *
 *   line     is cut into them, and they point into it
 *   words_r  the words, "dev" and the interface among them; NULL behind the last one
 *
 * Returns their number; 0 for a route by another interface, and one that comes back by itself (the kernel's own, or of
 * a router's advertisement); -EOPNOTSUPP for one that cannot be brought back: the interface is one of several next
 * hops, or it has too many words.
 */
int dom0_net_route_words(char *line, const char *interface, char *words_r[DOM0_NET_WORDS_MAX]);

/*
 * What is read back from a file, before it becomes a word of ip(8)'s: anything else than these is not.
 *
 *   name   an interface's: up to 15 printable characters without '/', as Linux dev_valid_name() takes them, ASCII only
 *   text   an address with its length, "192.0.2.5/24": as inet_pton(3) reads it, length 0 to 32 or 128
 *   words  of a route, as dom0_net_route_words() made them: letters, digits and ".:/_@%+-", none of them an option; to "default" or a
 *          network, and "via" and "src" of addresses
 */
bool dom0_net_name_ok(const char *name);
/* Returns 0, or -EINVAL with nothing written. */
int dom0_net_address_parse(const char *text, struct dom0_address *address_r);
bool dom0_net_route_ok(char *const words[], bool is_ipv6);

/* Of such words: whether it goes over a gateway, and so must come after the others. */
bool dom0_net_route_has_via(char *const words[]);

#endif
