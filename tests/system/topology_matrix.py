# SPDX-License-Identifier: BSD-2-Clause
"""Runs the rows of topologies behind a Linux driver domain and behind Ferry, and compares.

A row asks one question of a wiring and gets an answer as text. `expected` is what it should be; where
Linux with the stock scripts says something else, `linux` is that, and `why` the reason.

What Linux says stands in the rows, so it is not asked each time: with FERRY_LONG=1 it is.
FERRY_TOPOLOGY=bridge,nat FERRY_KIND=linux run a part of it.
"""
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Callable

from ferry_domnet import expect
from ferrylab import CheckFailed
from topology_world import World

SKIPPED = "-"


@dataclass
class Row:
    what: str
    ask: Callable  # of a World
    expected: str
    linux: str = None
    why: str = ""
    ferry_only: str = ""  # why


@dataclass
class Topology:
    name: str  # of lab/rootfs/domlinux-topology
    extra: str  # of Ferry
    stations: Callable  # of the guests: a list of Stations
    rows: list
    linux_words: str = ""
    title: str = ""
    kinds: tuple = ("linux", "ferry")
    answers: dict = field(default_factory=dict)


def _ask(world, row):
    if row.ferry_only and world.kind == "linux":
        return SKIPPED
    try:
        return row.ask(world)
    except KeyError as absent:
        return f"{absent.args[0]} is refused"
    except CheckFailed as failed:
        return "failed: " + " ".join(str(failed).split())[:200]


def _wanted(world, row):
    if world.kind == "linux":
        return SKIPPED if row.ferry_only else row.linux or row.expected
    return row.expected


def _run_one(world, topology):
    started = time.monotonic()
    try:
        world.start(topology.name, topology.extra, topology.linux_words)
        stations = topology.stations(world.guests)
        world.attach(stations, may_be_refused=True)
        for station in stations:
            if station.refused:
                print(f"topology: {topology.name}: {world.kind}: {station.name}: {station.refused}",
                      flush=True)
    except CheckFailed as failed:
        topology.answers[world.kind] = ["not wired"] * len(topology.rows)
        print(f"topology: {topology.name}: {world.kind}: not wired: {failed}", flush=True)
        world.stop()
        return
    ready, world.since = time.monotonic(), time.monotonic_ns()
    answers = topology.answers[world.kind] = []
    for row in topology.rows:
        began = time.monotonic()
        answers.append(_ask(world, row))
        mark = "ok" if answers[-1] == _wanted(world, row) else "DIFFERS"
        print(f"topology: {topology.name}: {world.kind}: {row.what}: {answers[-1]} ({mark}, "
              f"{time.monotonic() - began:.1f} s)", flush=True)
    asked = time.monotonic()
    world.stop()
    print(f"topology: {topology.name}: {world.kind}: wired in {ready - started:.1f} s, rows "
          f"{asked - ready:.1f} s, unwired in {time.monotonic() - asked:.1f} s", flush=True)


def _table(topologies, kinds):
    lines = []
    for topology in topologies:
        lines.append(f"== {topology.title or topology.name}")
        for number, row in enumerate(topology.rows):
            cells = [f"{kind}: {topology.answers[kind][number]}" for kind in kinds
                     if number < len(topology.answers.get(kind, ()))]
            known = f"   [linux: {row.why}]" if row.linux and row.why else ""
            only = f"   [ferry only: {row.ferry_only}]" if row.ferry_only else ""
            lines.append(f"{row.what} | {row.expected} | {' | '.join(cells)}{known}{only}")
    return "\n".join(lines) + "\n"


def _differences(topologies, worlds):
    found = []
    for topology in topologies:
        for world in worlds:
            for row, answer in zip(topology.rows, topology.answers.get(world.kind, ())):
                if answer != _wanted(world, row):
                    found.append(f"{topology.name}, {world.kind}: {row.what}: {answer}, not "
                                 f"{_wanted(world, row)}")
    return found


def _guests(lab, pool):
    return [pool.submit(lab.guest, name) for name in ("guest1", "guest2")]


def run(lab, topologies):
    wanted = os.environ.get("FERRY_TOPOLOGY")
    kinds = os.environ.get("FERRY_KIND", "linux,ferry" if "FERRY_LONG" in os.environ else "ferry").split(",")
    if wanted:
        topologies = [topology for topology in topologies if topology.name in wanted.split(",")]
    first = next((t.name for t in topologies if "linux" in t.kinds and "linux" in kinds), None)
    with ThreadPoolExecutor(3) as pool:
        pending = _guests(lab, pool)
        linux = pool.submit(lab.linux_domnet, topology=first) if first else None
        guests = [each.result() for each in pending]
        linux = linux and linux.result()
    worlds = [World(lab, kind, guests) for kind in kinds if kind == "ferry" or first]
    for world in worlds:
        if world.kind == "linux":
            world.domain = linux
    for topology in topologies:
        for world in worlds:
            if world.kind in topology.kinds:
                _run_one(world, topology)
    text = _table(topologies, kinds)
    (lab.run_dir / "topology.txt").write_text(text)
    (lab.run_dir / "topology.json").write_text(json.dumps(
        [[t.name, [row.what for row in t.rows], t.answers] for t in topologies], indent=1))
    print(text, flush=True)
    found = _differences(topologies, worlds)
    expect(not found, f"{len(found)} answers are other than expected:\n" + "\n".join(found))
