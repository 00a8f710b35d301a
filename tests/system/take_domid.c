/* SPDX-License-Identifier: BSD-2-Clause */
/* take_domid ID: make an empty domain with this id, as fast as somebody else might. */
#include <stdio.h>
#include <stdlib.h>

#include <xenctrl.h>

int main(int argc, char **argv)
{
    struct xen_domctl_createdomain config = { .max_vcpus = 1,
                                              .max_evtchn_port = -1,
                                              .max_grant_frames = 4,
                                              .max_maptrack_frames = 4,
                                              .grant_opts = XEN_DOMCTL_GRANT_version(1) };
    uint32_t domid = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    xc_interface *xc = xc_interface_open(NULL, NULL, 0);

    if (!xc || !domid || xc_domain_create(xc, &domid, &config)) {
        perror("take_domid");
        return 1;
    }
    printf("%u\n", domid);
    return 0;
}
