# SPDX-License-Identifier: BSD-2-Clause
"""Boots the machine once and saves it, ready to serve, for every scenario to start from."""
import time

from .. import paths
from ..dom0 import Dom0
from ..errors import LabError, LabTimeout
from ..machine import Machine
from ..progress import say
from ..slots import SLOTS

BOOT_LIMIT_S = 120

# What a scenario would otherwise wait for: pages of the programs it will run.
_WARM_UP = (f"xl list; xl info; xl pci-assignable-list; python3 -c 'import json' || true; "
            f"cat {paths.DOM0_IMAGES}/vmlinux {paths.DOM0_IMAGES}/guest.cpio > /dev/null; sync")


def _wait_agent(machine):
    deadline = time.monotonic() + BOOT_LIMIT_S
    dom0 = Dom0(machine)
    with dom0.channel.news:
        while not dom0.channel.greeted:
            machine.check_alive()
            if time.monotonic() > deadline:
                raise LabTimeout(f"dom0's agent did not greet within {BOOT_LIMIT_S} s; "
                                 f"see {machine.serial_log}")
            dom0.channel.news.wait(0.5)
    return dom0


def _check_ready(dom0, serial_log):
    dom0.run(_WARM_UP)
    assignable = dom0.output("xl pci-assignable-list")
    for slot in SLOTS.values():
        if slot.bdf not in assignable:
            raise LabError(f"NIC slot {slot.name} ({slot.bdf}) is not assignable, only: "
                           f"{assignable!r}; see {serial_log}")
    booted = serial_log.read_text(errors="replace")
    for line in ("I/O virtualisation enabled", "Interrupt remapping enabled"):
        if line not in booted:
            raise LabError(f"Xen did not print `{line}`; see {serial_log}")


def make(images, target):
    machine = Machine(images, target, images / "dom0.qcow2")
    try:
        # Nothing is on the cables yet; a scenario brings its own ends.
        machine.start([f"hubport,id=nic{name},hubid={number}" for number, name in enumerate(SLOTS)])
        dom0 = _wait_agent(machine)
        say("state: dom0 is up, saving")
        _check_ready(dom0, machine.serial_log)
        machine.save(target / "state")
        dom0.close()
    finally:
        machine.stop()
    # The state belongs to the disk as it was then, so a run's overlay goes on this one.
    (target / "disk.qcow2").rename(target / "base.qcow2")
