/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hostile guest. extra="attack=NAME[,...] wire=IP ip=IP [seed=N]", where NAME is an attack, a
 * group of them, or "list". One line a verdict, then the domain ends.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/sched.h>

#include "attack.h"
#include "frame.h"
#include "libc/libc.h"
#include "pv/start.h"
#include "wait.h"
#include "xen/clock.h"
#include "xen/console.h"
#include "xen/domain.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"
#include "xen/log.h"
#include "xen/recovery.h"
#include "xen/status.h"

static const struct attack *const tables[] = {
    attacks_honest,     attacks_ring,  attacks_slots,     attacks_extra, attacks_headers,
    attacks_grant,      attacks_event, attacks_rings_bad, attacks_store, attacks_nodes,
    attacks_multicast,  attacks_ctrl,  attacks_grefs,     attacks_flood, attacks_two,
    attacks_two_grants, attacks_gap,   attacks_end,
};

static struct front front;
static unsigned int nr_passed, nr_failed;
static char chosen[MAX_GUEST_CMDLINE];

static void platform_up(void)
{
    recovery_init();
    status_init();
    evtchn_init();
    gnttab_init();
    console_init();
    xenstore_init();
    libc_run_constructors();
}

/* The value of word= on the command line; "" if it is not there. */
static void option(const char *word, char *value, size_t size)
{
    const char *at = domain_command_line();
    size_t len = strlen(word);

    value[0] = '\0';
    while (*at) {
        size_t span = strcspn(at, " ");

        if (span > len && strncmp(at, word, len) == 0 && at[len] == '=')
            snprintf(value, size, "%.*s", (int)(span - len - 1), at + len + 1);
        at += span;
        at += strspn(at, " ");
    }
}

static uint32_t option_ip(const char *word)
{
    char text[32];
    uint32_t ip = 0, byte = 0;

    option(word, text, sizeof(text));
    for (const char *p = text; *p; p++) {
        if (*p == '.') {
            ip = ip << 8 | byte;
            byte = 0;
        } else {
            byte = byte * 10 + (uint32_t)(*p - '0');
        }
    }
    return ip << 8 | byte;
}

static bool is_chosen(const struct attack *attack)
{
    const char *at = chosen;

    while (*at) {
        size_t span = strcspn(at, ",");

        if ((strlen(attack->name) == span && strncmp(at, attack->name, span) == 0) ||
            (strlen(attack->group) == span && strncmp(at, attack->group, span) == 0))
            return true;
        at += span;
        at += *at == ',';
    }
    return false;
}

/* Back to a vif that works, and the proof that it does. */
static const char *settle(struct front *f)
{
    const char *bad;

    if (f->dirty) {
        bad = front_close(f);
        if (bad)
            return why("disconnecting afterwards: %s", bad);
        bad = front_open(f);
        if (bad)
            return why("connecting anew afterwards: %s", bad);
    }
    return frame_alive(f);
}

static void verdict(const struct attack *attack, const char *bad, uint64_t began)
{
    unsigned int ms = (unsigned int)((clock_now() - began) / 1000000);
    const char *text = bad ? bad : note_take();

    if (bad)
        nr_failed++;
    else
        nr_passed++;
    say("%s: %s (%u ms)%s%s", attack->name, bad ? "FAIL" : "PASS", ms, *text ? " " : "", text);
    note_take();
}

/* A vif to attack, also after an attack that failed. */
static const char *ready(struct front *f)
{
    const char *bad;

    if (!f->dirty && !front_is_closed(f))
        return NULL;
    bad = front_close(f);
    if (!bad)
        bad = front_open(f);
    return bad;
}

static void run(const struct attack *attack)
{
    uint64_t began = clock_now();
    const char *bad = ready(&front);

    if (bad) {
        bad = why("no vif to begin with: %s", bad);
    } else {
        bad = attack->run(&front);
        if (bad)
            front.dirty = true;
        else if (!attack->is_last)
            bad = settle(&front);
    }
    verdict(attack, bad, began);
    if (bad)
        front.dirty = true;
}

static void start(void)
{
    char seed[16];
    uint32_t number;
    const char *bad;

    option("attack", chosen, sizeof(chosen));
    option("seed", seed, sizeof(seed));
    random_seed(xenstore_parse_u32(seed, UINT32_MAX, &number) == 0 ? number : 1);
    front.ip = option_ip("ip");
    front.wire_ip = option_ip("wire");
    front_init(&front);
    bad = front_open(&front);
    if (!bad)
        bad = frame_alive(&front);
    if (bad)
        give_up("FAIL before any attack: %s", bad);
    say("connected, and the wire answers");
}

__noreturn void boot(void)
{
    platform_up();
    start();
    for (unsigned int t = 0; t < ARRAY_LEN(tables); t++)
        for (const struct attack *attack = tables[t]; attack->group; attack++)
            if (is_chosen(attack))
                run(attack);
    say("done: %u passed, %u failed", nr_passed, nr_failed);
    domain_shutdown(SHUTDOWN_poweroff);
}
