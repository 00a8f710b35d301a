/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/option.h"

#include <errno.h>
#include <stdlib.h>

#include "util/log.h"

int option_number(const char *option, const char *text, uint32_t min, uint32_t max,
                  uint32_t *number_r)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || value < min || value > max) {
        log_line("--%s %s: a number from %u to %u is wanted", option, text, min, max);
        return -ERANGE;
    }
    *number_r = (uint32_t)value;
    return 0;
}
