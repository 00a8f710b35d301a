# SPDX-License-Identifier: BSD-2-Clause
"""The NIC slots, the networks behind them, and the machines: which has which of them."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Slot:
    name: str
    pci_slot: int  # of the device on the root bus; of its root port, where it has one
    mac: str
    network: str  # first three numbers of the /24
    device: str = "e1000e"  # QEMU's, with its options
    bus: int = 0  # the number that the firmware gives to its root port's bus; 0: no root port
    is_tap: bool = False  # its wire is a TapWire (ferrylab/wire.py)
    linux_modules: str = ""  # the list of what the Linux driver domain loads for it; empty: what it has anyway

    @property
    def bdf(self):
        return f"0000:{self.bus:02x}:00.0" if self.bus else f"0000:00:{self.pci_slot:02x}.0"

    @property
    def wire_ip(self):
        """The address of the machine at the other end of the cable."""
        return f"{self.network}.1"

    def arguments(self):
        """QEMU's, without the netdev."""
        end = f"netdev=nic{self.name},mac={self.mac}"
        if not self.bus:
            return ["-device", f"{self.device},bus=pcie.0,addr={self.pci_slot},{end}"]
        return ["-device", f"pcie-root-port,id=port{self.name},bus=pcie.0,addr={self.pci_slot},"
                           f"chassis={self.bus}",
                "-device", f"{self.device},bus=port{self.name},{end}"]


_VIRTIO = "virtio-net-pci,iommu_platform=on,disable-legacy=on"

SLOTS = {slot.name: slot for slot in (
    Slot("A", 4, "52:54:00:fe:00:0a", "10.77.0"),
    Slot("B", 5, "52:54:00:fe:00:0b", "10.78.0"),
    Slot("C", 6, "52:54:00:fe:00:0c", "10.79.0"),
    Slot("D", 7, "52:54:00:fe:00:0d", "10.80.0"),
    Slot("E", 8, "52:54:00:fe:00:0e", "10.81.0", "e1000", linux_modules="e1000"),
    Slot("V", 9, "52:54:00:fe:00:0f", "10.82.0", _VIRTIO, bus=1, is_tap=True, linux_modules="virtio"),
    Slot("X", 10, "52:54:00:fe:00:10", "10.83.0", "vmxnet3", bus=2, is_tap=True, linux_modules="vmxnet3"),
    # The same as V and X, for who measures beside them.
    Slot("W", 11, "52:54:00:fe:00:11", "10.84.0", _VIRTIO, bus=3, is_tap=True, linux_modules="virtio"),
    Slot("Y", 12, "52:54:00:fe:00:12", "10.85.0", "vmxnet3", bus=4, is_tap=True, linux_modules="vmxnet3"),
)}


@dataclass(frozen=True)
class DiskSlot:
    """A storage controller behind the IOMMU, with one disk: a file of the run's, which begins empty."""
    name: str
    pci_slot: int  # of its root port
    bus: int
    size_mb: int

    @property
    def bdf(self):
        return f"0000:{self.bus:02x}:00.0"

    @property
    def serial(self):
        return f"lab-{self.name}"

    def arguments(self):
        """QEMU's, without the drive. The disk's driver comes to terms with either kind of cache; this one has to be flushed."""
        return ["-device", f"pcie-root-port,id=port{self.name},bus=pcie.0,addr={self.pci_slot},chassis={self.bus}",
                "-device", f"virtio-blk-pci,iommu_platform=on,disable-legacy=on,bus=port{self.name},"
                           f"drive=disk{self.name},serial={self.serial},write-cache=on"]


DISK_SLOTS = {slot.name: slot for slot in (DiskSlot("S", 13, 1, 256), DiskSlot("T", 14, 2, 256))}


@dataclass(frozen=True)
class MachineKind:
    slots: list
    disks: tuple = ()
    has_systemd: bool = False  # its dom0 is that of ferrylab/systemd.py
    xen_options: str = ""  # on Xen's command line, besides the lab's


# A machine's dom0 is booted and saved with its NICs. A scenario may name one: MACHINE = "nics".
MACHINES = {
    "default": MachineKind([SLOTS["A"], SLOTS["B"], SLOTS["C"], SLOTS["D"]]),
    "nics": MachineKind([SLOTS["A"], SLOTS["E"], SLOTS["V"], SLOTS["X"]]),
    "tso": MachineKind([SLOTS["V"], SLOTS["X"], SLOTS["W"], SLOTS["Y"]]),  # in the order of their buses
    "systemd": MachineKind([SLOTS["A"], SLOTS["B"]], has_systemd=True),
    "disks": MachineKind([SLOTS["A"]], disks=(DISK_SLOTS["S"], DISK_SLOTS["T"])),
    # Nothing confines a device; interrupts are not confined.
    "no-iommu": MachineKind([SLOTS["A"]], xen_options="iommu=no"),
    "no-intremap": MachineKind([SLOTS["A"]], xen_options="iommu=no-intremap"),
}


def disks_beside(slots):
    """The storage controllers of the machine whose list of NICs this is."""
    return next((kind.disks for kind in MACHINES.values() if kind.slots is slots), ())
