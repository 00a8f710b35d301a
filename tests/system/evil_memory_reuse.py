# SPDX-License-Identifier: BSD-2-Clause
"""The attacker dies in the middle of received DMA: its memory, given to the next guest, is out of its NIC's reach."""
import threading
import time

import recovery_common as common
from evil_dma import FRAME, MARK
from evil_memory import PAGE
from ferry_domnet import expect
from ferrylab import LabError

SPARE_MB = 32  # that the next guest keeps for itself


class Flood(threading.Thread):
    """Frames to the NIC until it is ended, each with its number; a NIC that receives no more does not take them."""

    def __init__(self, wire, interval_s=0.002):
        super().__init__(daemon=True)
        self._wire, self._interval_s, self._ended = wire, interval_s, threading.Event()
        self.nr = self.nr_refused = 0

    def run(self):
        while not self._ended.is_set():
            try:
                self._wire.inject(FRAME + self.nr.to_bytes(4, "big"))
            except LabError as failed:
                if "takes no frame now" not in str(failed):
                    raise
                self.nr_refused += 1
            self.nr += 1
            time.sleep(self._interval_s)

    def end(self):
        self._ended.set()
        self.join()


def received(scene, maddr):
    """The number of the frame that was received to there last."""
    page = scene.memory.read(maddr, PAGE)
    return int.from_bytes(page[len(FRAME):len(FRAME) + 4], "big") if MARK in page else None


def run(scene):
    scene.evil.do("nic")
    maddr = scene.evil.do("own attackers-own-16")["maddr"]
    # So slow that the NIC has buffers left for half a second once nobody gives it new ones.
    flood = Flood(scene.lab.wire["A"], 0.01)
    flood.start()
    scene.evil.begin(f"receive {maddr:#x}")
    common.wait_for(lambda: received(scene, maddr), "no DMA goes on when it is destroyed: nothing received", 30)
    first = received(scene, maddr)
    common.wait_for(lambda: received(scene, maddr) > first + 100, "no DMA goes on when it is destroyed", 30)
    last, refused = flood.nr, flood.nr_refused
    scene.lab.dom0.run("ferry stop evil || xl destroy evil", timeout=60)
    gone = flood.nr
    heir = scene.lab.guest("heir", memory=256)
    free_mb = int(heir.output("awk '/MemFree/ { print $2 }' /proc/meminfo")) // 1024 - SPARE_MB
    # A page of the canary, doubled to a megabyte, and that so often.
    heir.run("cd /tmp; i=0; while [ $i -lt 256 ]; do printf heirs-canary-16b; i=$((i+1)); done > one; "
             "for i in 1 2 3 4 5 6 7 8; do cat one one > two; mv two one; done; "
             f"i=0; while [ $i -lt {free_mb} ]; do cat one; i=$((i+1)); done > canaries", timeout=300)
    before = heir.output("md5sum /tmp/canaries", timeout=300)
    sent = flood.nr
    time.sleep(1)
    flood.end()
    expect(flood.nr > sent, "the flood has ended: nothing was offered to the NIC any more")
    print(f"evil_domain: its end: {gone - last} frames were offered meanwhile, {flood.nr - gone} afterwards; the NIC did not take "
          f"{flood.nr_refused - refused} of them", flush=True)
    scene.check(heir.output("md5sum /tmp/canaries", timeout=300) == before,
                f"reused memory: {free_mb} MB of canaries in the next guest are as they were")
    now = scene.memory.read(maddr, PAGE)
    print(f"evil_domain: the attacker's page now holds {now[:16]!r}", flush=True)
    scene.check(MARK not in now, "reused memory: nothing is received into the attacker's old page")
