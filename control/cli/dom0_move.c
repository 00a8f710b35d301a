/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/dom0_move.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libxl_utils.h>

#include "config/config.h"
#include "util/faultpoint.h"
#include "util/log.h"
#include "xen/domain.h"
#include "xen/pci.h"
#include "xen/store.h"
#include "xen/vifs.h"

#define DOM0 0
#define NETFRONT "/sys/bus/xen/drivers/vif"
#define MAC_TEXT_SIZE 18

void dom0_signals_ignore(void)
{
    static const int signals[] = { SIGHUP,  SIGINT,  SIGTERM, SIGQUIT,
                                   SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU };

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        signal(signals[i], SIG_IGN);
}

/* A module in most kernels. */
int dom0_netfront_wanted(void)
{
    char *argv[] = { "modprobe", "xen-netfront", NULL };
    pid_t pid;

    if (access(NETFRONT, F_OK) == 0)
        return 0;
    if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) == 0)
        waitpid(pid, NULL, 0);
    if (access(NETFRONT, F_OK) == 0)
        return 0;
    log_line("dom0_vif=: dom0's kernel has no driver for vifs: `modprobe xen-netfront` must work");
    return -ENODEV;
}

/* dom0's vif with this domain as its backend, and this MAC address. Returns its number, -ENOENT if there is none, or
 * what kept xenstore from saying, which is said. */
static int vif_find(struct host *host, uint32_t backend, const struct dom0_vif *vif)
{
    char text[MAC_TEXT_SIZE];
    uint8_t mac[MAC_SIZE];
    struct vifs vifs;
    int err = vifs_find(host, backend, &vifs);

    if (err) {
        log_line("xenstore does not say which vifs domain %u serves: %s", backend, strerror(-err));
        return err == -ENOENT ? -EIO : err;
    }
    for (unsigned int i = 0; i < vifs.nr; i++)
        if (vifs.refs[i].guest == DOM0 &&
            store_read(host->xs, text, sizeof(text), "/libxl/%d/device/vif/%u/mac", DOM0,
                       vifs.refs[i].handle) == 0 &&
            mac_read(text, strlen(text), mac) && memcmp(mac, vif->mac, sizeof(mac)) == 0)
            return (int)vifs.refs[i].handle;
    return -ENOENT;
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
    log_line("%s: dom0 gets no vif of it (libxl's error %d): has it a bridge %s? `ferry logs %s`",
             journal->name, rc, vif->bridge, journal->name);
    return -ENODEV;
}

int dom0_move_behind(struct host *host, const struct journal *journal, const struct dom0_vif *vif,
                     const struct dom0_keep *keep)
{
    int devid = vif_find(host, journal->domid, vif);

    if (devid == -ENOENT)
        devid = vif_add(host, journal, vif);
    faultpoint("plugged");
    return devid < 0 ? devid : dom0_keep_restore_vif(keep, devid);
}

/* What its kept configuration says; without one that can be read there is none. */
static void configured(struct host *host, const struct journal *journal, struct dom0_vif *vif_r)
{
    struct config config;

    memset(vif_r, 0, sizeof(*vif_r));
    if (config_load_kept(host->xl, journal, &config)) {
        log_line(
            "%s: if dom0 has a vif of it, that goes with it, and what is on it is not moved to "
            "the card",
            journal->name);
        return;
    }
    *vif_r = config.dom0_vif;
    config_dispose(&config);
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

/* The id may be another domain's, since a boot or longer. */
static bool is_somebody_elses(struct host *host, const struct journal *journal)
{
    struct domain_seen seen;

    return journal->domid == JOURNAL_NO_DOMID || journal_is_of_another_boot(journal) ||
           domain_look(host, journal, &seen) || (seen.exists && !seen.is_ours);
}

/* Of a domain whose card dom0 had before. */
static bool comes_back(const struct journal *journal)
{
    return journal->nr_nics && journal->nics[0].taken;
}

static int begin(const struct journal *journal, int devid, struct dom0_record *record)
{
    int err = dom0_keep_read_vif(devid, &record->keep);

    if (!err && comes_back(journal)) {
        record->what = DOM0_STOP;
        record->bdf = journal->nics[0].bdf;
        err = dom0_record_save(journal->name, record);
    }
    if (err)
        log_line("%s is not stopped, as dom0's interface on it could not be moved back to the card",
                 journal->name);
    faultpoint("dom0 noted");
    return err;
}

int dom0_move_begin(struct host *host, const struct journal *journal, struct dom0_record *record_r)
{
    int devid = -ENOENT, err;

    memset(record_r, 0, sizeof(*record_r));
    if (is_somebody_elses(host, journal))
        return 0;
    configured(host, journal, &record_r->vif);
    if (*record_r->vif.bridge)
        devid = vif_find(host, journal->domid, &record_r->vif);
    if (devid < 0) {
        record_r->vif.bridge[0] = '\0';
        return devid == -ENOENT ? 0 : devid;
    }
    dom0_signals_ignore();
    err = begin(journal, devid, record_r);
    if (err)
        dom0_record_dispose(record_r);
    return err;
}

int dom0_move_unplug(struct host *host, const struct journal *journal, const struct dom0_vif *vif)
{
    int devid, err = 0;

    if (!*vif->bridge || is_somebody_elses(host, journal))
        return 0;
    devid = vif_find(host, journal->domid, vif);
    if (devid != -ENOENT && devid < 0)
        return devid;
    if (devid >= 0)
        err = vif_remove(host, journal, devid);
    faultpoint("unplugged");
    return err;
}

int dom0_move_undo(struct host *host, const struct journal *journal,
                   const struct dom0_record *record)
{
    if (!*record->vif.bridge)
        return 0;
    return dom0_move_behind(host, journal, &record->vif, &record->keep);
}

/* libxl gives it back by what it noted in xenstore; should that not be so, the driver is known here, too, but of a card that the
 * domain had. */
static void driver_restore(struct host *host, const char *name, const struct dom0_record *record)
{
    const char *driver = record->keep.driver;
    char now[64];
    uint32_t domid;

    pci_driver(&record->bdf, now, sizeof(now));
    if (strcmp(now, driver) == 0 ||
        libxl_name_to_domid(host->xl, name, &domid) == 0) /* that one has it */
        return;
    if (strcmp(now, "pciback") == 0) /* it could not be given back before */
        pci_give_back(host, &record->bdf);
    if (record->what == DOM0_STOP)
        return;
    pci_driver(&record->bdf, now, sizeof(now));
    if (!*now && *driver)
        pci_bind(&record->bdf, driver);
}

int dom0_move_back(struct host *host, const char *name, const struct dom0_record *record)
{
    int err;

    driver_restore(host, name, record);
    err = dom0_keep_restore(&record->keep, &record->bdf);
    faultpoint("moved back");
    return err;
}
