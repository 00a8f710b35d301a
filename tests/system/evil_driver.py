# SPDX-License-Identifier: BSD-2-Clause
"""The evil driver domain (tests/evil) as a scenario's tool: it does what it is asked, and dom0's side looks at what came of it."""
import re
import time

import ferry_domnet
from ferry_domnet import expect
from ferrylab.limits import deadline_in
from ferrylab.slots import SLOTS

IMAGE = "evil-domain"
TARGET = f"/root/images/{IMAGE}"
FAULT = re.compile(r"\[VT-D\]DMAR:\[DMA (Read|Write)\] Request device \[([\w:.]+)\] fault addr (\w+)")


def words_of(text):
    """{key: value} of "key=value ...": numbers as numbers."""
    return {key: int(value, 0) if re.fullmatch(r"-?\d+|0x[0-9a-f]+", value) else value
            for key, value in re.findall(r"(\w+)=(\S+)", text)}


class Evil:
    """One of them. With a NIC it is the attacker; without, a guest whose pages are granted to the attacker."""

    numbers = 0  # of all commands, so that no answer is taken for another's

    def __init__(self, lab, name="evil", nic="A", made=None, **settings):
        self.lab, self.name = lab, name
        self.domain = made or ferry_domnet.start(lab, name=name, nic=nic, image=IMAGE, wait="hostile: ready",
                                                 memory=16, **settings)
        self.domid = self.domain.domid

    def begin(self, command):
        """Ask for something; returns its number."""
        Evil.numbers += 1
        number = Evil.numbers
        self.lab.dom0.run(f"xenstore-write /local/domain/{self.domid}/data/evil '{number} {command}'")
        return number

    def end(self, number, timeout=20):
        """Its answer's words. CheckFailed if it could not do it: then nothing was attacked."""
        match = self.lab.wait_console(self.name, rf"hostile: #{number} (done|failed): ?(.*)|hostile: gave up",
                                      timeout)
        expect(match[1] == "done", f"{self.name} could not do its part: {match[0]}")
        return words_of(match[2])

    def do(self, command, timeout=20):
        return self.end(self.begin(command), timeout)


class Faults:
    """What Xen says of refused DMA from here on; `where`: machine addresses by what the page is."""

    def __init__(self, lab, nic="A"):
        self._lab, self._bdf = lab, SLOTS[nic].bdf
        self._seen = len(lab.serial())

    def text(self):
        return self._lab.serial()[self._seen:]

    def all(self):
        return [(kind, int(addr, 16)) for kind, bdf, addr in FAULT.findall(self.text()) if bdf == self._bdf]

    def wait(self, kind, maddr, what, limit=5):
        deadline = deadline_in(limit)
        while (kind, maddr & ~0xFFF) not in self.all():
            expect(time.monotonic() < deadline, f"{what}: Xen's log shows no DMA {kind} fault at {maddr:#x}; it says:\n"
                                                f"{self.text()[-1000:]}")
            time.sleep(0.1)
