/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LAB_WIRE_TAP_H
#define LAB_WIRE_TAP_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

/* The first is the wire itself; each other one is a VLAN of it. */
#define TAPS_MAX 16

/*
 * Make the tap device of the wire itself, for frames as they are.
 * Exits with a message if that fails.
 */
void tap_open(const char *name);

/*
 * Make a tap device NAME.VID for the frames with this VLAN's tag: they lose it on the way to the
 * device and get it on the way back, so that a kernel without VLANs has stations in them.
 * Returns 0, or -1: no VLAN, there already, too many, or refused by the kernel.
 */
int tap_open_vlan(unsigned int vid);

/* Fill TAPS_MAX entries; none is polled when `hold`. */
void tap_poll_prepare(struct pollfd *fds, int hold);

/* Send to the NIC what came from the devices that poll() says have something. */
void tap_poll_done(const struct pollfd *fds);

/* A frame from the NIC, to the device it is for. */
void tap_deliver(const uint8_t *frame, size_t len);

#endif
