/* SPDX-License-Identifier: BSD-2-Clause */
#include "eal/seal.h"

#include <stdint.h>
#include <string.h>

#include "xen/log.h"
#include "xen/recovery.h"

#define SPANS_MAX 128

static struct {
    uint32_t nr;
    struct span {
        const char *what;
        const void *start;
        size_t size;
        uint32_t sum;
    } spans[SPANS_MAX];
} table;

static uint32_t table_sum; /* 0: never closed */

void seal_begin(void)
{
    memset(&table, 0, sizeof(table));
    table_sum = 0;
}

void seal_add(const char *what, const void *start, size_t size)
{
    INVARIANT(table.nr < SPANS_MAX);
    table.spans[table.nr++] = (struct span){ .what = what, .start = start, .size = size };
}

void seal_close(void)
{
    for (uint32_t i = 0; i < table.nr; i++)
        table.spans[i].sum = recovery_sum(table.spans[i].start, table.spans[i].size);
    table_sum = recovery_sum(&table, sizeof(table));
}

const char *seal_broken(void)
{
    if (table_sum == 0)
        return "the NIC was not running yet";
    if (recovery_sum(&table, sizeof(table)) != table_sum)
        return "the table of sums";
    for (const struct span *span = table.spans; span < table.spans + table.nr; span++)
        if (recovery_sum(span->start, span->size) != span->sum)
            return span->what;
    return NULL;
}
