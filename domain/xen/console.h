/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The domain's console: a ring that dom0 drains when it likes. Nothing here ever waits for it but
 * console_flush_emergency(). Input is dropped.
 * Source: xen/io/console.h; the mirror to Xen's own console: xen/xen.h, CONSOLEIO_write.
 */
#ifndef XEN_CONSOLE_H
#define XEN_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* After evtchn_init(). A domain without a console is no error: its output is dropped. */
void console_init(void);

/* Whether console_init() has run: until then the log keeps its lines to itself. */
bool console_ready(void);

/*
 * Write bytes; a newline becomes CR LF. What finds no room is dropped in whole pieces, counted, and
 * said in a line of its own once there is room again. Works before console_init() too, from the
 * moment start_info is set, for crash reports.
 */
void console_write(const char *text, size_t len);

/* Bytes that console_write() would find room for now; a newline takes two. */
size_t console_room(void);

/* Bytes dropped since the start, said or not. */
uint64_t console_lost(void);

/*
 * For a dying domain: wait until the ring has room for some lines more, so that the next
 * console_write() is not dropped. All calls together wait CONSOLE_EMERGENCY_US at most.
 * A kernel that restarts itself has no need of it but for room: the ring outlives the restart.
 */
#define CONSOLE_EMERGENCY_US 100000u
void console_flush_emergency(void);

/* To Xen's own console, past the ring. For crash reports; a production Xen drops it. */
void console_hypervisor_write(const char *text, size_t len);

#endif
