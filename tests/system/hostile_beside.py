# SPDX-License-Identifier: BSD-2-Clause
"""Seven good guests with checksummed TCP and pings, beside one hostile guest of each kind, one kind after the other.

Nothing of the good ones' is lost or changed, and their TCP goes on. How fast is printed, and how fast beside guests of the same
kernel that only compute, before and after: those are created and destroyed likewise, and all have the least weight that
Xen's scheduler gives, so what a hostile guest costs beyond processor time shows. A few seconds for each kind; with FERRY_LONG=1
an hour in all. HOSTILE_SEED, printed, is what the random attacks depend on.
"""
import os
import statistics
import time

import ferry_domnet
import hostile_guest
import recovery_common as common
from ferry_domnet import expect
from ferrylab import CheckFailed

# Not seen to pass yet: with this weight beside seven guests that send, the attacks of the first kind alone take four minutes
# in the emulated machine. The 61 of them that one run came to held; no speed has been measured.
IN_CHECK = False

# Attacks, and how many of a thousand pings they may cost the others: none, but where the wire itself is full.
KINDS = [("ring,slots,extra,headers,multicast", 0), ("grant,rings_bad", 0), ("ctrl,queues", 0), ("event", 0),
         ("store", 0), ("nodes,end", 0), ("flood", 50)]
NR_GOOD = 7
FIRST_PORT = 5400
WEIGHT = 8  # of 256: xl sched-credit
IS_LONG = "FERRY_LONG" in os.environ
WINDOW_S = 3600 / (2 * len(KINDS)) if IS_LONG else 4
ATTACK_LIMIT_S = 240  # all attacks of a kind once, by a guest with hardly a processor
GUEST_MB = 128


class Good:
    """A stock guest that, from begin() on, pings and sends TCP with a checksum: not while others boot."""

    def __init__(self, lab, number):
        self._lab, self._port = lab, FIRST_PORT + number
        self.guest = ferry_domnet.guest(lab, number, memory=GUEST_MB)
        self.pings = self.stream = None

    def begin(self):
        self.pings = hostile_guest.Pings(self._lab, self.guest, silence_s=40, late_s=3)  # eight share two processors
        self.stream = common.CheckedStreams(self._lab, self.guest, [(self._lab.wire["A"], self._port)])


def beside(lab, name, attacks):
    """Their speed, bytes a second, beside guests that do this, one after another until the time is over; how many guests."""
    wire, began, before, nr = lab.wire["A"], time.monotonic(), lab.wire["A"].counts()["from_nic"]["bytes"], 0
    while nr == 0 or time.monotonic() - began < WINDOW_S:
        guest = f"{name}x{nr}"
        hostile_guest.start(lab, guest, attacks)
        lab.dom0.run(f"xl sched-credit -d {guest} -w {WEIGHT}", check=False)
        for verdict in hostile_guest.finish(lab, guest, ATTACK_LIMIT_S):
            expect(verdict.passed, f"{verdict.attack}: {verdict.text}")
        hostile_guest.wait_gone(lab, guest)
        nr += 1
    return (wire.counts()["from_nic"]["bytes"] - before) / (time.monotonic() - began), nr


def harmless(lab, goods, attacks, loss):
    """Nobody has lost more than that, everybody's TCP goes on. Returns how many pings were lost, as text."""
    lost, sent = (sum(nr) for nr in zip(*(good.pings.lost(attacks) for good in goods)))
    expect(lost * 1000 <= loss * sent, f"{attacks}: {lost} of {sent} pings lost")
    for good in goods:
        good.stream.go_on(f"{good.guest.name}, after {attacks}", nr_bytes=1, limit=30)
    return f"{lost} of {sent} pings lost"


def run(lab):
    print(f"hostile_beside: HOSTILE_SEED={hostile_guest.SEED}", flush=True)
    common.prefer_dom0(lab)
    domnet = ferry_domnet.start(lab)
    lab.wait_console("domnet", "nic0: link up", timeout=20)
    domid = domnet.domid
    hostile_guest.install(lab)
    goods = [Good(lab, number) for number in range(1, NR_GOOD + 1)]
    for good in goods:
        good.begin()
    ratios, failures, (before, _) = [], [], beside(lab, "computes", "computes")
    for number, (attacks, loss) in enumerate(KINDS):
        try:
            found, times = beside(lab, f"hostile{number}", attacks)
            came = harmless(lab, goods, attacks, loss)
        except CheckFailed as failed:  # the other kinds are worth seeing too
            failures.append(str(failed))
            print(f"hostile_beside: FAILED: {failed}", flush=True)
            continue
        ferry_domnet.check_alive(lab, domnet)
        expect(domnet.domid == domid, f"{attacks}: the driver domain is another one now")
        after, _ = beside(lab, f"computes{number}", "computes")
        ratios.append(2 * found / (before + after))
        print(f"hostile_beside: {attacks}, {times} times: TCP {found * 8e-6:.0f} Mb/s, beside guests that compute "
              f"{before * 8e-6:.0f} and {after * 8e-6:.0f}: {ratios[-1]:.2f}; {came}", flush=True)
        before = after
    for good in goods:
        good.stream.end(f"{good.guest.name}, at the end")
    if ratios:
        print(f"hostile_beside: TCP beside attacks : beside computing, min / median / max of {len(ratios)}: {min(ratios):.2f} / "
              f"{statistics.median(ratios):.2f} / {max(ratios):.2f}", flush=True)
    expect(not failures, f"{len(failures)} of {len(KINDS)} kinds:\n" + "\n".join(failures))
