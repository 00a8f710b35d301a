# SPDX-License-Identifier: BSD-2-Clause
"""Every way to die, under a stock guest with load: no state changes, nothing is lost for good.

For each: TCP both ways survives with matching checksums, xenstored's own log shows that neither the
guest nor its backend went to Closing or Closed, the domain keeps its id, the depth is the expected one.
What the wire and the guest noticed is printed; bench/recovery.py makes figures of it. Those that differ
from another in a detail only are left out unless FERRY_LONG=1.
"""
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import ferry_domnet
import recovery_common as common
import recovery_measure as measure
from ferry_domnet import expect
from ferrylab import CheckFailed, CommandFailed
from recovery_zeros import Capture

IMAGE = "ferry-net-faults"
IS_LONG = "FERRY_LONG" in os.environ
KINDS = ("null", "text") if IS_LONG else ("text",)  # what befalls a flooding guest's backend, and two at once
FERRYD = "--max-deaths 15 --window 1"
RESTARTS = "restarts=60"  # by the kernel itself in a minute: more than there are faults
LIMIT_S = 40
SETTLE_S = 0.4
ANY = None


@dataclass(frozen=True)
class Case:
    name: str
    depth: int  # at which it must be repaired
    nic: str = ANY  # what must have become of the NIC: "kept" or "reset"
    refused: bool = False  # the NIC's reads are refused while it sends: zeros on the wire explain a change
    long: bool = False  # much like another


# A fault on request (domain/main/fault.c) unless there is a function of that name below.
CASES = [
    Case("null", 1, "kept"),
    Case("jump", 1, "kept", long=True),
    Case("invariant", 1, "kept", long=True),
    Case("recovery", 1, "kept"),
    Case("recovery-all", 3, long=True),
    Case("xenstore-ring", 1, "kept", long=True),
    Case("xenstore-told", 1, "kept", long=True),
    Case("heap", 1, "reset"),
    Case("pool", 1, "reset", long=True),
    Case("nic-fault", 1, "reset", long=True),
    Case("nic-wedge", 1, "reset"),
    Case("stack", 2, "kept"),  # no stack to tell the kernel of it: Xen ends the domain
    Case("loop", 2, "kept", long=True),
    Case("text", 2, "kept"),
    Case("text-traps", 2, "kept", long=True),
    Case("tables-text", 2, "kept", long=True),
    Case("tables-data", 2, long=True),
    Case("tables-wrong", 2, "kept", long=True),
    Case("tables-l2", 2, "kept", long=True),
    Case("nic-loop", 2, "reset"),
    Case("storm", 3, long=True),
    # It takes the NIC from a domain that still runs (docs/recovery.md, "What `xl destroy` does to frames").
    Case("xl-destroy", 3, refused=True),
]


class Scene:
    """A driver domain of the image with faults, ferryd, a stock guest."""

    def __init__(self, lab, name="domnet", nic="A", number=1, store=None, **settings):
        self.lab, self.name, self.wire = lab, name, lab.wire[nic]
        path = common.config(lab, name=name, image=IMAGE, nic=nic, **settings)
        self.domain = common.start(lab, path, name)
        self.guest = ferry_domnet.guest(lab, number, backend=name, nic=nic)
        lab.wait_console(name, "nic0: link up", timeout=20)
        self.guest.run(f"ping -c 3 -i 0.2 {self.wire.ip}")
        self.store = store or measure.StoreLog(lab)
        self.guest_domid, self.domid = self.guest.domid, self.domain.domid
        self._tag = 0

    def status(self):
        return common.status(self.lab, self.name)

    def fault(self, kind):
        self._tag += 1
        self.lab.dom0.run(f"xenstore-write /local/domain/{self.domid}/ferry/fault '{kind} {self._tag}'")

    def died(self, before):
        """The deaths since a status, oldest first; none while one is not over."""
        now = self.status()
        over = (now["state"] == "running" and now["vifs"] == now["vifs_serving"] > 0 and
                now["wish"] == "run" and now["deaths"] and now["deaths"][-1]["back_ms"] >= 0)
        count = now["nr_deaths"] - before["nr_deaths"]
        return now["deaths"][-count:] if over and count else []


def xl_destroy(scene):
    scene.lab.dom0.run(f"xl destroy {scene.name}", timeout=60)


class Held:
    """ferryd does nothing meanwhile: a gap as long as the test needs it."""

    def __init__(self, scene):
        self._run = scene.lab.dom0.run

    def __enter__(self):
        self._run("kill -STOP $(pidof ferryd)")

    def __exit__(self, *_exception):
        self._run("kill -CONT $(pidof ferryd)")


class Watch:
    """One guest under load while something happens.

    refused: the NIC's reads may be refused in it, so that whole frames are kept until the end. Data that was changed on its
    way to the wire passes if each changed byte is a zero there that the emulated NIC made of a refused read; else nothing does.
    """

    def __init__(self, scene, light=False, refused=False):
        self.scene = scene
        self._captured = scene.wire.capture("refused") if refused and not light else None
        self.before = scene.status()
        self._states = common.StateLog(scene.lab, common.domid_front(scene.guest) + "/state")
        scene.store.listen(not light)
        scene.store.mark()
        self.load = measure.Load(scene.lab, scene.guest, scene.wire, light)
        self.load.wait_flowing()
        self.window = measure.Window(self.load)
        self._asked_ns = time.time_ns()

    def wait_back(self, what, depth=1):
        """Until a death is repaired, at that depth or beyond: the way there may be several deaths."""
        def is_back():
            deaths = self.scene.died(self.before)
            return deaths and deaths[-1]["depth"] >= depth
        common.wait_for(is_back, f"{what}: not back", LIMIT_S)
        time.sleep(SETTLE_S)
        self.window.close()

    def drop(self):
        self.load.drop()
        if self._captured:
            self.scene.wire.capture_stop()
            self._captured.unlink(missing_ok=True)

    def _check_changes(self, what):
        told = self.load.told
        expect(self._captured and set(told) <= {"to wire"}, f"{what}: the data changed on its way: {told}")
        self.scene.wire.capture_stop()
        holds, text = Capture(self._captured).explains(told["to wire"], measure.SEND_PORT, self._asked_ns)
        expect(holds, f"{what}: the data changed on its way, and not by refused reads alone: {text}")
        print(f"recovery_matrix: {what}: refused reads went out as zeros: {text}", flush=True)

    def end(self, what):
        """The checks. Returns the figures, the deaths in them."""
        scene = self.scene
        mbytes, same = self.load.end()
        figures = self.window.figures()
        states = measure.connected_throughout(scene.store, self._states, scene.guest_domid, scene.domid,
                                              what)
        self._states.end()
        figures.mbytes, figures.same = [round(count / 1e6, 1) for count in mbytes], same
        figures.extra["deaths"] = scene.died(self.before)
        if not same:
            self._check_changes(what)
        expect(scene.domain.domid == scene.domid, f"{what}: it came back with another id")
        print(f"recovery_matrix: {what}: {figures.text()}; {figures.mbytes} MB with "
              f"{'matching' if same else 'OTHER'} sums; {states}", flush=True)
        return figures


def depths(figures):
    return [death["depth"] for death in figures.extra["deaths"]]


def as_expected(case, figures):
    deaths = figures.extra["deaths"]
    ways = [f"{death['cause']}, {death['way']} at depth {death['depth']} in {death['back_ms']} ms, "
            f"NIC {death['nic'] or 'new'}" for death in deaths]
    print(f"recovery_matrix: {case.name}: {'; '.join(ways)}", flush=True)
    # A kernel that finds out on its way that the NIC cannot be kept begins again: two restarts.
    expect(case.name == "storm" or len({death["reason"] for death in deaths}) == 1,
           f"{case.name}: another death besides: {ways}")
    expect(deaths[-1]["depth"] == case.depth, f"{case.name}: not at depth {case.depth}: {ways}")
    expect(case.nic is ANY or deaths[-1]["nic"].startswith(case.nic),
           f"{case.name}: NIC not {case.nic}: {ways}")


def one(scene, case, light=False):
    watch = Watch(scene, light, case.refused)
    try:
        if case.name == "xl-destroy":
            xl_destroy(scene)
        else:
            scene.fault(case.name)
        watch.wait_back(case.name, case.depth if case.name == "storm" else 1)
        figures = watch.end(case.name)
    finally:
        watch.drop()
    as_expected(case, figures)
    return figures


# What happens while nobody serves the guests.


def guest_created(scene):
    """A guest is created while its backend is dead: it is served by the one that comes back.

    When the domain had to be rebuilt, the guest's creation may have been refused by xl, and then
    works the second time.
    """
    watch = Watch(scene)
    with ThreadPoolExecutor(1) as pool:
        with Held(scene):
            scene.fault("text")
            time.sleep(0.5)
            creation = pool.submit(ferry_domnet.guest, scene.lab, 3)
            time.sleep(1.5)
        refused = creation.exception()
    watch.wait_back("guest-created")
    figures = watch.end("guest-created")
    if refused and (not isinstance(refused, CommandFailed) or depths(figures) != [3]):
        raise refused
    newcomer = ferry_domnet.guest(scene.lab, 3) if refused else creation.result()
    print(f"recovery_matrix: guest-created: served {'at the second try' if refused else 'at once'}, "
          f"depths {depths(figures)}", flush=True)
    newcomer.run(f"ping -c 3 -i 0.2 -W 2 {scene.wire.ip}")
    return newcomer


def guest_destroyed(scene, victim):
    """A guest goes while its backend is gone: what is brought back does not know it."""
    domid = victim.domid
    watch = Watch(scene, refused=True)
    with Held(scene):
        xl_destroy(scene)
        ending = scene.lab.dom0.start(f"xl destroy {victim.name}")
        time.sleep(1)
    expect(ending.wait(60).rc == 0, f"xl destroy {victim.name}: {ending.stderr}")
    watch.wait_back("guest-destroyed")
    watch.end("guest-destroyed")
    watch.drop()
    expect(scene.status()["vifs"] == 1, "the vif of a guest that is gone was brought back")
    left = scene.lab.dom0.run(f"xenstore-ls /local/domain/{scene.domid}/backend/vif/{domid}",
                              check=False)
    expect(left.rc, f"nodes of a guest that is gone: {left.stdout}")


def guest_flooding(scene, kind):
    """As many frames as the guest can make, through the gap."""
    server = scene.wire.popen("exec iperf3 -s -1 -p 5320", stdout=-3)
    time.sleep(0.3)
    watch = Watch(scene)
    flood = scene.guest.start(f"exec iperf3 -c {scene.wire.ip} -p 5320 -u -b 0 -l 1400 -t 60")
    time.sleep(1)
    scene.fault(kind)
    watch.wait_back(f"guest-flooding, {kind}")
    expect(flood.rc is None, f"the flood ended early: {flood.stdout} {flood.stderr}")
    flood.kill()
    server.kill()
    server.wait()
    watch.end(f"guest-flooding, {kind}")


def both_die(one_scene, other_scene, kind):
    """Two driver domains on two NICs, at once."""
    watches = [Watch(scene) for scene in (one_scene, other_scene)]
    for scene in (one_scene, other_scene):
        scene.fault(kind)
    for watch in watches:
        watch.wait_back(f"two at once, {kind}, {watch.scene.name}")
    for watch in watches:
        watch.end(f"two at once, {kind}, {watch.scene.name}")


def in_the_gap(scene):
    newcomer = guest_created(scene)
    guest_destroyed(scene, newcomer)
    for kind in KINDS:
        guest_flooding(scene, kind)


def two_domains(lab, scene):
    other = Scene(lab, name="domnet2", nic="B", number=2, store=scene.store)
    for kind in KINDS:
        both_die(scene, other, kind)
    lab.dom0.run("ferry stop domnet2", timeout=60)


def all_of_them(scene, cases, rounds=1, found=None, light=False):
    """Each case so often; what failed as text. found: takes the figures of each case."""
    failures = []
    for case in cases * rounds:
        try:
            figures = one(scene, case, light)
        except CheckFailed as failed:
            print(f"recovery_matrix: FAILED: {failed}", flush=True)
            failures.append(str(failed))
            common.wait_for(lambda: scene.status()["state"] == "running",
                            f"after {case.name}: nothing left to go on with", LIMIT_S)
            continue
        if found is not None:
            found.setdefault(case.name, []).append(figures)
    return failures


def run(lab):
    cases = [case for case in CASES if IS_LONG or not case.long]
    common.install(lab)
    common.prefer_dom0(lab)
    ferryd = common.supervise(lab, FERRYD)
    try:
        scene = Scene(lab, extra=RESTARTS)
        failures = all_of_them(scene, cases)
        in_the_gap(scene)
        two_domains(lab, scene)
    finally:
        print(ferryd.stdout, flush=True)
    expect(not failures, f"{len(failures)} of {len(cases)} faults:\n" + "\n".join(failures))
    lab.dom0.run("ferry stop domnet", timeout=60)
    expect(not scene.domain.exists(), "ferryd brought back what was stopped")
