/* SPDX-License-Identifier: BSD-2-Clause */
#include "recover/stats.h"

#include <errno.h>

#include "recover/reference.h"
#include "xen/domain.h"
#include "xen/domctl.h"
#include "xen/statspages.h"

int stats_read(struct host *host, const struct journal *journal, struct ferry_stats *stats_r)
{
    struct reference reference;
    const volatile void *pages;
    int err = -ENOTSUP;

    if (!domain_is_there(host, journal))
        return -ESRCH;
    reference_load(journal, &reference);
    pages = reference_stats_map(host, journal, &reference);
    if (pages) {
        err = statspages_copy(pages, stats_r) ? 0 : -EAGAIN;
        domctl_unmap(host, pages, STATSPAGES_NR);
    }
    reference_dispose(&reference);
    return err;
}
