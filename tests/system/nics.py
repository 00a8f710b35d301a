# SPDX-License-Identifier: BSD-2-Clause
"""Each NIC that the lab's QEMU has and the image drives does the same, and comes back the same way.

One guest has a vif behind each of four driver domains, which differ in the NIC only. For each: pings,
TCP with checksums both ways, a VLAN tag from and to the wire, multicast and frames for others, damaged
checksums, the link; then deaths at each depth under one TCP connection, and a NIC that stopped.
Last, one driver domain has two of them: nics_two.py. The first NIC is the one that all other scenarios have: here it has
what nics_two.py does with it, unless FERRY_LONG=1; jumbo frames are for the last two NICs then.
"""
import os
import subprocess
import time
from dataclasses import dataclass

import ferry_domnet
import nics_jumbo
import nics_two
import recovery_common as common
from bad_checksum import udp_counters, udp_frame
from ferry_domnet import SLOTS, expect
from ferrylab import measure

MACHINE = "nics"
IMAGE = "ferry-net-faults"
TAG = "8100000a"
GROUP, OTHER = "01005e4d4d01", "02fe00000099"
PATTERN = b"ferry nics".ljust(46, b".").hex()
MTU_FRAME = 1514
NR_DAMAGED = 20


@dataclass(frozen=True)
class Nic:
    slot: str
    driver: str
    interrupt: str
    cuts: bool  # TCP, in hardware
    strips: bool  # takes VLAN tags off, and puts them on: the NIC, or its driver (virtio's)
    found: str  # what is said of it once it was stopped or reset behind the driver's back
    kept: str = "kept"  # what becomes of it when the kernel dies of something else
    tells_missed: bool = False  # so that a receiving side that stands alone is found


NICS = (Nic("A", "net_e1000_em", "1 MSI,", False, True, "transmits nothing"),
        Nic("E", "net_e1000_em", "1 INTx,", False, True, "transmits nothing"),
        Nic("V", "net_virtio", "2 MSI-X,", True, True, "has lost its settings"),
        Nic("X", "net_vmxnet3", "2 MSI-X,", True, True, "transmits nothing", tells_missed=True))


class Scene:
    """A driver domain with one NIC, and the guest's interface behind it."""

    image, extra = IMAGE, "log=debug restarts=20"

    def __init__(self, lab, nic, index):
        self.lab, self.nic, self.name = lab, nic, f"dom{nic.slot}"
        self.wire, self.device = lab.wire[nic.slot], f"eth{index}"
        self.mac = ferry_domnet.mac(index + 1).replace(":", "")
        self.ip = f"{SLOTS[nic.slot].network}.2"
        self.guest = self.domain = None
        self._tag = 0

    def start(self):
        path = common.config(self.lab, name=self.name, image=self.image, nic=self.nic.slot,
                             extra=self.extra)
        self.lab.dom0.run(f"ferry start --allow-unisolated {path}", timeout=60)
        text = self.lab.wait_console(self.name, ferry_domnet.READY, timeout=30).string
        self.domain = common.Domain(self.lab, self.name)
        expect(f"nic0: {self.nic.driver} at" in text, f"{self.name}: no {self.nic.driver}:\n{text}")
        expect(f": {self.nic.interrupt}" in text, f"{self.name}: not {self.nic.interrupt}:\n{text}")
        word = "cuts TCP" if self.nic.cuts else "does not cut TCP"
        expect(f" {word}," in text, f"{self.name}: not: {word}:\n{text}")
        words = (("takes VLAN tags off", "puts them on") if self.nic.strips else
                 ("does not take VLAN tags off", "does not put them on"))
        expect(f" {' and '.join(words)}" in text, f"{self.name}: not: {' and '.join(words)}:\n{text}")

    def vif(self):
        return f"mac={':'.join(self.mac[i:i + 2] for i in range(0, 12, 2))},bridge=xenbr0,backend={self.name}"

    def say(self, text):
        print(f"nics: {self.name} ({SLOTS[self.nic.slot].device}): {text}", flush=True)

    def ping(self, count=3):
        self.guest.run(f"ping -c {count} -i 0.2 -W 2 -I {self.device} {self.wire.ip}")

    def status(self):
        return common.status(self.lab, self.name)

    def fault(self, kind):
        self._tag += 1
        self.lab.dom0.run(f"xenstore-write /local/domain/{self.domain.domid}/ferry/fault "
                          f"'{kind} {self._tag}'")

    # Frames.

    def tcp(self):
        before = self.wire.counts()["from_nic"]
        took = measure.checked_transfers(self.lab, self.wire, self.guest, 8 << 20)
        after = self.wire.counts()["from_nic"]
        frames, length = (after[key] - before[key] for key in ("frames", "bytes"))
        self.say(f"checked TCP {took}, {length // frames} bytes a frame to the wire")
        if self.nic.cuts:
            expect(length / frames > 2 * MTU_FRAME,
                   f"{self.name}: the NIC was not left to cut TCP: {frames} frames, {length} bytes")

    def _watch_wire(self, words):
        watch = self.wire.popen([str(self.lab.built.images / "tools" / "frames"), "watch", "wire0", "5",
                                 *words], stdout=subprocess.PIPE)
        expect(watch.stdout.readline() == "watching\n", "frames watch does not start")
        return watch

    def _to_guest(self, frame, what):
        """A frame from the wire, and that it arrives as it is."""
        watch = self.guest.start(f"exec frames watch {self.device} 5 @0={frame[:48]}")
        common.wait_for(lambda: "watching" in watch.stdout, "frames watch does not start", 10)
        self.wire.inject(bytes.fromhex(frame))
        common.wait_for(lambda: frame in watch.stdout, f"{self.name}: {what} does not arrive", 4)
        watch.kill()

    def frames(self):
        source = "02fe00000001"
        self._to_guest(self.mac + source + TAG + "9000" + PATTERN, "a tagged frame")
        self._to_guest(GROUP + source + "9000" + PATTERN, "multicast")
        self._to_guest(OTHER + source + "9000" + PATTERN, "a frame for a station nobody knows")
        tagged = source + self.mac + TAG + "9000" + PATTERN
        watch = self._watch_wire(["@0=" + tagged[:48]])
        self.guest.run(f"echo {tagged} | frames send {self.device}")
        seen = watch.stdout.readline().strip()
        expect(seen == tagged, f"{self.name}: a tagged frame reaches the wire as {seen}")
        watch.kill()

    def damaged(self):
        """The guest counts what its NIC's owner let through: all of the bad, as bad."""
        for damage, key in ((0, "NoPorts"), (0x55aa, "InCsumErrors")):
            before = udp_counters(self.guest)[key]
            frame = udp_frame("02:fe:00:00:00:01", ":".join(self.mac[i:i + 2] for i in range(0, 12, 2)),
                              self.wire.ip, self.ip, damage)
            for _ in range(NR_DAMAGED):
                self.wire.inject(frame)
            common.wait_for(lambda: udp_counters(self.guest)[key] == before + NR_DAMAGED,
                            f"{self.name}: damage {damage:#x}: not {NR_DAMAGED} more {key}", 5)

    def link(self):
        self.wire.link(False)
        self.domain.wait_console(r"nic0: link down", timeout=10)
        nr = self.domain.console().count("nic0: link up")
        self.wire.link(True)
        common.wait_for(lambda: self.domain.console().count("nic0: link up") > nr,
                        f"{self.name}: the link does not come up again", 10)
        common.wait_for(lambda: self.guest.run(f"ping -c 1 -W 1 {self.wire.ip}", check=False).rc == 0,
                        f"{self.name}: no ping once the link is up again", 10)

    # Deaths.

    def die(self, kind, depth, nic, stream):
        death = common.death(self.lab, lambda: self.fault(kind), f"{self.name}: {kind}", self.name)
        self.say(f"{kind}: {death['cause']}, {death['way']} at depth {death['depth']} in "
                 f"{death['back_ms']} ms, NIC {death['nic'] or 'new'}")
        expect(death["depth"] == depth, f"{self.name}: {kind}: depth {death['depth']}: {death}")
        expect(not nic or death["nic"].startswith(nic), f"{self.name}: {kind}: NIC not {nic}: {death}")
        stream.go_on(f"{self.name}: {kind}")
        return death

    def deaths(self):
        """All but the last under one connection, whose bytes must be the same at both ends."""
        stream = common.CheckedStreams(self.lab, self.guest, [(self.wire, 5301)])
        stream.go_on(f"{self.name}: at first", limit=10)
        self.die("null", 1, self.nic.kept, stream)
        self.die("loop", 2, self.nic.kept, stream)
        reason = self.die("nic-wedge", 1, "reset", stream)["reason"]
        expect(reason == f"nic0 {self.nic.found}", f"{self.name}: nic-wedge: {reason}")
        if self.nic.tells_missed:
            reason = self.die("nic-wedge-rx", 1, "reset", stream)["reason"]
            expect(reason == "nic0 receives nothing", f"{self.name}: nic-wedge-rx: {reason}")
        stream.end(self.name)
        death = common.death(self.lab, lambda: self.lab.dom0.run(f"xl destroy {self.name}", timeout=60),
                             f"{self.name}: xl destroy", self.name)
        expect(death["depth"] == 3, f"{self.name}: xl-destroy: {death}")
        common.wait_for(lambda: self.guest.run(f"ping -c 1 -W 1 {self.wire.ip}", check=False).rc == 0,
                        f"{self.name}: no ping once it is rebuilt", 10)
        measure.checked_transfers(self.lab, self.wire, self.guest, 1 << 20)


def timed(scene, step):
    started = time.monotonic()
    getattr(scene, step)()
    scene.say(f"{step}: {time.monotonic() - started:.1f} s")


def run(lab):
    slots = os.environ.get("FERRY_NICS", "AEVX")  # to look at some of them
    common.install(lab)
    common.prefer_dom0(lab)
    ferryd = common.supervise(lab, "--max-deaths 15 --window 1")
    try:
        scenes = [Scene(lab, nic, index)
                  for index, nic in enumerate(nic for nic in NICS if nic.slot in slots)]
        for scene in scenes:
            scene.start()
        guest = lab.guest("guest1", vifs=[scene.vif() for scene in scenes])
        for scene in scenes:
            scene.guest = guest
            guest.run(f"ip addr add {scene.ip}/24 dev {scene.device} && ip link set {scene.device} up")
            scene.domain.wait_console("nic0: link up", timeout=20)
        for scene in scenes:
            for step in ("ping", "tcp", "frames", "damaged", "link", "deaths"):
                if scene.nic.slot != "A" or "FERRY_LONG" in os.environ:
                    timed(scene, step)
            ferry_domnet.expect(scene.domain.exists(), f"{scene.name} is gone")
        started = time.monotonic()
        nics_jumbo.check([scene for scene in scenes if scene.nic.slot in "VX" or "FERRY_LONG" in os.environ])
        print(f"nics: jumbo: {time.monotonic() - started:.1f} s", flush=True)
        for scene in scenes:
            if scene.nic.slot in nics_two.SLOTS_USED:
                lab.dom0.run(f"ferry stop {scene.name}", timeout=60)
                guest.run(f"ip addr flush dev {scene.device}", check=False)
        nics_two.check(lab, guest)
    finally:
        print(ferryd.stdout[-4000:], flush=True)
