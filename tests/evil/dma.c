/* SPDX-License-Identifier: BSD-2-Clause */
/* DMA to wherever dom0's side says, by the NIC's own rings. */
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "nic.h"
#include "wait.h"
#include "xen/clock.h"
#include "xen/frames.h"
#include "xen/status.h"

#define LINK_MS 10000
#define SEND_MS 3000
#define BURST (NIC_RING - 1)
#define FRAME_MS 50 /* in which the wire sends one */

static alignas(PAGE_SIZE) uint8_t own[PAGE_SIZE];

/* nic: take it. */
static const char *nic_take(char *const *words)
{
    const char *bad = nic_open();

    (void)words;
    if (!bad && !nic_link_wait(LINK_MS))
        bad = "no link";
    return bad;
}

/* own WORD: the page of our own holds the word, over and over. What a test does to others must work on it. */
static const char *own_fill(char *const *words)
{
    size_t len = strlen(words[0]);

    for (size_t i = 0; i < sizeof(own); i++)
        own[i] = (uint8_t)words[0][i % len];
    note("maddr=0x%lx", virt_to_maddr(own));
    return NULL;
}

/* peek: what our own page begins with. */
static const char *own_peek(char *const *words)
{
    char text[65];

    (void)words;
    for (unsigned int i = 0; i < 32; i++)
        snprintf(text + 2 * i, 3, "%02x", ((volatile uint8_t *)own)[i]);
    note("bytes=%s", text);
    return NULL;
}

/* read MADDR LEN NR: the NIC sends NR frames of LEN bytes that lie there. */
static const char *dma_read(char *const *words)
{
    unsigned int left;
    const char *bad = nic_master_set();

    if (bad)
        return bad;
    nic_send(number(words[0]), (unsigned int)number(words[1]), (unsigned int)number(words[2]));
    left = nic_send_wait(SEND_MS);
    note("left=%u master=%d", left, nic_master_get());
    return NULL;
}

/* write MADDR NR: the NIC receives NR frames to there. */
static const char *dma_write(char *const *words)
{
    const char *bad = nic_master_set();

    if (!bad)
        nic_receive(number(words[0]), (unsigned int)number(words[1]));
    return bad;
}

/* receive MADDR: the NIC receives to there until the domain is destroyed. No answer. */
static const char *dma_receive(char *const *words)
{
    const char *bad = nic_master_set();

    if (bad)
        return bad;
    nic_receive(number(words[0]), NIC_RING - 1);
    for (;;) {
        status_beat();
        wait_ms(1);
        nic_receive_on();
    }
}

/* written: how many of them it has taken. */
static const char *dma_written(char *const *words)
{
    (void)words;
    note("used=%u master=%d", nic_received(), nic_master_get());
    return NULL;
}

/* rings TX RX: the NIC looks for its rings at these machine addresses. */
static const char *dma_rings(char *const *words)
{
    const char *bad = nic_master_set();

    if (!bad)
        nic_rings_at(number(words[0]), number(words[1]));
    note("master=%d", nic_master_get());
    return bad;
}

/* storm MADDR SECONDS: refused reads as fast as the NIC does them; bus mastering is set again whenever it is gone. */
static const char *dma_storm(char *const *words)
{
    uint64_t end = clock_now() + number(words[1]) * 1000000000ull;
    unsigned long nr = 0, cut = 0;
    const char *bad = nic_master_set();

    while (!bad && clock_now() < end) {
        nic_send(number(words[0]), 60, BURST);
        nr += BURST - nic_send_wait(100);
        if (nic_master_get() == 0) {
            cut++;
            bad = nic_master_set();
        }
    }
    note("reads=%lu cut_off=%lu", nr, cut);
    return bad;
}

/*
 * interrupts FIRST LAST STEP: messages in remappable format, by the descriptors that the NIC writes back. The 16 bytes
 * of one are four messages to 0xfee00010 | handle << 5; of the address, bits 2 and 3 are the handle's last one and
 * whether a subhandle follows. Each takes a frame from the wire, whose buffer is wherever the read of a descriptor there leads.
 * Source: Intel VT-d specification, 5.1.2.2, Interrupt Requests in Remappable Format.
 */
static const char *dma_interrupts(char *const *words)
{
    uint64_t nr = 0;
    const char *bad = NULL;

    for (uint64_t handle = number(words[0]); handle <= number(words[1]) && !bad;
         handle += number(words[2])) {
        bad = nic_master_set();
        if (!bad)
            nic_receive_at(0xfee00010ull | handle << 5);
        for (unsigned int ms = 0; ms < FRAME_MS && nic_received() == 0; ms++) {
            status_beat();
            wait_ms(1);
        }
        nr += nic_received() != 0;
    }
    note("sent=%lu", (unsigned long)nr);
    return bad;
}

const struct command commands_dma[] = {
    { "nic", 0, nic_take },
    { "own", 1, own_fill },
    { "peek", 0, own_peek },
    { "read", 3, dma_read },
    { "write", 2, dma_write },
    { "written", 0, dma_written },
    { "receive", 1, dma_receive },
    { "rings", 2, dma_rings },
    { "storm", 2, dma_storm },
    { "interrupts", 3, dma_interrupts },
    { NULL, 0, NULL },
};
