# SPDX-License-Identifier: BSD-2-Clause
"""The attacker dies in the middle of received DMA: its memory, given to the next guest, is out of its NIC's reach."""
import threading
import time

from evil_dma import FRAME, MARK
from evil_memory import PAGE
from ferry_domnet import expect


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
    free = int(heir.output("awk '/MemFree/ { print $2 }' /proc/meminfo")) - 24 * 1024
    heir.run("mount -o remount,size=100% /tmp; i=0; while [ $i -lt 256 ]; do printf heirs-canary-16b; i=$((i+1)); done > /tmp/page; "
             f"i=0; while [ $i -lt {free // 4} ]; do cat /tmp/page; i=$((i+1)); done > /tmp/canaries", timeout=120)
    before = heir.output("sha256sum /tmp/canaries || md5sum /tmp/canaries")
    sent = flood.nr
    time.sleep(1)
    flood.end()
    expect(flood.nr > sent, "no frames came any more")
    scene.check(heir.output("sha256sum /tmp/canaries || md5sum /tmp/canaries") == before,
                f"reused memory: {free // 1024} MB of canaries in the next guest are as they were")
    now = scene.memory.read(maddr, PAGE)
    print(f"evil_domain: the attacker's page now holds {now[:16]!r}", flush=True)
    scene.check(MARK not in now, "reused memory: nothing is received into the attacker's old page")
