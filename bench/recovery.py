#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measure the deaths of a driver domain: every fault, at each depth, and the Linux peer beside it.

usage: bench/recovery.py [ROUNDS [PEER_ROUNDS]]    (5 of each fault under load, 3 of the peer)
       bench/recovery.py --many N                  N faults in a row (300), nothing may grow
       bench/recovery.py --draw FILE               tables and the drawing from figures kept before

Keeps what it found in build/recovery-figures.json, and writes docs/recovery-figures.md and
docs/recovery-timeline.svg from it. A figure never fails; a guest that notices does.
"""
import dataclasses
import json
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "lab"), str(ROOT / "tests" / "system"), str(ROOT / "bench")]

import recovery_common as common  # noqa: E402 (the paths come first)
import recovery_many  # noqa: E402
import recovery_matrix as matrix  # noqa: E402
import recovery_peer  # noqa: E402
import recovery_report  # noqa: E402
from ferrylab import CheckFailed, Lab  # noqa: E402
from ferrylab.cli import exit_code  # noqa: E402
from ferrylab.progress import say  # noqa: E402

KEPT = ROOT / "build" / "recovery-figures.json"
MANY = 300
# One of each path, again with nothing but pings: so the processors' other work does not count.
LIGHT = ["null", "nic-fault", "text", "loop", "nic-loop", "recovery-all"]
LIGHT_FACTOR = 3
QUIET_S = 0.8


def nothing(scene, light):
    """The same measurement without a fault: what the machine's own noise looks like."""
    watch = matrix.Watch(scene, light)
    time.sleep(QUIET_S)
    watch.window.close()
    figures = watch.end("nothing")
    if figures.extra["deaths"]:
        raise CheckFailed(f"nothing happened, but: {figures.extra['deaths']}")
    return figures


def ferry_part(lab, rounds):
    found = {"load": {}, "light": {}}
    ferryd = common.supervise(lab, matrix.FERRYD)
    try:
        scene = matrix.Scene(lab, extra=matrix.RESTARTS)
        lights = [case for case in matrix.CASES if case.name in LIGHT]
        found["failures"] = matrix.all_of_them(scene, lights, rounds * LIGHT_FACTOR, found["light"], True)
        found["failures"] += matrix.all_of_them(scene, matrix.CASES, rounds, found["load"])
        for way, light in [("light", True), ("load", False)] * rounds:
            try:
                found[way].setdefault("nothing", []).append(nothing(scene, light))
            except CheckFailed as failed:
                found["failures"].append(str(failed))
    finally:
        print(ferryd.stdout, flush=True)
    scene.guest.destroy()
    lab.dom0.run("ferry stop domnet", timeout=60)
    ferryd.kill()
    return found


def peer_part(lab, rounds):
    scene = recovery_peer.Scene(lab)
    return [recovery_peer.one(scene) for _ in range(rounds)]


def plain(found):
    """For JSON: each Figures as a dict."""
    if dataclasses.is_dataclass(found):
        return dataclasses.asdict(found)
    if isinstance(found, dict):
        return {key: plain(value) for key, value in found.items()}
    return [plain(item) for item in found] if isinstance(found, (list, tuple)) else found


def measure(rounds, peer_rounds):
    with Lab("bench-recovery", alone=True) as lab:
        common.install(lab)
        common.prefer_dom0(lab)
        busy = os.getloadavg()[0]
        found = ferry_part(lab, rounds)
        found["peer"] = peer_part(lab, peer_rounds) if peer_rounds else []
    found.update(rounds=rounds, date=time.strftime("%Y-%m-%d"), busy_before=busy,
                 processors=os.cpu_count())
    KEPT.write_text(json.dumps(plain(found), indent=1) + "\n")
    say(f"kept in {KEPT}")
    recovery_report.write(json.loads(KEPT.read_text()))
    for failure in found["failures"]:
        print(f"FAILED: {failure}")
    return 1 if found["failures"] else 0


def many(nr_faults):
    with Lab("bench-recovery-many", alone=True) as lab:
        recovery_many.run(lab, nr_faults)
    return 0


def main(words):
    if words[:1] == ["--many"]:
        return many(int(words[1]) if len(words) > 1 else MANY)
    if words[:1] == ["--draw"]:
        return recovery_report.write(json.loads(Path(words[1]).read_text()))
    numbers = [int(word) for word in words]
    return measure(*(numbers + [5, 3][len(numbers):]))


if __name__ == "__main__":
    sys.exit(exit_code(main, sys.argv[1:]))
