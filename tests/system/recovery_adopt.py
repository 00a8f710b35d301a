# SPDX-License-Identifier: BSD-2-Clause
"""A driver domain of `xl create` is adopted, under its guest, and then brought back at both depths."""
import ferry_domnet
import recovery_common as common
from ferry_domnet import expect


def die(lab, domnet, guest, how, depth):
    deaths = common.status(lab)["nr_deaths"]
    lab.dom0.run(how, timeout=60)
    common.wait_for(lambda: common.is_over(lab, deaths), f"not back after: {how}", 30)
    death = common.status(lab)["deaths"][-1]
    expect(death["depth"] == depth, f"{how}: {death['way']} at depth {death['depth']}")
    common.ping_works(lab, guest)


def run(lab):
    common.install(lab)
    common.prefer_dom0(lab)
    domnet = ferry_domnet.start(lab, image="ferry-net-faults", extra="restarts=0")
    guest = ferry_domnet.guest(lab, 1)
    lab.wait_console("domnet", "nic0: link up", timeout=20)
    ferryd = common.supervise(lab)
    try:
        domid = domnet.domid
        expect(lab.dom0.run("ferry adopt nobody", check=False).rc == 5, "nobody was adopted")
        expect(lab.dom0.run("ferry adopt guest1", check=False).rc == 1, "a guest was adopted")
        done = lab.dom0.run("ferry adopt domnet")
        print(f"recovery_adopt: {done.stderr}", flush=True)
        expect("gives them back to nobody" in done.stderr, "its losses are not said")
        expect("monitor" not in done.stderr, "it is preserved, and yet xl is said to act")
        expect(lab.dom0.run("ferry adopt domnet", check=False).rc == 1, "adopted twice")
        expect(common.status(lab)["adopted"], "`ferry status` does not tell")
        common.wait_for(lambda: lab.dom0.run("test -e /run/ferry/domnet.tables", check=False).rc == 0,
                        "ferryd keeps no tables of it", 5)
        die(lab, domnet, guest, f"xenstore-write /local/domain/{domid}/ferry/fault null", 2)
        die(lab, domnet, guest, "xl destroy domnet", 3)
        expect(domnet.domid == domid, "it came back with another id")
    finally:
        print(ferryd.stdout, flush=True)
    lab.dom0.run("ferry stop domnet", timeout=60)
    expect(not domnet.exists(), "stopped, and yet there")
