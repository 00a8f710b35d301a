/* SPDX-License-Identifier: BSD-2-Clause */
#include "canary.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "wait.h"
#include "xen/gnttab.h"

#define PATTERN 0xc5

enum canary { CANARY_OURS, CANARY_READ_ONLY, CANARY_OF_ANOTHER, CANARIES };

static uint8_t pages[CANARIES][4096] __attribute__((aligned(4096)));
static grant_ref_t refs[CANARIES];
static bool is_set;

void canaries_set(struct front *f)
{
    if (is_set)
        return;
    memset(pages, PATTERN, sizeof(pages));
    if (gnttab_grant(f->backend, pages[CANARY_READ_ONLY], true, &refs[CANARY_READ_ONLY]) != 0 ||
        gnttab_grant(0, pages[CANARY_OF_ANOTHER], false, &refs[CANARY_OF_ANOTHER]) != 0)
        give_up("no grant reference is left");
    is_set = true;
}

grant_ref_t canary_read_only(void)
{
    return refs[CANARY_READ_ONLY];
}

grant_ref_t canary_of_another(void)
{
    return refs[CANARY_OF_ANOTHER];
}

const char *canaries_whole(void)
{
    static const char *const names[CANARIES] = { "granted to nobody", "granted read only",
                                                 "granted to dom0 alone" };

    for (unsigned int page = 0; page < CANARIES; page++)
        for (size_t at = 0; at < sizeof(pages[page]); at++)
            if (pages[page][at] != PATTERN)
                return why("a page that is %s was written to, at byte %u", names[page],
                           (unsigned int)at);
    return NULL;
}
