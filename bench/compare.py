#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measure Ferry against the Linux driver domain in the same boot of the lab.

usage: bench/compare.py [ROUNDS [SECONDS]]     (5 rounds of 6 s for each TCP direction)

Prints a Markdown table with ratios; a figure never fails.
"""
import sys

import pair
from ferrylab import Lab


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 6
    with Lab("compare", alone=True) as lab:
        ferry, linux, _, boot = pair.start(lab)
        found = {"unpause to first vif connected, s": {k: [v] for k, v in boot.items()}}
        found.update(pair.sizes(lab, (ferry, linux)))
        found.update(pair.traffic(lab, (ferry, linux), rounds, seconds))
        print(f"\n{pair.table(found)}\n\n{pair.boot_line(lab)}")


main()
