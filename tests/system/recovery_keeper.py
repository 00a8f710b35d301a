# SPDX-License-Identifier: BSD-2-Clause
"""ferryd: its own death loses nothing, crash loops end, what is stopped or shuts itself down
stays away."""
import time

import ferry_domnet
import recovery_common as common
from ferry_domnet import expect


def ping(lab, guest):
    guest.run(f"ping -c 3 -i 0.2 -W 2 {lab.wire['A'].ip}")


def only_one(lab):
    """A second ferryd ends at once, says why where it was called, and takes nothing from the first."""
    pid = lab.dom0.output("pidof ferryd")
    for options in ("-f", ""):
        done = lab.dom0.run(f"ferryd {options}", timeout=10, check=False)
        expect(done.rc == 1 and f"as process {pid}" in done.stderr, f"ferryd {options}, the second one: {done}")
    expect(lab.dom0.output("pidof ferryd") == pid, "there are two")
    expect(common.status(lab)["supervised"], "the first one does not answer any more")


def clock_set_back(lab, domnet, guest):
    """An hour, after a death: neither the wait before the next recovery nor the count of deaths follows."""
    for seconds in (-3600, 7200):
        lab.dom0.run(f"date -s @$(( $(date +%s) + {seconds} ))")
        ping(lab, guest)
        death = common.death(lab, lambda: lab.dom0.run("xl destroy domnet", timeout=60), f"clock set by {seconds} s")
        expect(death["way"] == "rebuilt" and death["back_ms"] < 30000, death)
    lab.dom0.run("date -s @$(( $(date +%s) - 3600 ))")
    ping(lab, guest)


def keeper_dies(lab, ferryd, domnet, guest):
    """ferryd is killed, then the driver domain is: the next ferryd sees to it."""
    domid = domnet.domid
    lab.dom0.run("pidof ferryd | xargs kill -9")
    ferryd.wait(10)
    expect(not common.status(lab)["supervised"], "`ferry status` does not see that ferryd is gone")
    lab.dom0.run("xl destroy domnet", timeout=60)
    time.sleep(1)
    expect(common.status(lab)["state"] == "dead", "`ferry status` does not see the death")
    again = common.supervise(lab, "--max-deaths 3 --window 600")
    common.wait_for(lambda: common.status(lab)["state"] == "running", "not back", 30)
    expect(domnet.domid == domid, "it came back with another id")
    ping(lab, guest)
    return again


def restarted(lab, domnet, guest):
    """An upgrade under the guest."""
    domid = domnet.domid
    states = common.StateLog(lab, common.domid_front(guest) + "/state")
    lab.dom0.run("ferry restart domnet /root/domnet.cfg", timeout=60)
    ping(lab, guest)
    expect(domnet.domid == domid, "it came back with another id")
    expect(set(states.values()) == {"4"}, f"the frontend's state went {states.values()}")
    states.end()


def given_up(lab, domnet):
    """Three deaths are in the journal, and a restart, which does not count; the next is one too many."""
    lab.dom0.run("xl destroy domnet", timeout=60)
    common.wait_for(lambda: common.status(lab)["wish"] == "given up", "not given up", 20)
    time.sleep(2)
    expect(not domnet.exists(), "given up, and yet brought back")


def ended_on_purpose(lab, domnet):
    """`xl shutdown` is no death: it stays away until somebody wants it back."""
    deaths = common.status(lab)["nr_deaths"]
    lab.dom0.run("xl shutdown domnet", timeout=60)
    common.wait_for(lambda: common.status(lab)["wish"] == "stop", "the wish is not noted", 20)
    common.wait_for(lambda: not domnet.exists(), "what is left of it stays", 20)
    time.sleep(2)
    expect(not domnet.exists(), "shut down, and yet brought back")
    expect(common.status(lab)["nr_deaths"] == deaths, "a shutdown counts as a death")


def run(lab):
    common.install(lab)
    path = common.config(lab)
    ferryd = common.supervise(lab)
    domnet = common.start(lab, path)
    guest = ferry_domnet.guest(lab, 1)
    lab.wait_console("domnet", "nic0: link up", timeout=20)
    only_one(lab)
    try:
        clock_set_back(lab, domnet, guest)
        ferryd = keeper_dies(lab, ferryd, domnet, guest)
        restarted(lab, domnet, guest)
        given_up(lab, domnet)
        lab.dom0.run("ferry restart domnet", timeout=60)
        ping(lab, guest)
        ended_on_purpose(lab, domnet)
        lab.dom0.run("ferry restart domnet", timeout=60)
    finally:
        print(ferryd.stdout, flush=True)
    lab.dom0.run("ferry stop domnet", timeout=60)
    time.sleep(2)
    expect(not domnet.exists(), "ferryd brought back what was stopped")
    expect(lab.dom0.run("ferry status domnet", check=False).rc == 5, "stopped, but still known")
