#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `make demo` shows: guests on a Ferry driver domain, beside a Linux one, on real Xen; and the
driver domain killed under load without a guest losing a connection.

Exit code 0: everything worked; 1: Ferry did not do what it should; 3: the lab did not work.
"""
import sys
import time

import pair
import recovery_common
from ferrylab import CheckFailed, Lab, measure
from ferrylab.cli import exit_code
from ferrylab.progress import say
from recovery_measure import Load, Window

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


KILLS = (("a crash in its kernel", "xl trigger domnet nmi 0", 1),
         ("the whole domain destroyed", "xl destroy domnet", 3))
SETTLE_S = 3
BACK_S = 20


def kill(lab, load, what, command, depth):
    """One death under load; what the wire saw of it."""
    before = recovery_common.status(lab)["nr_deaths"]
    say(f"kill, under load: {what} (`{command}` in dom0)")
    window = Window(load)
    lab.dom0.run(command, check=False, timeout=60)
    recovery_common.wait_for(lambda: recovery_common.is_over(lab, before), f"{what}: not back", BACK_S)
    time.sleep(SETTLE_S)
    window.close()
    seen = recovery_common.status(lab)["deaths"][-1]["depth"]
    if seen != depth:
        raise CheckFailed(f"{what}: brought back at depth {seen}, not {depth}")
    return window


def kills(lab, ferry):
    """Each kill in turn, one TCP connection each way through all of them."""
    recovery_common.install(lab)
    recovery_common.prefer_dom0(lab)
    recovery_common.supervise(lab)
    lab.dom0.run("ferry adopt domnet")
    watched = recovery_common.StateLog(lab, recovery_common.domid_front(ferry.guest) + "/state")
    load = Load(lab, ferry.guest, ferry.wire)
    load.wait_flowing()
    windows = [(what, kill(lab, load, what, command, depth)) for what, command, depth in KILLS]
    (sent, received), same = load.end()
    for what, window in windows:
        say(f"{what}: {window.figures().outage:.0f} ms without a frame of the guest's on the wire")
    if not same:
        raise CheckFailed("what arrived by TCP is not what was sent")
    if set(watched.values()) != {"4"}:
        raise CheckFailed(f"the guest's frontend went through the states {watched.values()}")
    say(f"both TCP connections survived: {sent / 1e6:.0f} MB from the guest, {received / 1e6:.0f} MB to "
        "it, SHA-256 equal at both ends; the guest's interface never left Connected")


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
    kills(lab, ferry)


def main():
    with Lab("demo") as lab:
        demo(lab)


sys.exit(exit_code(main))
