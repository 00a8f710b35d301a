# SPDX-License-Identifier: BSD-2-Clause
"""Faults in a row under load, at all depths: every vif lives on, and nothing grows.

Counted before and after, without load: domains and their ids, event channels, xenstore's nodes, ferryd's
memory, Xen's free memory, the driver domain's mbufs, heap, grants and mappings. In the end the guest is
destroyed: a single mapping of its pages that was forgotten would keep its remains. bench/recovery.py --many N runs it longer.
"""
import re
import time
from dataclasses import dataclass

import recovery_common as common
import recovery_matrix as matrix
import recovery_measure as measure
from ferry_domnet import expect

FAULTS = 30
# In turn: two in three at depth 1, one in four at depth 2, one in thirty at depth 3.
# That one comes early: what leaks over the others must show in the domain that lived through them.
TURN = ("null text invariant xl-destroy null loop jump recovery nic-fault tables-text null xenstore-ring "
        "null text-traps jump invariant null tables-data heap null jump tables-wrong null invariant "
        "recovery null nic-loop jump null pool").split()
BATCH = 10  # faults that one TCP connection has to survive
PAUSE_S = 1.2  # a kernel that dies within a second of its start is taken for one that cannot run
RSS_GROWTH_KB = 512
FREE_GROWTH_MB = 1
MBUFS_GROWTH, HEAP_GROWTH = 16, 65536  # frames on their way; the bridge's stations


@dataclass
class Counted:
    """What could grow."""

    domains: list
    ports: dict  # by domain
    nodes: set
    ferryd_kb: int
    free_mb: int
    own: list  # by the driver domain itself: mbufs, bytes of the heap, grants, mappings


def own_report(scene):
    seen = scene.domain.console().count("report: ")
    scene.fault("report")
    common.wait_for(lambda: scene.domain.console().count("report: ") > seen, "no report", 10)
    numbers = re.findall(r"report: (\d+) mbufs and (\d+) bytes .*, (\d+) grants, (\d+) maps",
                         scene.domain.console())
    return [int(number) for number in numbers[-1]]


def count(scene):
    dom0 = scene.lab.dom0
    ids = sorted(int(line.split()[1]) for line in dom0.output("xl list").splitlines()[1:])
    own = own_report(scene)
    return Counted(
        domains=ids,
        ports={domid: len(dom0.output(f"/usr/lib/xen-4.17/bin/lsevtchn {domid}").splitlines())
               for domid in ids},
        nodes=set(dom0.output("xenstore-ls -f | sed 's/ = .*//'").splitlines()),
        ferryd_kb=int(dom0.output("awk '/VmRSS/ {print $2}' /proc/$(pidof ferryd)/status")),
        free_mb=int(dom0.output("xl info | awk '/^free_memory/ {print $3}'")), own=own)


def compare(before, after):
    """What grew, as text."""
    grown = []
    for what in ("domains", "ports"):
        old, new = getattr(before, what), getattr(after, what)
        if old != new:
            grown.append(f"{what}: {old} before, {new} after")
    if any(new - old > most for old, new, most in
           zip(before.own, after.own, (MBUFS_GROWTH, HEAP_GROWTH, 0, 0))):
        grown.append(f"mbufs, heap, grants, mappings: {before.own} before, {after.own} after")
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
    watch = matrix.Watch(scene, refused="xl-destroy" in kinds)
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
        watch.end(f"{len(depths)} faults")
    finally:
        watch.drop()


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
          f"ports {after.ports}; mbufs, heap, grants, mappings {before.own} before, {after.own} after",
          flush=True)
    expect(not grown, "after the faults it is not as before: " + "; ".join(grown))
    status = scene.status()
    expect(status["vifs"] == status["vifs_serving"] == 1, f"not every vif is served: {status}")
    return depths


def guest_leaves(scene):
    scene.guest.destroy()

    def is_gone():
        ids = scene.lab.dom0.output("xl list | awk '{print $2}'").split()
        return str(scene.guest_domid) not in ids
    common.wait_for(is_gone, "the guest's remains do not go: somebody has a page of it mapped", 20)


def run(lab, nr_faults=FAULTS):
    common.install(lab)
    common.prefer_dom0(lab)
    ferryd = common.supervise(lab, matrix.FERRYD)
    try:
        scene = matrix.Scene(lab, extra=matrix.RESTARTS)
        many(scene, nr_faults)
        guest_leaves(scene)
    finally:
        print(ferryd.stdout, flush=True)
    lab.dom0.run("ferry stop domnet", timeout=60)
