# SPDX-License-Identifier: BSD-2-Clause
"""A stock guest behind the attacker: events without end, answers without order, garbage. It lives, and says what it saw."""
import os

import ferry_domnet

LONG = bool(os.environ.get("FERRY_LONG"))
NR_EVENTS = 10_000_000 if LONG else 1_000_000


def said_by(guest, lines):
    return guest.output("dmesg").splitlines()[lines:]


def attack(scene, guest, command, timeout=60):
    lines = len(guest.output("dmesg").splitlines())
    guest.start("ping -c 20 -i 0.1 -W 1 10.77.0.99 > /dev/null 2>&1")
    answer = scene.evil.do(command, timeout)
    alive = guest.run("echo alive", timeout=20, check=False)
    said = said_by(guest, lines)
    print(f"evil_domain: {command}: {answer}; the guest says {said[:6]} ({len(said)} lines)", flush=True)
    scene.check(alive.stdout.strip() == "alive", f"{command}: the guest lives")
    scene.check(not any("BUG" in line or "Oops" in line or "Call Trace" in line for line in said),
                f"{command}: the guest's kernel does not stumble")


def run(scene):
    number = scene.evil.begin("netback")
    guest = ferry_domnet.guest(scene.lab, 9, backend="evil", name="victim")
    scene.evil.end(number, 60)
    attack(scene, guest, f"events {NR_EVENTS}", 120)
    attack(scene, guest, "disorder 20")
    attack(scene, guest, "received 20")
    attack(scene, guest, "garbage 100")
    scene.victim = guest
