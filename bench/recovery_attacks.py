#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Attacks in the gap between a driver domain's death and its return, as many as you like.

usage: bench/recovery_attacks.py [N [SEED]]     (1000, and a seed of the clock's, which is printed)

ATTACKERS of them share a gap. Attack i has seed SEED + i, from which what it does follows: `bench/recovery_attacks.py 1 THAT_SEED`
does one again, alone; with the same N and SEED those that shared its gap are there as well. What is checked is in tests/system/recovery_attacks.py.
"""
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "lab"), str(ROOT / "tests" / "system")]

import recovery_attacks  # noqa: E402 (the paths come first)
from ferrylab import Lab  # noqa: E402
from ferrylab.cli import exit_code  # noqa: E402

ATTACKERS = 4


def main(words):
    number = int(words[0]) if words else 1000
    seed = int(words[1]) if len(words) > 1 else int(time.time()) % 1000000 * 1000
    print(f"recovery_attacks: seeds {seed} to {seed + number - 1}", flush=True)
    recovery_attacks.ATTACKERS = ATTACKERS
    with Lab("bench-recovery-attacks", alone=True) as lab:
        recovery_attacks.run(lab, [recovery_attacks.Attack(seed + i) for i in range(number)])


if __name__ == "__main__":
    sys.exit(exit_code(main, sys.argv[1:]))
