/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/nat_flow.h"
#include "net/nat_icmp.h"
#include "net/nat_internal.h"

static struct nat_transit transit_of(uint8_t guest, struct rte_mbuf *frame, bool from_guest,
                                     uint64_t now)
{
    return (struct nat_transit){
        .frame = frame, .path = from_guest ? NAT_PATH_FROM : NAT_PATH_TO, .owner = guest, .now = now
    };
}

static bool is_from_guest(const struct nat_transit *t)
{
    return t->path == NAT_PATH_FROM;
}

static void note_if_first(const struct nat_transit *t)
{
    if (t->packet.more_fragments)
        (void)nat_first_note(t, t->owner);
}

/*
 * By a port forward anybody may have opened a flow that the rules are yet to judge; nor may the guest answer
 * on one that they did not let through.
 */
static bool is_known(const struct nat_flow *flow)
{
    return flow->outside_address == 0 || !(flow->state & NAT_BY_REMOTE) ||
           (flow->state & NAT_ADMITTED) || nat_state_phase(flow->state) > NAT_PICKED;
}

static int flow_track(const struct nat_transit *t)
{
    bool from_guest = is_from_guest(t);
    struct nat_key key = nat_key_of(&t->packet, t->owner, nat.guests[t->owner].outside, from_guest);
    struct nat_flow *flow;
    int error = nat_first_check(t);

    if (error)
        return error;
    flow = nat_flow_find(&key, t->now);
    if (!flow || !is_known(flow))
        return NAT_TRACK_NEW;
    /* Those that are translated are followed where that is done. */
    if (flow->outside_address == 0)
        nat_flow_see(flow, &t->packet, from_guest, t->now);
    note_if_first(t);
    return NAT_TRACK_KNOWN;
}

static int later_track(const struct nat_transit *t)
{
    struct nat_note *note;
    int verdict = nat_later_find(t, &note);

    return verdict == NAT_OK ? NAT_TRACK_KNOWN : verdict == NAT_HELD ? NAT_TRACK_HELD : verdict;
}

static int error_track(const struct nat_transit *t)
{
    struct nat_flow *flow;
    int error = nat_icmp_track(t->frame, t->owner, nat.guests[t->owner].outside, is_from_guest(t),
                               t->now, &flow);

    if (error)
        return error == -NAT_NO_FLOW ? NAT_TRACK_NEW : error;
    return is_known(flow) ? NAT_TRACK_KNOWN : NAT_TRACK_NEW;
}

static int track(struct nat_transit *t)
{
    int error = nat_packet_read(t->frame, &t->packet);

    if (error)
        return error;
    switch (t->packet.kind) {
    case NAT_KIND_LATER:
        return later_track(t);
    case NAT_KIND_ERROR:
        return error_track(t);
    case NAT_KIND_FLOW:
        return flow_track(t);
    default:
        return NAT_TRACK_NEW;
    }
}

/* Frames of guests that are translated are counted when they are. */
static void count(uint8_t guest, int verdict, bool from_guest)
{
    struct nat_stats *stats = &nat.guests[guest].stats;

    if (verdict < 0)
        nat_count_drop(stats, verdict);
    else if (verdict == NAT_TRACK_KNOWN && nat.guests[guest].outside == NAT_NO_OUTSIDE)
        *(from_guest ? &stats->out_frames : &stats->in_frames) += 1;
}

int nat_track_frame(uint8_t guest, struct rte_mbuf *frame, bool from_guest, uint64_t now)
{
    struct nat_transit t = transit_of(guest, frame, from_guest, now);
    int verdict = track(&t);

    count(guest, verdict, from_guest);
    return verdict;
}

int nat_track(uint8_t guest, struct rte_mbuf *frame, bool from_guest, uint64_t now)
{
    nat_call_begin(now);
    if (guest >= NAT_GUESTS || !nat.guests[guest].is_there)
        return -NAT_NO_FLOW;
    return nat_track_frame(guest, frame, from_guest, now);
}

/* Of a guest that is not translated. */
static void flow_open(const struct nat_transit *t)
{
    bool from_guest = is_from_guest(t);
    struct nat_flow_plan plan = { .key =
                                      nat_key_of(&t->packet, t->owner, NAT_NO_OUTSIDE, from_guest),
                                  .state = nat_state_first(&t->packet, from_guest) };

    if (plan.state == NAT_STATE_NONE || nat_flow_find(&plan.key, t->now))
        return;
    if (nat_flow_open(&plan, t->now))
        nat.guests[t->owner].stats.opened++;
}

/* Of a guest that is translated: nat_in() has opened it. */
static void flow_admit(const struct nat_transit *t)
{
    struct nat_key key =
        nat_key_of(&t->packet, t->owner, nat.guests[t->owner].outside, is_from_guest(t));
    struct nat_flow *flow = nat_flow_find(&key, t->now);

    if (flow && !is_from_guest(t) && (flow->state & NAT_BY_REMOTE))
        flow->state |= NAT_ADMITTED;
}

int nat_track_open(uint8_t guest, struct rte_mbuf *frame, bool from_guest, uint64_t now)
{
    struct nat_transit t = transit_of(guest, frame, from_guest, now);
    int error;

    nat_call_begin(now);
    if (guest >= NAT_GUESTS || !nat.guests[guest].is_there)
        return -NAT_NO_FLOW;
    error = nat_packet_read(frame, &t.packet);
    if (!error && t.packet.kind == NAT_KIND_FLOW)
        error = nat_first_check(&t);
    if (error) {
        count(guest, error, from_guest);
        return error;
    }
    if (t.packet.kind != NAT_KIND_FLOW)
        return 0;
    if (nat.guests[guest].outside == NAT_NO_OUTSIDE)
        flow_open(&t);
    else
        flow_admit(&t);
    note_if_first(&t);
    return 0;
}
