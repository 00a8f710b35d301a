/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 82574L, as little of it as DMA to any address takes. Its rings, buffers and registers are ours to set as
 * we like: nothing here checks an address. Source: Intel 82574 GbE Controller Family Datasheet, 7 and 10.2.
 */
#ifndef EVIL_NIC_H
#define EVIL_NIC_H

#include <stdbool.h>
#include <stdint.h>

#define NIC_RING 64u /* descriptors of each ring */

/* Find the device, map and reset it. NULL, or why not. */
const char *nic_open(void);

/* Whether Bus Master is set in the command register, as pciback reads it; negative: it does not answer. */
int nic_master_get(void);
const char *nic_master_set(void);

/* Wait until the link is up. */
bool nic_link_wait(unsigned int ms);

/* Put nr descriptors for frames of len bytes at machine address maddr on the ring, nr < NIC_RING. */
void nic_send(uint64_t maddr, unsigned int len, unsigned int nr);
/* Wait until the NIC has gone through all of them. Returns how many it has not. */
unsigned int nic_send_wait(unsigned int ms);

/* Begin anew to receive, into nr buffers that all are at maddr, nr < NIC_RING. */
void nic_receive(uint64_t maddr, unsigned int nr);
/* The same with a ring that lies at a machine address, whoever's it is. */
void nic_receive_at(uint64_t ring);
/* How many descriptors the NIC has used since then. */
unsigned int nic_received(void);

/* Each buffer that nic_receive() gave and that is filled is the NIC's to fill again. */
void nic_receive_on(void);

/* Begin anew with rings that lie at a machine address, whoever's it is: the NIC reads NIC_RING descriptors there
 * and, of the receive ring, writes them. */
void nic_rings_at(uint64_t tx_maddr, uint64_t rx_maddr);

#endif
