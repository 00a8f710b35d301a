# SPDX-License-Identifier: BSD-2-Clause
"""Policy from dom0: it holds at once, outlives each depth of recovery, and no guest can read it.

One guest spoofs all the time: from when its policy is loaded, none of that may reach the wire, whatever
happens to the driver domain.
"""
import json
import struct
import time

import ferry_domnet
import recovery_common as common
import recovery_ferryd_killed as killed
from ferry_domnet import BUILD, expect
from ferrylab.wire import now_ns

IMAGE = "ferry-net-faults"
FERRYD = "--max-deaths 15 --window 1"
FILE = "/etc/ferry/domnet.policy"
KEPT = "/var/lib/ferry/domnet.policy"
HONEST, SPOOFER, STRANGER = 1, 2, 3
SPOOFED = "020000006666"
SETTLE_S = 0.3
# How to die, and the depth at which that is repaired; None: `xl destroy`.
WAYS = (("null", 1), ("loop", 2), (None, 3))


def section(number, *statements):
    return f"[{ferry_domnet.mac(number)}]\n" + "".join(f"{line}\n" for line in statements)


def guarded():
    return section(SPOOFER, "guard mac dhcp  # says who it is")


def load(lab, text, path=FILE, check=True):
    lab.dom0.run("mkdir -p /etc/ferry")
    lab.dom0.put(text.encode(), path)
    words = "" if path == FILE else f" --file {path}"
    return lab.dom0.run(f"ferry policy domnet{words}", check=check)


def shown(lab):
    return {one["vif"]: one["statements"]
            for one in json.loads(lab.dom0.output("ferry policy domnet --show --json"))}


def pings(lab, guest):
    return guest.run(f"ping -c 1 -W 1 {lab.wire['A'].ip}", check=False).rc == 0


class Spoofer:
    """Frames with another's source address, to all, fifty a second."""

    def __init__(self, lab, guest):
        self._wire = lab.wire["A"]
        frame = "ff" * 6 + SPOOFED + "88b5" + "00" * 46
        self._session = guest.start(f"while :; do echo {frame}; usleep 20000; done | frames send eth0")

    def seen(self, after):
        return self._wire.gap(f"from_nic @6={SPOOFED}", after=after)["frames"]

    def expect_blocked(self, after, what):
        expect(self._session_runs(), f"{what}: the spoofer has ended")
        number = self.seen(after)
        expect(number == 0, f"{what}: {number} spoofed frames reached the wire")

    def _session_runs(self):
        return "frames" not in self._session.stdout

    def end(self):
        self._session.kill()


def store_read(guest, path):
    """What xenstored tells this guest of a node: its own words, by the kernel's device.

    Returns (is it an answer, the value or the error's name).
    """
    body = path.encode() + b"\0"
    request = struct.pack("<IIII", 2, 0, 0, len(body)) + body  # XS_READ
    octal = "".join(f"\\{byte:03o}" for byte in request)
    text = guest.output(f"exec 3<>/dev/xen/xenbus; printf '{octal}' >&3; "
                        "dd bs=4096 count=1 <&3 2>/dev/null | od -An -v -tx1")
    answer = bytes.fromhex("".join(text.split()))
    kind = struct.unpack("<I", answer[:4])[0]
    return kind == 2, answer[16:].rstrip(b"\0").decode()


def not_for_guests(lab, domnet, guest):
    """Neither its values nor the names of its nodes."""
    expect(store_read(guest, "domid") == (True, str(guest.domid)), "the guest reads nothing at all")
    home = f"/local/domain/{domnet.domid}/ferry"
    nodes = [f"{home}/policy", f"{home}/policy-generation",
             *(f"{home}/policy/{ferry_domnet.mac(number).replace(':', '')}"
               for number in (HONEST, SPOOFER))]
    for path in nodes:
        lab.dom0.run(f"xenstore-exists {path}")
        answer = store_read(guest, path)
        expect(answer == (False, "EACCES"), f"a guest reads {path}: {answer}")
    listed = lab.dom0.output(f"xenstore-ls -p {home}")
    rights = [line for line in listed.splitlines() if "policy" in line or "00163e" in line]
    expect(rights and all(f"(n0,r{domnet.domid})" in line for line in rights), listed)


def holds_at_once(lab, guest, spoofer):
    """Rules come and go under traffic; the interface does not."""
    states = common.StateLog(lab, common.domid_front(guest) + "/state")
    before = now_ns()
    time.sleep(SETTLE_S)
    expect(spoofer.seen(before) > 0, "without a policy nothing is spoofed: this shows nothing")
    load(lab, guarded() + section(HONEST, f"deny out proto icmp remote {lab.wire['A'].ip}"))
    common.wait_for(lambda: not pings(lab, guest), "the rule does not hold", 3)
    time.sleep(SETTLE_S)
    spoofer.expect_blocked(now_ns() - int(SETTLE_S / 2 * 1e9), "loaded")
    load(lab, guarded() + section(HONEST, "guard ra"))
    common.wait_for(lambda: pings(lab, guest), "the rule that is gone still holds", 3)
    seen = set(states.values())
    states.end()
    expect(seen == {"4"}, f"the frontend's state went {seen}")


def mistakes_change_nothing(lab):
    before = shown(lab)
    done = load(lab, "[default]\nisolated\nisolate\n", "/root/bad.policy", check=False)
    expect(done.rc == 1 and "/root/bad.policy:3:" in done.stderr, f"{done.rc}: {done.stderr}")
    done = lab.dom0.run("ferry policy domnet --check /root/bad.policy", check=False)
    expect(done.rc == 1, "a bad file is as it should be")
    expect(shown(lab) == before, "a bad file changed something")
    expect(lab.dom0.run(f"ferry policy domnet --check {FILE}").rc == 0, "the good one is bad")


def default_is_for_the_others(lab, guest):
    """A vif without a section goes by the default, as soon as there is one, and only then."""
    common.wait_for(lambda: pings(lab, guest), "the stranger is blocked by nobody's rule", 10)
    load(lab, guarded() + section(HONEST) + "[default]\ndefault deny out\n")
    common.wait_for(lambda: not pings(lab, guest), "the default does not hold", 3)
    now = common.status(lab)
    expect((now["policy_vifs"], now["policy_default"]) == (2, True), now)


def outlives(lab, domnet, honest, stranger, spoofer):
    """Each depth: what it had, it has, before the first frame."""
    before = shown(lab)
    for number, (fault, depth) in enumerate(WAYS):
        deaths, began = common.status(lab)["nr_deaths"], now_ns()
        what = f"{fault or 'xl destroy'}, depth {depth}"
        how = (f"xenstore-write /local/domain/{domnet.domid}/ferry/fault '{fault} {number}'"
               if fault else "xl destroy domnet")
        lab.dom0.run(how, timeout=60)
        common.wait_for(lambda: common.is_over(lab, deaths), f"{what}: not back", 90)
        death = common.status(lab)["deaths"][-1]
        expect(death["depth"] == depth, f"{what}: {death['way']} at depth {death['depth']}")
        common.ping_works(lab, honest)
        expect(not pings(lab, stranger), f"{what}: the default does not hold")
        time.sleep(SETTLE_S)
        spoofer.expect_blocked(began, what)
        expect(shown(lab) == before, f"{what}: it has {shown(lab)}, had {before}")
        not_for_guests(lab, domnet, honest)
        time.sleep(1.2)  # the next one is no death that follows soon


def lost_is_not_none(lab, ferryd, honest, spoofer):
    """What is kept cannot be read: nobody is served until it is written anew."""
    lab.dom0.run(f"echo '[default' >{KEPT}")
    began = now_ns()
    lab.dom0.run("xl destroy domnet", timeout=60)
    common.wait_for(lambda: "is not brought back without its policy" in ferryd.stdout,
                    "it is not said", 20)
    time.sleep(1)
    expect(not pings(lab, honest), "served without its policy")
    lab.dom0.run("ferry policy domnet", timeout=60)
    common.wait_for(lambda: common.status(lab)["state"] == "running", "not back", 90)
    common.ping_works(lab, honest, 20)
    spoofer.expect_blocked(began, "the kept policy was lost")


def restarted(lab, domnet, honest, spoofer):
    """`ferry restart` takes the admin's file; a bad one stops it before anything is done."""
    began = now_ns()
    good = lab.dom0.output(f"cat {FILE}") + "\n"
    lab.dom0.put(b"[default]\nnonsense\n", FILE)
    domid, deaths = domnet.domid, common.status(lab)["nr_deaths"]
    for words in ("", " --rebuild"):
        done = lab.dom0.run(f"ferry restart domnet{words}", check=False, timeout=60)
        expect(done.rc == 1 and f"{FILE}:2:" in done.stderr, f"{done.rc}: {done.stderr}")
    expect(common.status(lab)["nr_deaths"] == deaths, "it was restarted with a bad file")
    lab.dom0.put((good + section(9, "isolated")).encode(), FILE)
    for words in ("", " --rebuild"):
        lab.dom0.run(f"ferry restart domnet{words}", timeout=60)
        common.ping_works(lab, honest)
        expect(common.status(lab)["policy_vifs"] == 3, "the file was not read")
    expect(domnet.domid == domid, "it has another id")
    spoofer.expect_blocked(began, "restarts")


def starts_with_it(lab, path):
    """A bad file: no domain. A good one: it is there when the domain is."""
    lab.dom0.run("mkdir -p /etc/ferry")
    lab.dom0.put(b"isolated\n", FILE)
    done = lab.dom0.run(f"ferry start {path}", check=False, timeout=60)
    expect(done.rc == 1 and f"{FILE}:1:" in done.stderr, f"{done.rc}: {done.stderr}")
    expect(lab.dom0.run("xl domid domnet", check=False).rc != 0, "started with a bad file")
    lab.dom0.put(b"[default]\nstorm 1000\n", FILE)
    domnet = common.start(lab, path)
    expect(shown(lab) == {"default": ["storm 1000"]}, f"it has {shown(lab)}")
    load(lab, "")
    expect(shown(lab) == {}, "an empty file takes nothing back")
    return domnet


def run(lab):
    common.install(lab)
    common.prefer_dom0(lab)
    lab.dom0.put(BUILD / "ferryd-faults", f"{common.TOOLS}/ferryd-faults")
    path = common.config(lab, image=IMAGE, extra="restarts=60")
    ferryd = common.supervise(lab, FERRYD)
    domnet = starts_with_it(lab, path)
    honest, other, stranger = (ferry_domnet.guest(lab, number)
                               for number in (HONEST, SPOOFER, STRANGER))
    lab.wait_console("domnet", "nic0: link up", timeout=20)
    spoofer = Spoofer(lab, other)
    try:
        holds_at_once(lab, honest, spoofer)
        not_for_guests(lab, domnet, honest)
        mistakes_change_nothing(lab)
        default_is_for_the_others(lab, stranger)
        outlives(lab, domnet, honest, stranger, spoofer)
        lost_is_not_none(lab, ferryd, honest, spoofer)
        restarted(lab, domnet, honest, spoofer)
    finally:
        print(ferryd.stdout, flush=True)
    began = now_ns()
    ferryd.kill()
    common.ferryd_end(lab)
    killed.one(lab, domnet, honest, "policy", "xl destroy domnet", 3)
    spoofer.expect_blocked(began, "ferryd killed")
    spoofer.end()
    lab.dom0.run("ferry stop domnet", timeout=60)
    expect(lab.dom0.run(f"test -e {FILE} && ! test -e {KEPT}", check=False).rc == 0,
           "`ferry stop` takes the admin's file, or leaves its own")
