# SPDX-License-Identifier: BSD-2-Clause
"""The peer: a Linux driver domain is killed and replaced by plain `xl`, as its manual has it.

The same load and the same measurements as Ferry's (recovery_measure). `xl` brings the domain back, but
its guest's interface stays dead: it is unplugged and plugged again by hand, and gets its address anew.
What that does to the guest's connections is told, not judged; that frames flow again in the end is.
"""
import time

import recovery_common as common
import recovery_measure as measure
from ferry_domnet import expect, mac
from ferrylab import CheckFailed

IN_CHECK = False  # nothing of Ferry is in it; bench/recovery.py has figures of it
NAME, GUEST = "domlinux", "guest9"
GUEST_IP = "10.78.0.9"
FORWARDING = "domlinux: forwarding at"
VIF = f"mac={mac(9)},bridge=xenbr0,backend={NAME}"
LIMIT_S = 60
SETTLE_S = 0.5


class Scene:
    def __init__(self, lab, store=None):
        self.lab, self.wire = lab, lab.wire["B"]
        lab.linux_domnet(NAME)
        self.guest = lab.guest(GUEST, vifs=[VIF])
        address(self.guest)
        lab.wait_console(NAME, r"port 2\(vif\d+\.0\) entered forwarding state")
        self.guest.run(f"ping -c 3 -i 0.2 -W 2 {self.wire.ip}")
        self.store = store or measure.StoreLog(lab)
        self.guest_domid = self.guest.domid
        self.device = 0  # each interface plugged in has a number of its own


def address(guest):
    guest.run(f"ip addr add {GUEST_IP}/24 dev eth0 && ip link set eth0 up")


def replace(scene):
    """What a person types, without the time to think and to type. Returns (step, ms since the kill)."""
    lab, guest = scene.lab, scene.guest
    started, steps = time.monotonic(), []

    def done(step):
        steps.append((step, round(1000 * (time.monotonic() - started))))

    boots = lab.console(NAME).count(FORWARDING)
    lab.dom0.run(f"xl destroy {NAME}", timeout=LIMIT_S)
    done("destroyed")
    lab.dom0.run(f"xl create /root/{NAME}.cfg", timeout=LIMIT_S)
    done("created")
    while lab.console(NAME).count(FORWARDING) == boots:
        if time.monotonic() - started > LIMIT_S:
            raise CheckFailed(f"{NAME} does not forward {LIMIT_S} s after its end:\n"
                              f"{lab.console(NAME)[-1500:]}")
        time.sleep(0.02)
    done("forwarding")
    expect(guest.run(f"ping -c 2 -i 0.2 -W 1 {scene.wire.ip}", check=False).rc,
           "the guest's interface works without being replugged: this peer needs less than is told of it")
    done("seen to be dead")
    lab.dom0.run(f"xl network-detach {GUEST} {scene.device}", timeout=LIMIT_S)
    done("unplugged")
    lab.dom0.run(f"xl network-attach {GUEST} {VIF.replace(',', ' ')}", timeout=LIMIT_S)
    scene.device = int(lab.dom0.output(f"xl network-list {GUEST} | tail -n 1").split()[0])
    guest.run("for i in $(seq 100); do [ -e /sys/class/net/eth0 ] && break; sleep 0.05; done")
    done("plugged in")
    address(guest)
    done("address set")
    guest.run(f"for i in $(seq 100); do ping -c 1 -W 1 {scene.wire.ip} && break; done",
              timeout=LIMIT_S)
    done("answered")
    return steps


def one(scene):
    """Returns the figures; .extra has the steps, and whether the TCP connections survived."""
    scene.store.mark()
    load = measure.Load(scene.lab, scene.guest, scene.wire)
    load.wait_flowing()
    window = measure.Window(load)
    steps = replace(scene)
    time.sleep(SETTLE_S)
    window.close()
    survived = load.survives()
    figures = window.figures()
    front, back = scene.store.states(scene.guest_domid, r"\d+")
    figures.extra.update(steps=steps, survived=survived, states=front)
    print(f"recovery_peer: {figures.text()}; TCP {'survived' if survived else 'did not survive'}; "
          f"ms: {', '.join(f'{step} {ms}' for step, ms in steps)}; states written by or for the guest: "
          f"{front}, for its backend: {back}", flush=True)
    return figures


def run(lab):
    common.prefer_dom0(lab)
    one(Scene(lab))
