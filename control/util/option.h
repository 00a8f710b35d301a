/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of command line options. */
#ifndef CONTROL_OPTION_H
#define CONTROL_OPTION_H

#include <stdint.h>

/*
 * A decimal number, digits alone. Says what is wanted if it is not one.
 *
 *   option  its long name, for that
 *   min     and max: the least and the most that is taken
 *
 * Returns 0 and the number, or -ERANGE.
 */
int option_number(const char *option, const char *text, uint32_t min, uint32_t max,
                  uint32_t *number_r);

#endif
