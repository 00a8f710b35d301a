/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <string.h>

#include "arch/x86/layout.h"
#include "xen/clock.h"
#include "xen/log.h"
#include "xen/recovery.h"
#include "xen/status.h"

_Static_assert(sizeof(struct recovery_page) <= PAGE_SIZE, "the recovery page is one page");

#define WINDOW_NS 60000000000ull
#define QUICK_NS 1000000000ull
#define QUICK_MAX 2 /* restarts that came to nothing; the second of them had a new NIC already */

static struct recovery_page *const page = (struct recovery_page *)recovery_area;
static struct recovery_page *const copy = (struct recovery_page *)recovery_copy_area;

static bool resuming, keeps_nic;

uint32_t recovery_sum(const void *data, size_t len)
{
    const char *bytes = data;
    uint64_t a = len + 1, b = 0, word;

    for (; len >= sizeof(word); len -= sizeof(word), bytes += sizeof(word)) {
        memcpy(&word, bytes, sizeof(word));
        a += word;
        b = (b << 1 | b >> 63) + a;
    }
    for (word = 0; len > 0; len--)
        word = word << 8 | (unsigned char)*bytes++;
    a += word;
    b = (b << 1 | b >> 63) + a;
    b = (b ^ (a << 17 | a >> 47)) * 0x9e3779b97f4a7c15ull;
    b ^= b >> 32;
    return (uint32_t)b != 0 ? (uint32_t)b : 1;
}

static uint32_t page_sum(const struct recovery_page *of)
{
    const size_t head = offsetof(struct recovery_page, version);

    return recovery_sum((const char *)of + head, sizeof(*of) - head);
}

static bool page_valid(const struct recovery_page *of)
{
    return of->magic == RECOVERY_MAGIC && of->version == image_note.recovery_version &&
           of->checksum == page_sum(of);
}

/* The copy is whole whenever the page is not, and the other way round. */
static void seal(void)
{
    page->checksum = page_sum(page);
    barrier();
    memcpy(copy, page, sizeof(*copy));
}

bool recovery_valid(void)
{
    return page_valid(page);
}

bool recovery_repair(void)
{
    if (page_valid(page))
        return true;
    if (!page_valid(copy))
        return false;
    memcpy(page, copy, sizeof(*page));
    return true;
}

void recovery_init(void)
{
    memset(page, 0, sizeof(*page));
    page->magic = RECOVERY_MAGIC;
    page->version = image_note.recovery_version;
    page->generation = 1;
    page->started_ns = clock_now();
    for (unsigned int i = 0; i < GRANT_SLOTS; i++)
        page->grants[i].domid = DOMID_INVALID;
    seal();
}

bool recovery_may_restart(void)
{
    uint64_t now = clock_now();

    if (!recovery_repair() || !page->was_ready)
        return false;
    page->quick_deaths = recovery_died_soon() || page->is_restarting ? page->quick_deaths + 1 : 0;
    if (page->quick_deaths > QUICK_MAX)
        return false;
    if (now - page->window_ns > WINDOW_NS) {
        page->window_ns = now;
        page->window_restarts = 0;
    }
    if (page->window_restarts >= page->restarts_max)
        return false;
    page->window_restarts++;
    page->self_restarts++;
    page->is_restarting = 1;
    seal();
    return true;
}

bool recovery_died_soon(void)
{
    return !page->is_ready || clock_now() - page->ready_ns < QUICK_NS;
}

void recovery_begin(bool keep_nic)
{
    resuming = true;
    keeps_nic = keep_nic;
    page->generation++;
    page->is_ready = page->is_restarting = 0;
    if (!keep_nic)
        page->nic_resets++;
    seal();
}

bool recovery_resuming(void)
{
    return resuming;
}

bool recovery_keeps_nic(void)
{
    return keeps_nic;
}

void recovery_ready(void)
{
    page->was_ready = page->is_ready = 1;
    page->ready_ns = clock_now();
    seal();
}

void recovery_note_limit(unsigned int restarts)
{
    page->restarts_max = restarts;
    seal();
}

void recovery_note_pcifront(uint32_t sum)
{
    page->pcifront_sum = sum;
    seal();
}

void recovery_note_grant(unsigned int slot, domid_t domid, grant_ref_t ref, grant_handle_t handle)
{
    INVARIANT(slot < GRANT_SLOTS);
    page->grants[slot] = (struct recovery_grant){ .ref = ref, .handle = handle, .domid = domid };
    seal();
}

void recovery_note_port(unsigned int index, evtchn_port_t port, domid_t remote, uint16_t kind)
{
    INVARIANT(index < EVTCHN_MAX);
    page->ports[index] = (struct recovery_port){ .port = port, .remote = remote, .kind = kind };
    seal();
}

void recovery_note_xenstore_id(uint32_t next)
{
    page->xenstore_next_id = next;
    seal();
}

void recovery_note_watchdog(uint32_t id)
{
    page->watchdog_id = id;
    seal();
}

const struct recovery_page *recovery_page(void)
{
    return page;
}
