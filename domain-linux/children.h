/* SPDX-License-Identifier: BSD-2-Clause */
/* The programs that run in the domain: started, waited for, started again. */
#ifndef DOMAIN_LINUX_CHILDREN_H
#define DOMAIN_LINUX_CHILDREN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
    char *const *argv;
    pid_t pid; /* 0: does not run */
    int64_t since_ms; /* when it was started */
    int64_t again_ms; /* when it is to be started again */
    unsigned int nr_deaths;
};

/* Milliseconds since boot. */
int64_t children_now_ms(void);

/* Start a program by its name in /usr/bin, or its path. It has no signals blocked, and ordinary priority. Returns its id or a negative errno. */
pid_t children_start(char *const argv[]);

/*
 * Take note of every process that ended, and start those of the children again that are down: after 100 ms at first, and at most 5 s. Says
 * which ended.
 */
void children_look(struct child *children, size_t nr);

/* Run a program to its end, while beat() is called every beat_ms. Returns 0, or -EIO if it fails, -ETIMEDOUT. */
int children_run(char *const argv[], int limit_ms, void (*beat)(void), int beat_ms);

#endif
