# SPDX-License-Identifier: BSD-2-Clause
"""xenstored under ferryd: a live update is not noticed; its end is said, nobody is taken for dead, and supervision is taken up again.

Whatever is in xenstore is gone afterwards: consoles of guests, `xl`. What is asked then is asked of the wire and of dom0.
"""
import time

import ferry_domnet
import recovery_common as common
from ferry_domnet import expect

GONE, BACK = "xenstored is gone", "xenstored is there again"
TICKS_MAX = 60  # of ferryd's processor time in 5 s, 100 a second


def wire_pings(lab, guest, when):
    lab.wire["A"].run(f"ping -c 3 -i 0.2 -W 2 {guest.ip}")
    print(f"{when}: the guest is reached", flush=True)


def ticks(lab):
    parts = lab.dom0.output("cat /proc/$(pidof ferryd)/stat").rsplit(")", 1)[1].split()
    return int(parts[11]) + int(parts[12])


def live_update(lab, ferryd, guest):
    """Connections survive it, and so recoveries work after it."""
    done = lab.dom0.run("xenstore-control live-update -t 20 $(readlink -f /proc/$(pidof xenstored)/exe)", check=False)
    if done.rc:
        print(f"no live update here, not tried: {done.stdout}{done.stderr}", flush=True)
        return
    time.sleep(2)
    expect(GONE not in ferryd.stdout, f"a live update is taken for its end: {ferryd.stdout}")
    wire_pings(lab, guest, "after a live update")
    death = common.death(lab, lambda: lab.dom0.run("xl destroy domnet", timeout=60), "destroyed after a live update")
    expect(death["way"] == "rebuilt", death)
    wire_pings(lab, guest, "rebuilt after a live update")


def ends(lab, ferryd, guest):
    pid, before = lab.dom0.output("pidof ferryd"), len(ferryd.stdout)
    lab.dom0.run("kill -9 $(pidof xenstored)")
    common.wait_for(lambda: GONE in ferryd.stdout, "ferryd does not see that xenstored has ended", 5)
    used = ticks(lab)
    time.sleep(5)
    expect(ticks(lab) - used < TICKS_MAX, f"it spins: {ticks(lab) - used} ticks in 5 s")
    expect(lab.dom0.output("pidof ferryd") == pid, "ferryd is another one")
    said = ferryd.stdout[before:]
    expect("died" not in said and "cut short" not in said, f"somebody is taken for dead: {said}")
    expect(said.count(GONE) == 1, f"said more than once: {said}")
    done = lab.dom0.run("ferry status", check=False, timeout=20)
    expect(done.rc == 1 and "cannot talk to xenstored" in done.stderr, f"`ferry status` without it: {done}")
    wire_pings(lab, guest, "without xenstored")


def begins_empty(lab, ferryd, guest):
    pid, before = lab.dom0.output("pidof ferryd"), len(ferryd.stdout)
    lab.dom0.run("rm -f /run/xen/xenstored.pid; xenstored --pid-file /run/xen/xenstored.pid && xen-init-dom0", timeout=60)
    common.wait_for(lambda: "domnet: looked after from now on" in ferryd.stdout[before:], "not looked after again", 20)
    time.sleep(5)
    said = ferryd.stdout[before:]
    expect(BACK in said and "domnet: xenstore knows nothing of it any more" in said, f"not said: {said}")
    expect("died" not in said and "cut short" not in said, f"somebody is taken for dead: {said}")
    expect(lab.dom0.output("pidof ferryd") == pid, "ferryd is another one")
    expect(lab.dom0.run("ferry status domnet", check=False, timeout=20).rc == 0, "`ferry status` does not work again")
    wire_pings(lab, guest, "with an empty xenstored")


def run(lab):
    common.install(lab)
    path = common.config(lab)
    ferryd = common.supervise(lab)
    common.start(lab, path)
    guest = ferry_domnet.guest(lab, 1)
    common.ping_works(lab, guest)
    try:
        live_update(lab, ferryd, guest)
        ends(lab, ferryd, guest)
        begins_empty(lab, ferryd, guest)
        lab.dom0.run("kill $(pidof ferryd)")
        expect(ferryd.wait(10).rc == 0, "it does not end as asked")
    finally:
        print(ferryd.stdout, flush=True)
