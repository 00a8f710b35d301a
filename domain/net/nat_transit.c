/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames into translation and out of it; fragments on their way. */
#include "net/nat_internal.h"

void nat_call_begin(uint64_t now)
{
    nat.may_release = false;
    nat.now = now;
}

static bool is_first(const struct nat_packet *p)
{
    return p->is_fragment && p->kind != NAT_KIND_LATER;
}

static struct nat_fragment_key key_of(const struct nat_transit *t)
{
    return nat_fragment_key_of(&t->packet, t->path, t->owner);
}

int nat_later_find(const struct nat_transit *t, struct nat_note **note_r)
{
    struct nat_fragment_key key = key_of(t);
    struct nat_note *note = nat_note_find(&key, t->now);

    if (!note)
        return nat_fragment_hold(&key, t->frame, t->now, nat_held_count) ? (int)NAT_HELD
                                                                         : -NAT_UNHELD;
    /* What the first has said stays so: its header is not overwritten by another fragment. */
    if (t->packet.offset < note->first_end)
        return -NAT_FRAGMENT;
    *note_r = note;
    return NAT_OK;
}

int nat_first_check(const struct nat_transit *t)
{
    const struct nat_packet *p = &t->packet;
    struct nat_fragment_key key;
    const struct nat_note *note;

    if (!is_first(p))
        return 0;
    key = key_of(t);
    note = nat_note_find(&key, t->now);
    if (note && (note->src_port != p->src_port || note->dst_port != p->dst_port ||
                 note->first_end != p->end))
        return -NAT_FRAGMENT;
    return 0;
}

struct nat_note *nat_first_note(const struct nat_transit *t, uint8_t guest)
{
    struct nat_fragment_key key = key_of(t);
    struct nat_note *note = nat_note_find(&key, t->now);

    if (!note)
        note = nat_note_make(&key, &(struct nat_note){ .seen = t->now,
                                                       .id = nat_fragment_id(),
                                                       .src_port = t->packet.src_port,
                                                       .dst_port = t->packet.dst_port,
                                                       .guest = guest,
                                                       .first_end = t->packet.end });
    /* A frame that is turned comes by twice; what waits does so where it came first. */
    if (!nat.may_release)
        nat.released = key;
    nat.may_release = true;
    return note;
}

static enum nat_verdict count(int verdict, struct nat_stats *stats)
{
    if (verdict >= 0)
        return (enum nat_verdict)verdict;
    nat_count_drop(stats, verdict);
    return NAT_DROP;
}

static enum nat_verdict out(uint8_t guest, struct rte_mbuf *frame, uint8_t *guest_r)
{
    int verdict = nat_translate_out(guest, frame, nat.now, guest_r);

    if (verdict == NAT_OK || verdict == NAT_TURNED)
        nat.guests[guest].stats.out_frames++;
    if (verdict == NAT_TURNED)
        nat.guests[*guest_r].stats.in_frames++;
    return count(verdict, &nat.guests[guest].stats);
}

static enum nat_verdict in(uint8_t outside, struct rte_mbuf *frame, uint8_t *guest_r)
{
    int verdict = nat_translate_in(outside, frame, nat.now, guest_r);

    if (verdict == NAT_OK)
        nat.guests[*guest_r].stats.in_frames++;
    return count(verdict, &nat.outsides[outside].stats);
}

enum nat_verdict nat_out(uint8_t guest, struct rte_mbuf *frame, uint64_t now, uint8_t *guest_r)
{
    nat_call_begin(now);
    if (guest >= NAT_GUESTS || !nat.guests[guest].is_there)
        return NAT_DROP;
    return out(guest, frame, guest_r);
}

enum nat_verdict nat_in(uint8_t outside, struct rte_mbuf *frame, uint64_t now, uint8_t *guest_r)
{
    nat_call_begin(now);
    if (outside >= NAT_OUTSIDES)
        return NAT_DROP;
    return in(outside, frame, guest_r);
}

/* Does a frame that has waited go on? HELD: not yet, and it has been kept again. */
static bool goes_on(struct rte_mbuf *frame, const struct nat_fragment_key *key, bool *is_held_r)
{
    int verdict;
    uint8_t guest;

    if (key->path == NAT_PATH_OUT)
        verdict = out(key->owner, frame, &guest);
    else if (key->path == NAT_PATH_IN)
        verdict = in(key->owner, frame, &guest);
    else
        verdict = nat_track_frame(key->owner, frame, key->path == NAT_PATH_FROM, nat.now);
    *is_held_r = key->path <= NAT_PATH_IN ? verdict == NAT_HELD : verdict == NAT_TRACK_HELD;
    return key->path <= NAT_PATH_IN ? verdict == NAT_OK || verdict == NAT_TURNED
                                    : verdict == NAT_TRACK_KNOWN;
}

struct rte_mbuf *nat_released(void)
{
    struct nat_fragment_key key = nat.released;
    struct rte_mbuf *frame;
    bool is_held = false;

    while (nat.may_release && !is_held && (frame = nat_fragment_take(&key))) {
        if (goes_on(frame, &key, &is_held))
            return frame;
        if (!is_held)
            rte_pktmbuf_free(frame);
    }
    nat.may_release = false;
    return NULL;
}
