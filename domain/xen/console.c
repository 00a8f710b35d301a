/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/console.h"

#include <stdio.h>

#include <xen/xen.h>

#include <xen/io/console.h>

#include "xen/clock.h"
#include "xen/domain.h"
#include "xen/evtchn.h"

#define PIECE_MAX 512 /* bytes that are written or dropped together */
#define NOTE_SIZE 64
#define FLUSH_ROOM 512 /* bytes; several lines of a crash report */
#define FLUSH_STEP_US 50u
#define FLUSH_NOTIFY_US 10000u /* xenconsoled ignores a domain that notifies too often */

static struct xencons_interface *ring;
static evtchn_port_t port;
static XENCONS_RING_IDX out_prod; /* ours; the page holds a copy */
static bool ready;
static uint64_t lost_total;
static uint64_t lost_unsaid;
static unsigned int flush_left_us = CONSOLE_EMERGENCY_US;

static bool attach(void)
{
    if (ring)
        return true;
    if (!start_info || start_info->console.domU.mfn == 0)
        return false;
    ring = console_ring();
    port = start_info->console.domU.evtchn;
    out_prod = READ_ONCE(ring->out_prod);
    return true;
}

static void out_publish(void)
{
    wmb();
    WRITE_ONCE(ring->out_prod, out_prod);
}

/* Bytes free. Indices that make no sense are a damaged page: go on from where dom0 says it is. */
static size_t out_room(void)
{
    XENCONS_RING_IDX cons = READ_ONCE(ring->out_cons);

    if (out_prod - cons > sizeof(ring->out)) {
        out_prod = cons;
        out_publish();
    }
    mb(); /* the bytes before cons are dom0's until cons was read */
    return sizeof(ring->out) - (out_prod - cons);
}

static size_t size_on_ring(const char *text, size_t len)
{
    size_t size = len;

    for (size_t i = 0; i < len; i++)
        size += text[i] == '\n';
    return size;
}

static void out_byte(char c)
{
    ring->out[MASK_XENCONS_IDX(out_prod++, ring->out)] = c;
}

/* The caller made sure of the room. */
static void out_put(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            out_byte('\r');
        out_byte(text[i]);
    }
    out_publish();
}

/* Put one piece, and before it what was lost until now; or lose this one, too. */
static bool piece_write(const char *text, size_t len)
{
    char note[NOTE_SIZE] = "";
    int note_len = 0;

    if (lost_unsaid)
        note_len = snprintf(note, sizeof(note), "\n[console: %llu bytes lost]\n",
                            (unsigned long long)lost_unsaid);
    if (size_on_ring(note, (size_t)note_len) + size_on_ring(text, len) > out_room()) {
        lost_total += len;
        lost_unsaid += len;
        return false;
    }
    out_put(note, (size_t)note_len);
    lost_unsaid = 0;
    out_put(text, len);
    return true;
}

void console_write(const char *text, size_t len)
{
    bool written = false;

    if (!attach())
        return;
    while (len) {
        size_t piece = len < PIECE_MAX ? len : PIECE_MAX;

        written |= piece_write(text, piece);
        text += piece;
        len -= piece;
    }
    if (written)
        evtchn_notify(port);
}

/* dom0 took output or sent input. */
static void on_event(void *ctx)
{
    XENCONS_RING_IDX in = READ_ONCE(ring->in_prod);

    (void)ctx;
    if (in != READ_ONCE(ring->in_cons)) {
        WRITE_ONCE(ring->in_cons, in);
        evtchn_notify(port);
    }
    if (lost_unsaid && piece_write("", 0))
        evtchn_notify(port);
}

void console_init(void)
{
    /* Without an event there is only less to do: input stays where it is. */
    if (attach())
        (void)!evtchn_adopt(port, on_event, NULL);
    ready = true;
}

bool console_ready(void)
{
    return ready;
}

size_t console_room(void)
{
    return attach() ? out_room() : 0;
}

uint64_t console_lost(void)
{
    return lost_total;
}

void console_flush_emergency(void)
{
    unsigned int waited_us = 0;

    if (!attach())
        return;
    while (out_room() < FLUSH_ROOM && flush_left_us >= FLUSH_STEP_US) {
        if (waited_us % FLUSH_NOTIFY_US == 0)
            evtchn_notify(port);
        clock_delay_us(FLUSH_STEP_US);
        waited_us += FLUSH_STEP_US;
        flush_left_us -= FLUSH_STEP_US;
    }
}
