/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a `ferry` that is gone has left of a move of dom0's network (journal/unfinished.h) is finished by `ferry stop --unfinished`, which
 * does nothing where another one was first. Where systemd runs it is a unit of its own, outside of ferryd's restrictions, which keep it
 * from dom0's network.
 */
#ifndef CONTROL_FINISHER_H
#define CONTROL_FINISHER_H

#include <stdint.h>
#include <sys/types.h>

#include "util/files.h"

#define FINISHER_MAX 32

struct finisher {
    pid_t child; /* 0: none */
    char name[FILES_NAME_MAX + 1]; /* whose it is */
    unsigned int nr;
    struct finisher_failed {
        char name[FILES_NAME_MAX + 1];
        unsigned int delay_ms;
        int64_t retry_ms; /* ticks before which it is not tried again */
    } failed[FINISHER_MAX];
};

/* Look for one, and have it finished; one at a time. A name for which that fails is tried again after 1 s, 2 s, up to a minute; others do
 * not wait for it. More than FINISHER_MAX that fail are not tried.
 *   now_ms  host_ticks_ms() */
void finisher_look(struct finisher *finisher, int64_t now_ms);

#endif
