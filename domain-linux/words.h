/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of the kernel's command line that begin with "ferry.". Pure. */
#ifndef DOMAIN_LINUX_WORDS_H
#define DOMAIN_LINUX_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_BRIDGES_MAX 16
#define WORDS_NAME_SIZE 16 /* IFNAMSIZ */

enum words_nic {
    WORDS_NIC_NEXT, /* the card at its place, by their PCI addresses; those that a bridge asks for by MAC have none */
    WORDS_NIC_MAC,
    WORDS_NIC_NONE, /* guests among each other */
};

struct words_bridge {
    char name[WORDS_NAME_SIZE];
    enum words_nic nic;
    uint8_t mac[6]; /* WORDS_NIC_MAC */
    bool is_ovs; /* Open vSwitch's, not Linux' own */
};

struct words {
    size_t nr_bridges;
    struct words_bridge bridges[WORDS_BRIDGES_MAX];
    bool has_disks;
};

/*
 *   line   as in /proc/cmdline; other words are Linux' own and left alone
 *   why_r  what is wrong, for the console, with the word itself
 *
 *   ferry.bridge=NAME[,MAC|,none]   a bridge, and which card is its way out
 *   ferry.ovs=NAME[,MAC|,none]      the same, of Open vSwitch
 *   ferry.disks                     block devices are served
 *
 * At least one of them is wanted.
 *
 * Returns 0 or -EINVAL.
 */
int words_parse(const char *line, struct words *words_r, char *why_r, size_t why_size);

#endif
