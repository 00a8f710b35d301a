/* SPDX-License-Identifier: BSD-2-Clause */
#include "eal/nic.h"

#include <errno.h>
#include <stdio.h>

#include <rte_bus.h>
#include <rte_ethdev.h>

#include <pci_private.h>

#include "eal/internal.h"
#include "eal/nic_internal.h"
#include "eal/nic_mtu.h"
#include "xen/clock.h"
#include "xen/log.h"
#include "xen/status.h"

#define CLASS_NETWORK 0x02
#define NS_PER_US 1000u
#define LIST_SIZE 128

static struct nic nics[PCIFRONT_MAX_DEVICES];
static unsigned int nr_nics;

static bool has_driver(const struct rte_pci_device *dev)
{
    const struct rte_pci_driver *driver;

    FOREACH_DRIVER_ON_PCIBUS(driver)
    if (rte_pci_match(driver, dev))
        return true;
    return false;
}

static void drivers_list(char *list, size_t size)
{
    const struct rte_pci_driver *driver;
    size_t used = 0;

    list[0] = '\0';
    FOREACH_DRIVER_ON_PCIBUS(driver)
    if (used < size)
        used += (size_t)snprintf(list + used, size - used, " %s", driver->driver.name);
}

/* Say why a device became no NIC. The drivers themselves have said what went wrong. */
static void device_explain(const struct rte_pci_device *dev)
{
    char list[LIST_SIZE];

    if (dev->driver)
        return;
    if (has_driver(dev)) {
        log_error("nic: %s (%04x:%04x) could not be brought up by its driver", dev->name,
                  dev->id.vendor_id, dev->id.device_id);
        return;
    }
    drivers_list(list, sizeof(list));
    log_error("nic: %s is %04x:%04x%s, for which this image has no driver; it has:%s", dev->name,
              dev->id.vendor_id, dev->id.device_id,
              dev->id.class_id >> 16 == CLASS_NETWORK ? "" : " (no network controller)", list);
}

/* For drivers' start-up, most of which is waiting that their hardware's manuals ask for. */
static void phase_log(const char *what, uint64_t start_ns, uint64_t waited_before_ns)
{
    log_debug("nic: %s %u us, of which %u us are the driver's own delays", what,
              (unsigned int)((clock_now() - start_ns) / NS_PER_US),
              (unsigned int)((eal_waited_ns() - waited_before_ns) / NS_PER_US));
}

/* Can the NIC carry packets of that length (0: nobody says)? If not, that is said. */
static bool mtu_suits(const struct nic *nic, const struct rte_eth_dev_info *info, uint16_t mtu)
{
    struct rte_eth_dev_info known = *info;
    const char *why;
    uint16_t most;

    if (nic->quirk->one_rx_buffer)
        known.rx_offload_capa &= ~RTE_ETH_RX_OFFLOAD_SCATTER;
    most = nic_mtu_max(&known, &why);

    if (mtu <= most)
        return true;
    log_error("%s: %s at %s cannot have mtu=%u%s; accepted: up to %u", nic->port.name,
              info->driver_name, nic->pci->name, mtu, why, most);
    return false;
}

/* Its place in pci=, whatever became of the devices before it: another NIC must not get a NIC's wire. */
static unsigned int number_find(const struct rte_pci_device *wanted)
{
    const struct rte_pci_device *dev;
    unsigned int number = 0;

    FOREACH_DEVICE_ON_PCIBUS(dev)
    {
        if (dev == wanted)
            break;
        number++;
    }
    return number;
}

static int nic_make(struct nic *nic, uint16_t id, uint16_t (*mtu_of)(const struct port *nic))
{
    struct rte_eth_dev_info info;
    uint64_t start_ns = clock_now(), waited_ns = eal_waited_ns();
    uint16_t mtu = 0;
    int err = rte_eth_dev_info_get(id, &info);

    *nic = (struct nic){ .id = id, .port.ops = &nic_ops };
    snprintf(nic->port.name, sizeof(nic->port.name), "nic?");
    if (err == 0) {
        nic->pci = RTE_DEV_TO_PCI_CONST(info.device);
        nic->number = number_find(nic->pci);
        snprintf(nic->port.name, sizeof(nic->port.name), "nic%u", nic->number);
        nic->quirk = quirk_of(info.driver_name);
        nic->reports_bad_only =
            nic->quirk->reports_bad_only && nic->quirk->reports_bad_only(nic->pci);
        nic->status = nic->quirk->status_find ? nic->quirk->status_find(nic->pci) : NULL;
        err = eal_pci_master_enable(nic->pci);
    }
    if (err == 0)
        err = rte_eth_macaddr_get(id, &nic->port.mac);
    if (err == 0) {
        mtu = mtu_of(&nic->port);
        if (!mtu_suits(nic, &info, mtu))
            return -EMSGSIZE;
        err = nic_start(nic, mtu);
    }
    if (err != 0) {
        log_error("%s: cannot be started%s: %d", nic->port.name,
                  mtu > RTE_ETHER_MTU ? " for long frames" : "", err);
        return -EIO;
    }
    phase_log("start", start_ns, waited_ns);
    log_info("%s: %s at %s (%04x:%04x), " RTE_ETHER_ADDR_PRT_FMT ", started in %u us",
             nic->port.name, info.driver_name, nic->pci->name, nic->pci->id.vendor_id,
             nic->pci->id.device_id, RTE_ETHER_ADDR_BYTES(&nic->port.mac),
             (unsigned int)((clock_now() - start_ns) / NS_PER_US));
    return 0;
}

struct nic *nics_all(unsigned int *nr_r)
{
    *nr_r = nr_nics;
    return nics;
}

int nic_probe_all(struct port **ports_r, unsigned int max,
                  uint16_t (*mtu_of)(const struct port *nic))
{
    const struct rte_pci_device *dev;
    uint64_t start_ns = clock_now(), waited_ns = eal_waited_ns();
    uint16_t id;
    int err = 0;

    status_nic_enter();

    /* What fails for one device is said device by device. */
    (void)rte_bus_probe();
    phase_log("probe", start_ns, waited_ns);
    FOREACH_DEVICE_ON_PCIBUS(dev)
    device_explain(dev);
    RTE_ETH_FOREACH_DEV(id)
    {
        if (nr_nics == max || nr_nics == PCIFRONT_MAX_DEVICES)
            break;
        err = nic_make(&nics[nr_nics], id, mtu_of);
        if (err == -EMSGSIZE)
            break;
        if (err != 0)
            continue;
        ports_r[nr_nics] = &nics[nr_nics].port;
        nr_nics++;
    }
    status_nic_leave();
    return err == -EMSGSIZE ? err : (int)nr_nics;
}

unsigned int nic_number(const struct port *port)
{
    return ((const struct nic *)port)->number;
}

bool nic_has_address(const struct port *port, uint16_t domain, uint8_t bus, uint8_t device,
                     uint8_t function)
{
    const struct nic *nic = (const struct nic *)port;
    const struct rte_pci_addr *addr = &nic->pci->addr;

    return addr->domain == domain && addr->bus == bus && addr->devid == device &&
           addr->function == function;
}
