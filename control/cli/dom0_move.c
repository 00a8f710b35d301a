/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/dom0_move.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libxl_utils.h>

#include "config/config.h"
#include "util/log.h"
#include "xen/vifs.h"

#define DOM0 0

/* A module in most kernels. What comes of it shows afterwards. */
static void netfront_load(void)
{
    char *argv[] = { "modprobe", "xen-netfront", NULL };
    pid_t pid;

    if (access("/sys/bus/xen/drivers/vif", F_OK) &&
        posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) == 0)
        waitpid(pid, NULL, 0);
}

/* dom0's vif with this domain as its backend. Returns its number, or -1. */
static int vif_find(struct host *host, uint32_t backend)
{
    struct vifs vifs;

    vifs_find(host, backend, &vifs);
    for (unsigned int i = 0; i < vifs.nr; i++)
        if (vifs.refs[i].guest == DOM0)
            return (int)vifs.refs[i].handle;
    return -1;
}

/* Returns the vif's number, or a negative errno. */
static int vif_add(struct host *host, const struct journal *journal, const struct dom0_vif *vif)
{
    libxl_device_nic nic;
    int rc, devid;

    libxl_device_nic_init(&nic);
    nic.backend_domid = journal->domid;
    nic.bridge = strdup(vif->bridge);
    memcpy(nic.mac, vif->mac, sizeof(nic.mac));
    rc = nic.bridge ? libxl_device_nic_add(host->xl, DOM0, &nic, NULL) : ERROR_NOMEM;
    devid = nic.devid;
    libxl_device_nic_dispose(&nic);
    if (!rc)
        return devid;
    log_line("%s: dom0 gets no vif of it (libxl's error %d); `xl network-attach 0 bridge=%s "
             "backend=%s` tries it again",
             journal->name, rc, vif->bridge, journal->name);
    return -EIO;
}

int dom0_move_behind(struct host *host, const struct journal *journal, const struct dom0_vif *vif,
                     const struct dom0_keep *keep)
{
    int devid = vif_find(host, journal->domid);

    netfront_load();
    if (devid < 0)
        devid = vif_add(host, journal, vif);
    if (devid < 0)
        return devid;
    return dom0_keep_restore_vif(keep, devid);
}

static bool is_configured(struct host *host, const struct journal *journal)
{
    struct config config;
    bool is_so;

    if (config_load_kept(host->xl, journal, &config))
        return false;
    is_so = *config.dom0_vif.bridge;
    config_dispose(&config);
    return is_so;
}

static int vif_remove(struct host *host, const struct journal *journal, int devid)
{
    libxl_device_nic nic;
    int rc = libxl_devid_to_device_nic(host->xl, DOM0, devid, &nic);

    if (!rc) {
        rc = libxl_device_nic_remove(host->xl, DOM0, &nic, NULL);
        if (rc)
            rc = libxl_device_nic_destroy(host->xl, DOM0, &nic, NULL);
        libxl_device_nic_dispose(&nic);
    }
    if (!rc)
        return 0;
    log_line("%s: dom0's vif %d of it could not be unplugged (libxl's error %d); `xl "
             "network-detach 0 %d`",
             journal->name, devid, rc, devid);
    return -EIO;
}

int dom0_move_begin(struct host *host, const struct journal *journal, struct dom0_keep *keep_r)
{
    int devid, err;

    memset(keep_r, 0, sizeof(*keep_r));
    if (journal->domid == JOURNAL_NO_DOMID)
        return 0;
    devid = vif_find(host, journal->domid);
    if (devid < 0 || !is_configured(host, journal))
        return 0;
    err = dom0_keep_read_vif(devid, keep_r);
    if (err) {
        log_line("%s is not stopped, as dom0's interface on it could not be moved back to the card",
                 journal->name);
        return err;
    }
    keep_r->index = 0; /* another interface has to come in any case */
    err = vif_remove(host, journal, devid);
    if (err)
        dom0_keep_dispose(keep_r);
    return err;
}

int dom0_move_back(const struct journal *journal, const struct dom0_keep *keep)
{
    if (!*keep->net.nic.name || !journal->nr_nics || !journal->nics[0].taken)
        return 0;
    return dom0_keep_restore(keep, &journal->nics[0].bdf);
}
