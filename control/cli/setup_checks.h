/* SPDX-License-Identifier: BSD-2-Clause */
/* What must hold before `ferry setup` changes anything. */
#ifndef CONTROL_SETUP_CHECKS_H
#define CONTROL_SETUP_CHECKS_H

#include <stdbool.h>

#include "check/driver.h"
#include "cli/dom0_keep.h"
#include "cli/setup_text.h"
#include "util/bdf.h"
#include "util/files.h"
#include "xen/host.h"

struct setup {
    struct host host;
    /* As it was asked for: */
    const char *nic, *name, *bridge;
    const char *kernel_asked; /* NULL: choose one */
    unsigned int memory, timeout_s;
    unsigned int confirm_s; /* 0: nobody is asked */
    bool dry_run, yes, no_start, confirm_given;
    bool dom0_vif; /* dom0 is to go on behind the domain */
    /* As it was found: */
    struct bdf bdf;
    char address[BDF_SIZE], kernel[FILES_PATH_SIZE];
    char driver[DRIVER_NAME_SIZE]; /* of the kernel; "": not known */
    char path[FILES_PATH_SIZE], text[SETUP_TEXT_SIZE]; /* of the configuration */
    struct dom0_keep keep; /* not read if nothing is to be started or moved */
    unsigned int nr_uses; /* dom0's, of the NIC's network */
};

/*
 * Find the card and an image for it, and look whether the domain may be made: the name is free, the card is nobody's,
 * no row of `ferry check` refuses it. Says what is wrong.
 *
 * Returns EXIT_OK with all of setup set, after which dom0_keep_dispose() takes setup->keep; or an exit code.
 */
int setup_checks(struct setup *setup);

#endif
