# SPDX-License-Identifier: BSD-2-Clause
"""The same image with Open vSwitch: a guest on a bridge with a VLAN, another one beside it, and the stock script vif-openvswitch."""
from ferry_domnet import expect, mac
from ferrylab import measure

import linux_image as image

IN_CHECK = False  # it has not been run yet
NAME = image.NAME
MEMORY_MB = 160
STEPS = {"bridge": r"ferry: bridges are up after", "ready": r"ferry: ready after"}


def guest(lab, number, bridge):
    guest = lab.guest(f"guest{number}", vifs=[f"mac={mac(number)},bridge={bridge},backend={NAME},script=vif-openvswitch"])
    guest.run(f"ip addr add 10.78.0.{number}/24 dev eth0 && ip link set eth0 up")
    return guest


def answers(guest, address):
    return guest.run(f"for i in $(seq 10); do ping -c 1 -W 1 {address} && exit 0; done; exit 1", timeout=60,
                     check=False).rc == 0


def run(lab):
    made = lab.run_dir / "image"
    print(image.make(made, "--drivers", "e1000e", "--ovs"), end="")
    for name in ("vmlinux", "initrd"):
        lab.dom0.put(made / name, f"{image.WHERE}/{name}")
    domain = lab.create_domain(image.config("ferry.ovs=xenbr0", memory=MEMORY_MB), paused=True, timeout=120)
    figures = {"boot_s": measure.console_times(lab, domain, STEPS),
               "size_bytes": {name: (made / name).stat().st_size for name in ("vmlinux", "initrd")}}
    untagged, tagged = guest(lab, 7, "xenbr0"), guest(lab, 8, "xenbr0.20")
    expect(answers(untagged, lab.wire["B"].ip), f"no answer from the wire:\n{domain.console()[-2000:]}")
    expect(not answers(tagged, lab.wire["B"].ip), "a guest in VLAN 20 reaches the wire without a tag")
    measure.save(lab, figures)
