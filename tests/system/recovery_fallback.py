# SPDX-License-Identifier: BSD-2-Clause
"""What cannot be kept is replaced, and said: the id when another domain took it (R10), one vif when it
cannot be taken over (R14)."""
import subprocess
from pathlib import Path

import ferry_domnet
import recovery_common as common
from ferry_domnet import BUILD, expect


def reached(lab, guest):
    """A replugged interface is a new one: without address."""
    guest.run(f"ip addr add {guest.ip}/24 dev eth0; ip link set eth0 up", check=False)
    common.ping_works(lab, guest)


def id_taken(lab, domnet, guest):
    """A foreign domain has the id before anybody notices the death."""
    domid = domnet.domid
    deaths = common.status(lab)["nr_deaths"]
    tool = BUILD / "take_domid"
    subprocess.run(["gcc", "-Wall", "-o", tool, Path(__file__).with_name("take_domid.c"),
                    "-lxenctrl"], check=True)
    lab.dom0.put(tool, "/root/take_domid")
    common.ferryd_end(lab)
    lab.dom0.run("xl destroy domnet", timeout=60)
    expect(lab.dom0.output(f"/root/take_domid {domid}") == str(domid), "the id is not to be had")
    ferryd = common.supervise(lab)
    common.wait_for(lambda: common.is_over(lab, deaths), "not back", 90)
    now = common.status(lab)
    print(ferryd.stdout, flush=True)
    expect(now["domid"] != domid, "two domains have one id")
    expect(now["deaths"][-1]["way"] == "replugged", now["deaths"][-1])
    expect("a new one, and guests see a new interface" in ferryd.stdout, "it is not said")
    expect(f" {domid} " in lab.dom0.output("xl list"), "the foreign domain was hit")
    reached(lab, guest)
    return ferryd


def vif_lost(lab, guest, other, ferryd):
    """One guest's ring cannot be taken over (its node makes no sense); the other's can."""
    deaths = common.status(lab)["nr_deaths"]
    states = common.StateLog(lab, common.domid_front(other) + "/state")
    ring = f"{common.domid_front(guest)}/tx-ring-ref"
    lab.dom0.run(f"xenstore-write {ring} 999999 && xl destroy domnet", timeout=60)
    common.wait_for(lambda: common.is_over(lab, deaths), "not back", 60)
    death = common.status(lab)["deaths"][-1]
    expect(death["way"] == "replugged", death)
    expect(f"vif{guest.domid}.0: cannot be taken over" in ferryd.stdout, "it is not said")
    expect(f"vif{other.domid}.0: cannot" not in ferryd.stdout, "the other one was replugged, too")
    expect(set(states.values()) == {"4"}, f"the other frontend's state went {states.values()}")
    states.end()
    common.ping_works(lab, other)
    reached(lab, guest)


def run(lab):
    common.install(lab)
    common.prefer_dom0(lab)
    path = common.config(lab)
    ferryd = common.supervise(lab)
    domnet = common.start(lab, path)
    guest = ferry_domnet.guest(lab, 1)
    other = ferry_domnet.guest(lab, 2)
    lab.wait_console("domnet", "nic0: link up", timeout=20)
    try:
        vif_lost(lab, guest, other, ferryd)
    finally:
        print(ferryd.stdout, flush=True)
    id_taken(lab, domnet, guest)
    reached(lab, other)
