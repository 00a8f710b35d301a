# SPDX-License-Identifier: BSD-2-Clause
"""A Ferry domain and a Linux driver domain side by side in one boot of the lab.

Each serves a stock Debian guest from a NIC of its own. Absolute figures drift on an emulated
machine: what counts is the ratio between the two, measured in turns.
"""
import json
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "lab"), str(ROOT / "tests" / "system")]

import ferry_domnet  # noqa: E402 (the paths come first)
from ferrylab import CheckFailed, measure  # noqa: E402
from ferrylab.progress import say  # noqa: E402

MIB = 1 << 20
FIRST_VIF_LIMIT_S = 180  # a Linux driver domain on a busy machine that counts instructions


class Side:
    """One driver domain, its NIC's wire, its guests."""

    def __init__(self, label, domain, wire, guest):
        self.label, self.domain, self.wire, self.guest = label, domain, wire, guest
        self.second = None  # another guest, where one is needed


def first_vif(lab, domain, waiting, number=0, mac=ferry_domnet.mac(99)):
    """Unpause a driver domain for which a running guest's vif (the number of it says which) waits.

    Returns seconds of this machine's clock until the backend says Connected.
    """
    attach = lab.dom0.start(f"xl network-attach {waiting.name} mac={mac} "
                            f"bridge=xenbr0 backend={domain.name}")
    state = f"/local/domain/{domain.domid}/backend/vif/{waiting.domid}/{number}/state"
    lab.dom0.run(f"until xenstore-exists {state}; do sleep 0.05; done", timeout=20)
    watch = lab.dom0.start(f'until [ "$(xenstore-read {state})" = 4 ]; do sleep 0.01; done')
    started = time.monotonic()
    domain.unpause()
    watch.wait(FIRST_VIF_LIMIT_S)
    seconds = time.monotonic() - started
    attach.wait(FIRST_VIF_LIMIT_S)
    return round(seconds, 2)


def start(lab):
    """Both sides, ready for traffic, and their boot figures."""
    waiting = lab.guest("waiting")
    say("Ferry's driver domain: create, wait for its first vif")
    domnet = ferry_domnet.start(lab, paused=True)
    boot = {"ferry": first_vif(lab, domnet, waiting)}
    lab.wait_console("domnet", "nic0: link up", timeout=30)
    lab.dom0.run("xl network-detach waiting 0", timeout=30)
    say("Linux driver domain: create, wait for its first vif")
    domlinux = lab.linux_domnet(paused=True)
    boot["linux"] = first_vif(lab, domlinux, waiting)
    lab.wait_console("domlinux", "domlinux: forwarding at", timeout=60)
    waiting.destroy()
    say("guests: two behind Ferry, one behind Linux")
    guest1, guest2 = ferry_domnet.guest(lab, 1), ferry_domnet.guest(lab, 2)
    guest3 = ferry_domnet.guest(lab, 3, backend="domlinux", nic="B")
    lab.wait_console("domlinux", r"port 2\(vif\d+\.0\) entered forwarding state", timeout=60)
    return (Side("ferry", domnet, lab.wire["A"], guest1),
            Side("linux", domlinux, lab.wire["B"], guest3), guest2, boot)


def traffic(lab, sides, rounds, seconds):
    """Rounds of the same traffic, the sides in turns; lists of figures by name and side."""
    found = {}

    def note(name, side, value):
        found.setdefault(name, {}).setdefault(side.label, []).append(value)

    for number in range(rounds):
        for side in sides:
            say(f"round {number + 1} of {rounds}: {side.label}: ping and TCP")
            ping = measure.ping(side.guest, side.wire.ip)
            note("ping floor, ms", side, ping["min_ms"])
            note("ping median, ms", side, ping["median_ms"])
            for to_wire, way in ((True, "guest to wire"), (False, "wire to guest")):
                tcp = measure.tcp(side.wire, side.guest, to_wire, seconds, side.domain)
                note(f"TCP {way}, Mb/s", side, tcp["mbit_per_s"])
                note(f"driver domain CPU s per GB, {way}", side, tcp["driver_cpu_s_per_gb"])
    return found


def sizes(lab, sides):
    linux = json.loads((lab.built.images / "sizes.json").read_text())
    image = {"ferry": (ROOT / "build" / "ferry-net").stat().st_size,
             "linux": linux["kernel_packed"] + linux["initramfs_packed"]}
    return {"image (Linux: kernel and initramfs, packed), MB":
            {k: [round(v / 1e6, 2)] for k, v in image.items()},
            "memory, MB": {side.label: [side.domain.memory_mb()] for side in sides}}


def spread(values):
    if len(values) == 1:
        return f"{values[0]:g}"
    return f"{min(values):g} / {statistics.median(values):g} / {max(values):g}"


def table(found):
    """Markdown: each figure with min / median / max of both sides, and the ratio of medians."""
    lines = ["| figure (min / median / max) | Ferry | Linux driver domain | Ferry : Linux |",
             "|---|---|---|---|"]
    for name, by_side in found.items():
        ferry, linux = by_side["ferry"], by_side["linux"]
        base = statistics.median(linux)
        ratio = f"{statistics.median(ferry) / base:.2f}" if base else "-"
        lines.append(f"| {name} | {spread(ferry)} | {spread(linux)} | {ratio} |")
    return "\n".join(lines)


def boot_line(lab):
    """Where Ferry's boot went, in its own words."""
    return lab.wait_console("domnet", r"boot, ms:.*").group(0)


__all__ = ["CheckFailed", "MIB", "boot_line", "sizes", "start", "table", "traffic"]
