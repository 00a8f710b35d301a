# SPDX-License-Identifier: BSD-2-Clause
"""Stock guests behind the attacker: events without end, answers without order, garbage. They live, and say what they saw.

A frontend that has seen nonsense takes no more of it, so each kind of attack has a guest of its own.
"""
import os

import ferry_domnet
import hostile_guest
from ferry_domnet import expect

LONG = bool(os.environ.get("FERRY_LONG"))
NR_EVENTS = 10_000_000 if LONG else 1_000_000
# Commands of tests/evil/guest.c, and what the guest's frontend says of them: None where it need not say anything.
ATTACKS = [(f"events {NR_EVENTS}", None), ("disorder 20", "inactive request"), ("received 20", None), ("garbage 100", None)]
STUMBLES = ("BUG", "Oops", "Call Trace", "general protection", "WARNING:")


def attack(scene, number, command, wanted):
    name = f"victim{number}"
    asked = scene.evil.begin("netback")
    guest = ferry_domnet.guest(scene.lab, 9, backend="evil", name=name)
    scene.evil.end(asked, 60)
    lines = len(guest.output("dmesg").splitlines())
    guest.start("ping -c 30 -i 0.1 -W 1 10.77.0.99 > /dev/null 2>&1")
    answer = scene.evil.do(command, 120)
    alive = guest.run("echo alive", timeout=20, check=False)
    said = guest.output("dmesg").splitlines()[lines:]
    print(f"evil_domain: {command}: {answer}; the guest says {said[:6]} ({len(said)} lines)", flush=True)
    expect(answer, f"{command}: it does not say what it did")
    scene.check(alive.stdout.strip() == "alive", f"{command}: the guest lives")
    scene.check(not any(word in line for line in said for word in STUMBLES), f"{command}: the guest's kernel does not stumble")
    if wanted:
        scene.check(any(wanted in line for line in said), f"{command}: its frontend says `{wanted}`")
    scene.evil.do("release")
    guest.destroy()
    hostile_guest.wait_gone(scene.lab, name, 30)


def run(scene):
    for number, (command, wanted) in enumerate(ATTACKS):
        attack(scene, number, command, wanted)
