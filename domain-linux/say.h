/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines on the domain's console, by the kernel's log: each with the program's name. */
#ifndef DOMAIN_LINUX_SAY_H
#define DOMAIN_LINUX_SAY_H

/* /dev must be there. */
void say_open(void);
/*
 * What programs print comes through a named pipe, and goes to the console line by line. It is where the stock scripts append what they have
 * to say.
 */
#define SAY_PIPE "/run/log/xen/xen-hotplug.log"
void say_pipe_open(void);
/* Say what came through the pipe since. Never waits. */
void say_pipe_look(void);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The domain cannot do what it is for: say why, and shut down. Whoever supervises it sees SHUTDOWN_poweroff. */
void say_and_shut_down(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
