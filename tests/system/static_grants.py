# SPDX-License-Identifier: BSD-2-Clause
"""Static grants (docs/decisions/0018): used well and badly, and over recoveries of each depth."""
import re

import hostile_guest
import recovery_common as common
from ferry_domnet import expect
from ferrylab import measure

PAGES = 60  # that the guest leaves with the driver domain (tests/hostile/attacks_grefs.c)
PINGS = 20


def attacks(lab, names, timeout):
    """All of them, each with what it says; every failure is told."""
    hostile_guest.start(lab, "grefs", names)
    verdicts = hostile_guest.finish(lab, "grefs", timeout)
    for verdict in verdicts:
        print(f"static grants: {verdict.attack}: {'pass' if verdict.passed else 'FAIL'}, "
              f"{verdict.ms} ms {verdict.text}", flush=True)
    failed = [f"{verdict.attack}: {verdict.text}" for verdict in verdicts if not verdict.passed]
    expect(not failed, "\n".join(failed))
    hostile_guest.wait_gone(lab, "grefs")


def pinged(wire, ip, when):
    """Answers have to carry what was asked, so each ping is traffic both ways with its content checked."""
    figures = measure.ping(wire, ip, count=PINGS)
    print(f"static grants: {when}: {figures}", flush=True)
    expect(figures["lost"] == 0, f"{when}: {figures['lost']} of {PINGS} pings of the guest were lost")


def deaths(lab, domnet, name, kinds, deleted):
    """The guest's pages are mapped while the domain dies; afterwards DEL must find so many of them."""
    wire = lab.wire["A"]
    ip = f"{wire.slot.network}.{hostile_guest.IP_NUMBER}"
    hostile_guest.start(lab, name, "deaths")
    lab.wait_console(name, "hostile: serving", timeout=20)
    pinged(wire, ip, f"{name}: at first")
    for kind, way, depth in kinds:
        fault = f"xenstore-write /local/domain/{domnet.domid}/ferry/fault {kind}"
        death = common.death(lab, lambda: lab.dom0.run(fault), f"{name}: {kind}")
        expect((death["way"], death["depth"]) == (way, depth),
               f"{name}: {kind}: {death['way']} at depth {death['depth']}, not {way} at depth {depth}")
        common.wait_for(lambda: wire.run(f"ping -c 1 -W 1 {ip}", check=False).rc == 0,
                        f"{name}: no ping of the guest works after depth {depth}", 15)
        pinged(wire, ip, f"{name}: after depth {depth}")
    wire.run(f"timeout 1 bash -c 'exec 3<> /dev/tcp/{ip}/7'", check=False)
    verdict, = hostile_guest.finish(lab, name, 60)
    print(f"static grants: {name}: {verdict.text}", flush=True)
    expect(verdict.passed, f"{name}: {verdict.text}")
    counts = {key: int(number) for key, number in re.findall(r"(\w+)=(\d+)", verdict.text)}
    expect(counts["mapped"] == deleted,
           f"{name}: {counts['mapped']} pages were mapped at the end, not {deleted}")
    expect(counts["deleted"] == deleted, f"{name}: DEL found {counts['deleted']} pages, not {deleted}")
    hostile_guest.wait_gone(lab, name)


def run(lab):
    common.install(lab)
    hostile_guest.install(lab)
    path = common.config(lab, image="ferry-net-faults", extra="restarts=60")
    ferryd = common.supervise(lab, "--max-deaths 15 --window 1")
    try:
        domnet = common.start(lab, path)
        lab.wait_console("domnet", "nic0: link up", timeout=20)
        attacks(lab, "grefs_traffic,grefs_changing,grefs_lists,grefs_random", 90)
        deaths(lab, domnet, "kept",
               [("null", "restarted", 1), ("loop", "reloaded", 2), ("null", "restarted", 1)], PAGES)
        deaths(lab, domnet, "lost", [("recovery-all", "rebuilt", 3)], 0)
        attacks(lab, "grefs_traffic", 30)
    finally:
        print(ferryd.stdout, flush=True)
