/* SPDX-License-Identifier: BSD-2-Clause */
/* A vbd's ring and queue, between its states. */
#ifndef DOMAIN_LINUX_BLOCK_VBD_IO_H
#define DOMAIN_LINUX_BLOCK_VBD_IO_H

#include "block/vbd.h"

/*
 * Map the ring and begin to serve it. The disk is open.
 *
 *   was_used  the frontend is connected: another backend, or process, has served the ring
 *   why       what is wrong, for a message
 *
 * Returns 0 or a negative errno; nothing is held then.
 */
int vbd_io_open(struct vbd *vbd, bool was_used, char why[LINK_WHY_SIZE]);

/* Take, start, finish and answer as much as there is; bounded. Returns 0, or -EPROTO: the ring makes no sense. */
int vbd_io_run(struct vbd *vbd);

/* Take note of jobs that are done, and answer; nothing new is taken. */
void vbd_io_finish(struct vbd *vbd);

/*
 * Answer everything that is unanswered with an error, and ask for an event at the next request; bounded. No job runs, and none will. The
 * ring may be one that could not be served: then it is mapped for this alone.
 *
 *   may_map  the frontend has a ring
 *
 * Returns whether there is a ring, so that this is to be done again. One that is not sound is left alone.
 */
bool vbd_io_refuse_all(struct vbd *vbd, bool may_map);

/* No job runs. Any number of times. */
void vbd_io_close(struct vbd *vbd);

#endif
