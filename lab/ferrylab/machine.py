# SPDX-License-Identifier: BSD-2-Clause
"""The emulated machine: one QEMU process."""
import socket
import subprocess

from .errors import LabError, LabTimeout
from .limits import PATIENCE
from .process import run_host, spawn, stop
from .qmp import Qmp
from .slots import disks_beside

QEMU = "qemu-system-x86_64"
XEN_COMMAND_LINE = ("console=com1 com1=115200,8n1 dom0_mem=1024M,max:1024M dom0_max_vcpus=1 "
                    "sched=credit loglvl=all guest_loglvl=all")
RAM_GIB = 4
DOM0_COMMAND_LINE = "console=hvc0 panic=1"

# Three times Ctrl-a moves the serial line's input from dom0 to Xen and back.
_SWITCH_INPUT = b"\x01\x01\x01"


def hardware_arguments(images, slots, xen_options=""):
    """What must be the same when the state is saved and when it is loaded."""
    arguments = [
        "-machine", "q35,kernel-irqchip=off",
        "-device", "intel-iommu,intremap=on,aw-bits=48",
        "-cpu", "qemu64,+svm,+npt,+ssse3,+sse4.1,+sse4.2,+popcnt",
        "-accel", "tcg,thread=multi", "-smp", "2", "-m", f"{RAM_GIB}G",
        "-nic", "none", "-no-reboot", "-display", "none", "-nodefaults",
        "-device", "virtio-blk-pci,bus=pcie.0,addr=2,drive=disk",
        "-device", "virtio-serial-pci,bus=pcie.0,addr=3",
        "-device", "virtserialport,chardev=agent,name=ferry.lab",
        "-serial", "chardev:serial",
        "-kernel", str(images / "xen"), "-append", f"{XEN_COMMAND_LINE} {xen_options}".strip(),
        "-initrd", f"{images / 'dom0-vmlinux'} {DOM0_COMMAND_LINE},{images / 'dom0.cpio'}",
    ]
    for slot in [*slots, *disks_beside(slots)]:
        arguments += slot.arguments()
    return arguments


class Machine:
    """Starts QEMU in a run directory; `stop()` is always safe to call."""

    def __init__(self, images, run_dir, base_disk, kind):
        self.images = images
        self.run_dir = run_dir
        self.base_disk = base_disk
        self.kind = kind
        self.process = None
        self.qmp = None
        self._serial = None

    def start(self, netdevs, state=None, plugin=None):
        """Boot, or continue from a saved state.  `netdevs`: one -netdev value each; `plugin`: for TCG."""
        self._make_overlay()
        self._spawn(netdevs, state, plugin)

    def start_again(self, netdevs):
        """Boot once more, with the disk as it was left."""
        self.stop()
        self._spawn(netdevs)

    def _spawn(self, netdevs, state=None, plugin=None):
        argv = [QEMU, *hardware_arguments(self.images, self.kind.slots, self.kind.xen_options)]
        argv += ["-drive", f"file={self._disk},if=none,id=disk,format=qcow2,cache=unsafe"]
        for slot in self.kind.disks:
            argv += ["-drive", f"file={self.disk_file(slot)},if=none,id=disk{slot.name},format=raw,cache=unsafe"]
        argv += ["-chardev", self._chardev("agent"), "-qmp", self._unix("qmp")]
        argv += ["-chardev", self._chardev("serial") + f",logfile={self.serial_log},logappend=on"]
        for netdev in netdevs:
            argv += ["-netdev", netdev]
        if state:
            argv += ["-incoming", "defer"]
        if plugin:
            argv += ["-plugin", f"{plugin},socket={self.run_dir}/instructions.sock,ram={RAM_GIB << 30}"]
        with open(self.run_dir / "qemu.log", "wb") as log:
            self.process = spawn(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.qmp = Qmp(self.run_dir / "qmp.sock", self.process)
        if state:
            self._load(state)

    @property
    def serial_log(self):
        return self.run_dir / "xen-dom0.log"

    def save(self, target):
        """Stop the machine and write its state (not its disk) to a file."""
        self.qmp.execute("stop")
        self.qmp.execute("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        self.qmp.execute("migrate", uri=f"exec:cat > {target}")
        self.qmp.wait_status("completed", "query-migrate", 60)

    def _load(self, state):
        # No announcements: they would be frames on the wire that nobody sent.
        self.qmp.execute("migrate-set-parameters", **{"announce-rounds": 0})
        self.qmp.execute("migrate-incoming", uri=f"exec:cat {state}")
        self.qmp.wait_status("paused", "query-status", 60)  # as it was when saved
        self.qmp.execute("cont")

    def debug_key(self, keys):
        """Press Xen's debug keys on the serial line; Xen answers in the serial log."""
        if self._serial is None:
            self._serial = socket.socket(socket.AF_UNIX)
            self._serial.connect(str(self.run_dir / "serial.sock"))
        self._serial.sendall(_SWITCH_INPUT + keys.encode() + _SWITCH_INPUT)

    def stop(self):
        for link in (self.qmp, self._serial):
            if link:
                link.close()
        self.qmp = self._serial = None
        stop(self.process)

    def wait_end(self, limit):
        """Until the machine has reset itself, at which QEMU ends (-no-reboot)."""
        try:
            self.process.wait(limit * PATIENCE)
        except subprocess.TimeoutExpired as late:
            raise LabTimeout(f"the machine did not go down within {limit} s; see {self.serial_log}") from late

    def check_alive(self):
        if self.process.poll() is not None:
            raise LabError(f"QEMU ended with {self.process.returncode}; see {self.run_dir}/qemu.log "
                           f"and {self.serial_log}")

    @property
    def _disk(self):
        return self.run_dir / "disk.qcow2"

    def _make_overlay(self):
        self._disk.unlink(missing_ok=True)
        run_host(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2",
                  "-b", str(self.base_disk), str(self._disk)], "making the run's disk")
        for slot in self.kind.disks:
            with open(self.disk_file(slot), "wb") as disk:
                disk.truncate(slot.size_mb << 20)

    def disk_file(self, slot):
        """What the disk of a storage controller holds: raw bytes."""
        return self.run_dir / f"disk-{slot.name}.raw"

    def _unix(self, name):
        return f"unix:{self.run_dir}/{name}.sock,server=on,wait=off"

    def _chardev(self, name):
        return f"socket,id={name},path={self.run_dir}/{name}.sock,server=on,wait=off"
