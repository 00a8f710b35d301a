/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Print the machine pages that a domain owns: "FIRST NUMBER" a line, decimal. Runs in dom0.
 *
 *   usage: domain_pages DOMID
 */
#include <stdio.h>
#include <stdlib.h>

#include <xenctrl.h>

/* libxenctrl exports it; its headers do not declare it. */
int xc_get_pfn_type_batch(xc_interface *xc, uint32_t domid, unsigned int nr, xen_pfn_t *pages);

#define BATCH 1024 /* the most that Xen answers for at once */

/* Xen says XTAB of a page that is not this domain's. */
static int pages_print(xc_interface *xc, uint32_t domid, unsigned long end)
{
    xen_pfn_t types[BATCH];
    unsigned long first = 0, nr = 0;

    for (unsigned long page = 0; page < end; page += BATCH) {
        for (unsigned int i = 0; i < BATCH; i++)
            types[i] = page + i;
        if (xc_get_pfn_type_batch(xc, domid, BATCH, types) != 0)
            return -1;
        for (unsigned int i = 0; i < BATCH; i++) {
            if (types[i] != XEN_DOMCTL_PFINFO_XTAB) {
                first = nr ? first : page + i;
                nr++;
            } else if (nr) {
                printf("%lu %lu\n", first, nr);
                nr = 0;
            }
        }
    }
    if (nr)
        printf("%lu %lu\n", first, nr);
    return 0;
}

int main(int argc, char **argv)
{
    xc_interface *xc = xc_interface_open(NULL, NULL, 0);
    uint32_t domid = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : DOMID_INVALID;
    unsigned long last;

    if (!xc || xc_maximum_ram_page(xc, &last) != 0 || pages_print(xc, domid, last + 1) != 0) {
        fprintf(stderr, "domain_pages: Xen does not say which pages domain %u has\n", domid);
        return 1;
    }
    return 0;
}
