/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything that is in an image, by what the user asked for. */
#ifndef CONTROL_LINUX_CONTENTS_H
#define CONTROL_LINUX_CONTENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "linux/modules.h"
#include "linux/root.h"
#include "linux/tree.h"

#define CONTENTS_NICS_MAX 32

struct contents {
    const char *nics[CONTENTS_NICS_MAX]; /* addresses of PCI devices of this host */
    size_t nr_nics;
    const char *drivers[CONTENTS_NICS_MAX]; /* names of modules */
    size_t nr_drivers;
    const char *disks[CONTENTS_NICS_MAX]; /* addresses of storage controllers of this host */
    size_t nr_disks;
    bool has_ovs, has_nft;
    bool
        has_scripts; /* `xl devd` and the host's scripts for vifs; so with has_ovs or has_nft. Else linux-vif */
    bool has_disks; /* block devices are served; so if nr_disks is not 0 */
    const char *init; /* the program that becomes /init: a path of dom0 */
    const char *vif; /* the one that puts vifs into bridges */
    const char *block; /* the one that serves disks */
};

/*
 *   modules  open; what is wanted is put into it
 *   tree     empty; to be disposed of either way
 *
 * Says what is wrong. Returns 0 or a negative errno.
 */
int contents_collect(const struct contents *contents, const struct root *root,
                     struct modules *modules, struct tree *tree);

#endif
