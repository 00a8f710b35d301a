#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Count the instructions that Ferry and the Linux driver domain execute for a frame, in one boot.

usage: bench/instructions.py [ROUNDS [KIND...]]     (5 rounds of: small-out small-in tcp-out tcp-in)

A driver domain's own instructions and Xen's on behalf of it, and how often Xen was asked for what, per
frame of UDP and per KB of TCP, in turns; prints a Markdown table with min / median / max, and by function
where Ferry's go, and Xen's for it. Further kinds: large-out, large-in (frames of 1518 bytes), small-peer,
large-peer, tcp-peer (guest to guest), ping, recovery (Ferry's, at depths 1 and 3). "all" is all of them.
"""
import sys

import counted
import counted_recovery
import ferry_domnet
import pair
from ferrylab import Lab
from ferrylab.instructions import InstructionCounter, symbols_of, xen_program
from ferrylab.progress import say

TOP = 25
RECOVERY = "recovery"
STATISTICS = "stats_", "port_fill", "bridge_info", "vif_info", "vif_queue_info"  # functions of the statistics alone


def tops_of(counter, side, units):
    """Ferry's functions and Xen's for it: [(instructions per unit, name)] of each, most first; then what statistics take."""
    programs = {side.domain.name: symbols_of(pair.ROOT / "build/kernel/second"), "xen": symbols_of(xen_program(counter.lab))}
    found = {}
    for who, symbols in programs.items():
        every = [(total / units, name) for name, total in counter.functions(who, symbols)]
        statistics = sum(share for share, name in every if name.startswith(STATISTICS))
        found[who] = every[:TOP]
        if who != "xen":
            found[who].append((statistics, f"of {sum(share for share, _ in every):.0f}: functions of the statistics together"))
    return found


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    every = [*counted.KINDS, RECOVERY]
    kinds = sys.argv[2:] or counted.DEFAULT
    kinds = every if kinds == ["all"] else kinds
    if unknown := set(kinds) - set(every):
        sys.exit(f"{' '.join(unknown)}: not a kind of traffic; there are: {' '.join(every)}")
    traffic = [kind for kind in kinds if kind != RECOVERY]
    found, tops, recoveries = {}, {}, {}
    with Lab("instructions", counts_instructions=True) as lab:
        ferry, linux, second, _ = pair.start(lab)
        ferry.second = second
        if any(counted.KINDS[kind].to_guest for kind in traffic):
            linux.second = ferry_domnet.guest(lab, 4, backend="domlinux", nic="B")
        counter = InstructionCounter(lab)
        say("finding out which memory is whose")
        names = [ferry.domain.name, linux.domain.name, "Domain-0", ferry.guest.name, linux.guest.name]
        counter.watch(names)

        def functions_note(side, kind, units):
            if side is ferry:
                tops[kind] = tops_of(counter, side, units)

        counted.rounds_run(counter, [ferry, linux], rounds, traffic, found, functions_note)
        if traffic:
            print("\n" + counted.table(found, "ferry", "linux", ("Ferry", "Linux driver domain")), flush=True)
        if RECOVERY in kinds:
            counted_recovery.rounds_run(lab, counter, rounds, names, recoveries)
            print("\n" + counted_recovery.table(recoveries), flush=True)
    for kind in traffic:
        for who, functions in tops[kind].items():
            print(f"\n{counted.KINDS[kind].title}: {who}'s functions in the last round of Ferry's")
            for share, name in functions:
                print(f"{share:10.1f}  {name}")


if __name__ == "__main__":
    main()
