/* SPDX-License-Identifier: BSD-2-Clause */
/* The word bridge=NAME[,OPTION]... */
#include <errno.h>
#include <string.h>

#include <ferry/address.h>

#include "main/config_internal.h"

#define OPTIONS                                                                                    \
    "accepted: uplink=NIC mtu=BYTES native=VID trunk=VID+VID-VID isolated storm=FRAMES "           \
    "group_fwd_mask=MASK "                                                                         \
    "pin=MAC address=dhcp|IP/LEN gateway=IP address6=IP/LEN gateway6=IP dns=IP forward=..."
#define GROUP_MASK_MAX 0xffff
#define GROUP_MASK_PAUSE                                                                           \
    0x2 /* 01:80:C2:00:00:01 is for the next hop only (IEEE 802.3, annex 31B) */
#define STORM_MAX 10000000

static bool is_same_nic(const struct config_nic *a, const struct config_nic *b)
{
    return a->kind != CONFIG_NIC_NONE && a->kind == b->kind && a->index == b->index &&
           a->pci_domain == b->pci_domain && a->pci_bus == b->pci_bus &&
           a->pci_device == b->pci_device && a->pci_function == b->pci_function;
}

static bool is_name_char(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
           c == '-' || c == '.';
}

static bool is_bridge_name(struct text name)
{
    if (name.len == 0 || name.len >= CONFIG_BRIDGE_NAME_SIZE || name.at[0] == '.' ||
        name.at[0] == '-')
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_name_char(name.at[i]))
            return false;
    return true;
}

/* Is the bridge, not counted yet, unlike those before? */
static int check_unique(struct parser *parser, const struct config_bridge *bridge, struct text word)
{
    for (const struct config_bridge *b = parser->config.bridges; b < bridge; b++) {
        if (strcmp(b->name, bridge->name) == 0)
            return config_fail(parser, word, "a second bridge of that name:", "names must differ");
        if (is_same_nic(&b->uplink, &bridge->uplink))
            return config_fail(parser, word,
                               "an uplink that another bridge has:", "a NIC belongs to one bridge");
    }
    return 0;
}

static int said_twice(struct parser *parser, struct text word)
{
    return config_fail(parser, word, "an option is said twice in", "each stands once");
}

static int uplink_parse(struct parser *parser, struct config_bridge *bridge, struct text value,
                        struct text word)
{
    if (bridge->has_uplink)
        return said_twice(parser, word);
    if (text_nic(value, &bridge->uplink) != 0)
        return config_fail(parser, word, "not a NIC in", "accepted: " CONFIG_NIC_FORMS);
    bridge->has_uplink = true;
    parser->seen_uplink = true;
    return 0;
}

static int mtu_parse(struct parser *parser, struct config_bridge *bridge, struct text value,
                     struct text word)
{
    uint32_t mtu;

    if (bridge->mtu)
        return said_twice(parser, word);
    if (text_number(value, 10, 4, CONFIG_MTU_MAX, &mtu) != 0 || mtu < CONFIG_MTU_MIN)
        return config_fail(parser, word, "not an MTU in", "accepted: mtu=BYTES, 1280 to 9000");
    bridge->mtu = (uint16_t)mtu;
    return 0;
}

static int native_parse(struct parser *parser, struct config_bridge *bridge, struct text value,
                        struct text word)
{
    uint32_t vid;

    if (bridge->native)
        return said_twice(parser, word);
    if (text_number(value, 10, 4, VLAN_MAX, &vid) != 0 || vid == 0)
        return config_fail(parser, word, "not a VLAN in", "accepted: native=VID, 1 to 4094");
    bridge->native = (uint16_t)vid;
    return 0;
}

static int trunk_parse(struct parser *parser, struct config_bridge *bridge, struct text value,
                       struct text word)
{
    if (bridge->has_trunk)
        return said_twice(parser, word);
    if (vlan_trunk_parse(value.at, value.len, &bridge->vlans) != 0)
        return config_fail(parser, word, "not VLANs in",
                           "accepted: trunk=VID+VID-VID, each 0 to 4094, 0 for untagged frames");
    bridge->has_trunk = true;
    return 0;
}

static int isolated_parse(struct parser *parser, struct config_bridge *bridge, struct text value,
                          struct text word)
{
    (void)value;
    if (bridge->isolated)
        return said_twice(parser, word);
    bridge->isolated = true;
    return 0;
}

static int storm_parse(struct parser *parser, struct config_bridge *bridge, struct text value,
                       struct text word)
{
    if (bridge->storm)
        return said_twice(parser, word);
    if (text_number(value, 10, 8, STORM_MAX, &bridge->storm) != 0 || bridge->storm == 0)
        return config_fail(parser, word, "not a number of frames in",
                           "accepted: storm=FRAMES a second, 1 to 10000000");
    return 0;
}

static int group_mask_parse(struct parser *parser, struct config_bridge *bridge, struct text value,
                            struct text word)
{
    uint32_t mask;
    bool is_hex = text_skip(&value, "0x");

    if (bridge->group_fwd_mask)
        return said_twice(parser, word);
    if (text_number(value, is_hex ? 16 : 10, is_hex ? 4 : 5, GROUP_MASK_MAX, &mask) != 0)
        return config_fail(parser, word, "not a mask in",
                           "accepted: group_fwd_mask=0 to 0xffff, bit n for 01:80:C2:00:00:0n");
    if (mask & GROUP_MASK_PAUSE)
        return config_fail(parser, word, "PAUSE frames (bit 1) cannot be forwarded:",
                           "accepted: masks without bit 1");
    bridge->group_fwd_mask = (uint16_t)mask;
    return 0;
}

static int pin_parse(struct parser *parser, struct config_bridge *bridge, struct text value,
                     struct text word)
{
    struct config_pin *pin;
    uint32_t vid = 0;

    if (bridge->nr_pins == CONFIG_PINS_MAX)
        return config_fail(parser, word, "one pin= too many in", "8 at most");
    pin = &bridge->pins[bridge->nr_pins];
    pin->has_vid = memchr(value.at, '@', value.len) != NULL;
    if (text_mac(text_cut(&value, '@'), pin->mac) != 0 ||
        (pin->has_vid && text_number(value, 10, 4, VLAN_MAX, &vid) != 0))
        return config_fail(parser, word, "not a station in",
                           "accepted: pin=00:16:3e:00:00:01 or pin=00:16:3e:00:00:01@VID");
    pin->vid = (uint16_t)vid;
    bridge->nr_pins++;
    return 0;
}

/* IPv4 or IPv6 with or without a length, as the option wants. */
static int ip_parse(struct text value, bool is_ip6, bool has_len, uint8_t *addr_r, uint8_t *len_r)
{
    uint8_t addr[16], len;
    bool ip6;

    if ((memchr(value.at, '/', value.len) != NULL) != has_len ||
        prefix_parse(value.at, value.len, &ip6, addr, &len) || ip6 != is_ip6)
        return -EINVAL;
    memcpy(addr_r, addr, is_ip6 ? 16 : 4);
    if (len_r)
        *len_r = len;
    return 0;
}

static int address_parse(struct parser *parser, struct config_bridge *bridge, struct text value,
                         struct text word)
{
    if (bridge->dhcp || bridge->len4)
        return said_twice(parser, word);
    bridge->dhcp = text_is(value, "dhcp");
    if (!bridge->dhcp &&
        (ip_parse(value, false, true, bridge->ip4, &bridge->len4) || bridge->len4 == 0))
        return config_fail(parser, word, "not an address in",
                           "accepted: address=dhcp or address=10.0.0.2/24");
    return 0;
}

static int gateway_parse(struct parser *parser, struct config_bridge *bridge, struct text value,
                         struct text word)
{
    if (bridge->has_gateway4)
        return said_twice(parser, word);
    if (ip_parse(value, false, false, bridge->gateway4, NULL))
        return config_fail(parser, word, "not an address in", "accepted: gateway=10.0.0.1");
    bridge->has_gateway4 = true;
    return 0;
}

static int address6_option_parse(struct parser *parser, struct config_bridge *bridge,
                                 struct text value, struct text word)
{
    if (bridge->len6)
        return said_twice(parser, word);
    if (ip_parse(value, true, true, bridge->ip6, &bridge->len6) || bridge->len6 == 0)
        return config_fail(parser, word, "not an address in", "accepted: address6=fd00::2/64");
    return 0;
}

static int gateway6_parse(struct parser *parser, struct config_bridge *bridge, struct text value,
                          struct text word)
{
    if (bridge->has_gateway6)
        return said_twice(parser, word);
    if (ip_parse(value, true, false, bridge->gateway6, NULL))
        return config_fail(parser, word, "not an address in", "accepted: gateway6=fe80::1");
    bridge->has_gateway6 = true;
    return 0;
}

static int dns_parse(struct parser *parser, struct config_bridge *bridge, struct text value,
                     struct text word)
{
    if (bridge->nr_dns == CONFIG_DNS_MAX)
        return config_fail(parser, word, "one dns= too many in", "3 at most");
    if (ip_parse(value, false, false, bridge->dns[bridge->nr_dns], NULL))
        return config_fail(parser, word, "not an address in", "accepted: dns=10.0.0.1");
    bridge->nr_dns++;
    return 0;
}

/* tcp:8080:10.0.0.41:80 */
static int forward_parse(struct parser *parser, struct config_bridge *bridge, struct text value,
                         struct text word)
{
    struct config_forward *forward = &bridge->forwards[bridge->nr_forwards];
    struct text protocol = text_cut(&value, ':'), outside = text_cut(&value, ':');
    struct text guest = text_cut(&value, ':');
    uint32_t outside_port, port;

    if (bridge->nr_forwards == CONFIG_FORWARDS_MAX)
        return config_fail(parser, word, "one forward= too many in", "16 at most for a bridge");
    if ((!text_is(protocol, "tcp") && !text_is(protocol, "udp")) ||
        text_number(outside, 10, 5, UINT16_MAX, &outside_port) || outside_port == 0 ||
        ip_parse(guest, false, false, forward->ip4, NULL) ||
        text_number(value, 10, 5, UINT16_MAX, &port) || port == 0)
        return config_fail(parser, word, "not a port forward in",
                           "accepted: forward=tcp|udp:PORT:GUEST-IP:GUEST-PORT");
    if (outside_port >= CONFIG_OWN_PORT_FIRST && outside_port <= CONFIG_OWN_PORT_LAST)
        return config_fail(parser, word, "a port that the domain uses itself in",
                           "accepted: ports 1 to 2047 and 4096 to 65535");
    if (++parser->nr_forwards > CONFIG_FORWARDS_ALL)
        return config_fail(parser, word, "one forward= too many in", "32 at most for all bridges");
    forward->is_udp = text_is(protocol, "udp");
    forward->outside_port = (uint16_t)outside_port;
    forward->port = (uint16_t)port;
    bridge->nr_forwards++;
    return 0;
}

static const struct {
    const char *name; /* with = where a value follows */
    int (*parse)(struct parser *parser, struct config_bridge *bridge, struct text value,
                 struct text word);
} options[] = {
    { "uplink=", uplink_parse },     { "native=", native_parse },
    { "trunk=", trunk_parse },       { "isolated", isolated_parse },
    { "storm=", storm_parse },       { "group_fwd_mask=", group_mask_parse },
    { "pin=", pin_parse },           { "address=", address_parse },
    { "gateway=", gateway_parse },   { "address6=", address6_option_parse },
    { "gateway6=", gateway6_parse }, { "dns=", dns_parse },
    { "forward=", forward_parse },   { "mtu=", mtu_parse },
};

static int option_parse(struct parser *parser, struct config_bridge *bridge, struct text option,
                        struct text word)
{
    for (unsigned int i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        struct text value = option;
        bool wants_value = strchr(options[i].name, '=') != NULL;

        if (text_skip(&value, options[i].name) && (wants_value || value.len == 0))
            return options[i].parse(parser, bridge, value, word);
    }
    return config_fail(parser, word, "not an option of a bridge in", OPTIONS);
}

/* Is a gateway a neighbour in the network of this address? Link-local ones of IPv6 always are. */
static bool is_neighbour(const uint8_t *gateway, const uint8_t *own, uint8_t len, size_t size)
{
    if (size == 16 && gateway[0] == 0xfe && (gateway[1] & 0xc0) == 0x80)
        return true;
    for (uint8_t bit = 0; bit < len; bit++)
        if ((gateway[bit / 8] ^ own[bit / 8]) & (0x80 >> bit % 8))
            return len == size * 8; /* an address by itself: any neighbour will do */
    return memcmp(gateway, own, size) != 0;
}

static bool has_own_port(const struct config_bridge *bridge, bool is_udp, uint16_t port)
{
    for (unsigned int i = 0; i < bridge->nr_forwards; i++)
        if (bridge->forwards[i].is_udp == is_udp && bridge->forwards[i].outside_port == port)
            return true;
    return false;
}

static int addresses_check(struct parser *parser, const struct config_bridge *bridge,
                           struct text word)
{
    if ((bridge->dhcp || bridge->len4 || bridge->len6) &&
        ++parser->nr_addresses > CONFIG_ADDRESSES_MAX)
        return config_fail(parser, word, "one bridge with an address too many:", "4 at most");
    if (bridge->has_gateway4 && !is_neighbour(bridge->gateway4, bridge->ip4, bridge->len4, 4))
        return config_fail(parser, word, "a gateway that is no neighbour in",
                           "accepted: another address of the same network");
    if (bridge->has_gateway6 && !is_neighbour(bridge->gateway6, bridge->ip6, bridge->len6, 16))
        return config_fail(parser, word, "a gateway that is no neighbour in",
                           "accepted: another address of the same network, or fe80::...");
    if (bridge->dhcp && has_own_port(bridge, true, 68))
        return config_fail(parser, word,
                           "udp:68 is for the address by DHCP itself:", "accepted: other ports");
    return 0;
}

/* What no single option shows. */
static int options_check(struct parser *parser, struct config_bridge *bridge, struct text word)
{
    bool has_address4 = bridge->dhcp || bridge->len4;

    if (bridge->has_gateway4 && !bridge->len4)
        return config_fail(parser, word, "a gateway without a fixed address in",
                           "accepted: address=IP/LEN,gateway=IP; DHCP brings its own");
    if (bridge->has_gateway6 && !bridge->len6)
        return config_fail(parser, word, "a gateway without an address in",
                           "accepted: address6=IP/LEN,gateway6=IP");
    if ((bridge->nr_dns || bridge->nr_forwards) && !has_address4)
        return config_fail(parser, word, "dns= or forward= without an address in",
                           "accepted: with address=");
    if ((bridge->native || bridge->has_trunk || bridge->nr_pins) &&
        bridge->uplink.kind == CONFIG_NIC_NONE)
        return config_fail(parser, word, "native=, trunk= or pin= without an uplink in",
                           "accepted: with uplink=NIC");
    if (bridge->mtu && bridge->uplink.kind == CONFIG_NIC_NONE)
        return config_fail(
            parser, word, "mtu= without an uplink in",
            "accepted: with uplink=NIC; without a wire each vif line has its own mtu=");
    if (bridge->has_trunk && !bridge->native && !vlan_set_has(&bridge->vlans, 0)) {
        if (has_address4 || bridge->len6)
            return config_fail(parser, word, "address= on a wire without untagged frames in",
                               "accepted: with native=VID, or with 0 in trunk=");
        for (unsigned int i = 0; i < bridge->nr_pins; i++)
            if (!bridge->pins[i].has_vid)
                return config_fail(parser, word, "pin= on a wire without untagged frames in",
                                   "accepted: pin=MAC@VID");
    }
    return addresses_check(parser, bridge, word);
}

/* The uplink's VLANs as the bridge takes them. */
static void vlans_settle(struct config_bridge *bridge)
{
    struct vlan_set *set = &bridge->vlans;

    bridge->has_vlans = bridge->native || bridge->has_trunk;
    if (!bridge->has_vlans)
        return;
    if (!bridge->has_trunk) {
        vlan_set_clear(set);
        for (uint16_t vid = 1; vid <= VLAN_MAX; vid++)
            vlan_set_add(set, vid, false);
    }
    if (bridge->native)
        vlan_set_pvid(set, bridge->native);
    else if (vlan_set_has(set, 0))
        vlan_set_pvid(set, 0);
}

int config_bridge_parse(struct parser *parser, struct text value, struct text word)
{
    struct config_bridge *bridge;
    struct text rest = value, name = text_cut(&rest, ',');
    bool has_options = name.len < value.len;
    int rc = 0;

    if (parser->config.nr_bridges == CONFIG_BRIDGES_MAX)
        return config_fail(parser, word, "one bridge too many:", "16 at most");
    if (!is_bridge_name(name))
        return config_fail(parser, word, "not a name for a bridge:",
                           "1 to 15 letters, digits, '_', '-', '.', the first not '-' or '.'");
    bridge = &parser->config.bridges[parser->config.nr_bridges];
    memcpy(bridge->name, name.at, name.len);
    while (rc == 0 && has_options) {
        has_options = memchr(rest.at, ',', rest.len) != NULL;
        rc = option_parse(parser, bridge, text_cut(&rest, ','), word);
    }
    if (rc == 0)
        rc = options_check(parser, bridge, word);
    if (rc == 0)
        rc = check_unique(parser, bridge, word);
    if (rc == 0) {
        vlans_settle(bridge);
        parser->config.nr_bridges++;
    }
    return rc;
}
