/* SPDX-License-Identifier: BSD-2-Clause */
#include "main/fault.h"

#ifdef FERRY_FAULTS
#include <stdint.h>
#include <string.h>

#include "arch/x86/layout.h"
#include "xen/log.h"
#include "xen/recovery.h"
#include "xen/xenstore.h"

#define FAULT_NODE "ferry/fault"

/* A null pointer that the compiler does not see through. */
static volatile uintptr_t nowhere;

static void fault_null(void)
{
    *(volatile uint32_t *)(nowhere + 8) = 1;
}

static void fault_jump(void)
{
    ((void (*)(void))(nowhere + 0x40))();
}

static void fault_execute_data(void)
{
    ((void (*)(void))(uintptr_t)recovery_page())();
}

static void fault_write_text(void)
{
    *(volatile char *)(uintptr_t)text_start = 0;
}

static void fault_invariant(void)
{
    INVARIANT(nowhere != 0);
}

static int recurse(volatile char *above)
{
    volatile char frame[512];

    frame[0] = above[0];
    return nowhere == 0 ? recurse(frame) + frame[0] : 0;
}

static void fault_stack(void)
{
    volatile char start = 1;

    recurse(&start);
}

static void fault_canary(void)
{
    char buffer[16];

    memset((char *)memset(buffer, 0, sizeof(buffer)) + nowhere, 0x55,
           sizeof(buffer) + 32 + nowhere);
    __asm__ volatile("" : : "r"(buffer) : "memory");
}

static void fault_loop(void)
{
    while (nowhere == 0)
        ;
}

static const struct {
    const char *name;
    void (*die)(void);
} faults[] = {
    { "null", fault_null },
    { "jump", fault_jump },
    { "execute-data", fault_execute_data },
    { "write-text", fault_write_text },
    { "invariant", fault_invariant },
    { "stack", fault_stack },
    { "canary", fault_canary },
    { "loop", fault_loop },
};

static void fault_asked(void *ctx, int err, const char *value, size_t len)
{
    (void)ctx;
    if (err != 0 || len == 0)
        return;
    for (unsigned int i = 0; i < ARRAY_LEN(faults); i++) {
        if (strcmp(value, faults[i].name) != 0)
            continue;
        log_warn("fault on request: %s", value);
        faults[i].die();
    }
}

static void fault_changed(void *ctx, const char *path)
{
    (void)path;
    if (xenstore_read(0, FAULT_NODE, fault_asked, ctx) != 0)
        log_warn("cannot read " FAULT_NODE);
}

void fault_init(void)
{
    unsigned int id;

    if (xenstore_watch(FAULT_NODE, fault_changed, NULL, &id) != 0)
        panic("cannot watch " FAULT_NODE);
    log_warn("this image dies on request (built with FAULTS=1); for tests only");
}
#endif
