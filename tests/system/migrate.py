# SPDX-License-Identifier: BSD-2-Clause
"""docs/migrate.md step by step: from a bridge in dom0 over its only card to Ferry, guest by guest, and back; from a Linux driver domain and back.

Dom0 keeps its network behind the driver domain (dom0_vif=). Guests that have moved, guests that have not and dom0 reach each other and the wire at each step.
"""
import ferry_domnet
import recovery_common as common
import recovery_nic
import setup_nic as nic
from ferry_domnet import BUILD, expect
from ferrylab import CheckFailed
from ferrylab.slots import SLOTS

IN_CHECK = False  # for its time: four minutes
BRIDGE = "xenbr0"
EXAMPLE = BUILD.parent / "docs/examples/domnet.cfg"
CONFIG = "/etc/ferry/domnet.cfg"
KERNEL = "/usr/lib/ferry/ferry-net"
DOM0 = nic.ADDRESS.split("/", maxsplit=1)[0]


def config_put(lab, card, words=""):
    """The example with this card in it, as the page says."""
    text = EXAMPLE.read_text()
    for before, after in (('"03:00.0"', f'"{card}"'), ("bridge=xenbr0", f"bridge={BRIDGE}")):
        expect(before in text, f"{EXAMPLE} has no {before}")
        text = text.replace(before, after)
    lab.dom0.put(f"{text}{words}\n".encode(), CONFIG)


def guest_made(lab, number, backend, slot="A"):
    made = lab.guest(f"guest{number}", vifs=[f"mac={ferry_domnet.mac(number)},bridge={BRIDGE}{backend}"])
    made.ip = f"{SLOTS[slot].network}.{number + 1}"
    address_set(made)
    return made


def address_set(guest):
    """The guest's own configuration of its interface, which it applies again when the interface comes back."""
    guest.run(f"for i in $(seq 100); do [ -e /sys/class/net/eth0 ] && break; sleep 0.1; done; "
              f"ip addr add {guest.ip}/24 dev eth0; ip link set eth0 up")


def vif_moved(lab, guest, number, backend):
    """Detach and attach, with the same MAC address."""
    lab.dom0.run(f"xl network-detach {guest.name} 0", timeout=60)
    guest.run("for i in $(seq 100); do [ -e /sys/class/net/eth0 ] || exit 0; sleep 0.1; done; exit 1")
    lab.dom0.run(f"xl network-attach {guest.name} mac={ferry_domnet.mac(number)} bridge={BRIDGE} {backend}", timeout=60)
    address_set(guest)


def all_reach(lab, guests, when, dom0=True, slot="A"):
    """Each of them the others, dom0 and the wire."""
    addresses = [guest.ip for guest in guests] + [lab.wire[slot].ip] + ([DOM0] if dom0 else [])
    for guest in guests:
        for address in addresses:
            if address != guest.ip:
                reach(guest, address, f"{when}: {guest.name}")
    if dom0:
        for address in addresses[:-1]:
            reach(lab.dom0, address, f"{when}: dom0")


def reach(who, address, text):
    common.wait_for(lambda: who.run(f"ping -c 1 -W 1 {address}", check=False).rc == 0, f"{text} does not reach {address}", 20)


def from_dom0s_bridge(lab):
    recovery_nic.dom0_drives(lab, SLOTS["A"].bdf)
    interface = recovery_nic.interfaces(lab, SLOTS["A"].bdf)[0]
    nic.use(lab, interface, BRIDGE)
    lab.dom0.run("modprobe xen-netback")
    guests = [guest_made(lab, number, "") for number in (1, 2)]
    all_reach(lab, guests, "on dom0's bridge")

    card = lab.dom0.output(f"cat /sys/class/net/{interface}/address").strip()
    config_put(lab, interface, f'dom0_vif = "mac={card},bridge={BRIDGE}"')
    done = lab.dom0.run(f"ferry check {CONFIG}", timeout=60, check=False)
    expect(done.rc == 0, f"ferry check: {done}")
    lab.dom0.run(f"ferry start {CONFIG}", timeout=90)
    nic.moved(lab, interface, BRIDGE, "started")
    all_reach(lab, guests, "started, no guest moved")
    for number, guest in enumerate(guests, 1):
        vif_moved(lab, guest, number, "backend=domnet")
        all_reach(lab, guests, f"{guest.name} moved")
    lab.dom0.run("ln -s ../domnet.cfg /etc/ferry/auto/")
    lab.dom0.run("ferry start --all", timeout=60)  # nothing to do: it runs
    all_reach(lab, guests, "start --all")

    common.death(lab, lambda: lab.dom0.run("xl destroy domnet", timeout=60), "xl destroy")
    all_reach(lab, guests, "after a death")

    lab.dom0.run("ferry stop domnet; rm /etc/ferry/auto/domnet.cfg", timeout=60)
    nic.dom0_pings(lab, "stopped")
    expect(nic.driver_of(lab, interface) == "pci", "stopped, and yet dom0's interface is on a vif")
    for number, guest in enumerate(guests, 1):
        vif_moved(lab, guest, number, "")
    all_reach(lab, guests, "back on dom0's bridge")
    for guest in guests:
        guest.destroy()
    lab.dom0.run(f"rm {CONFIG}")


def from_linux_driver_domain(lab):
    """A domain of the same name takes its place, with the same card."""
    linux = lab.linux_domnet(name="domnet", nic="B")
    guests = [guest_made(lab, number, ",backend=domnet", "B") for number in (3, 4)]
    all_reach(lab, guests, "behind Linux", dom0=False, slot="B")
    linux.destroy()  # the lab's small Linux has no init that would act on `xl shutdown`
    config_put(lab, SLOTS["B"].bdf)
    lab.dom0.run(f"ferry start {CONFIG}", timeout=90)
    common.wait_for(lambda: any(link["up"] for link in common.status(lab).get("links", [])), "no link", 30)
    for number, guest in enumerate(guests, 3):
        vif_moved(lab, guest, number, "backend=domnet")
    all_reach(lab, guests, "from Linux to Ferry", dom0=False, slot="B")
    lab.dom0.run("ferry stop domnet", timeout=60)
    linux = lab.linux_domnet(name="domnet", nic="B")
    linux.run("for i in $(seq 300); do grep -qx xl /proc/[0-9]*/comm && exit 0; sleep 0.1; done; exit 1")  # xl devd
    for number, guest in enumerate(guests, 3):
        vif_moved(lab, guest, number, "backend=domnet")
    all_reach(lab, guests, "back to Linux", dom0=False, slot="B")
    if not linux.exists():
        raise CheckFailed("the Linux driver domain is gone")


def run(lab):
    common.install(lab)
    lab.dom0.run(f"mkdir -p {KERNEL.rsplit('/', 1)[0]} /etc/ferry/auto")
    lab.dom0.put(BUILD / "ferry-net", KERNEL)
    common.supervise(lab)
    from_dom0s_bridge(lab)
    from_linux_driver_domain(lab)
