#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measure four ways to a wire in one boot of the lab: what `make bench` runs.

usage: bench/bench.py [ROUNDS [SECONDS [GUESTS]]]     (3 rounds, 2 s for each measurement, 16 guests)
       bench/bench.py --short                         (1 round of fewer measurements, of 1 s, 2 guests)
       bench/bench.py --readme [RESULTS]              makes the page and the README's table from build/bench/results.json

Ferry, the Linux driver domain, netback in dom0, and the NIC given to the guest, in turns. Writes
build/bench/results.json, index.html, a page that needs no network, and table.md; when it is ended early, of
the rounds so far. A figure never fails.

Exit code 0: done; 1: something did not carry traffic; 3: the lab did not work.
"""
import json
import os
import sys
import time

import backends
import bench_page
import measurements
import pair
import sizes
from ferrylab import Lab
from ferrylab.cli import exit_code
from ferrylab.processors import Processors
from ferrylab.progress import say

OUT = pair.ROOT / "build" / "bench"
README = pair.ROOT / "README.md"
MARKS = "<!-- bench/bench.py --readme: from here -->\n", "<!-- to here -->\n"
NUMBERS, SHORT_NUMBERS = (3, 2, 16), (1, 1, 2)  # rounds, seconds, guests


def measured(rounds, seconds, guests, short):
    found = {sizes.SIZES: {}}
    with Lab("bench", alone=True) as lab:
        busy = os.getloadavg()[0]
        started, boot, vif_kb = backends.start(lab, guests)
        bench = measurements.Bench(lab, started, Processors(lab), seconds, found)
        sizes.measure(bench, boot, vif_kb)
        try:
            measurements.rounds_run(bench, rounds, short)
        finally:
            keep({"date": time.strftime("%Y-%m-%d"), "rounds": rounds, "short": short, "seconds": seconds,
                  "guests": guests, "busy_before": busy, "processors": os.cpu_count(),
                  "titles": backends.TITLES, "figures": found})


def keep(results):
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (OUT / "index.html").write_text(bench_page.page(results))
    (OUT / "table.md").write_text(bench_page.table(results))
    say(f"page, table and figures: {OUT}")


def readme_write(path):
    """Replace the table between the README's marks."""
    results = json.loads(path.read_text())
    keep(results)
    text, table = README.read_text(), bench_page.table(results)
    before, found, rest = text.partition(MARKS[0])
    _, ended, after = rest.partition(MARKS[1])
    if not found or not ended:
        sys.exit(f"{README} lacks the lines {MARKS}")
    README.write_text(before + MARKS[0] + table + MARKS[1] + after)


def main(words):
    if words[:1] == ["--readme"]:
        return readme_write(pair.Path(words[1]) if len(words) > 1 else OUT / "results.json")
    short = "--short" in words
    defaults = SHORT_NUMBERS if short else NUMBERS
    numbers = [int(word) for word in words if word != "--short"][:len(defaults)]

    def table_make():
        measured(*numbers, *defaults[len(numbers):], short)
        print((OUT / "table.md").read_text())
    return exit_code(table_make)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
