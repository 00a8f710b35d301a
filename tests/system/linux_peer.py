# SPDX-License-Identifier: BSD-2-Clause
"""The peer: a Linux driver domain (bridge, netback, `xl devd`) and a stock guest."""
import json

from ferrylab import measure

IN_CHECK = False  # nothing of Ferry is in it; bench/ and `make demo` measure beside it
GUEST_IP = "10.78.0.2"
BOOT_STEPS = {"bridge_up": r"domlinux: bridge up at", "forwarding": r"domlinux: forwarding at"}


def run(lab):
    wire = lab.wire["B"]
    domlinux = lab.linux_domnet(paused=True)
    figures = {"boot_s": measure.console_times(lab, domlinux, BOOT_STEPS),
               "size_bytes": json.loads((lab.built.images / "sizes.json").read_text())}
    guest = lab.guest("guest1", vifs=["mac=00:16:3e:78:00:02,bridge=xenbr0,backend=domlinux"])
    guest.run(f"ip addr add {GUEST_IP}/24 dev eth0 && ip link set eth0 up")
    lab.wait_console("domlinux", r"port 2\(vif\d+\.0\) entered forwarding state")
    figures.update(measure.traffic(lab, wire, guest, GUEST_IP, domlinux))
    measure.save(lab, figures)
