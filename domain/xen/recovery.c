/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <string.h>

#include "arch/x86/layout.h"
#include "xen/log.h"
#include "xen/recovery.h"

_Static_assert(sizeof(struct recovery_page) <= PAGE_SIZE, "the recovery page is one page");

static struct recovery_page *const page = (struct recovery_page *)recovery_area;

/* FNV-1a in steps of 4 bytes: this finds damage, it keeps nobody out. */
static uint32_t checksum(void)
{
    const uint32_t *word = (const uint32_t *)&page->generation;
    const uint32_t *end = (const uint32_t *)(page + 1);
    uint32_t sum = 2166136261u;

    for (; word < end; word++)
        sum = (sum ^ *word) * 16777619u;
    return sum;
}

static void seal(void)
{
    page->checksum = checksum();
}

bool recovery_valid(void)
{
    return page->magic == RECOVERY_MAGIC && page->checksum == checksum();
}

void recovery_init(void)
{
    memset(page, 0, sizeof(*page));
    page->magic = RECOVERY_MAGIC;
    page->generation = 1;
    for (unsigned int i = 0; i < MM_GRANT_SLOTS; i++)
        page->grants[i].domid = DOMID_INVALID;
    seal();
}

void recovery_note_grant(unsigned int slot, domid_t domid, grant_ref_t ref, grant_handle_t handle)
{
    INVARIANT(slot < MM_GRANT_SLOTS);
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

void recovery_note_reason(const char *reason)
{
    strncpy(page->reason, reason, RECOVERY_REASON_SIZE - 1);
    page->reason[RECOVERY_REASON_SIZE - 1] = '\0';
    seal();
}

const struct recovery_page *recovery_page(void)
{
    return page;
}
