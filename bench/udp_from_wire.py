#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Where small UDP frames from the wire are lost, behind Ferry and behind the Linux driver domain, in one boot.

usage: bench/udp_from_wire.py [ROUNDS [THOUSAND...]]     (3 rounds of 20 and 56 thousand frames a second)

The sender asks for that many frames a second. QEMU's NIC takes a frame only when its driver has a buffer for
it; until then the wire's end waits, and the sender with it. So what reaches the NIC is counted over this
machine's clock: a driver domain that is slow is sent less. Prints a Markdown table, min / median / max. For
a quiet machine: sender, wire and both processors of the lab are on it.
"""
import sys
import threading
import time

import pair
from ferrylab import Lab, measure
from ferrylab.progress import say

PAYLOAD = 18
SECONDS = 3
SAMPLE_S = 0.1


class Sampler:
    """Frames that the wire gave to the NIC, and when."""

    def __init__(self, wire):
        self._wire, self._samples, self._done = wire, [], threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._done.is_set():
            self._samples.append((time.monotonic(), self._wire.counts()["to_nic"]["frames"]))
            time.sleep(SAMPLE_S)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def total(self):
        return self._samples[-1][1] - self._samples[0][1]

    def rate(self):
        """A second, between a tenth and nine tenths of all."""
        first, total = self._samples[0][1], self.total()
        inner = [(at, nr) for at, nr in self._samples if 0.1 * total <= nr - first <= 0.9 * total]
        return (inner[-1][1] - inner[0][1]) / max(SAMPLE_S, inner[-1][0] - inner[0][0])


def counted(guest):
    """(frames at its interface, datagrams that its programs got)."""
    frames, udp = guest.output("cat /sys/class/net/eth0/statistics/rx_packets; grep ^Udp: /proc/net/snmp").split("\n", 1)
    return int(frames), int(udp.splitlines()[1].split()[1])


def measured(side, thousand):
    frames, datagrams = counted(side.guest)
    with Sampler(side.wire) as wire:
        measure.iperf(side.guest, side.wire.ip, f"-u -l {PAYLOAD} -t {SECONDS} -R -b {thousand * 1000 * PAYLOAD * 8}")
    now = counted(side.guest)
    arrived, read = now[0] - frames, now[1] - datagrams
    return {"thousand frames a second that reached the NIC": round(wire.rate() / 1e3, 1),
            "lost by the driver domain, %": round(100 * max(0, 1 - arrived / wire.total()), 1),
            "lost in the guest's socket, %": round(100 * max(0, 1 - read / max(1, arrived)), 1)}


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    rates = [int(word) for word in sys.argv[2:]] or [20, 56]
    found = {}
    with Lab("udp_from_wire", alone=True) as lab:
        ferry, linux, _, _ = pair.start(lab)
        for side in (ferry, linux):
            measure.iperf_server(side.wire)
        for number in range(rounds):
            for thousand in rates:
                for side in (ferry, linux) if number % 2 == 0 else (linux, ferry):
                    say(f"round {number + 1} of {rounds}: {side.label}, {thousand} thousand a second asked for")
                    for name, value in measured(side, thousand).items():
                        found.setdefault(f"{thousand} thousand asked for: {name}", {}).setdefault(side.label, []).append(value)
    print(f"\n{pair.table(found)}")


main()
