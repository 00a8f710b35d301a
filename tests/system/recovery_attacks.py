# SPDX-License-Identifier: BSD-2-Clause
"""A hostile guest with two vCPUs attacks in the gap between a driver domain's death and its return, at each depth: rings,
indices, slots, grants, nodes and events rewritten, at random.

The recovery must be the one that the fault needs; the hostile vif goes on, or it alone is closed with a sentence; a good guest's
TCP goes on, with right checksums, its frontend Connected all the time. Six attacks; bench/recovery_attacks.py runs many.
What an attack does depends on its seed alone, which is printed; attacks of one depth share a death, whose fault and moment are the first one's.
"""
import os
import random
import re
import time
from collections import Counter
from dataclasses import dataclass

import ferry_domnet
import hostile_guest
import recovery_common as common
import recovery_matrix as matrix
from ferry_domnet import expect
from ferrylab import CheckFailed

IN_CHECK = False  # on a busy machine attacks come too late, or a stall is taken for a hang
ALONE = True  # a machine that takes time from QEMU makes stalls that are taken for hangs
SEED = int(os.environ.get("RECOVERY_ATTACKS_SEED", "1"))
IN_SHORT = [("answers", 1), ("slots", 2), ("pages", 2), ("all", 1), ("indices", 2), ("grants", 3)]
KINDS = "answers slots rx-slots grants storm indices pages all nodes port".split()
# How the domain dies; of depth 2 the one that is found at once, and one that hangs for a while first.
FAULTS = {1: ["null"], 2: ["text", "loop"], 3: ["recovery-all"]}
DEPTHS = [1] * 10 + [2] * 9 + [3]
# How long frames may have been unanswered before the attack begins, us, and how long it lasts, ms.
STALLS = {1: (200, 400, 1000, 5000), 2: (1000, 5000, 20000, 40000), 3: (40000, 100000, 300000)}
LENGTHS = {1: (1, 5, 20), 2: (5, 20, 50), 3: (20, 200, 1000)}
PAUSE_S = 1.2  # a kernel that dies within a second of its start is taken for one that cannot run
LIMIT_S = {1: 60, 2: 60, 3: 150}  # bounds waiting only; how long a recovery takes is measured elsewhere
BATCH = 10  # deaths that one TCP connection has to survive
ATTACKERS = 2  # that attack in the same gap
WEIGHT = 32  # of 256, for xl sched-credit: they attack with the processor time that the recovery leaves
PORT = 5450
BACK = re.compile(r"restarted itself after|running again")


@dataclass
class Attack:
    """All of it follows from the seed, unless kind and depth are given."""

    seed: int
    kind: str = ""
    depth: int = 0

    def __post_init__(self):
        drawn = random.Random(self.seed)
        depth, kind = drawn.choice(DEPTHS), drawn.choice(KINDS)
        self.depth, self.kind = self.depth or depth, self.kind or kind
        self.fault = drawn.choice(FAULTS[self.depth])
        self.stall_us, self.length_ms = drawn.choice(STALLS[self.depth]), drawn.choice(LENGTHS[self.depth])
        self.wait_s = drawn.uniform(0, 0.02)

    def __str__(self):
        return (f"seed {self.seed}: {self.kind}, depth {self.depth}, begins after {self.stall_us} us "
                f"without an answer, for {self.length_ms} ms")


class Attacker:
    """A guest with two vCPUs that attacks when it is told to; begun anew when its vif is lost for good."""

    def __init__(self, lab, number):
        self.lab, self._number, self._nr_guests = lab, number, 0
        self.start()

    def start(self):
        self._nr_guests += 1
        self.name = f"attacker{self._number}x{self._nr_guests}"
        self.number = 0  # of what it was told last
        self.domid = hostile_guest.start(self.lab, self.name, "gap", vcpus=2, number=hostile_guest.IP_NUMBER + self._number).domid
        self.lab.dom0.run(f"xl sched-credit -d {self.name} -w {WEIGHT}")
        self.lab.wait_console(self.name, "hostile: waiting", timeout=60)

    def renew(self):
        self.lab.dom0.run(f"xl destroy {self.name}", check=False)
        hostile_guest.wait_gone(self.lab, self.name)
        self.start()

    @property
    def vif(self):
        return f"vif{self.domid}.0"

    def said(self, words, limit):
        return self.lab.wait_console(self.name, rf"hostile: #{self.number} {words}|hostile: gave up.*|ferry: crash", timeout=limit)


class Scene:
    def __init__(self, lab, ferryd):
        self.lab, self.ferryd = lab, ferryd
        path = common.config(lab, image="ferry-net-faults", extra="restarts=1000000 bridge=xenbr0,uplink=nic0")
        self.domain = common.start(lab, path)
        lab.wait_console("domnet", "nic0: link up", timeout=20)
        self.domid = self.domain.domid
        self.guest = ferry_domnet.guest(lab, 1)
        self.states = common.StateLog(lab, common.domid_front(self.guest) + "/state")
        self.stream, self.nr_streams, self.nr_asked, self.said = None, 0, 0, 0
        hostile_guest.install(lab)
        self.attackers = [Attacker(lab, number) for number in range(ATTACKERS)]
        self.nr_deaths, self.back_at = common.status(lab)["nr_deaths"], time.monotonic()
        self.stream_begin()

    def stream_begin(self):
        self.nr_streams += 1
        self.stream = common.CheckedStreams(self.lab, self.guest, [(self.lab.wire["A"], PORT + self.nr_streams)])

    def stream_end(self, when):
        self.stream.end(when)
        self.stream_begin()

    def tell(self, words):
        """What each of the first attackers is to do: one text for each."""
        self.lab.dom0.run("".join(f"xenstore-write /local/domain/{attacker.domid}/data/gap '{attacker.number} {text}';"
                                  for attacker, text in zip(self.attackers, words)))

    def die(self, fault):
        """Each request has another number: the same one again is taken for one that was done."""
        self.nr_asked += 1
        self.said = len(self.ferryd.stdout)
        self.lab.dom0.run(f"xenstore-write /local/domain/{self.domid}/ferry/fault '{fault} {self.nr_asked}'")

    def wait_back(self, what, limit):
        """Returns the status of a domain that has died since the last one, and is back.

        Until ferryd has said so nothing is asked: each `ferry status` costs dom0 time that the recovery needs.
        """
        common.wait_for(lambda: BACK.search(self.ferryd.stdout[self.said:]), f"{what}: ferryd says nothing of a recovery", limit)
        common.wait_for(lambda: common.is_over(self.lab, self.nr_deaths), f"{what}: not back", limit)
        self.back_at = time.monotonic()
        now = common.status(self.lab)
        nr, self.nr_deaths = now["nr_deaths"] - self.nr_deaths, now["nr_deaths"]
        expect(nr == 1, f"{what}: {nr} deaths: {now['deaths'][-3:]}")
        return now

    def recover(self):
        """After a check that failed."""
        common.wait_for(lambda: common.status(self.lab)["state"] == "running", "nothing left to go on with", 60)
        for attacker in self.attackers:
            attacker.renew()
        self.nr_deaths, self.back_at = common.status(self.lab)["nr_deaths"], time.monotonic()

    def vifs_closed(self):
        """How often each vif has been closed, as the driver domain's console has it."""
        return Counter(re.findall(r"warning: (vif\d+\.0): closed: ", self.lab.console("domnet")))


def groups_of(attacks):
    """Attacks of one depth, as many to one death as there are attackers."""
    waiting, groups = {}, []
    for attack in attacks:
        group = waiting.setdefault(attack.depth, [])
        group.append(attack)
        if len(group) == ATTACKERS:
            groups.append(waiting.pop(attack.depth))
    return groups + list(waiting.values())


def attacked(scene, group, fault):
    """All of a group at one death. Returns what came of each, as text. CheckFailed if anybody but the attackers was harmed."""
    depth, what, began = group[0].depth, "; ".join(map(str, group)), time.monotonic()
    attackers, closed = scene.attackers[:len(group)], scene.vifs_closed()
    for attacker in attackers:
        attacker.number += 1
    time.sleep(max(0, scene.back_at + PAUSE_S - began))
    scene.tell([f"{attack.kind} {attack.seed} {attack.stall_us} {attack.length_ms}" for attack in group])
    for attacker in attackers:
        expect("armed" in attacker.said("armed", 30)[0], f"{what}: {attacker.name} is not armed")
    time.sleep(group[0].wait_s)
    times = [time.monotonic()]
    scene.die(fault)
    now = scene.wait_back(what, LIMIT_S[depth])
    times.append(time.monotonic())
    death = now["deaths"][-1]
    scene.tell(["settle"] * len(group))
    said = [attacker.said("(settled|failed): (.*)", 40) for attacker in attackers]
    times.append(time.monotonic())
    scene.stream.go_on(what)
    times.append(time.monotonic())
    expect(death["depth"] == depth, f"{what}: {death['way']} at depth {death['depth']}: {death}")
    expect(scene.domain.domid == scene.domid, f"{what}: the driver domain has another id")
    mine = {attacker.vif for attacker in attackers}
    others = {vif: nr - closed[vif] for vif, nr in scene.vifs_closed().items() if nr != closed[vif] and vif not in mine}
    expect(not others, f"{what}: vifs of others were closed: {others}")
    print("recovery_attacks: armed, back, settled, TCP goes on after, s: " +
          ", ".join(f"{at - began:.1f}" for at in times), flush=True)
    return [outcome(attacker, attack, line, death) for attacker, attack, line in zip(attackers, group, said)]


def outcome(attacker, attack, line, death):
    if line[1] != "settled" and attack.depth == 3 and death["way"] == "replugged":
        attacker.renew()
        return "its vif was replugged"
    expect(line[1] == "settled", f"{attack}: {line[0]}")
    return line[2]


def all_of(scene, attacks):
    """Returns (what failed, how often what came of them)."""
    failures, outcomes, last, nr_done = [], Counter(), None, 0
    for nr, group in enumerate(groups_of(attacks), 1):
        depth, fault = group[0].depth, group[0].fault
        # Of two deaths alike, one soon after the other, ferryd takes the second for one that wants a greater depth.
        if last == (depth, fault) and depth == 2:
            fault = next(other for other in FAULTS[2] if other != fault)
        last = depth, fault
        try:
            came = attacked(scene, group, fault)
        except CheckFailed as failed:
            failures.append(str(failed))
            print(f"recovery_attacks: FAILED: {failed}", flush=True)
            scene.recover()
            came = ["FAILED"] * len(group)
        for attack, text in zip(group, came):
            word = re.search(r"closed|goes on|replugged|FAILED", text)
            by_first = attack.kind in ("nodes", "port")  # the first vCPU's changes are not counted
            in_time = ", not in time" if "attacked=0" in text or "changes=0 " in text and not by_first else ""
            outcomes[depth, (word[0] if word else text) + in_time] += 1
            nr_done += 1
            print(f"recovery_attacks: {nr_done} of {len(attacks)}: {attack}: by {fault}: {text}", flush=True)
        if nr % BATCH == 0:
            scene.stream_end(f"after {nr} deaths")
    return failures, outcomes


def run(lab, attacks=None):
    attacks = attacks or [Attack(SEED + nr, *which) for nr, which in enumerate(IN_SHORT)]
    common.install(lab)
    common.prefer_dom0(lab)
    ferryd = common.supervise(lab, matrix.FERRYD)
    try:
        scene = Scene(lab, ferryd)
        failures, outcomes = all_of(scene, attacks)
        scene.stream.end("at the end")
    finally:
        print("".join(line + "\n" for line in ferryd.stdout.splitlines() if "restarted itself" not in line), flush=True)
    seen = set(scene.states.values())
    expect(seen == {"4"}, f"the good guest's frontend went {seen}")
    for (depth, outcome), nr in sorted(outcomes.items()):
        print(f"recovery_attacks: depth {depth}: {outcome}: {nr}", flush=True)
    ferry_vifs = common.status(lab)
    print(f"recovery_attacks: {len(attacks)} attacks, {len(failures)} failed; vifs {ferry_vifs['vifs']}, "
          f"serving {ferry_vifs['vifs_serving']}", flush=True)
    late = sum(nr for (_, outcome), nr in outcomes.items() if "not in time" in outcome)
    expect(late * 2 <= len(attacks), f"{late} of {len(attacks)} attacks came too late to change anything: nothing was tried")
    expect(not failures, f"{len(failures)} of {len(attacks)} attacks:\n" + "\n".join(failures))
    return outcomes
