/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LAB_WIRE_PCAP_H
#define LAB_WIRE_PCAP_H

#include <stddef.h>
#include <stdint.h>

/* Start a capture file (time stamps in ns); an open one is closed.  0 or -1. */
int pcap_open(const char *path);
void pcap_close(void);

/* Write a frame if a capture is open.  ns: CLOCK_MONOTONIC. */
void pcap_add(uint64_t ns, const uint8_t *data, size_t len);

#endif
