# SPDX-License-Identifier: BSD-2-Clause
"""Traffic through driver domains, side by side in one boot, with the instructions that it costs them.

Counts come from QEMU (ferrylab/instructions.py) and do not depend on how busy this machine is. How many
frames one wake-up finds does a little, and the count with it.
"""
import json
import re
import statistics
import subprocess
from dataclasses import dataclass

import pair
from ferrylab import CheckFailed, measure
from ferrylab.instructions import symbols_of, xen_program
from ferrylab.progress import say

FRAMES, PACED_FRAMES = 20000, 8000
SMALL, LARGE = 18, 1472  # bytes of UDP payload: frames of 64 and 1518 bytes with their checksums
PACE = 6900  # frames a second from a sender that else would lose some
TCP_BYTES = 24 << 20


@dataclass(frozen=True)
class Kind:
    """Traffic of one kind: iperf3's options in the guest that is measured, and whom it talks to."""

    title: str
    options: str
    to_guest: bool = False


def _paced(size):
    return f"-u -b {PACE * size * 8} -l {size} -k {PACED_FRAMES}"


# TCP is in frames of up to 64 KiB where a guest sends it, and where it is merged for one.
KINDS = {
    "small-out": Kind("64-byte UDP, guest to wire, per frame", f"-u -b 0 -l {SMALL} -k {FRAMES}"),
    "small-in": Kind("64-byte UDP, wire to guest, per frame", f"-R {_paced(SMALL)}"),
    "large-out": Kind("1518-byte UDP, guest to wire, per frame", f"-u -b 0 -l {LARGE} -k {FRAMES}"),
    "large-in": Kind("1518-byte UDP, wire to guest, per frame", f"-R {_paced(LARGE)}"),
    "tcp-out": Kind("TCP, guest to wire, per KB", f"-n {TCP_BYTES}"),
    "tcp-in": Kind("TCP, wire to guest, per KB", f"-n {TCP_BYTES} -R"),
    "small-peer": Kind("64-byte UDP, guest to guest, per frame", _paced(SMALL), True),
    "large-peer": Kind("1518-byte UDP, guest to guest, per frame", _paced(LARGE), True),
    "tcp-peer": Kind("TCP, guest to guest, per KB", f"-n {TCP_BYTES}", True),
    "ping": Kind("ping, guest to wire, per round trip", "-q -n -c 300 -i 0.01 -W 2"),
}
DEFAULT = ["small-out", "small-in", "tcp-out", "tcp-in"]


def _iperf(side, kind):
    guest = side.guest
    if kind.to_guest:
        server, address = side.second, side.second.ip
        under_way = server.start(f"exec iperf3 -s -1 -p {measure.IPERF_PORT} > /dev/null")
        # Listening: port 5201 in hex, state 0A.
        server.run(f"until grep -q ':{measure.IPERF_PORT:04X} .* 0A ' /proc/net/tcp /proc/net/tcp6; do sleep 0.05; done")
    else:
        address = side.wire.ip
        under_way = side.wire.popen(f"iperf3 -s -1 --forceflush -p {measure.IPERF_PORT}", stdout=subprocess.PIPE)
        for line in under_way.stdout:
            if "Server listening" in line:
                break
    result = guest.run(f"iperf3 -c {address} -p {measure.IPERF_PORT} -J {kind.options}", timeout=300, check=False)
    if kind.to_guest:
        under_way.wait(20)
    else:
        under_way.communicate(timeout=20)
    report = json.loads(result.stdout)
    if "error" in report:
        raise CheckFailed(f"{side.label}: iperf3: {report['error']}")
    return report["end"]


def _ping(side, options):
    text = side.guest.output(f"ping {options} {side.wire.ip}", timeout=60)
    return int(re.search(r"(\d+) (packets )?received", text)[1])


def _frames(guest):
    """That its interface sent and received so far; one for several counts as one."""
    return [int(nr) for nr in guest.output("cd /sys/class/net/eth0/statistics; cat tx_packets rx_packets").split()]


def traffic(side, name):
    """Send; returns how many units (frames, KB, round trips) there were.

    UDP frames to a guest are counted at its interface: what its own sockets drop for want of a processor did
    cost the driver domain all that it costs.
    """
    kind = KINDS[name]
    if name == "ping":
        return _ping(side, kind.options)
    if kind.title.endswith("per KB"):
        return _iperf(side, kind)["sum_received"]["bytes"] / 1000
    if kind.to_guest or "-R" in kind.options:
        receiver = side.second if kind.to_guest else side.guest
        before = _frames(receiver)[1]
        _iperf(side, kind)
        return _frames(receiver)[1] - before
    return _iperf(side, kind)["sum"]["packets"]


def rounds_run(counter, sides, rounds, kinds, found, after=lambda side, kind, units: None):
    """Rounds of the same traffic, the sides in turns. found: {name of figure: {label: [value]}}, added to."""
    xen = symbols_of(xen_program(counter.lab))
    for number in range(rounds):
        for kind in kinds:
            for side in sides if number % 2 == 0 else sides[::-1]:
                title = KINDS[kind].title
                say(f"round {number + 1} of {rounds}: {side.label}: {title}")
                counts, frames = {}, _frames(side.guest)
                with counter.counting(counts, side.domain.name):
                    units = traffic(side, kind)
                sent, received = (now - before for now, before in zip(_frames(side.guest), frames))
                mine, work = counts[side.domain.name], counter.xen_work(xen)
                guest = counts[side.guest.name]
                rows = {"the domain's own": round(mine.own / units, 1), "Xen's on its behalf": round(mine.xen / units, 1),
                        "repeats of string instructions": round(mine.repeats / units, 1),
                        "the guest's own": round(guest.own / units, 1),
                        "Xen's on the guest's behalf": round(guest.xen / units, 1),
                        "everybody's, Xen's with them": round(sum(c.own + c.xen for c in counts.values()) / units, 1),
                        "frames that the guest sent": round(sent / units, 3),
                        "frames that the guest received": round(received / units, 3),
                        **{what: round(times / units, 3) for what, times in work.items()},
                        "copies per copy hypercall": round(work["grant copies"] / max(1, work["grant copy hypercalls"]), 1)}
                for what, value in rows.items():
                    found.setdefault(f"{title}: {what}", {}).setdefault(side.label, []).append(value)
                after(side, kind, units)


def table(found, first, second, titles):
    """Markdown: min / median / max of two sides, and the ratio of medians, first to second."""
    lines = [f"| instructions, or times (min / median / max) | {titles[0]} | {titles[1]} | {titles[0]} : {titles[1]} |",
             "|---|---|---|---|"]
    for name, sides in found.items():
        base = statistics.median(sides[second])
        ratio = f"{statistics.median(sides[first]) / base:.3f}" if base else "-"
        lines.append(f"| {name} | {pair.spread(sides[first])} | {pair.spread(sides[second])} | {ratio} |")
    return "\n".join(lines)
