# SPDX-License-Identifier: BSD-2-Clause
"""The two NIC slots of the machine and the networks behind them."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Slot:
    name: str
    pci_slot: int
    mac: str
    network: str  # first three numbers of the /24

    @property
    def bdf(self):
        return f"0000:00:{self.pci_slot:02x}.0"

    @property
    def netns(self):
        return f"ferrylab-{self.name}"

    @property
    def wire_ip(self):
        """The address of the machine at the other end of the cable."""
        return f"{self.network}.1"


SLOTS = {
    "A": Slot("A", 4, "52:54:00:fe:00:0a", "10.77.0"),
    "B": Slot("B", 5, "52:54:00:fe:00:0b", "10.78.0"),
}
