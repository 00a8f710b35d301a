# SPDX-License-Identifier: BSD-2-Clause
"""What a vif's nodes may not hold: each bad value refuses the vif, and names key, value and what is accepted.

The nodes are written as the toolstack writes them, in one transaction, for what xl filters itself; the
frontend is a domain that never runs.
"""
import re
import shlex
import time

import ferry_domnet
from ferry_domnet import expect
from ferrylab import CheckFailed, measure

EXTRA = "bridge=xenbr0,uplink=nic0 bridge=lan,address=10.88.0.1/24 bridge=inside"
MAC = "00:16:3e:77:20:01"
LIMIT_S = 10
SHOWN = 40  # bytes of a value that an error repeats
ROUTE = {"bridge": "lan", "script": "vif-route"}
NAT = {"bridge": "lan", "script": "vif-nat"}

# Key, value, what the error says besides key and value, other nodes.
REFUSED = [
    ("mac", "", "accepted: six pairs", {}),
    ("mac", "00:16:3e:77:20", "accepted: six pairs", {}),
    ("mac", "00:16:3e:77:20:0g", "accepted: six pairs", {}),
    ("mac", "00-16-3e-77-20-01", "accepted: six pairs", {}),
    ("mac", "01:00:5e:00:00:01", "not of a group", {}),
    ("mac", "ff:ff:ff:ff:ff:ff", "not of a group", {}),
    ("mac", "00:00:00:00:00:00", "not all 0", {}),
    ("bridge", "nope", "bridges are: xenbr0 lan inside", {}),
    ("bridge", "XENBR0", "bridges are: xenbr0 lan inside", {}),
    ("bridge", "xenbr0 ", "bridges are: xenbr0 lan inside", {}),
    ("bridge", "nope.10", "bridges are: xenbr0 lan inside", {}),
    ("bridge", "xenbr0.", "bridges are|accepted", {}),
    ("bridge", "xenbr0.0", "bridges are|accepted", {}),
    ("bridge", "xenbr0.4095", "bridges are|accepted", {}),
    ("bridge", "xenbr0.x", "bridges are|accepted", {}),
    ("bridge", "xenbr0:", "bridges are|accepted", {}),
    ("bridge", "xenbr0:10:", "bridges are|accepted", {}),
    ("bridge", "xenbr0:10:4095", "bridges are|accepted", {}),
    ("bridge", "xenbr0.10:20", "bridges are|accepted", {}),
    ("bridge", "x" * 400, "accepted: printable, at most 127", {}),
    ("vlan", "0", "1 to 4094|accepted", {}),
    ("vlan", "4095", "1 to 4094|accepted", {}),
    ("vlan", "10", "", {}),  # no native VLAN, or of it what the form asks for
    ("vlan", "x", "accepted|VLAN", {}),
    ("vlan", "10p/20p", "accepted|VLAN", {}),
    ("vlan", "30-20", "accepted|VLAN", {}),
    ("vlan", "10p", "said twice; accepted", {"bridge": "xenbr0.10"}),
    ("script", "vif-nope", "accepted: vif-bridge, vif-openvswitch", {}),
    ("script", "/etc/xen/scripts/vif-nope", "accepted: vif-bridge, vif-openvswitch", {}),
    ("script", "/etc/xen/scripts/vif-bridge ", "accepted: vif-bridge, vif-openvswitch", {}),
    ("script", "/etc/xen/scripts/vif-bridge/", "accepted: vif-bridge|vif-bridge", {}),
    ("script", "block", "accepted: vif-bridge, vif-openvswitch", {}),
    ("script", "/" + "x" * 400 + "/vif-bad", "accepted: vif-bridge, vif-openvswitch", {}),
    ("script", "x" * 400, "accepted: vif-bridge, vif-openvswitch", {}),
    ("mtu", "", "accepted: 68 to", {}),
    ("mtu", "0", "accepted: 68 to", {}),
    ("mtu", "67", "accepted: 68 to", {}),
    ("mtu", "65501", "accepted: 68 to", {}),
    ("mtu", "-1500", "accepted: 68 to", {}),
    ("mtu", "1500 bytes", "accepted: 68 to", {}),
    ("mtu", "9" * 60, "accepted: 68 to", {}),
    ("mtu", "9000", "accepted: up to 1500", {}),
    ("rate", "", "accepted: BYTES,MICROSECONDS", {}),
    ("rate", "10Mb/s", "accepted: BYTES,MICROSECONDS", {}),
    ("rate", "62500", "accepted: BYTES,MICROSECONDS", {}),
    ("rate", "0,50000", "accepted: BYTES,MICROSECONDS", {}),
    ("rate", "62500,0", "accepted: BYTES,MICROSECONDS", {}),
    ("rate", "62500,-1", "accepted: BYTES,MICROSECONDS", {}),
    ("rate", "9" * 40 + ",50000", "accepted: BYTES,MICROSECONDS", {}),
    ("ip", "10.77.0.300", "accepted|address", {}),
    ("ip", "10.77.0.1/33", "accepted|address", {}),
    ("ip", "10.77.0.1/", "accepted|address", {}),
    ("ip", "224.0.0.1", "accepted|address", {}),
    ("ip", "fd00::1/129", "accepted|address", {}),
    ("ip", "fd00::1::2", "accepted|address", {}),
    ("ip", "10.77.0.1 nonsense", "accepted|address", {}),
    ("ip", " ".join(f"10.9.0.{n}" for n in range(17)), "accepted|16", {}),
    ("ip", "10." * 500, "accepted|address", {}),
    ("ip", "10.77.0.300", "accepted: IPv4 and IPv6", ROUTE),
    ("ip", "10.88.0.1", "", ROUTE),  # the bridge's own
    ("ip", "", "needs ip=", ROUTE),
    ("ip", "10.9.0.1 10.9.0.2", "vif-nat takes one IPv4", NAT),
    ("ip", "fd00::5", "vif-nat takes one IPv4", NAT),
    ("ip", "10.9.0.200", "accepted: last numbers from 1 to 127", NAT),
    ("gatewaydev", "nope", "accepted", ROUTE | {"ip": "10.9.0.1"}),
    ("gatewaydev", "xenbr0", "accepted: lan", ROUTE | {"ip": "10.9.0.1"}),
    ("gatewaydev", "lan", "accepted: with script=vif-route", {}),
    ("gatewaydev", "x" * 100, "at most 15 bytes", ROUTE | {"ip": "10.9.0.1"}),
    ("type", "tap", "accepted: vif or vif_ioemu", {}),
    ("frontend-id", "0", "", {}),
    ("frontend", "/local/domain/0/device/vif/0", "", {}),
    ("handle", "77", "", {}),
    ("forwarddev", "eth1", "not understood; accepted: mac, bridge, script", {}),
    ("colo_checkpoint_port", "1", "not understood; accepted: mac, bridge, script", {}),
    ("multi-queue-num-queues", "2", "not understood; accepted: mac, bridge, script", {}),
    ("x" * 200, "1", "not understood; accepted: mac, bridge, script", {}),
]
GARBAGE = r"\001\377%s%n\033[31m\042\047\134,;|$(reboot)"
LISTED = ("frontend-id", "frontend", "handle", "type", "mac", "bridge", "mtu", "script", "rate", "ip",
          "vlan", "gatewaydev")

# What looks odd but is right.
TAKEN = [
    ("a long path", {"script": "/" + "x" * 400 + "/vif-bridge"}),
    ("an ip= of more than 400 bytes", {"ip": " ".join(
        [f"10.200.100.{n}/32" for n in range(101, 117)] +
        [f"fd00:1234:5678::{n:x}" for n in range(0x1001, 0x100B)])}),
    ("all that xl writes", {"script": "/etc/xen/scripts/vif-bridge", "ip": "10.77.0.40", "type": "vif",
                            "rate": "62500,50000", "mtu": "1500", "vifname": "web0",
                            "hotplug-status": ""}),
    ("vlan= of Xen 4.20", {"vlan": "10p/20-30"}),
    ("an HVM guest's", {"type": "vif_ioemu"}),
    ("no bridge= for vif-nat", {"script": "vif-nat", "bridge": ""}),
]


class Bench:
    """A driver domain and a domain that never runs; vifs are made and taken away by hand."""

    def __init__(self, lab):
        self.lab = lab
        self.domain = ferry_domnet.start(lab, extra=EXTRA)
        self.good = ferry_domnet.guest(lab, 1)
        self.frozen = lab.create_domain({
            "name": "frozen", "type": "pv", "kernel": "/root/images/vmlinux", "memory": 96}, paused=True)
        self.back, self.front_id = self.domain.domid, self.frozen.domid
        self._number = 0

    def add(self, nodes, raw=""):
        """All nodes at once. raw: words for xenstore-write that the shell makes. Returns the path."""
        self._number += 1
        front = f"/local/domain/{self.front_id}/device/vif/{self._number}"
        path = f"/local/domain/{self.back}/backend/vif/{self.front_id}/{self._number}"
        usual = {"frontend": front, "frontend-id": self.front_id, "online": 1, "state": 1, "mac": MAC,
                 "bridge": "xenbr0", "handle": self._number, "type": "vif"}
        words = " ".join(f"{path}/{key} {shlex.quote(str(value))}"
                         for key, value in {**usual, **nodes}.items() if value is not None)
        self.lab.dom0.run(f"xenstore-write {front}/state 1 {front}/backend {path} {words} "
                          f"{raw.replace('@', path)}")
        return path

    def answer(self, path):
        """("connected", "") or ("refused", why)."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            said = self.lab.dom0.run(f"xenstore-read {path}/hotplug-error", check=False).stdout.strip()
            status = self.lab.dom0.run(f"xenstore-read {path}/hotplug-status", check=False).stdout.strip()
            if said:
                return "refused", said
            if status == "connected":
                return "connected", ""
            if time.monotonic() > deadline:
                return "no answer", self.lab.dom0.output(f"xenstore-ls {path}", check=False)
            time.sleep(0.05)

    def remove(self, path):
        front = self.lab.dom0.output(f"xenstore-read {path}/frontend", check=False)
        self.lab.dom0.run(f"xenstore-rm {path}; xenstore-rm {front}", check=False)


def check_refused(bench, key, value, said, others):
    """What is wrong with the answer, or None."""
    path = bench.add({**others, key: value})
    answer, why = bench.answer(path)
    state = bench.lab.dom0.run(f"xenstore-read {path}/state", check=False).stdout.strip()
    bench.remove(path)
    what = f"{key}='{value[:30]}'"
    if answer != "refused":
        return f"{what}: {answer} {why}"
    if key[:SHOWN] not in why or not re.search(said, why):
        return f"{what}: the error says {why!r}, not {said!r} of {key}"
    if value and said and value[:SHOWN].strip() not in why and key in LISTED:
        return f"{what}: the error does not repeat the value: {why!r}"
    if state not in ("", "6"):
        return f"{what}: refused, but in state {state}"
    return None


def garbage(bench, key):
    """Bytes that are no text: refused, and what is said is printable."""
    text = shlex.quote(GARBAGE.replace("%", "%%"))
    path = bench.add({key: None}, raw=f'@/{key} "$(printf {text})"')
    answer, why = bench.answer(path)
    bench.remove(path)
    if answer != "refused":
        return f"garbage in {key}: {answer} {why}"
    if not re.fullmatch(r"[ -~]+", why) or not re.search("frontend|" + re.escape(key), why):
        return f"garbage in {key}: the error is {why!r}"
    return None


def taken(bench, what, nodes):
    path = bench.add(nodes)
    answer, why = bench.answer(path)
    bench.remove(path)
    return None if answer == "connected" else f"{what}: {answer} {why}"


def through_xl(bench):
    """The same by xl: it fails, and its guest has no interface left over."""
    lab, guest = bench.lab, bench.good
    before = guest.output("ls /sys/class/net")
    for words in ("bridge=nope", "bridge=xenbr0 script=vif-nope", "bridge=xenbr0 ip=10.77.0.300",
                  "bridge=xenbr0 mtu=9000"):
        done = lab.dom0.run(f"xl network-attach {guest.name} mac={MAC} {words} backend=domnet",
                            timeout=40, check=False)
        expect(done.rc, f"xl network-attach {words}: xl says it worked")
    expect(guest.output("ls /sys/class/net") == before, "a refused vif left an interface in the guest")


def run(lab):
    bench = Bench(lab)
    lab.wait_console("domnet", "nic0: link up", timeout=20)
    failures = [check_refused(bench, *case) for case in REFUSED]
    failures += [garbage(bench, key) for key in LISTED]
    failures += [taken(bench, *case) for case in TAKEN]
    failures = [failure for failure in failures if failure]
    through_xl(bench)
    ferry_domnet.check_alive(lab, bench.domain)
    figures = measure.ping(bench.good, lab.wire["A"].ip, count=20)
    expect(figures["lost"] == 0, f"a good guest lost pings: {figures}")
    print(f"vif_refused: {len(REFUSED)} values, {len(LISTED)} nodes of garbage, {len(TAKEN)} odd ones",
          flush=True)
    if failures:
        raise CheckFailed(f"{len(failures)} of them:\n" + "\n".join(failures))
