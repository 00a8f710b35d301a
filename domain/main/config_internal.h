/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files that read the line share. Not for others: see config.h. */
#ifndef MAIN_CONFIG_INTERNAL_H
#define MAIN_CONFIG_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "main/config.h"

#define CONFIG_NIC_FORMS "nic0 to nic31, a PCI address like 00:00.0, or none"

/* A piece of the line; not NUL-terminated. */
struct text {
    const char *at;
    size_t len;
};

struct parser {
    struct config config;
    bool seen_uplink, seen_log, seen_ageing, seen_restarts, seen_policy;
    unsigned int nr_forwards, nr_addresses; /* of all bridges */
    char *error;
};

bool text_is(struct text text, const char *string);

/* Cut the text up to the first separator off, and the separator. */
struct text text_cut(struct text *rest, char separator);

/* Take a prefix off the text if it has it. */
bool text_skip(struct text *text, const char *prefix);

/* The whole text as a number of 1 to max_digits digits, not above max. Returns 0 or -EINVAL. */
int text_number(struct text text, unsigned int base, size_t max_digits, uint32_t max,
                uint32_t *number_r);

/* Six pairs of hexadecimal digits, joined by colons; no group's address and not 0. */
int text_mac(struct text text, uint8_t mac_r[6]);

/* nicN, a PCI address, or none. */
int text_nic(struct text text, struct config_nic *nic_r);

/* Say what is wrong with a word. Always returns -EINVAL. */
int config_fail(struct parser *parser, struct text word, const char *what, const char *accepted);

/* config_bridge.c: what follows bridge=. Returns 0 or -EINVAL. */
int config_bridge_parse(struct parser *parser, struct text value, struct text word);

#endif
