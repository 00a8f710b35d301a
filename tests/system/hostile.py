# SPDX-License-Identifier: BSD-2-Clause
"""Hostile guests, one after another, beside one that only wants to ping: they harm themselves only."""
import re
import time

import ferry_domnet
import hostile_guest
import hostile_wire
from ferry_domnet import expect
from ferrylab import CheckFailed, LabError, measure
from ferrylab.limits import deadline_in

BESIDE = True  # tests/run-system
# Attacks of one guest, the longest they may take in s, and how many of a thousand pings of the
# bystander they may cost: none, but where the wire itself is full.
GUESTS = [
    ("ring,slots,extra,headers,multicast", 90, 0),
    ("grant,rings_bad", 90, 0),
    ("ctrl,queues", 60, 0),
    ("event", 60, 0),
    ("store", 90, 0),
    ("nodes,end", 150, 0),
    ("flood", 90, 50),
]
LEAVING = ["vanish", "vanish_crash"]
# Those who send at full rate until they are gone may cost the bystander as much as a flood.
LEAVING_LOSS = 50
NIC_TX_RING = 512
MULTICASTS = 8  # frames of the wire to each group
GSO_PAYLOAD = 18 * 3000 - 54
EXTRA = "bridge=xenbr0,uplink=nic0 log=debug"
LSEVTCHN = "/usr/lib/xen-4.17/bin/lsevtchn"


class Scenario:
    def __init__(self, lab, domnet=None, vcpus=1):
        """domnet: a driver domain that runs already; vcpus: of the hostile guests."""
        self.lab, self.vcpus = lab, vcpus
        self.failures = []
        self.domnet = domnet or ferry_domnet.start(lab, extra=EXTRA)
        lab.wait_console("domnet", "nic0: link up", timeout=20)
        self.domid = self.domnet.domid
        hostile_guest.install(lab)
        self.bystander = hostile_guest.Bystander(lab)

    def check(self, holds, text):
        """A check that does not end the run: the others are worth seeing too."""
        if not holds:
            self.failures.append(text)
            print(f"hostile: FAILED: {text}", flush=True)

    def settle(self, name, attacks, loss=0):
        """After each guest: it is gone, the driver domain is the same one, the bystander is well."""
        hostile_guest.wait_gone(self.lab, name)
        ferry_domnet.check_alive(self.lab, self.domnet)
        expect(self.domnet.domid == self.domid, f"{attacks}: the driver domain is another one now")
        sent, lost, longest = self.bystander.judge(attacks)
        print(f"hostile: {attacks}: bystander: {lost} of {sent} pings lost, longest {longest:.0f} ms",
              flush=True)
        self.check(lost * 1000 <= loss * sent,
                   f"{attacks}: the bystander lost {lost} of {sent} pings")

    def verdicts(self, name, timeout):
        """Wait for a hostile guest's last line; each verdict is printed and checked."""
        for verdict in hostile_guest.finish(self.lab, name, timeout):
            print(f"hostile: {verdict.attack}: {'pass' if verdict.passed else 'FAIL'}, "
                  f"{verdict.ms} ms {verdict.text}", flush=True)
            self.check(verdict.passed, f"{verdict.attack}: {verdict.text}")

    def attack(self, name, attacks, timeout, loss=0):
        hostile_guest.start(self.lab, name, attacks, vcpus=self.vcpus)
        self.verdicts(name, timeout)
        self.settle(name, attacks, loss)

    def grant_tables(self):
        """Xen's list of all grants in use."""
        self.lab.dom0.run("xl dmesg -c > /dev/null; xl debug-keys g")
        deadline = deadline_in(10)
        while "gnttab_usage_print_all ] done" not in (text := self.lab.dom0.output("xl dmesg")):
            if time.monotonic() > deadline:
                raise LabError(f"Xen did not print all grant tables:\n{text[-500:]}")
            time.sleep(0.1)
        return text

    def usage(self):
        """What a driver domain holds: event channels, and other domains' pages."""
        ports = self.lab.dom0.output(f"{LSEVTCHN} {self.domid}").splitlines()
        mapped = re.findall(rf"\[0x\w+\]\s+{self.domid} 0x\w+ 0x\w+", self.grant_tables())
        return {"event channels": len(ports), "pages mapped or in use": len(mapped)}

    def nodes(self):
        """The driver domain's own nodes that name guests."""
        text = self.lab.dom0.output(f"xenstore-ls -f /local/domain/{self.domid}")
        return {line for line in text.splitlines() if re.search(r"/backend/vif/\d", line)}


def honest(scenario):
    """What a good frontend may do works, and is right on the wire."""
    wire = scenario.lab.wire["A"]
    pcap = wire.capture("honest")
    scenario.attack("honest", "honest", 30)
    wire.capture_stop()
    frames = list(hostile_wire.frames_of(pcap, hostile_guest.MAC))
    segments = hostile_wire.tcp4_segments(frames)
    # csum_blank (200 bytes), gso_18_slots and gso_largest, in this order.
    starts = [i for i, (sequence, _) in enumerate(segments) if sequence == 1]
    expect(len(starts) == 3, f"{len(starts)} TCP packets of 3 reached the wire")
    for first, end, length in zip(starts, [*starts[1:], None], (200, GSO_PAYLOAD, 65535 - 54)):
        hostile_wire.check_payload(segments[first:end], length)
    hostile_wire.check_payload(hostile_wire.tcp6_segments(frames), 20000)


def served(scenario):
    """The other direction: pings and TCP from the wire and from another guest, checked by the guest."""
    lab, wire, guest = scenario.lab, scenario.lab.wire["A"], scenario.bystander.guest
    hostile_guest.start(lab, "serving", "serve")
    lab.wait_console("serving", "hostile: serving", timeout=20)
    ip = f"{wire.slot.network}.{hostile_guest.IP_NUMBER}"
    for who in (wire, guest):
        figures = measure.ping(who, ip, count=10)
        expect(figures["lost"] == 0, f"serve: {who.name} lost {figures['lost']} of 10 pings")
    wire.run(f"timeout 1 bash -c 'exec 3<> /dev/tcp/{ip}/9'", check=False)
    for port in (9, 7):
        guest.run(f"timeout 1 nc -w 1 {ip} {port} < /dev/null", check=False)
    verdict, = hostile_guest.finish(lab, "serving", 60)
    counts = dict((key, int(n)) for key, n in re.findall(r"(\w+)=(\d+)", verdict.text))
    print(f"hostile: served: {counts}", flush=True)
    scenario.check(verdict.passed, f"serve: {verdict.text}")
    scenario.check(counts.get("tcps", 0) >= 3, f"serve: {counts.get('tcps')} of 3 TCP packets came")
    scenario.check(counts.get("blank", 0) >= 1,
                   "serve: TCP of another guest came without csum_blank, though it is not finished")
    scenario.settle("serving", "serve")


def filtered(scenario):
    """Multicast control: frames of the wire to a group that a guest listed, to another, to everybody."""
    lab, wire = scenario.lab, scenario.lab.wire["A"]
    hostile_guest.start(lab, "filtering", "filtered")
    for nr, unlisted in enumerate((MULTICASTS, 0, 0), 1):
        lab.wait_console("filtering", rf"(?s)(hostile: listening.*){{{nr}}}", timeout=20)
        for group in [1, 2] * MULTICASTS + [None] * MULTICASTS + [3]:
            to = b"\xff" * 6 if group is None else bytes([1, 0, 0x5E, 0x7F, 0, group])
            wire.inject(to + b"\x02\0\0\0\0\x77\x88\xb5" + bytes(50))
        expected = f"listed={MULTICASTS} unlisted={unlisted} broadcast={MULTICASTS}"
        lab.wait_console("filtering", rf"(?s)(hostile: filtered_\w+: .*){{{nr}}}", timeout=30)
        verdict = hostile_guest.verdicts(lab, "filtering")[-1]
        print(f"hostile: {verdict.attack}: {verdict.text}", flush=True)
        scenario.check(verdict.passed and verdict.text == expected,
                       f"{verdict.attack}: {verdict.text}; expected {expected}")
    hostile_guest.finish(lab, "filtering", 20)
    scenario.settle("filtering", "filtered")


def leaving(scenario):
    """Gone with traffic in flight: by itself, by a crash, destroyed, and its vif detached first."""
    lab = scenario.lab
    for attack in LEAVING:
        hostile_guest.start(lab, attack, attack)
        lab.wait_console(attack, "leaving with traffic in flight", timeout=20)
        scenario.settle(attack, attack, LEAVING_LOSS)
    for name in ("destroyed", "detached"):
        domain = hostile_guest.start(lab, name, "rampage")
        lab.wait_console(name, "leaving with traffic in flight", timeout=20)
        time.sleep(1)
        if name == "detached":
            lab.dom0.run(f"xl network-detach {name} 0", timeout=30)
        domain.destroy()
        scenario.settle(name, name, LEAVING_LOSS)


def closed_lines(scenario):
    """The log names what was closed, in few lines however often it happened."""
    text = scenario.domnet.console()
    closed = re.findall(r"warning: (vif\d+\.0): closed: ", text)
    scenario.check(len(set(closed)) >= 3, f"only {set(closed)} are logged as closed")
    scenario.check(len(text.splitlines()) < 300,
                   f"the log grew to {len(text.splitlines())} lines: it is not limited")


def same_as_before(scenario, usage, nodes):
    after = scenario.usage()
    print(f"hostile: held before: {usage}, after: {after}", flush=True)
    scenario.check(after == usage, f"held before: {usage}, held after all guests are gone: {after}")
    left = sorted(scenario.nodes() - nodes)
    scenario.check(not left, "nodes of guests that are gone:\n" + "\n".join(left))


def own_counters(scenario):
    """The driver domain's own count after each guest; a NIC gives sent frames back when it likes."""
    lines = re.findall(r"(vif\d+\.0): gone; in use now: (\d+) event channels, (\d+) mapped pages, "
                       r"(\d+) mbufs", scenario.domnet.console())
    expect(len(lines) >= len(LEAVING), f"only {lines} vifs are logged as gone")
    mbufs = [int(line[3]) for line in lines]
    print(f"hostile: mbufs in use after each guest: {mbufs}", flush=True)
    scenario.check(len({line[1:3] for line in lines}) == 1,
                   f"event channels or mapped pages differ from guest to guest: {lines}")
    scenario.check(max(mbufs) - min(mbufs) <= NIC_TX_RING,
                   f"mbufs get lost: in use after each guest were {mbufs}")


def run(lab):
    scenario = Scenario(lab)
    usage, nodes = scenario.usage(), scenario.nodes()
    honest(scenario)
    served(scenario)
    filtered(scenario)
    for number, (attacks, timeout, loss) in enumerate(GUESTS):
        scenario.attack(f"hostile{number}", attacks, timeout, loss)
    leaving(scenario)
    closed_lines(scenario)
    time.sleep(1)
    same_as_before(scenario, usage, nodes)
    own_counters(scenario)
    if scenario.failures:
        raise CheckFailed(f"{len(scenario.failures)} checks:\n" + "\n".join(scenario.failures))
    measure.checked_transfers(lab, lab.wire["A"], scenario.bystander.guest)
    ferry_domnet.check_alive(lab, scenario.domnet)
