/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A xenstore with the nodes of one vif (domain 7's, handle 0) whose values, errors and changes come from the
 * input. In place of tests/unit/fake_store.c, under fake_xen.c.
 */
#ifndef FUZZ_STORE_H
#define FUZZ_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vif/vif.h"

#define STORE_VALUE_MAX 4096 /* bytes of a node */
#define STORE_BACK "backend/vif/7/0"
#define STORE_FRONT "/local/domain/7/device/vif/0"

/* Nodes by number: the toolstack's, dom0's, and the frontend's. */
enum store_node {
    STORE_FRONTEND_ID,
    STORE_FRONTEND,
    STORE_HANDLE,
    STORE_TYPE,
    STORE_MAC,
    STORE_BRIDGE,
    STORE_MTU,
    STORE_SCRIPT,
    STORE_RATE,
    STORE_IP,
    STORE_VLAN,
    STORE_GATEWAYDEV,
    STORE_NR_READ, /* the nodes before are those that a vif is made of */
    STORE_STATE = 13,
    STORE_LISTING = 17, /* the directory: more names that are in it */
    STORE_POLICY, /* of its MAC, whatever that is */
    STORE_POLICY_DEFAULT,
    STORE_FRONT_STATE,
    STORE_WRITES = 42, /* the error of whatever is written */
    STORE_NR_NODES
};

struct store_value {
    int err; /* -ENOENT: it is not there */
    size_t len;
    char bytes[STORE_VALUE_MAX + 1]; /* and a NUL */
};

/* What happens to a node. */
struct store_change {
    uint8_t when; /* after so many answers; 0: before the first */
    uint8_t node; /* enum store_node */
    uint8_t what, arg; /* an error; a long run of a byte; else the bytes */
    const uint8_t *bytes;
    size_t len; /* 255 at most */
};
#define STORE_CHANGES 40

struct fuzz_store {
    struct store_value served[STORE_NR_NODES]; /* the last answer to each */
    char listed[STORE_VALUE_MAX + 1024]; /* the last listing that was given */
    size_t listed_len;
    char refused[VIF_WHY_SIZE + 8]; /* what was written to hotplug-error */
    unsigned int nr_requests;
    uint64_t sum; /* over all that was asked and written */
    struct store_change changes[STORE_CHANGES];
    unsigned int nr_changes;
};
extern struct fuzz_store fuzz_store;

/* Note something for the sum. */
void fuzz_store_sum(const void *bytes, size_t len);

/* Make the changes that are due up to then; 254 is all of them. */
void fuzz_store_change(uint8_t until);

/* The toolstack removes the vif, and nothing fails any more. */
void fuzz_store_end(void);

unsigned int fuzz_store_watches(void);

#endif
