/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LAB_WIRE_CABLE_H
#define LAB_WIRE_CABLE_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX 65536

/* Called for each frame that came out of the NIC. */
typedef void (*cable_frame_fn)(const uint8_t *frame, size_t len);

/* Listen for QEMU's "-netdev stream".  Exits with a message if that fails. */
void cable_listen(const char *path);

/* What to poll: the listener until QEMU has come, then the connection. */
int cable_fd(void);

/* Is something waiting to be sent? Then poll for writing, and hold frames back. */
int cable_is_full(void);

/* Accept QEMU, or read and hand on the frames that are complete. */
void cable_read(cable_frame_fn deliver);

/*
 * Send a frame to the NIC; what QEMU does not take at once is kept.
 * Returns 0, or -1 if nobody is connected or too much is kept already.
 */
int cable_send(const uint8_t *frame, size_t len);

/* Go on sending what was kept. */
void cable_flush(void);

#endif
