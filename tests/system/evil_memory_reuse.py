# SPDX-License-Identifier: BSD-2-Clause
"""The attacker dies in the middle of received DMA: its memory, given to the next guest, is out of its NIC's reach."""
import threading
import time

from evil_dma import FRAME, MARK
from evil_memory import PAGE
from ferry_domnet import expect

SPARE_MB = 32  # that the next guest keeps for itself


class Flood(threading.Thread):
    """Frames to the NIC until it is ended."""

    def __init__(self, wire):
        super().__init__(daemon=True)
        self._wire, self._ended, self.nr = wire, threading.Event(), 0

    def run(self):
        while not self._ended.is_set():
            self._wire.inject(FRAME)
            self.nr += 1
            time.sleep(0.002)

    def end(self):
        self._ended.set()
        self.join()


def run(scene):
    scene.evil.do("nic")
    maddr = scene.evil.do("own attackers-own-16")["maddr"]
    flood = Flood(scene.lab.wire["A"])
    scene.evil.do(f"write {maddr:#x} 63")
    flood.start()
    time.sleep(0.3)
    expect(MARK in scene.memory.read(maddr, PAGE), "no DMA goes on when it is destroyed")
    scene.lab.dom0.run("ferry stop evil || xl destroy evil", timeout=60)
    heir = scene.lab.guest("heir", memory=256)
    free_mb = int(heir.output("awk '/MemFree/ { print $2 }' /proc/meminfo")) // 1024 - SPARE_MB
    # A page of the canary, doubled to a megabyte, and that so often.
    heir.run("cd /tmp; i=0; while [ $i -lt 256 ]; do printf heirs-canary-16b; i=$((i+1)); done > one; "
             "for i in 1 2 3 4 5 6 7 8; do cat one one > two; mv two one; done; "
             f"i=0; while [ $i -lt {free_mb} ]; do cat one; i=$((i+1)); done > canaries", timeout=120)
    before = heir.output("md5sum /tmp/canaries", timeout=120)
    sent = flood.nr
    time.sleep(1)
    flood.end()
    expect(flood.nr > sent, "no frames came any more")
    scene.check(heir.output("md5sum /tmp/canaries", timeout=120) == before,
                f"reused memory: {free_mb} MB of canaries in the next guest are as they were")
    now = scene.memory.read(maddr, PAGE)
    print(f"evil_domain: the attacker's page now holds {now[:16]!r}", flush=True)
    scene.check(MARK not in now, "reused memory: nothing is received into the attacker's old page")
