# SPDX-License-Identifier: BSD-2-Clause
"""/var/lib/ferry is full, then read-only: driver domains come back all the same, and what cannot be done says why and leaves all as it was."""
import time

import ferry_domnet
import recovery_common as common
from ferry_domnet import BUILD, expect

STATE = "/var/lib/ferry"
STATE_MB = 24
FULL, READ_ONLY = "make room on its file system", "its file system is read-only"
NEXT = "/root/images/ferry-net-next"
SETTLED_S = 3  # a recovery that is not believed begins again within it


def fill(lab):
    lab.dom0.run(f"cat /dev/zero > {STATE}/filler 2> /dev/null || true; sync")
    done = lab.dom0.run(f"cp /proc/cpuinfo {STATE}/more", check=False)
    expect(done.rc, f"{STATE} is not full")
    lab.dom0.run(f"rm -f {STATE}/more")


def read_only(lab):
    lab.dom0.run(f"mount -o remount,ro {STATE}")
    expect(lab.dom0.run(f"touch {STATE}/more", check=False).rc, f"{STATE} can be written")


def writable(lab):
    lab.dom0.run(f"mount -o remount,rw {STATE}; rm -f {STATE}/filler")


def refused(lab, words, reason, guest):
    """It ends with an error that has this reason; the guest is served as before."""
    done = lab.dom0.run(f"ferry {words}", timeout=60, check=False)
    expect(done.rc and reason in done.stderr, f"ferry {words}: {done}")
    expect(common.status(lab)["state"] == "running", f"ferry {words}: it does not run any more")
    common.ping_works(lab, guest)


def deaths(lab, ferryd, guest, domid, when):
    """Restarted in place, reloaded and rebuilt, with its id: told by ferryd, as the journal may not take it."""
    fault = f"xenstore-write /local/domain/{domid}/ferry/fault"
    for begin, said in ((f"{fault} null", "restarted itself after"), (f"{fault} loop", "reloaded in place"),
                        ("xl destroy domnet", f"running again with id {domid}")):
        before = ferryd.stdout.count(said)
        lab.dom0.run(begin, timeout=60)
        common.wait_for(lambda: ferryd.stdout.count(said) > before, f"{when}: {begin}: ferryd does not say '{said}'", 40)
        common.ping_works(lab, guest, 20)
        time.sleep(SETTLED_S)
        expect(lab.dom0.output("xl domid domnet").strip() == str(domid), f"{when}: {begin}: another id")
        common.ping_works(lab, guest)


def run(lab):
    common.install(lab)
    lab.dom0.run(f"mkdir -p {STATE} && mount -t tmpfs -o size={STATE_MB}m,mode=700 tmpfs {STATE}")
    path = common.config(lab, image="ferry-net-faults")
    lab.dom0.put(BUILD / "ferry-net-faults", NEXT)
    ferryd = common.supervise(lab)
    common.start(lab, path)
    guest = ferry_domnet.guest(lab, 1)
    common.ping_works(lab, guest)
    for make, reason in ((fill, FULL), (read_only, READ_ONLY)):
        make(lab)
        deaths(lab, ferryd, guest, common.status(lab)["domid"], reason)
        expect(reason in ferryd.stdout, f"ferryd does not say '{reason}'")
        refused(lab, f"upgrade domnet --kernel {NEXT}", reason, guest)
        lab.dom0.run("ferry restart domnet", timeout=60)
        common.ping_works(lab, guest)
        lab.dom0.run("ferry stop domnet", check=False, timeout=60)
        expect(lab.dom0.run("xl domid domnet", check=False).rc, f"{reason}: `ferry stop` left the domain")
        done = lab.dom0.run(f"ferry start {path}", timeout=60, check=False)
        expect(done.rc and reason in done.stderr, f"ferry start: {done}")
        expect(lab.dom0.run("xl domid domnet", check=False).rc, f"{reason}: refused, and yet there")
        writable(lab)
        lab.dom0.run(f"ferry stop domnet; ferry start {path}", timeout=60)
        guest.destroy()
        guest = ferry_domnet.guest(lab, 1)
        common.ping_works(lab, guest)
