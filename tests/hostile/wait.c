/* SPDX-License-Identifier: BSD-2-Clause */
#include "wait.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/io/console.h>
#include <xen/sched.h>

#include "xen/clock.h"
#include "xen/domain.h"
#include "xen/evtchn.h"
#include "xen/log.h"
#include "xen/xenstore.h"

#define NS_PER_MS 1000000ull
#define SLICE_NS (2 * NS_PER_MS)
#define STORE_LIMIT_NS (20000 * NS_PER_MS)
#define CONSOLE_LIMIT_MS 5000
#define TEXT_SIZE 200

static uint32_t random_state = 1;
static char why_text[TEXT_SIZE], note_text[TEXT_SIZE];

bool wait_until(bool (*done)(void *ctx), void *ctx, unsigned int ms)
{
    uint64_t deadline = clock_now() + ms * NS_PER_MS, now;

    for (;;) {
        evtchn_dispatch();
        if (done(ctx))
            return true;
        now = clock_now();
        if (now >= deadline)
            return false;
        evtchn_sleep_until(now + SLICE_NS < deadline ? now + SLICE_NS : deadline);
    }
}

static bool never(void *ctx)
{
    (void)ctx;
    return false;
}

void wait_ms(unsigned int ms)
{
    wait_until(never, NULL, ms);
}

int store_read(const char *path, char *buf, size_t size)
{
    return xenstore_read_wait(path, buf, size, STORE_LIMIT_NS);
}

int store_write(const char *path, const char *value)
{
    return xenstore_write_wait(path, value, STORE_LIMIT_NS);
}

static void removed(void *ctx, int err, const char *value, size_t len)
{
    (void)value;
    (void)len;
    *(int *)ctx = err;
}

static bool settled(void *ctx)
{
    return *(int *)ctx <= 0;
}

int store_remove(const char *path)
{
    int err = 1;
    int rc = xenstore_remove(0, path, removed, &err);

    if (rc != 0)
        return rc;
    if (wait_until(settled, &err, (unsigned int)(STORE_LIMIT_NS / NS_PER_MS)))
        return err;
    xenstore_forget(&err);
    return -ETIMEDOUT;
}

uint32_t store_number(const char *path)
{
    char text[32];
    uint32_t number;

    if (store_read(path, text, sizeof(text)) != 0 ||
        xenstore_parse_u32(text, UINT32_MAX, &number) != 0)
        give_up("no number in %s", path);
    return number;
}

static bool console_empty(void *ctx)
{
    const struct xencons_interface *ring = ctx;

    return READ_ONCE(ring->out_cons) == READ_ONCE(ring->out_prod);
}

static void say_list(const char *fmt, va_list ap)
{
    char text[TEXT_SIZE];

    vsnprintf(text, sizeof(text), fmt, ap);
    log_info("hostile: %s", text);
    wait_until(console_empty, console_ring(), CONSOLE_LIMIT_MS);
}

void say(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say_list(fmt, ap);
    va_end(ap);
}

void give_up(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say_list(fmt, ap);
    va_end(ap);
    say("gave up");
    domain_shutdown(SHUTDOWN_poweroff);
}

const char *why(const char *fmt, ...)
{
    char text[TEXT_SIZE]; /* the arguments may be an earlier reason */
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return memcpy(why_text, text, sizeof(text));
}

void note(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(note_text, sizeof(note_text), fmt, ap);
    va_end(ap);
}

const char *note_take(void)
{
    static char taken[TEXT_SIZE];

    memcpy(taken, note_text, sizeof(taken));
    note_text[0] = '\0';
    return taken;
}

uint32_t random_u32(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

void random_seed(uint32_t seed)
{
    random_state = seed ? seed : 1;
}
