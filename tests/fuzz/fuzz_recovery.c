/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The recovery page and its copy, with anything in them changed between two uses. Each is believed only as it was
 * sealed, byte for byte; what is known afterwards is what was noted; and no run of deaths gets more restarts in a minute
 * than it may.
 *
 * The input: the most restarts in a minute, and steps.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "arch/x86/layout.h"
#include "pv/restart.h"
#include "xen/clock.h"
#include "xen/log.h"
#include "xen/recovery.h"

#include "fuzz.h"

#define STEPS 128
#define MINUTE 60000000000ull
#define SIZE sizeof(struct recovery_page)

char recovery_area[PAGE_SIZE] __attribute__((aligned(4096)));
char recovery_copy_area[PAGE_SIZE] __attribute__((aligned(4096)));
const struct ferry_image image_note = { .recovery_version = 7 };

static struct recovery_page model; /* what was sealed last */
static uint64_t now, restarts[STEPS]; /* when they were */
static unsigned int nr_restarts;

uint64_t clock_now(void)
{
    return now;
}

__noreturn void panic(const char *fmt, ...)
{
    fprintf(stderr, "panic: %s\n", fmt);
    abort();
}

/* Everything but the sum itself, which the sources make. */
static void model_is(void)
{
    model.checksum = recovery_page()->checksum;
    FUZZ_CHECK(memcmp(recovery_area, &model, SIZE) == 0);
    FUZZ_CHECK(memcmp(recovery_copy_area, &model, SIZE) == 0);
    FUZZ_CHECK(recovery_valid());
}

static void note(struct fuzz_input *input, uint8_t what)
{
    uint32_t at = fuzz_u8(input), value = fuzz_u16(input);

    switch (what >> 4 & 7) {
    case 0:
        recovery_note_grant(at % GRANT_SLOTS, (domid_t)value, value + 1, value + 2);
        model.grants[at % GRANT_SLOTS] = (struct recovery_grant){ .ref = value + 1,
                                                                  .handle = value + 2,
                                                                  .domid = (domid_t)value };
        break;
    case 1:
        recovery_note_port(at % EVTCHN_MAX, value, (domid_t)at, 3);
        model.ports[at % EVTCHN_MAX] =
            (struct recovery_port){ .port = value, .remote = (domid_t)at, .kind = 3 };
        break;
    case 2:
        recovery_note_xenstore_id(value);
        model.xenstore_next_id = value;
        break;
    case 3:
        recovery_note_watchdog(value);
        model.watchdog_id = value;
        break;
    case 4:
        recovery_note_pcifront(value);
        model.pcifront_sum = value;
        break;
    default:
        recovery_ready();
        model.was_ready = model.is_ready = 1;
        model.ready_ns = now;
    }
    model_is();
}

/* A byte of one of the two, or of both, is another. Returns whether one of them is left as it was. */
static bool damage(struct fuzz_input *input)
{
    uint8_t how = fuzz_u8(input), bits = fuzz_u8(input);
    uint32_t at = fuzz_u16(input) % SIZE, other = fuzz_u16(input) % SIZE;

    if (how & 1)
        recovery_area[at] ^= (char)bits;
    if (how & 2)
        recovery_copy_area[other] ^= (char)bits;
    if (how & 4) /* half of the page is another start's */
        memset(recovery_area + at, 0, SIZE - at);
    return memcmp(recovery_area, &model, SIZE) == 0 ||
           memcmp(recovery_copy_area, &model, SIZE) == 0;
}

/* A death. It may be the end: then everything is as at a first start. */
static void die(struct fuzz_input *input, bool is_whole)
{
    unsigned int in_minute = 0;
    bool keeps_nic = fuzz_u8(input) & 1;

    if (!recovery_may_restart())
        return;
    FUZZ_CHECK(is_whole && model.was_ready);
    restarts[nr_restarts++] = now;
    /* A minute begins with the first restart after the last minute's end, so two of them may lie together. */
    for (unsigned int i = 0; i < nr_restarts; i++)
        in_minute += now - restarts[i] <= MINUTE;
    FUZZ_CHECK(in_minute <= 2 * model.restarts_max);
    FUZZ_CHECK(recovery_page()->self_restarts == model.self_restarts + 1);
    FUZZ_CHECK(recovery_page()->window_restarts <= model.restarts_max);
    recovery_begin(keeps_nic);
    FUZZ_CHECK(recovery_resuming() && recovery_keeps_nic() == keeps_nic);
    FUZZ_CHECK(recovery_page()->generation == model.generation + 1);
    FUZZ_CHECK(recovery_page()->nic_resets == model.nic_resets + !keeps_nic);
    FUZZ_CHECK(memcmp(recovery_page()->grants, model.grants, sizeof(model.grants)) == 0);
    FUZZ_CHECK(memcmp(recovery_page()->ports, model.ports, sizeof(model.ports)) == 0);
    memcpy(&model, recovery_area, SIZE);
    model_is();
}

/* Returns whether there is still something to go on with. */
static bool step(struct fuzz_input *input)
{
    uint8_t what = fuzz_u8(input);
    bool is_whole = true;

    now += (uint64_t)(what >> 4) * fuzz_u8(input) * 10000000;
    if ((what & 3) == 0) {
        is_whole = damage(input);
        FUZZ_CHECK(recovery_repair() == is_whole);
        FUZZ_CHECK(!is_whole || memcmp(recovery_area, &model, SIZE) == 0);
    }
    if ((what & 12) == 0)
        die(input, is_whole);
    if (!is_whole || memcmp(recovery_area, &model, SIZE) != 0)
        return false;
    note(input, what);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };

    now = 1000 * MINUTE;
    nr_restarts = 0;
    memset(recovery_copy_area, 0x5a, sizeof(recovery_copy_area));
    recovery_init();
    recovery_note_limit(fuzz_u8(&input) % 8);
    memcpy(&model, recovery_area, SIZE);
    for (unsigned int i = 0; i < STEPS && input.left && step(&input); i++)
        ;
    return 0;
}
