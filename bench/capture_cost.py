#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Count the instructions that a running `ferry capture` costs for a frame: the driver domain's, Xen's and everybody's.

usage: bench/capture_cost.py [ROUNDS [KIND...]]     (3 rounds of: small-out small-in tcp-out tcp-in)

One boot, one driver domain, one guest; rounds in turns without a capture, with one whose filter no frame
passes, and with one of all frames. Prints Markdown tables of instructions; a figure never fails.
"""
import sys
from contextlib import contextmanager

import counted
import pair
import capture
import ferry_domnet
import recovery_common as common
from ferrylab import Lab
from ferrylab.cli import exit_code
from ferrylab.instructions import InstructionCounter

PLAIN = "no capture"
MODES = {PLAIN: None, "nothing passes": "nic0 'udp port 9'", "all frames": "nic0", "64 bytes of each": "nic0 -s 64"}


@contextmanager
def capturing(lab, words):
    """`ferry capture` of the NIC meanwhile."""
    session = capture.start(lab, words) if words else None
    yield
    if session:
        print(f"capture of {words}: {capture.stop(lab, session).strip().splitlines()[-1]}", flush=True)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    kinds = sys.argv[2:] or counted.DEFAULT
    if unknown := set(kinds) - set(counted.KINDS):
        sys.exit(f"{' '.join(unknown)}: not a kind of traffic; there are: {' '.join(counted.KINDS)}")
    found = {}
    with Lab("capture_cost", counts_instructions=True) as lab:
        common.install(lab)
        path = common.config(lab)
        lab.dom0.run(f"ferry start {path}", timeout=60)
        lab.wait_console("domnet", "nic0: link up", timeout=30)
        guest = ferry_domnet.guest(lab, 1)
        domain = pair.Side(PLAIN, common.Domain(lab, "domnet"), lab.wire["A"], guest)
        counter = InstructionCounter(lab)
        counter.watch(["domnet", "Domain-0", guest.name])
        for _ in range(rounds):
            for label, words in MODES.items():
                domain.label = label
                with capturing(lab, words):
                    counted.rounds_run(counter, [domain], 1, kinds, found)
    for label in list(MODES)[1:]:
        print(f"\n{counted.table(found, label, PLAIN, (label, PLAIN))}")


if __name__ == "__main__":
    sys.exit(exit_code(main))
