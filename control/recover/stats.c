/* SPDX-License-Identifier: BSD-2-Clause */
#include "recover/stats.h"

#include <errno.h>

#include "recover/reference.h"
#include "xen/domain.h"
#include "xen/domctl.h"
#include "xen/statspages.h"

/* How many pages this kernel has: behind those of an older one is something else. */
static int pages_count(struct host *host, const struct journal *journal,
                       const struct reference *reference, unsigned int *nr_r)
{
    const volatile void *page = reference_stats_map(host, journal, reference, 1);
    int err;

    if (!page)
        return -ENOTSUP;
    err = statspages_nr(page, nr_r);
    domctl_unmap(host, page, 1);
    return err;
}

int stats_read(struct host *host, const struct journal *journal, struct ferry_stats *stats_r)
{
    struct reference reference;
    const volatile void *pages;
    unsigned int nr;
    int err;

    if (!domain_is_there(host, journal))
        return -ESRCH;
    reference_load(journal, &reference);
    err = pages_count(host, journal, &reference, &nr);
    if (!err) {
        pages = reference_stats_map(host, journal, &reference, nr);
        err = pages ? statspages_copy(pages, nr, stats_r) : -ENOTSUP;
        if (pages)
            domctl_unmap(host, pages, nr);
    }
    reference_dispose(&reference);
    return err;
}
