/* SPDX-License-Identifier: BSD-2-Clause */
/* The ports of a driver domain in `ferry status`, with their rates, on part of a screen. Pure. */
#ifndef CONTROL_CLI_STATUS_PORTS_H
#define CONTROL_CLI_STATUS_PORTS_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/top_rows.h"

/* Lines at most, without the title and what is said of the others. */
#define STATUS_PORTS_SHOWN 12

/*
 * Write a title, a line for each port, and if there are more than STATUS_PORTS_SHOWN a line for the others
 * together. NICs are shown first then, what does not work next, and then the ports with the highest rates.
 *
 *   name       of the driver domain
 *   rows, nr   its ports; guests are known, rates too if has_rates. They stay the caller's, and change places
 *   has_rates  there were two readings of the same domain; otherwise "-" stands for each rate
 */
void status_ports_write(FILE *out, const char *name, struct top_row *rows, unsigned int nr,
                        bool has_rates);

#endif
