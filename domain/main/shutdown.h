/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `xl shutdown` and `xl reboot`: dom0 writes what it wants to our node control/shutdown, and we end
 * with the reason that says so. Source: docs/misc/xenstore-paths.pandoc of Xen, "Platform Feature
 * and Control Paths".
 */
#ifndef MAIN_SHUTDOWN_H
#define MAIN_SHUTDOWN_H

/* Watch the node, and say that we do. */
void shutdown_init(void);

#endif
