# SPDX-License-Identifier: BSD-2-Clause
"""What bringing Ferry's driver domain back costs in executed instructions: a bug in its kernel, which it
repairs itself (depth 1), and the whole domain destroyed, which ferryd in dom0 builds anew (depth 3).

Guests are connected and idle. At depth 3 the new domain has pages that nobody owned when owners were
asked for: what it executes counts as "others"', which the guests' little is in, too.
"""
import time

import counted
import recovery_common as common
from ferrylab.progress import say

BACK_S = 120
KINDS = {"depth 1": "xl trigger domnet nmi 0", "depth 3": "xl destroy domnet", "nothing, for a second": "true"}
AGAIN = "running again"


def _wait_back(lab, ferryd, what, deaths, lines):
    if what == "depth 1":
        common.wait_for(lambda: common.is_over(lab, deaths), f"{what}: not back", BACK_S)
    elif what == "depth 3":
        # Looking again and again would be counted as dom0's.
        common.wait_for(lambda: ferryd.stdout.count(AGAIN) > lines, f"{what}: not back", BACK_S)
    else:
        time.sleep(1)


def rounds_run(lab, counter, rounds, names, found):
    """found: {name of figure: [value]}, added to; in thousands of instructions. names: whom counter watches."""
    common.install(lab)
    common.prefer_dom0(lab)
    ferryd = common.supervise(lab)
    lab.dom0.run("ferry adopt domnet", timeout=60)
    for number in range(rounds):
        for what, command in KINDS.items():
            say(f"round {number + 1} of {rounds}: recovery: {what}")
            deaths, lines, counts = common.status(lab)["nr_deaths"], ferryd.stdout.count(AGAIN), {}
            with counter.counting(counts, "domnet"):
                lab.dom0.run(command, check=False, timeout=60)
                _wait_back(lab, ferryd, what, deaths, lines)
            again = [counts["domnet"], counts["others"]] if what != "depth 1" else [counts["domnet"]]
            rows = {"the domain's own": sum(part.own for part in again), "Xen's on its behalf": sum(part.xen for part in again)}
            if what != "depth 1":
                rows |= {"dom0's own": counts["Domain-0"].own, "Xen's on dom0's behalf": counts["Domain-0"].xen}
            for name, value in rows.items():
                found.setdefault(f"{what}: {name}", []).append(round(value / 1000))
            if what == "depth 3":
                common.wait_for(lambda: common.is_over(lab, deaths), "depth 3: not back", BACK_S)
                counter.watch(names)
    ferryd.kill()


def table(found):
    return "\n".join(["| recovery, thousands of instructions | min / median / max |", "|---|---|"] +
                     [f"| {name} | {counted.pair.spread(values)} |" for name, values in found.items()])
