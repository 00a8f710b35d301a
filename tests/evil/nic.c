/* SPDX-License-Identifier: BSD-2-Clause */
#include "nic.h"

#include <stdalign.h>
#include <stddef.h>
#include <string.h>

#include "arch/x86/cpu.h"
#include "pv/mm.h"
#include "wait.h"
#include "xen/frames.h"
#include "xen/pcifront.h"
#include "xen/status.h"

#define PCI_COMMAND 0x04
#define PCI_COMMAND_MEMORY 0x2u
#define PCI_COMMAND_MASTER 0x4u

#define CTRL 0x0000
#define CTRL_SLU (1u << 6)
#define CTRL_RST (1u << 26)
#define STATUS 0x0008
#define STATUS_LU (1u << 1)
#define IMC 0x00d8
#define RCTL 0x0100
#define RCTL_EN (1u << 1)
#define RCTL_BAM (1u << 15)
#define TCTL 0x0400
#define TCTL_EN (1u << 1)
#define TCTL_PSP (1u << 3)
#define RDBAL 0x2800
#define RDBAH 0x2804
#define RDLEN 0x2808
#define RDH 0x2810
#define RDT 0x2818
#define TDBAL 0x3800
#define TDBAH 0x3804
#define TDLEN 0x3808
#define TDH 0x3810
#define TDT 0x3818

#define TX_CMD_EOP 0x01
#define TX_CMD_IFCS 0x02
#define TX_CMD_RS 0x08
#define TX_DONE 0x01
#define RESET_MS 20

/* What `ferry check` looks for in an image: the lie that this one drives the lab's NIC, so that `ferry start` takes it. */
static const char claim[] =
    "PMD_INFO_STRING= {\"name\": \"net_evil\", \"pci_ids\": [[32902, 4307, 65535, 65535]]}";

struct tx_desc {
    uint64_t addr;
    uint16_t len;
    uint8_t cso, cmd, status, css;
    uint16_t special;
};

struct rx_desc {
    uint64_t addr;
    uint16_t len, csum;
    uint8_t status, errors;
    uint16_t special;
};

static alignas(PAGE_SIZE) struct tx_desc tx_ring[NIC_RING];
static alignas(PAGE_SIZE) struct rx_desc rx_ring[NIC_RING];
static const struct pcifront_device *device;
static volatile char *regs;
static unsigned int tx_tail;

static uint32_t reg_read(unsigned int offset)
{
    return *(volatile uint32_t *)(regs + offset);
}

static void reg_write(unsigned int offset, uint32_t value)
{
    *(volatile uint32_t *)(regs + offset) = value;
}

int nic_master_get(void)
{
    uint32_t command;
    int err = pcifront_read(device, PCI_COMMAND, 2, &command);

    return err != 0 ? err : !!(command & PCI_COMMAND_MASTER);
}

const char *nic_master_set(void)
{
    int err = pcifront_write(device, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);

    return err != 0 ? why("no bus mastering: %d", err) : NULL;
}

static void tx_begin(uint64_t ring)
{
    reg_write(TCTL, 0);
    reg_write(TDBAL, (uint32_t)ring);
    reg_write(TDBAH, (uint32_t)(ring >> 32));
    reg_write(TDLEN, sizeof(tx_ring));
    reg_write(TDH, 0);
    reg_write(TDT, 0);
    tx_tail = 0;
    reg_write(TCTL, TCTL_EN | TCTL_PSP);
}

static void rx_begin(uint64_t ring, unsigned int nr)
{
    reg_write(RCTL, 0);
    reg_write(RDBAL, (uint32_t)ring);
    reg_write(RDBAH, (uint32_t)(ring >> 32));
    reg_write(RDLEN, sizeof(rx_ring));
    reg_write(RDH, 0);
    reg_write(RDT, nr);
    reg_write(RCTL, RCTL_EN | RCTL_BAM);
}

const char *nic_open(void)
{
    const struct pcifront_device *devices;
    int nr;

    if (regs)
        return nic_master_set();
    nr = pcifront_init(&devices);
    if (nr <= 0)
        return why("no device: %d", nr);
    device = &devices[0];
    if (READ_ONCE(claim[0]) != 'P')
        return "the image has lost what it claims";
    regs = mm_map_device(device->bar[0].maddr >> PAGE_SHIFT, device->bar[0].size >> PAGE_SHIFT);
    if (!regs)
        return "its registers cannot be mapped";
    const char *bad = nic_master_set();
    if (bad)
        return bad;
    reg_write(IMC, UINT32_MAX);
    reg_write(CTRL, reg_read(CTRL) | CTRL_RST);
    wait_ms(RESET_MS);
    reg_write(IMC, UINT32_MAX);
    reg_write(CTRL, reg_read(CTRL) | CTRL_SLU);
    tx_begin(virt_to_maddr(tx_ring));
    return NULL;
}

bool nic_link_wait(unsigned int ms)
{
    for (unsigned int waited = 0; waited < ms && !(reg_read(STATUS) & STATUS_LU);
         waited += RESET_MS) {
        status_beat();
        wait_ms(RESET_MS);
    }
    return reg_read(STATUS) & STATUS_LU;
}

void nic_send(uint64_t maddr, unsigned int len, unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++) {
        tx_ring[tx_tail] = (struct tx_desc){ .addr = maddr,
                                             .len = (uint16_t)len,
                                             .cmd = TX_CMD_EOP | TX_CMD_IFCS | TX_CMD_RS };
        tx_tail = (tx_tail + 1) % NIC_RING;
    }
    wmb();
    reg_write(TDT, tx_tail);
}

unsigned int nic_send_wait(unsigned int ms)
{
    unsigned int left;

    for (unsigned int waited = 0;; waited++) {
        status_beat();
        left = (tx_tail + NIC_RING - reg_read(TDH)) % NIC_RING;
        if (left == 0 || waited >= ms)
            return left;
        wait_ms(1);
    }
}

void nic_receive(uint64_t maddr, unsigned int nr)
{
    memset(rx_ring, 0, sizeof(rx_ring));
    for (unsigned int i = 0; i < NIC_RING; i++)
        rx_ring[i].addr = maddr;
    wmb();
    rx_begin(virt_to_maddr(rx_ring), nr);
}

void nic_receive_on(void)
{
    reg_write(RDT, (reg_read(RDH) + NIC_RING - 1) % NIC_RING);
}

void nic_receive_at(uint64_t ring)
{
    rx_begin(ring, 2);
}

unsigned int nic_received(void)
{
    return reg_read(RDH);
}

void nic_rings_at(uint64_t tx_maddr, uint64_t rx_maddr)
{
    rx_begin(rx_maddr, NIC_RING - 1);
    tx_begin(tx_maddr);
    tx_tail = NIC_RING - 1;
    reg_write(TDT, tx_tail);
    wait_ms(RESET_MS);
    tx_begin(virt_to_maddr(tx_ring));
}
