# SPDX-License-Identifier: BSD-2-Clause
"""Four ways for a guest to a wire, side by side in one boot of the lab, each with a NIC of its own.

Ferry's driver domain, the Linux driver domain, netback and a bridge in dom0, and a NIC given to a guest.
The first three serve the very same guests: each guest has one interface for each of them.
"""
import re
import time
from dataclasses import dataclass, field

import pair
import ferry_domnet
from ferrylab import CheckFailed, SLOTS, measure
from ferrylab.domain import Domain
from ferrylab.progress import say

TITLES = {"ferry": "Ferry", "linux": "Linux driver domain", "dom0": "netback in dom0", "direct": "NIC given to the guest"}
# Who spends processor time for each: "driver domain" where there is one.
TITLES_OF_DOMAIN = {"ferry": "driver domain", "linux": "driver domain", "dom0": "dom0", "direct": "none"}
NICS = {"ferry": "A", "linux": "B", "dom0": "C", "direct": "D"}
SERVED = ("ferry", "linux", "dom0")  # those with vifs
GUEST_MB = 128
FIRST_ADDRESS = 2
ANSWER_LIMIT_S = 30

_DOM0_BRIDGE = """
modprobe -a bridge xen-netback && echo {bdf} > /sys/bus/pci/drivers/pciback/unbind && modprobe e1000e &&
until nic=$(ls /sys/bus/pci/devices/{bdf}/net 2>/dev/null) && [ "$nic" ]; do sleep 0.05; done &&
brctl addbr xenbr0 && brctl stp xenbr0 off && brctl setfd xenbr0 0 && brctl addif xenbr0 $nic &&
ip link set $nic up && ip link set xenbr0 up
"""
_SET_ADDRESS = """for d in /sys/class/net/eth*; do if [ "$(cat $d/address)" = {mac} ]; then
ip addr add {ip}/24 dev ${{d##*/}} && ip link set ${{d##*/}} up; fi; done"""


@dataclass
class Backend:
    """One of the four: its wire, and the domain that drives its NIC for others (none if a guest has it)."""

    label: str
    wire: object
    domain: object
    guests: list = field(default_factory=list)

    @property
    def title(self):
        return TITLES[self.label]

    def address(self, number):
        """Of guest `number` (from 0) at this backend's wire."""
        return f"{SLOTS[NICS[self.label]].network}.{FIRST_ADDRESS + number}"


def mac(label, number):
    return f"00:16:3e:78:{list(NICS).index(label):02x}:{number:02x}"


def _vif(label, number):
    backend = {"ferry": ",backend=domnet", "linux": ",backend=domlinux", "dom0": ""}[label]
    return f"mac={mac(label, number)},bridge=xenbr0{backend}"


def answers(guest, address):
    """Wait until pings come back."""
    deadline = time.monotonic() + ANSWER_LIMIT_S
    while guest.run(f"ping -c 1 -W 1 {address}", check=False).rc:
        if time.monotonic() > deadline:
            raise CheckFailed(f"{guest.name} does not reach {address} within {ANSWER_LIMIT_S} s")


def addresses_set(backends, guest, number, labels=SERVED):
    for label in labels:
        guest.run(_SET_ADDRESS.format(mac=mac(label, number), ip=backends[label].address(number)))


def _first_guest(lab, boot):
    """The guest whose vifs are the first that the driver domains serve; how long that takes goes to `boot`."""
    guest = lab.guest("guest1", memory=GUEST_MB)
    say("Ferry's driver domain: create, wait for its first vif")
    domnet = ferry_domnet.start(lab, paused=True)
    boot["ferry"] = pair.first_vif(lab, domnet, guest, 0, mac("ferry", 0))
    say("Linux driver domain: create, wait for its first vif")
    domlinux = lab.linux_domnet(paused=True)
    boot["linux"] = pair.first_vif(lab, domlinux, guest, 1, mac("linux", 0))
    domlinux.connect(timeout=120)
    lab.dom0.run("xl network-attach guest1 " + _vif("dom0", 0).replace(",", " "), timeout=60)
    return domnet, domlinux, guest


def _direct_guest(lab, backend):
    guest = lab.guest("direct", pci=[SLOTS[NICS["direct"]].bdf[5:]], memory=GUEST_MB + 16)
    guest.run("for m in $(cat /modules-nic.list); do insmod $m; done; "
              "until [ -e /sys/class/net/eth0 ]; do sleep 0.05; done; "
              f"ip addr add {backend.address(0)}/24 dev eth0 && ip link set eth0 up", timeout=60)
    backend.guests.append(guest)


def start(lab, nr_guests):
    """All of it, with two guests at least, with servers on the wires and in the second guest; returns ([Backend], boot times, KB of the Linux
    driver domain's memory that each vif took)."""
    say("dom0: a bridge over a NIC of its own")
    lab.dom0.run(_DOM0_BRIDGE.format(bdf=SLOTS[NICS["dom0"]].bdf), timeout=60)
    boot = {}
    domnet, domlinux, guest1 = _first_guest(lab, boot)
    domains = {"ferry": domnet, "linux": domlinux, "dom0": Domain(lab, "Domain-0"), "direct": None}
    backends = {label: Backend(label, lab.wire[nic], domains[label]) for label, nic in NICS.items()}
    say("a guest with a NIC of its own")
    _direct_guest(lab, backends["direct"])
    say(f"{nr_guests} guests with three vifs each")
    before = memory_available_kb(domlinux)
    guests = [guest1] + [lab.guest(f"guest{number + 1}", [_vif(label, number) for label in SERVED],
                                   memory=GUEST_MB, connect=False) for number in range(1, nr_guests)]
    for number, guest in enumerate(guests):
        guest.connect(timeout=180)
        addresses_set(backends, guest, number)
    for label in SERVED:
        backends[label].guests = guests
    for backend in backends.values():
        for number in range(len(backend.guests)):
            measure.iperf_server(backend.wire, measure.IPERF_PORT + number)
            answers(backend.guests[number], backend.wire.ip)
        measure.rr_server(lab, backend.wire)
    measure.iperf_server(guests[1])
    measure.rr_server(lab, guests[1])
    vif_kb = (before - memory_available_kb(domlinux)) / (nr_guests - 1)
    return list(backends.values()), boot, round(vif_kb)


def memory_available_kb(domain):
    """What Linux in a domain (one with run()) says is left for programs."""
    return int(re.search(r"MemAvailable:\s+(\d+)", domain.output("cat /proc/meminfo"))[1])
