# SPDX-License-Identifier: BSD-2-Clause
"""Faults in a row under load, at all depths: every vif lives on, and nothing grows.

Counted before and after, without load: domains and their ids, grants that are mapped, event channels,
xenstore's nodes, ferryd's memory, Xen's free memory, the driver domain's mbufs, heap and mappings.
bench/recovery.py --many N runs it longer.
"""
import re
import time
from dataclasses import dataclass

import recovery_common as common
import recovery_matrix as matrix
import recovery_measure as measure
from ferry_domnet import expect

FAULTS = 30
# Restarts by the kernel itself in a minute; more than there can be.
RESTARTS = "restarts=1000000"
# In turn: two in three at depth 1, one in four at depth 2, one in thirty at depth 3.
TURN = ("null text invariant null loop jump recovery nic-fault tables-text null xenstore-ring null "
        "text-traps jump invariant null tables-data heap null jump tables-wrong null invariant "
        "recovery null nic-loop jump null pool xl-destroy").split()
BATCH = 10  # faults that one TCP connection has to survive
PAUSE_S = 1.2  # a kernel that dies within a second of its start is taken for one that cannot run
RSS_GROWTH_KB = 512
FREE_GROWTH_MB = 1


@dataclass
class Counted:
    """What could grow."""

    domains: list
    mapped: int  # of the guest's grants, by anybody
    ports: dict  # by domain
    nodes: set
    ferryd_kb: int
    free_mb: int
    own: str  # the driver domain's words


def mapped_grants(lab, domid):
    """Active grants of a domain that somebody has mapped, from Xen's own table."""
    text = lab.xen_debug_keys("g", wait=2.0)
    part = re.search(rf"grant-table for remote d{domid}\b(.*?)(grant-table for remote|gnttab_usage_print_all \]|$)",
                     text.replace("\r", ""), re.S)
    expect(part, f"Xen shows no grant table of domain {domid}: {text[-800:]}")
    lines = re.findall(r"^\(XEN\) \[0x[0-9a-f]+\]\s+(\d+) 0x\w+ 0x(\w+)", part[1], re.M)
    return sum(int(pin, 16) != 0 for _, pin in lines)


def own_report(scene):
    seen = scene.domain.console().count("report: ")
    scene.fault("report")
    common.wait_for(lambda: scene.domain.console().count("report: ") > seen, "no report", 10)
    return re.findall(r"report: (.*)", scene.domain.console())[-1]


def count(scene):
    dom0 = scene.lab.dom0
    ids = sorted(int(line.split()[1]) for line in dom0.output("xl list").splitlines()[1:])
    own = own_report(scene)
    return Counted(
        domains=ids, mapped=mapped_grants(scene.lab, scene.guest_domid),
        ports={domid: len(dom0.output(f"/usr/lib/xen-4.17/bin/lsevtchn {domid}").splitlines())
               for domid in ids},
        nodes=set(dom0.output("xenstore-ls -f | sed 's/ = .*//'").splitlines()),
        ferryd_kb=int(dom0.output("awk '/VmRSS/ {print $2}' /proc/$(pidof ferryd)/status")),
        free_mb=int(dom0.output("xl info | awk '/^free_memory/ {print $3}'")), own=own)


def compare(before, after):
    """What grew, as text."""
    grown = []
    for what in ("domains", "mapped", "ports", "own"):
        old, new = getattr(before, what), getattr(after, what)
        if old != new:
            grown.append(f"{what}: {old} before, {new} after")
    if after.nodes != before.nodes:
        grown.append(f"nodes: new {sorted(after.nodes - before.nodes)}, "
                     f"gone {sorted(before.nodes - after.nodes)}")
    if after.ferryd_kb - before.ferryd_kb > RSS_GROWTH_KB:
        grown.append(f"ferryd: {before.ferryd_kb} KB before, {after.ferryd_kb} after")
    if before.free_mb - after.free_mb > FREE_GROWTH_MB:
        grown.append(f"Xen's free memory: {before.free_mb} MB before, {after.free_mb} after")
    return grown


def batch(scene, kinds, depths):
    """Some faults under one load; notes the depths they were repaired at."""
    watch = matrix.Watch(scene)
    try:
        for kind in kinds:
            before = scene.status()
            time.sleep(PAUSE_S)
            if kind == "xl-destroy":
                matrix.xl_destroy(scene)
            else:
                scene.fault(kind)
            common.wait_for(lambda: scene.died(before), f"{kind}: not back", matrix.LIMIT_S)
            depth = scene.died(before)[-1]["depth"]
            depths.append(depth)
            print(f"recovery_many: {len(depths)}: {kind}: depth {depth}", flush=True)
        time.sleep(matrix.SETTLE_S)
        watch.window.close()
        watch.end(f"{len(depths)} faults", strict="xl-destroy" not in kinds)
    finally:
        watch.load.drop()


def many(scene, nr_faults):
    """Returns the depths in order. CheckFailed if anything did not survive, or grew."""
    depths = []
    kinds = [TURN[i % len(TURN)] for i in range(nr_faults)]
    batch(scene, ["null", "text", "xl-destroy"], [])  # each path has been gone once before it counts
    before = count(scene)
    for first in range(0, nr_faults, BATCH):
        batch(scene, kinds[first:first + BATCH], depths)
    after = count(scene)
    grown = compare(before, after)
    print(f"recovery_many: {nr_faults} faults, depths 1, 2, 3: {[depths.count(d) for d in (1, 2, 3)]}; "
          f"ferryd {before.ferryd_kb} KB before, {after.ferryd_kb} after; {len(after.nodes)} nodes, "
          f"{after.mapped} grants mapped, ports {after.ports}; {after.own}", flush=True)
    expect(not grown, "after the faults it is not as before: " + "; ".join(grown))
    status = scene.status()
    expect(status["vifs"] == status["vifs_serving"] == 1, f"not every vif is served: {status}")
    return depths


def run(lab, nr_faults=FAULTS):
    common.install(lab)
    common.prefer_dom0(lab)
    ferryd = common.supervise(lab, matrix.FERRYD)
    try:
        scene = matrix.Scene(lab, extra=RESTARTS)
        many(scene, nr_faults)
    finally:
        print(ferryd.stdout, flush=True)
    lab.dom0.run("ferry stop domnet", timeout=60)
