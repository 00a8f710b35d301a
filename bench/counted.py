# SPDX-License-Identifier: BSD-2-Clause
"""Traffic through driver domains, side by side in one boot, with the instructions that it costs them.

Counts come from QEMU (ferrylab/instructions.py) and do not depend on how busy this machine is. How many
frames one wake-up finds does a little, and the count with it.
"""
import json
import statistics
import subprocess

import pair
from ferrylab import CheckFailed, measure
from ferrylab.progress import say

SMALL, SMALL_FRAMES = 18, 20000  # bytes of UDP payload: a frame of 60 bytes
SMALL_IN_RATE = "1M"  # bits of payload a second: 6900 frames, which no side loses
TCP_BYTES = 24 << 20
KINDS = {"small-out": "small UDP, guest to wire, per frame", "small-in": "small UDP, wire to guest, per frame",
         "tcp-out": "TCP, guest to wire, per KB", "tcp-in": "TCP, wire to guest, per KB"}


def _iperf(side, options):
    wire, guest = side.wire, side.guest
    server = wire.popen(f"iperf3 -s -1 --forceflush -p {measure.IPERF_PORT}", stdout=subprocess.PIPE)
    for line in server.stdout:
        if "Server listening" in line:
            break
    result = guest.run(f"iperf3 -c {wire.ip} -p {measure.IPERF_PORT} -J {options}", timeout=300, check=False)
    server.communicate(timeout=20)
    report = json.loads(result.stdout)
    if "error" in report:
        raise CheckFailed(f"{side.label}: iperf3: {report['error']}")
    return report["end"]


def traffic(side, kind):
    """Send; returns how many units (frames, KB) arrived."""
    if kind == "small-out":
        end = _iperf(side, f"-u -b 0 -l {SMALL} -k {SMALL_FRAMES}")
    elif kind == "small-in":
        end = _iperf(side, f"-u -R -b {SMALL_IN_RATE} -l {SMALL} -k {SMALL_FRAMES}")
    else:
        end = _iperf(side, f"-n {TCP_BYTES}{' -R' if kind == 'tcp-in' else ''}")
        return end["sum_received"]["bytes"] / 1000
    return end["sum"]["packets"] - end["sum"]["lost_packets"]


def rounds_run(counter, sides, rounds, kinds, found, after=lambda side, kind, units: None):
    """Rounds of the same traffic, the sides in turns. found: {name of figure: {label: [value]}}, added to."""
    for number in range(rounds):
        for kind in kinds:
            for side in sides if number % 2 == 0 else sides[::-1]:
                say(f"round {number + 1} of {rounds}: {side.label}: {KINDS[kind]}")
                counts = {}
                with counter.counting(counts, side.domain.name):
                    units = traffic(side, kind)
                mine = counts[side.domain.name]
                for what, value in (("the domain's own", mine.own), ("Xen's on its behalf", mine.xen),
                                    ("repeats of string instructions", mine.repeats)):
                    found.setdefault(f"{KINDS[kind]}: {what}", {}).setdefault(side.label, []).append(
                        round(value / units, 1))
                after(side, kind, units)


def table(found, first, second, titles):
    """Markdown: min / median / max of two sides, and the ratio of medians, first to second."""
    lines = [f"| instructions (min / median / max) | {titles[0]} | {titles[1]} | {titles[0]} : {titles[1]} |",
             "|---|---|---|---|"]
    for name, sides in found.items():
        base = statistics.median(sides[second])
        ratio = f"{statistics.median(sides[first]) / base:.3f}" if base else "-"
        lines.append(f"| {name} | {pair.spread(sides[first])} | {pair.spread(sides[second])} | {ratio} |")
    return "\n".join(lines)
