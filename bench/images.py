#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measure two of Ferry's images against each other in the same boot of the lab, in turns.

usage: bench/images.py BEFORE AFTER [ROUNDS [SECONDS]]     (5 rounds of 4 s for each kind of traffic)

Each image drives a NIC of its own and serves one guest whose vif has no policy; the NICs change sides
half-way. Prints a Markdown table of processor time per frame and of rates, with the ratio of medians; a
figure never fails.
"""
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import pair
import ferry_domnet
from ferrylab import Lab, measure
from ferrylab.progress import say

SMALL = 18  # bytes of UDP payload: a frame of 60 bytes


def udp(side, to_wire, seconds):
    """Small datagrams as fast as they go: (frames that arrived a second, CPU us of the domain for each)."""
    wire, guest = side.wire, side.guest
    server = wire.popen(f"iperf3 -s -1 --forceflush -p {measure.IPERF_PORT}", stdout=subprocess.PIPE)
    for line in server.stdout:
        if "Server listening" in line:
            break
    before = side.domain.cpu_seconds()
    report = measure._iperf_report(guest, guest.run(
        f"iperf3 -c {wire.ip} -p {measure.IPERF_PORT} -u -b 0 -l {SMALL} -t {seconds} -J"
        + ("" if to_wire else " -R"), timeout=seconds + 40, check=False))
    spent = side.domain.cpu_seconds() - before
    server.communicate(timeout=10)
    total = report["end"]["sum"]
    arrived = total["packets"] - total["lost_packets"]
    return arrived / total["seconds"], spent / max(arrived, 1) * 1e6


def start(lab, label, image, nic, number):
    name = f"dom{label}"
    domain = ferry_domnet.start(lab, name=name, nic=nic, image=image)
    lab.wait_console(name, "nic0: link up", timeout=30)
    guest = ferry_domnet.guest(lab, number, backend=name, nic=nic)
    return pair.Side(label, domain, lab.wire[nic], guest)


def rounds_run(sides, rounds, seconds, found):
    def note(name, side, value):
        found.setdefault(name, {}).setdefault(side.label, []).append(round(value, 2))

    for number in range(rounds):
        for side in sides if number % 2 == 0 else sides[::-1]:
            say(f"round {number + 1} of {rounds}: {side.label}")
            for to_wire, way in ((True, "guest to wire"), (False, "wire to guest")):
                rate, cpu = udp(side, to_wire, seconds)
                note(f"small UDP {way}, frames/s", side, rate)
                note(f"driver domain CPU us per small frame, {way}", side, cpu)
                tcp = measure.tcp(side.wire, side.guest, to_wire, seconds, side.domain)
                note(f"TCP {way}, Mb/s", side, tcp["mbit_per_s"])
                note(f"driver domain CPU s per GB, {way}", side, tcp["driver_cpu_s_per_gb"])


def table(found):
    lines = ["| figure (min / median / max) | before | after | after : before |", "|---|---|---|---|"]
    for name, sides in found.items():
        base = statistics.median(sides["before"])
        ratio = f"{statistics.median(sides['after']) / base:.2f}" if base else "-"
        lines.append(f"| {name} | {pair.spread(sides['before'])} | {pair.spread(sides['after'])} | {ratio} |")
    return "\n".join(lines)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    images = {"before": Path(sys.argv[1]), "after": Path(sys.argv[2])}
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    seconds = int(sys.argv[4]) if len(sys.argv) > 4 else 4
    found = {}
    for half, nics in enumerate((("A", "B"), ("B", "A"))):
        with Lab("images") as lab:
            sides = []
            for number, (label, nic) in enumerate(zip(("before", "after"), nics)):
                image = f"bench-{label}"
                shutil.copy(images[label], ferry_domnet.BUILD / image)
                sides.append(start(lab, label, image, nic, number + 1))
            rounds_run(sides, (rounds + 1 - half) // 2, seconds, found)
    print(f"\n{table(found)}")


main()
