# SPDX-License-Identifier: BSD-2-Clause
"""A hostile guest with two vCPUs attacks in the gap between a driver domain's death and its return, at each depth: rings,
indices, slots, grants, nodes and events rewritten, at random.

The recovery must be the one that the fault needs; the hostile vif goes on, or it alone is closed with a sentence; a good guest's
TCP goes on, with right checksums, its frontend Connected all the time. Six attacks; bench/recovery_attacks.py runs many.
What an attack does depends on its seed alone, which is printed.
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
LIMIT_S = {1: 20, 2: 30, 3: 70}
BATCH = 10  # attacks that one TCP connection has to survive
NAME = "attacker"
PORT = 5450


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
        return (f"seed {self.seed}: {self.kind}, depth {self.depth} by {self.fault}, begins after {self.stall_us} us "
                f"without an answer, for {self.length_ms} ms")


class Scene:
    def __init__(self, lab):
        self.lab = lab
        path = common.config(lab, image="ferry-net-faults", extra="restarts=1000000 bridge=xenbr0,uplink=nic0")
        self.domain = common.start(lab, path)
        lab.wait_console("domnet", "nic0: link up", timeout=20)
        self.domid = self.domain.domid
        self.guest = ferry_domnet.guest(lab, 1)
        self.states = common.StateLog(lab, common.domid_front(self.guest) + "/state")
        self.stream, self.nr_streams, self.nr_attackers, self.nr_deaths = None, 0, 0, 0
        self.number, self.attacker = 0, None
        hostile_guest.install(lab)
        self.attacker_start()
        self.stream_begin()

    def attacker_start(self):
        self.nr_attackers += 1
        self.attacker = f"{NAME}{self.nr_attackers}"
        self.number = 0
        self.attacker_domid = hostile_guest.start(self.lab, self.attacker, "gap", vcpus=2).domid
        self.lab.wait_console(self.attacker, "hostile: waiting", timeout=20)

    def attacker_renew(self):
        self.lab.dom0.run(f"xl destroy {self.attacker}", check=False)
        hostile_guest.wait_gone(self.lab, self.attacker)
        self.attacker_start()

    def stream_begin(self):
        self.nr_streams += 1
        self.stream = common.CheckedStreams(self.lab, self.guest, [(self.lab.wire["A"], PORT + self.nr_streams)])

    def stream_end(self, when):
        self.stream.end(when)
        self.stream_begin()

    def tell(self, words):
        self.lab.dom0.run(f"xenstore-write /local/domain/{self.attacker_domid}/data/gap '{self.number} {words}'")

    def die(self, fault):
        """Each request has another number: the same one again is taken for one that was done."""
        self.nr_deaths += 1
        self.lab.dom0.run(f"xenstore-write /local/domain/{self.domid}/ferry/fault '{fault} {self.nr_deaths}'")

    def vifs_closed(self):
        """How often each vif has been closed, as the driver domain's console has it."""
        return Counter(re.findall(r"warning: (vif\d+\.0): closed: ", self.lab.console("domnet")))


def attacked(scene, attack):
    """Returns what came of it, as text. CheckFailed if anybody but the attacker was harmed."""
    lab, what = scene.lab, str(attack)
    scene.number += 1
    closed = scene.vifs_closed()
    deaths = common.status(lab)["nr_deaths"]
    time.sleep(PAUSE_S)
    scene.tell(f"{attack.kind} {attack.seed} {attack.stall_us} {attack.length_ms}")
    lab.wait_console(scene.attacker, rf"hostile: #{scene.number} armed", timeout=10)
    time.sleep(attack.wait_s)
    scene.die(attack.fault)
    common.wait_for(lambda: common.is_over(lab, deaths), f"{what}: not back", LIMIT_S[attack.depth])
    now = common.status(lab)
    death = now["deaths"][-1]
    scene.tell("settle")
    said = lab.wait_console(scene.attacker, rf"hostile: #{scene.number} (settled|failed): (.*)|hostile: gave up.*|ferry: crash",
                            timeout=40)
    scene.stream.go_on(what)
    expect(now["nr_deaths"] == deaths + 1, f"{what}: {now['nr_deaths'] - deaths} deaths: {now['deaths'][-3:]}")
    expect(death["depth"] == attack.depth, f"{what}: {death['way']} at depth {death['depth']}: {death}")
    expect(scene.domain.domid == scene.domid, f"{what}: the driver domain has another id")
    mine = f"vif{scene.attacker_domid}.0"
    others = {vif: nr - closed[vif] for vif, nr in scene.vifs_closed().items() if nr != closed[vif] and vif != mine}
    expect(not others, f"{what}: vifs of others were closed: {others}")
    replugged = attack.depth == 3 and death["way"] == "replugged"
    if said[1] != "settled" and replugged:
        scene.attacker_renew()
        return "its vif was replugged"
    expect(said[1] == "settled", f"{what}: {said[0]}")
    return said[2]


def all_of(scene, attacks):
    """Returns (what failed, how often what came of them)."""
    failures, outcomes, last = [], Counter(), None
    for nr, attack in enumerate(attacks, 1):
        # Of two deaths alike, one soon after the other, ferryd takes the second for one that wants a greater depth.
        if last and last.depth == attack.depth == 2 and last.fault == attack.fault:
            attack.fault = next(fault for fault in FAULTS[2] if fault != last.fault)
        last = attack
        try:
            outcome = attacked(scene, attack)
        except CheckFailed as failed:
            failures.append(str(failed))
            print(f"recovery_attacks: FAILED: {failed}", flush=True)
            common.wait_for(lambda: common.status(scene.lab)["state"] == "running", "nothing left to go on with", 60)
            scene.attacker_renew()
            outcome = "FAILED"
        word = re.search(r"closed|goes on|replugged|FAILED", outcome)
        in_time = "" if "attacked=0" not in outcome else ", not in time"
        outcomes[attack.depth, (word[0] if word else outcome) + in_time] += 1
        print(f"recovery_attacks: {nr} of {len(attacks)}: {attack}: {outcome}", flush=True)
        if nr % BATCH == 0:
            scene.stream_end(f"after {nr} attacks")
    return failures, outcomes


def run(lab, attacks=None):
    attacks = attacks or [Attack(SEED + nr, *which) for nr, which in enumerate(IN_SHORT)]
    common.install(lab)
    common.prefer_dom0(lab)
    ferryd = common.supervise(lab, matrix.FERRYD)
    try:
        scene = Scene(lab)
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
    expect(not failures, f"{len(failures)} of {len(attacks)} attacks:\n" + "\n".join(failures))
    return outcomes
