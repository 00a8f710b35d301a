# SPDX-License-Identifier: BSD-2-Clause
"""A driver domain that dies under load is put right and started again in place: same domain, same
connections, NIC running on. A hang is found by its heartbeat; a busy or paused domain is none."""
import time

import ferry_domnet
import recovery_common as common
from ferry_domnet import expect

MEGABYTES = 16
# The fault, what ferryd takes it for, and what must be repaired.
KINDS = (("null", "crash", None), ("loop", "hang", None), ("text", "crash", "pages of text"),
         ("tables-text", "crash", "page table entries"),
         ("tables-l2", "crash", "page table entries"))


def one_death(lab, domnet, guest, kind, cause):
    deaths = common.status(lab)["nr_deaths"]
    states = common.StateLog(lab, common.domid_front(guest) + "/state")

    def during():
        lab.dom0.run(f"xenstore-write /local/domain/{domnet.domid}/ferry/fault {kind}")
        common.wait_for(lambda: common.is_over(lab, deaths), f"{kind}: not back", 20)

    same = common.transfer(lab, guest, MEGABYTES, during)
    expect(same, f"{kind}: the data changed on its way")
    now = common.status(lab)
    death = now["deaths"][-1]
    seen = set(states.values())
    states.end()
    expect(seen == {"4"}, f"{kind}: the frontend's state went {seen}")
    expect(now["nr_deaths"] == deaths + 1, f"{kind}: {now['nr_deaths'] - deaths} deaths")
    expect((death["depth"], death["way"], death["cause"]) == (2, "reloaded", cause),
           f"{kind}: {death['cause']}, {death['way']} at depth {death['depth']}")
    expect(death["nic"] == "kept", f"{kind}: the NIC was {death['nic']}: {now['nic_why']}")
    steps = {step["step"]: step["us"] for step in death["steps"]}
    print(f"recovery_reload: {kind}: {death['back_us'] / 1000:.1f} ms from notice to ready, "
          f"let go after {steps['resumed'] / 1000:.1f} ms; steps {death['steps']}", flush=True)


def no_false_alarm(lab, guest):
    """A paused domain, then one that hardly gets a processor, are left alone."""
    deaths = common.status(lab)["nr_deaths"]
    lab.dom0.run("xl pause domnet; sleep 2; xl unpause domnet")
    lab.dom0.run("xl sched-credit -d domnet -c 5")
    load = guest.start(f"ping -f -q -w 3 {lab.wire['A'].ip}")
    load.wait(10)
    lab.dom0.run("xl sched-credit -d domnet -c 0")
    guest.run(f"ping -c 3 -i 0.2 -W 2 {lab.wire['A'].ip}")
    now = common.status(lab)
    expect(now["nr_deaths"] == deaths, f"taken for dead: {now['deaths']}")


def run(lab):
    common.install(lab)
    common.prefer_dom0(lab)
    path = common.config(lab, image="ferry-net-faults", extra="restarts=0")
    ferryd = common.supervise(lab, "--max-deaths 15 --window 1")
    try:
        domnet = common.start(lab, path)
        guest = ferry_domnet.guest(lab, 1)
        lab.wait_console("domnet", "nic0: link up", timeout=20)
        domid = domnet.domid
        no_false_alarm(lab, guest)
        for kind, cause, repaired in KINDS:
            one_death(lab, domnet, guest, kind, cause)
            expect(not repaired or repaired in ferryd.stdout, f"{kind}: no {repaired} repaired")
            if kind == "null":
                report = lab.dom0.output("ferry logs --report domnet")
                expect(report.startswith("Reported by the domain:\nferry: crash:"), report[:200])
            time.sleep(0.5)
        expect(domnet.domid == domid, "it came back with another id")
    finally:
        print(ferryd.stdout, flush=True)
