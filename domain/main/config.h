/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the admin wrote for the domain: the line of `extra=` in its xl.cfg.
 *
 * Words separated by blanks, in any order; docs/configuration.md explains them.
 *
 *     bridge=NAME[,OPTION...]    make a bridge; once for each bridge
 *     policy=required            a vif that dom0 has no policy for is refused
 *     log=debug|info|warn        what goes to the console; info unless set
 *     ageing=SECONDS             1 to 1000000; 300 unless set
 *     restarts=NUMBER            0 to 1000000 restarts by itself within a minute; 10 unless set
 *     root=...                   ignored: xl writes it for `root=`
 *
 *     NIC is nic0, nic1, ... in the order of pci=[...], or a PCI address as
 *     this domain sees it (00:00.0 or 0000:00:00.0), or none.
 *
 *     OPTION is, in any order:
 *     uplink=NIC                 the wire
 *     mtu=BYTES                  of the uplink and of the vifs there that ask for no other; 1280 to 9000
 *     native=VID                 VLAN of the frames without a tag on the uplink
 *     trunk=VID+VID-VID          VLANs that the uplink carries, instead of all; 0: without a tag
 *     isolated                   guests reach the uplink and the bridge's address, not each other
 *     storm=FRAMES               flooded frames a second that one guest may send
 *     group_fwd_mask=MASK        as of a Linux bridge: bit n lets 01:80:C2:00:00:0n through
 *     pin=MAC[@VID]              a station that is behind the uplink, whatever a guest says
 *     address=dhcp|IP/LEN        the bridge's own address; vif-route and vif-nat need one
 *     gateway=IP address6=IP/LEN gateway6=IP
 *     dns=IP                     where guests' queries go, instead of what DHCP says
 *     forward=tcp|udp:PORT:IP:PORT  a port of the address leads to a vif-nat guest
 *
 * Without any bridge= there is one, xenbr0. Without any uplink= the first
 * bridge gets nic0. Otherwise a bridge without uplink= has no wire.
 *
 * Pure: no Xen, no DPDK. The line is not trusted.
 */
#ifndef MAIN_CONFIG_H
#define MAIN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ferry/vlan.h>

#define CONFIG_BRIDGES_MAX 16
#define CONFIG_BRIDGE_NAME_SIZE 16 /* as of a Linux interface, with the NUL */
#define CONFIG_NICS_MAX 32
#define CONFIG_ERROR_SIZE 400

enum config_nic_kind {
    CONFIG_NIC_NONE,
    CONFIG_NIC_INDEX,
    CONFIG_NIC_PCI,
};

struct config_nic {
    enum config_nic_kind kind;
    uint8_t index; /* of _INDEX: 0 is the first NIC */
    /* of _PCI: */
    uint16_t pci_domain;
    uint8_t pci_bus, pci_device, pci_function;
};

#define CONFIG_PINS_MAX 8
#define CONFIG_DNS_MAX 3
#define CONFIG_FORWARDS_MAX 16 /* of one bridge */
#define CONFIG_FORWARDS_ALL 32
#define CONFIG_ADDRESSES_MAX 4 /* bridges with an address */

/* Below there is no IPv6 (RFC 8200, 5); more is not what switches and NICs agree on. */
#define CONFIG_MTU_MIN 1280
#define CONFIG_MTU_MAX 9000
#define CONFIG_MTU_USUAL 1500 /* without mtu= */

/* Ports of the bridge's address that the domain uses itself. */
#define CONFIG_OWN_PORT_FIRST 2048
#define CONFIG_OWN_PORT_LAST 4095

/* Addresses are in network byte order. */
struct config_forward {
    bool is_udp; /* else TCP */
    uint16_t outside_port, port; /* host byte order */
    uint8_t ip4[4];
};

struct config_pin {
    uint8_t mac[6];
    bool has_vid; /* else the VLAN of the uplink's untagged frames */
    uint16_t vid;
};

struct config_bridge {
    char name[CONFIG_BRIDGE_NAME_SIZE];
    struct config_nic uplink;
    bool has_uplink; /* uplink= was said */
    uint16_t mtu; /* 0: nothing was said */
    uint16_t native; /* VLAN; 0: none */
    bool has_trunk;
    bool has_vlans; /* vlans are the uplink's */
    struct vlan_set vlans;
    bool isolated;
    uint32_t storm; /* 0: no limit */
    uint16_t group_fwd_mask;
    unsigned int nr_pins, nr_dns, nr_forwards;
    struct config_pin pins[CONFIG_PINS_MAX];
    bool dhcp, has_gateway4, has_gateway6;
    uint8_t len4, len6; /* 0: no fixed address */
    uint8_t ip4[4], gateway4[4], ip6[16], gateway6[16];
    uint8_t dns[CONFIG_DNS_MAX][4];
    struct config_forward forwards[CONFIG_FORWARDS_MAX];
};

enum config_log {
    CONFIG_LOG_DEBUG,
    CONFIG_LOG_INFO,
    CONFIG_LOG_WARN,
};

struct config {
    unsigned int nr_bridges; /* 1 at least */
    struct config_bridge bridges[CONFIG_BRIDGES_MAX];
    enum config_log log;
    uint32_t ageing_s;
    uint32_t restarts; /* in a minute */
    bool policy_required;
};

/* The longest packet on the wire of a bridge, bytes. */
static inline uint16_t config_bridge_mtu(const struct config_bridge *bridge)
{
    return bridge->mtu ? bridge->mtu : CONFIG_MTU_USUAL;
}

/*
 * Read the command line.
 *
 *   line    start_info.cmd_line: ends at its NUL or after size bytes
 *   size    bytes of the field, MAX_GUEST_CMDLINE
 *   config  set on success only
 *   error   set on failure only: one printable line for the admin that names
 *           the bad word and what is accepted; CONFIG_ERROR_SIZE bytes
 *
 * Returns 0, or -EINVAL. A line that fills its field is refused: Xen cuts
 * longer ones there without a word.
 * Source: xen/xen.h, struct start_info; xl.cfg(5), "cmdline", "root", "extra".
 */
int config_parse(const char *line, size_t size, struct config *config, char *error)
    __attribute__((warn_unused_result));

#endif
