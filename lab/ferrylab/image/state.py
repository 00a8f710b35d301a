# SPDX-License-Identifier: BSD-2-Clause
"""Boots the machine once and saves it, ready to serve, for every scenario to start from."""
from .. import paths
from ..dom0 import Dom0
from ..errors import LabError
from ..machine import Machine
from ..progress import say

BOOT_LIMIT_S = 300

# What a scenario would otherwise wait for: pages of the programs it will run.
_WARM_UP = (f"xl list; xl info; xl pci-assignable-list; python3 -c 'import json' || true; "
            f"cat {paths.DOM0_IMAGES}/vmlinux {paths.DOM0_IMAGES}/guest.cpio > /dev/null; sync")


def _check_services(dom0, serial_log):
    """A dom0 with systemd has started all that it has."""
    state = dom0.run("systemctl is-system-running --wait", timeout=BOOT_LIMIT_S, check=False).stdout.strip()
    if state != "running":
        raise LabError(f"dom0 is {state}, not running; see {serial_log}:\n"
                       f"{dom0.output('systemctl --failed --no-pager; journalctl -b -p err --no-pager')}")


def _check_nics(dom0, serial_log, slots):
    assignable = dom0.output("xl pci-assignable-list")
    for slot in slots:
        if slot.bdf not in assignable:
            raise LabError(f"NIC slot {slot.name} ({slot.bdf}) is not assignable, only: "
                           f"{assignable!r}; see {serial_log}")


def _check_ready(dom0, serial_log, kind):
    if kind.has_systemd:
        _check_services(dom0, serial_log)
    dom0.run(_WARM_UP)
    if not kind.has_systemd:
        _check_nics(dom0, serial_log, kind.slots)
    if kind.xen_options:
        return
    booted = serial_log.read_text(errors="replace")
    for line in ("I/O virtualisation enabled", "Interrupt remapping enabled"):
        if line not in booted:
            raise LabError(f"Xen did not print `{line}`; see {serial_log}")


def make(images, target, kind):
    machine = Machine(images, target, images / "dom0.qcow2", kind)
    try:
        # Nothing is on the cables yet; a scenario brings its own ends.
        machine.start([f"hubport,id=nic{slot.name},hubid={number}"
                       for number, slot in enumerate(kind.slots)])
        dom0 = Dom0(machine)
        dom0.wait_greeting(BOOT_LIMIT_S)
        say("state: dom0 is up, saving")
        _check_ready(dom0, machine.serial_log, kind)
        machine.save(target / "state")
        dom0.close()
    finally:
        machine.stop()
    # The state belongs to the disk as it was then, so a run's overlay goes on this one.
    (target / "disk.qcow2").rename(target / "base.qcow2")
