# SPDX-License-Identifier: BSD-2-Clause
"""ferryd dies by SIGKILL at each step of its work: the next one finishes it, and no guest notices.

Without FERRY_LONG=1 at every third step.
"""
import os

import ferry_domnet
import recovery_common as common
from ferry_domnet import BUILD, expect

RELOAD = ("noted", "paused", "vcpu dropped", "text", "tables", "context", "resumed",
          "seen serving", "seen ready", "reloaded")
REBUILD = ("noted", "dma stopped", "old one gone", "nics ready", "built", "vif nodes", "unpaused",
           "vifs served")


def one(lab, domnet, guest, step, how, depth, who="all"):
    """Killed at a step of the recovery from a death."""
    deaths = common.status(lab)["nr_deaths"]
    doomed = lab.dom0.start(f"FERRY_DIE_AT='{step}' FERRY_DIE_WHO={who} "
                            "FERRY_DIE_ONCE=$(mktemp -u) exec ferryd-faults -f "
                            "--max-deaths 15 --window 1 2>&1")
    common.wait_for(lambda: common.status(lab)["supervised"], "ferryd does not listen", 10)
    lab.dom0.run(how, timeout=60)
    if who == "all":
        doomed.wait(30)
        common.wait_for(lambda: lab.dom0.run("pidof ferryd-faults", check=False).rc, "still there", 5)
        heir = common.supervise(lab, "--max-deaths 15 --window 1")
    else:
        common.wait_for(lambda: "dies at" in doomed.stdout, "its worker did not die", 30)
        heir = doomed
    try:
        common.wait_for(lambda: common.is_over(lab, deaths), f"{step}: not finished", 30)
        death = common.status(lab)["deaths"][-1]
        expect(death["depth"] == depth, f"{step}: {death['way']} at depth {death['depth']}")
        common.ping_works(lab, guest)
        info = lab.dom0.output("xl list domnet | tail -1")
        expect(info.split()[4][2] == "-", f"{step}: left paused: {info}")
    finally:
        print(f"recovery_ferryd_killed: {step}\n{doomed.stdout}"
              f"{heir.stdout if heir is not doomed else ''}", flush=True)
        heir.kill()
        common.ferryd_end(lab, ("ferryd", "ferryd-faults"))


def run(lab):
    common.install(lab)
    common.prefer_dom0(lab)
    lab.dom0.put(BUILD / "ferryd-faults", f"{common.TOOLS}/ferryd-faults")
    path = common.config(lab, image="ferry-net-faults", extra="restarts=0")
    domnet = common.start(lab, path)
    domid = domnet.domid
    guest = ferry_domnet.guest(lab, 1)
    lab.wait_console("domnet", "nic0: link up", timeout=20)
    states = common.StateLog(lab, common.domid_front(guest) + "/state")
    which = slice(None) if "FERRY_LONG" in os.environ else slice(0, None, 3)
    for number, step in enumerate(RELOAD[which]):
        # In turn: the same death twice within seconds would go deeper.
        fault = f"{('loop', 'null')[number % 2]} {number}"
        one(lab, domnet, guest, step,
            f"xenstore-write /local/domain/{domid}/ferry/fault '{fault}'", 2)
    for step in REBUILD[which]:
        one(lab, domnet, guest, step, "xl destroy domnet", 3)
    one(lab, domnet, guest, "built", "xl destroy domnet", 3, who="worker")
    expect(domnet.domid == domid, "it has another id")
    seen = set(states.values())
    expect(seen == {"4"}, f"the frontend's state went {seen}")
