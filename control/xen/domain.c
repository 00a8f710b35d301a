/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/domain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl_uuid.h>

#include "util/files.h"
#include "xen/domctl.h"
#include "xen/pci.h"
#include "xen/store.h"

#define GONE_LIMIT_MS 15000
#define WITHDRAW_LIMIT_MS 3000
#define GONE_POLL_MS 5

void domain_destroy_twin(struct host *host, const struct journal *journal)
{
    int nr = 0;
    libxl_dominfo *list = libxl_list_domain(host->xl, &nr);

    for (int i = 0; list && i < nr; i++) {
        char text[JOURNAL_UUID_SIZE];

        snprintf(text, sizeof(text), LIBXL_UUID_FMT, LIBXL_UUID_BYTES(list[i].uuid));
        if (list[i].domid != journal->domid && !list[i].dying && strcmp(text, journal->uuid) == 0)
            libxl_domain_destroy(host->xl, list[i].domid, NULL);
    }
    libxl_dominfo_list_free(list, nr);
}

int domain_look(struct host *host, const struct journal *journal, struct domain_seen *seen_r)
{
    struct domain_seen seen = { 0 };
    xc_domaininfo_t info;
    int err =
        journal->domid == JOURNAL_NO_DOMID ? -ENOENT : domctl_info(host, journal->domid, &info);

    if (err && err != -ENOENT)
        return -EIO;
    if (!err) {
        seen.exists = true;
        seen.is_ours = domctl_is(&info, journal->uuid);
        seen.dying = info.flags & XEN_DOMINF_dying;
        seen.shut_down = info.flags & XEN_DOMINF_shutdown;
        seen.reason = info.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;
    }
    *seen_r = seen;
    return 0;
}

int domain_create(struct host *host, libxl_domain_config *config, struct journal *journal,
                  uint32_t domid)
{
    uint32_t made = INVALID_DOMID;

    if (libxl_uuid_from_string(&config->c_info.uuid, journal->uuid))
        return -EINVAL;
    /* libxl refuses an id used within the same second even with LIBXL_DOMID_REUSE_TIMEOUT=0. */
    if (domid != JOURNAL_NO_DOMID)
        libxl_clear_domid_history(host->xl);
    config->c_info.domid = domid == JOURNAL_NO_DOMID ? INVALID_DOMID : (libxl_domid)domid;
    if (libxl_domain_create_new(host->xl, config, &made, NULL, NULL))
        return -EIO;
    journal->domid = made;
    return 0;
}

int domain_unpause(struct host *host, const struct journal *journal)
{
    return libxl_domain_unpause(host->xl, journal->domid, NULL) ? -EIO : 0;
}

/* dom0's kernel tells a successor's PCI backend from the old one by its nodes only: it must have seen
 * the old ones go before new ones of the same name come. */
static bool pciback_has(uint32_t domid)
{
    char path[FILES_PATH_SIZE];

    snprintf(path, sizeof(path), "/sys/bus/xen-backend/devices/pci-%u-0", domid);
    return access(path, F_OK) == 0;
}

static void pci_nodes_remove(struct host *host, uint32_t domid)
{
    static const char *const formats[] = { "/local/domain/0/backend/pci/%u",
                                           "/local/domain/%u/device/pci", "/libxl/%u/device/pci" };

    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        char path[64];

        snprintf(path, sizeof(path), formats[i], domid);
        xs_rm(host->xs, XBT_NULL, path);
    }
}

/* libxl's note of who has a device, which it takes back when it is the one that takes the device. */
static void owner_note_remove(struct host *host, const struct bdf *bdf, uint32_t domid)
{
    char path[64], owner[16], wanted[16];

    snprintf(path, sizeof(path), "/libxl/pci/%04x-%02x-%02x-%x/domid", bdf->domain, bdf->bus,
             bdf->dev, bdf->func);
    snprintf(wanted, sizeof(wanted), "%u", domid);
    if (store_read(host->xs, owner, sizeof(owner), "%s", path) == 0 && strcmp(owner, wanted) == 0)
        xs_rm(host->xs, XBT_NULL, path);
}

/*
 * Take the devices from a domain that does not answer. libxl would wait 10 s for its frontend and
 * then leave nodes behind. Without its nodes pciback lets go at once, and resets the device; Xen puts
 * it into quarantine with the domain's end.
 */
static void pci_withdraw(struct host *host, const struct journal *journal)
{
    int64_t deadline = host_ticks_ms() + WITHDRAW_LIMIT_MS;

    for (unsigned int i = 0; i < journal->nr_nics; i++)
        pci_quiet(&journal->nics[i].bdf);
    pci_nodes_remove(host, journal->domid);
    while (pciback_has(journal->domid) && host_ticks_ms() < deadline)
        host_sleep_ms(GONE_POLL_MS);
    for (unsigned int i = 0; i < journal->nr_nics; i++)
        owner_note_remove(host, &journal->nics[i].bdf, journal->domid);
}

int domain_wait_gone(struct host *host, const struct journal *journal, unsigned int limit_ms)
{
    int64_t deadline = host_ticks_ms() + limit_ms;
    struct domain_seen seen;

    for (;;) {
        int err = domain_look(host, journal, &seen);

        if (!err && seen.exists && !seen.is_ours)
            return -EEXIST;
        if (!err && !seen.exists)
            pci_nodes_remove(host, journal->domid); /* pciback may have written late */
        if (!err && !seen.exists && store_knows_domain(host->xs, journal->domid) == 0 &&
            !pciback_has(journal->domid))
            return 0;
        if (host_ticks_ms() > deadline)
            return -ETIMEDOUT;
        host_sleep_ms(GONE_POLL_MS);
    }
}

void domain_quiet(struct host *host, const struct journal *journal)
{
    struct domain_seen seen;

    if (domain_look(host, journal, &seen) || (seen.exists && !seen.is_ours))
        return;
    if (seen.exists && !seen.dying && !seen.shut_down)
        libxl_domain_pause(host->xl, journal->domid, NULL);
    for (unsigned int i = 0; i < journal->nr_nics; i++)
        pci_quiet(&journal->nics[i].bdf);
}

int domain_destroy(struct host *host, const struct journal *journal)
{
    struct domain_seen seen;
    int err = domain_look(host, journal, &seen);

    if (err)
        return err;
    if (journal->domid == JOURNAL_NO_DOMID)
        return 0;
    if (seen.exists && !seen.is_ours)
        return -EEXIST;
    if (seen.exists && !seen.dying) {
        if (!seen.shut_down)
            libxl_domain_pause(host->xl, journal->domid, NULL);
        pci_withdraw(host, journal);
        libxl_domain_destroy(host->xl, journal->domid, NULL);
    }
    return domain_wait_gone(host, journal, GONE_LIMIT_MS);
}
