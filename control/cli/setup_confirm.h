/* SPDX-License-Identifier: BSD-2-Clause */
/* Somebody's word that what `ferry setup` did is to stay: whoever was cut off by it cannot give it. */
#ifndef CONTROL_SETUP_CONFIRM_H
#define CONTROL_SETUP_CONFIRM_H

#include <signal.h>

/*
 * Ask, and wait for a line. An empty one, "y" and "yes" keep it, "n" and "no" do not, others are asked again. What was typed at a
 * terminal before is no answer.
 *
 *   fd           a terminal, or anything that can be polled and read; nothing behind the line is read
 *   seconds      how long, at most
 *   question     printed first
 *   interrupted  becomes true by a signal, SIGHUP among them
 *
 * Returns NULL if it is to stay, or why not: the time is over, the end of the file, a terminal that is gone, "no".
 */
const char *setup_confirm_wait(int fd, unsigned int seconds, const char *question,
                               const volatile sig_atomic_t *interrupted);

#endif
