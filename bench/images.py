#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Count the instructions that two of Ferry's images execute for a frame, in the same boot of the lab.

usage: bench/images.py BEFORE AFTER [ROUNDS [KIND...]]     (6 rounds of: small-out small-in tcp-out tcp-in)

Each image drives a NIC of its own and serves one guest whose vif has no policy; the NICs change sides
half-way. Prints a Markdown table of instructions, with the ratio of medians; a figure never fails.
"""
import shutil
import sys
from pathlib import Path

import counted
import pair
import ferry_domnet
from ferrylab import Lab
from ferrylab.instructions import InstructionCounter


def start(lab, label, image, nic, number):
    name = f"dom{label}"
    domain = ferry_domnet.start(lab, name=name, nic=nic, image=image)
    lab.wait_console(name, "nic0: link up", timeout=30)
    guest = ferry_domnet.guest(lab, number, backend=name, nic=nic)
    return pair.Side(label, domain, lab.wire[nic], guest)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    images = {"before": Path(sys.argv[1]), "after": Path(sys.argv[2])}
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 6
    kinds = sys.argv[4:] or counted.DEFAULT
    one_guest = [kind for kind, what in counted.KINDS.items() if not what.to_guest]
    if unknown := set(kinds) - set(one_guest):
        sys.exit(f"{' '.join(unknown)}: not a kind of traffic of one guest; there are: {' '.join(one_guest)}")
    found = {}
    for half, nics in enumerate((("A", "B"), ("B", "A"))):
        with Lab("images", counts_instructions=True) as lab:
            sides = []
            for number, (label, nic) in enumerate(zip(images, nics)):
                image = f"bench-{label}"
                shutil.copy(images[label], ferry_domnet.BUILD / image)
                sides.append(start(lab, label, image, nic, number + 1))
            counter = InstructionCounter(lab)
            counter.watch([name for side in sides for name in (side.domain.name, side.guest.name)])
            counted.rounds_run(counter, sides, (rounds + 1 - half) // 2, kinds, found)
    print(f"\n{counted.table(found, 'after', 'before', ('after', 'before'))}")


main()
