/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LAB_WIRE_CONTROL_H
#define LAB_WIRE_CONTROL_H

/*
 * The control socket: one connection a command, one line in, text out.
 *   counts                 frames and bytes in each direction
 *   gap FILTER             the longest time between two matching frames
 *   dump FILTER            the matching frames, one a line
 *   inject HEX             put a frame into the NIC, as from the wire
 *   pcap PATH | pcap off   start or end a capture of whole frames
 *   vlan VID               make a tap device for the frames with this tag
 * FILTER: see filter.h.  An answer that starts with "error" is a refusal.
 */

/* Returns the listening socket; exits with a message if that fails. */
int control_listen(const char *path);

/* Serve the connection that waits at the listener. */
void control_serve(int listener);

#endif
