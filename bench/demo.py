#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `make demo` shows: guests on a Ferry driver domain, beside a Linux one, on real Xen.

Exit code 0: everything worked; 1: Ferry did not do what it should; 3: the lab did not work.
"""
import sys

import pair
from ferrylab import CheckFailed, Lab, LabError, measure
from ferrylab.progress import say

TRANSFER = 100 * pair.MIB
ROUNDS, SECONDS = 1, 4


def pings(ferry, second_guest):
    for what, runner, address in (("guest to wire", ferry.guest, ferry.wire.ip),
                                  ("wire to guest", ferry.wire, ferry.guest.ip),
                                  ("guest to guest", ferry.guest, second_guest.ip)):
        figures = measure.ping(runner, address, count=20)
        if figures["lost"]:
            raise CheckFailed(f"ping {what}: {figures['lost']} of {figures['sent']} lost")
        say(f"ping {what}: {figures['min_ms']} / {figures['median_ms']} / {figures['max_ms']} ms "
            "(min / median / max), none lost")


def demo(lab):
    ferry, linux, second_guest, boot = pair.start(lab)
    pings(ferry, second_guest)
    found = {"unpause to first vif connected, s": {k: [v] for k, v in boot.items()}}
    found.update(pair.sizes(lab, (ferry, linux)))
    for side in (ferry, linux):
        say(f"{side.label}: 100 MB by TCP each way, SHA-256 at both ends")
        times = measure.checked_transfers(lab, side.wire, side.guest, TRANSFER, timeout=300)
        for way, figures in times.items():
            name = f"100 MB with SHA-256 {way.replace('_', ' ')}, s"
            found.setdefault(name, {})[side.label] = [figures["seconds"]]
    found.update(pair.traffic(lab, (ferry, linux), ROUNDS, SECONDS))
    print(f"\n{pair.table(found)}\n\nFerry's {pair.boot_line(lab)}\n", flush=True)
    say("everything arrived, every checksum matched")


def main():
    try:
        with Lab("demo") as lab:
            demo(lab)
    except CheckFailed as failed:
        print(f"FAILED: {failed}", file=sys.stderr)
        return 1
    except LabError as broken:
        print(f"the lab did not work (this says nothing about Ferry): {broken}", file=sys.stderr)
        return 3
    return 0


sys.exit(main())
