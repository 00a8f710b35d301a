/* SPDX-License-Identifier: BSD-2-Clause */
/* An xl.cfg as `ferry start` takes it: read by libxlutil, mapped to libxl's structures. */
#ifndef CONTROL_CONFIG_H
#define CONTROL_CONFIG_H

#include <libxl.h>

#include "config/dom0_vif.h"
#include "journal/journal.h"
#include "util/files.h"

#define CONFIG_SIZE_MAX 65536

struct config {
    libxl_domain_config xl;
    struct bdf nics[JOURNAL_NICS_MAX];
    unsigned int nr_nics;
    bool is_linux; /* its kernel is */
    bool permissive; /* pci_permissive=1, or permissive=1 of a device */
    struct dom0_vif dom0_vif; /* of its bridge "": none */
    char *text; /* the file as it was; of an adopted domain libxl's JSON */
    size_t len;
};

/*
 * Read a file. Everything wrong is said, with the file's name. A driver domain that Ferry looks after
 * is PV, has NICs, and is preserved when it dies, whatever the file says of that.
 *
 *   known  of a domain that was started: interfaces in pci= have left dom0, their addresses are there;
 *          otherwise NULL
 *
 * Returns 0 and what config_dispose() takes, or a negative errno.
 */
int config_load(const char *path, const struct journal *known, struct config *config_r);

/* Its name= only, as config_load() would take it: what else the file says may not hold while the domain runs. Says what
 * is wrong. Returns 0 or a negative errno. */
int config_name(const char *path, char name_r[FILES_NAME_MAX + 1]);

/* The configuration that was kept of a domain, with the kernel that was kept. As above. */
int config_load_kept(libxl_ctx *xl, const struct journal *journal, struct config *config_r);

void config_dispose(struct config *config);

#endif
