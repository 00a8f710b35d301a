#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Count the instructions that Ferry and the Linux driver domain execute for a frame, in one boot.

usage: bench/instructions.py [ROUNDS [KIND...]]     (5 rounds of: small-out small-in tcp-out tcp-in)

A driver domain's own instructions and Xen's on behalf of it, per frame of 60 bytes and per KB of TCP, in
turns; prints a Markdown table with min / median / max, and by function where Ferry's go.
"""
import sys

import counted
import pair
from ferrylab import Lab
from ferrylab.instructions import InstructionCounter, symbols_of
from ferrylab.progress import say

TOP = 25


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    kinds = sys.argv[2:] or list(counted.KINDS)
    if unknown := set(kinds) - set(counted.KINDS):
        sys.exit(f"{' '.join(unknown)}: not a kind of traffic; there are: {' '.join(counted.KINDS)}")
    found, tops = {}, {}
    symbols = symbols_of(pair.ROOT / "build/kernel/second")
    with Lab("instructions", counts_instructions=True) as lab:
        ferry, linux, _, _ = pair.start(lab)
        counter = InstructionCounter(lab)
        say("finding out which memory is whose")
        counter.watch([ferry.domain.name, linux.domain.name, "Domain-0"])

        def functions_note(side, kind, units):
            if side is ferry:
                tops[kind] = [(total / units, name) for name, total in
                              counter.functions(side.domain.name, symbols)[:TOP]]

        counted.rounds_run(counter, [ferry, linux], rounds, kinds, found, functions_note)
    print("\n" + counted.table(found, "ferry", "linux", ("Ferry", "Linux driver domain")))
    for kind in kinds:
        print(f"\n{counted.KINDS[kind]}: Ferry's functions in the last round")
        for share, name in tops[kind]:
            print(f"{share:10.1f}  {name}")


main()
