/* SPDX-License-Identifier: BSD-2-Clause */
/* One capture of a driver domain at a time: a lock, whose file says who has it. */
#ifndef CONTROL_CAPTURE_LOCK_H
#define CONTROL_CAPTURE_LOCK_H

#include <stdint.h>
#include <sys/types.h>

#define CAPTURE_LOCK_PORT_SIZE 32

/* Who captures. */
struct capture_lock_holder {
    pid_t pid; /* 0: not known, and then nothing else is */
    int64_t since_s; /* since 1970 */
    char port[CAPTURE_LOCK_PORT_SIZE];
};

/*
 * Take the lock for this process.
 *
 *   name      of the driver domain
 *   port      what is to be captured
 *   holder_r  set with -EAGAIN
 *
 * Returns a descriptor for capture_lock_free(), -EAGAIN: somebody else captures, or another negative errno.
 */
int capture_lock_take(const char *name, const char *port, struct capture_lock_holder *holder_r);
void capture_lock_free(int lock);

#endif
