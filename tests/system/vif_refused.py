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

BESIDE = True  # tests/run-system
EXTRA = "bridge=xenbr0,uplink=nic0 bridge=lan,address=10.88.0.1/24,address6=fd00:88::1/64 bridge=inside"
MAC = "00:16:3e:77:20:01"
LIMIT_S = 10
AT_ONCE = 16
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
    ("vlan", "0", "1 to 4094", {}),
    ("vlan", "4095", "1 to 4094", {}),
    ("vlan", "x", "terms are VID, VID-VID", {}),
    ("vlan", "10p/20p", "only one VID has a p", {}),
    ("vlan", "30-20", "terms are VID, VID-VID", {}),
    ("vlan", "10p", "said twice; accepted: one of", {"bridge": "xenbr0.10"}),
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
    ("mtu", "1279", "accepted: 1280 and more", ROUTE | {"ip": "10.9.0.1 fd00:88::5"}),
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
LISTED = ("type", "mac", "bridge", "mtu", "script", "rate", "ip", "vlan", "gatewaydev")
OURS = ("frontend-id", "frontend", "handle")

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
    ("vlan= without a VLAN for untagged frames", {"vlan": "10"}),
    ("an HVM guest's", {"type": "vif_ioemu"}),
    ("IPv6's least MTU", ROUTE | {"ip": "fd00:88::6", "mtu": "1280"}),
    ("no bridge= for vif-nat", {"script": "vif-nat", "bridge": ""}),
]


class Bench:
    """A driver domain and a domain that never runs; vifs are made and taken away by hand."""

    def __init__(self, lab):
        self.lab = lab
        self.domain = ferry_domnet.start(lab, extra=EXTRA)
        self.good = ferry_domnet.guest(lab, 1)
        frozen = lab.create_domain({"name": "frozen", "type": "pv", "kernel": "/root/images/vmlinux",
                                    "memory": 96}, paused=True)
        self._guest, back = frozen.domid, self.domain.domid
        self._fronts = f"/local/domain/{self._guest}/device/vif"
        self._backs = f"/local/domain/{back}/backend/vif/{self._guest}"
        self._number = 0
        # What is made below inherits this.
        lab.dom0.run(f"xenstore-write {self._fronts} '' {self._backs} '' && "
                     f"xenstore-chmod {self._fronts} n{self._guest} r{back} && "
                     f"xenstore-chmod {self._backs} n{back} r{self._guest}")

    def answers(self, cases):
        """What becomes of vifs with these nodes, a few at once: for each ("connected", "", state),
        ("refused", why, state) or ("no answer", the nodes, state).

        cases: (nodes,) or (nodes, words): nodes by name, None for one that is not there; words for
        xenstore-write that the shell makes, @ standing for the directory.
        """
        found = []
        for first in range(0, len(cases), AT_ONCE):
            found += self._answers(cases[first:first + AT_ONCE])
        return found

    def _answers(self, cases):
        numbers = range(self._number + 1, self._number + 1 + len(cases))
        self._number += len(cases)
        fronts = " ".join(f"{self._fronts}/{n}/state 1" for n in numbers)
        backs = " ".join(self._words(n, *case) for n, case in zip(numbers, cases))
        self.lab.dom0.run(f"xenstore-write {fronts} && xenstore-write -- {backs}")
        nodes = self._wait(numbers)
        refused = [n for n in numbers if nodes.get(n, {}).get("hotplug-error")]
        paths = " ".join(f"{self._backs}/{n}/hotplug-error" for n in refused)
        # As bytes: xenstore-ls would show unprintable ones in a printable way.
        texts = self.lab.dom0.run(f"xenstore-read {paths}").stdout.split("\n") if refused else []
        why = dict(zip(refused, texts))
        self.lab.dom0.run("xenstore-rm " + " ".join(f"{where}/{n}" for n in numbers
                                                    for where in (self._backs, self._fronts)))
        return [("refused" if n in why else "connected" if self._is_connected(nodes.get(n, {})) else
                 "no answer", why.get(n, str(nodes.get(n))), nodes.get(n, {}).get("state", ""))
                for n in numbers]

    def _words(self, number, nodes, raw=""):
        path = f"{self._backs}/{number}"
        usual = {"frontend": f"{self._fronts}/{number}", "frontend-id": self._guest, "online": 1,
                 "state": 1, "mac": MAC, "bridge": "xenbr0", "handle": number, "type": "vif"}
        return " ".join(f"{path}/{key} {shlex.quote(str(value))}" for key, value in
                        {**usual, **nodes}.items() if value is not None) + " " + raw.replace("@", path)

    @staticmethod
    def _is_connected(nodes):
        return nodes.get("hotplug-status") == "connected"

    def _wait(self, numbers):
        """The nodes of each, once each is settled or time is up."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            text = self.lab.dom0.run(f"xenstore-ls -f {self._backs}", check=False).stdout
            nodes = {}
            for number, key, value in re.findall(rf'^{self._backs}/(\d+)/(\S+) = "(.*)"$', text,
                                                 re.MULTILINE):
                nodes.setdefault(int(number), {})[key] = value
            if time.monotonic() > deadline or all(
                    self._is_connected(nodes.get(n, {})) or
                    # Ferry's last word to one that it refused is that its state goes.
                    "hotplug-error" in nodes.get(n, {}) and "state" not in nodes[n] for n in numbers):
                return nodes
            time.sleep(0.1)


def wrong_refusal(case, found):
    """What is wrong with the answer, or None."""
    key, value, said, _ = case
    answer, why, state = found
    what = f"{key}='{value[:30]}'"
    if answer != "refused":
        return f"{what}: {answer} {why}"
    if key[:SHOWN] not in why or not re.search(said, why):
        return f"{what}: the error says {why!r}, not {said!r} of {key}"
    value = value.rpartition("/")[2] or value if key == "script" else value
    if value[:SHOWN].strip() not in why and key in LISTED and "accepted: one of" not in said:
        return f"{what}: the error does not repeat the value: {why!r}"
    if state:
        return f"{what}: refused, but in state {state}"
    return None


def refusals(bench):
    found = bench.answers([({**others, key: value},) for key, value, _, others in REFUSED])
    for case, (answer, why, _) in zip(REFUSED, found):
        print(f"vif_refused: {case[0][:SHOWN]}='{case[1][:SHOWN]}': {answer}: {why}", flush=True)
    return [wrong_refusal(*both) for both in zip(REFUSED, found)]


def garbage(bench):
    """Bytes that are no text: refused, and what is said is printable."""
    keys, text = LISTED + OURS, shlex.quote(GARBAGE.replace("%", "%%"))
    found = bench.answers([({key: None}, f'@/{key} "$(printf {text})"') for key in keys])
    return [None if answer == "refused" and re.fullmatch(r"[ -~]+", why) and re.search(
        "frontend|" + re.escape(key), why) else f"garbage in {key}: {answer} {why!r}"
            for key, (answer, why, _) in zip(keys, found)]


def odd_ones(bench):
    found = bench.answers([(nodes,) for _, nodes in TAKEN])
    return [None if answer == "connected" else f"{what}: {answer} {why}"
            for (what, _), (answer, why, _) in zip(TAKEN, found)]


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
    failures = [failure for failure in refusals(bench) + garbage(bench) + odd_ones(bench) if failure]
    through_xl(bench)
    ferry_domnet.check_alive(lab, bench.domain)
    figures = measure.ping(bench.good, lab.wire["A"].ip, count=20)
    expect(figures["lost"] == 0, f"a good guest lost pings: {figures}")
    print(f"vif_refused: {len(REFUSED)} values, {len(LISTED + OURS)} nodes of garbage, {len(TAKEN)} odd ones",
          flush=True)
    if failures:
        raise CheckFailed(f"{len(failures)} of them:\n" + "\n".join(failures))
