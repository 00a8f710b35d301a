/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands that show a driver domain's statistics share. */
#ifndef CONTROL_CLI_OBSERVE_H
#define CONTROL_CLI_OBSERVE_H

#include <stdbool.h>

#include <ferry/stats.h>

#include "journal/journal.h"
#include "util/json.h"
#include "xen/guest.h"
#include "xen/host.h"

struct observe {
    struct host host;
    struct json *json; /* NULL: as text */
    const char *only; /* a name, or NULL */
    unsigned int nr; /* domains that were shown */
    bool failed; /* one could not be */
    void (*show)(struct observe *observe, const struct journal *journal,
                 const struct ferry_stats *stats);
};

/*
 * Show each driver domain, or the one that is named (only, NULL: all). As JSON it makes an array, in which
 * show() opens and closes what is one domain's. Returns an exit code.
 */
int observe_all(const char *only, bool as_json,
                void (*show)(struct observe *observe, const struct journal *journal,
                             const struct ferry_stats *stats));

/* The same, with words [NAME] and --json. */
int observe_run(int argc, char **argv,
                void (*show)(struct observe *observe, const struct journal *journal,
                             const struct ferry_stats *stats));

/*
 * Say that a domain's kernel does not show what is asked for, and how it gets one that does.
 *
 *   lacks  "shows no ..."
 */
void observe_kernel_tell(const struct journal *journal, const char *lacks);

/* A word for what is there now of a driver domain. */
const char *observe_state_word(struct host *host, const struct journal *journal);

/* "02:00:00:00:00:01" */
#define OBSERVE_MAC_SIZE 18
void observe_mac(const uint8_t mac[6], char text[OBSERVE_MAC_SIZE]);

#endif
