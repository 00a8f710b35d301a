# SPDX-License-Identifier: BSD-2-Clause
"""DMA to what is not the attacker's, by the NIC's own descriptors: refused, logged, and without effect."""
import time

from evil_driver import Faults
from evil_memory import PAGE
from ferry_domnet import expect
from ferrylab import LabError

MARK = b"written-by-DMA--"
FRAME = b"\xff" * 6 + b"\x02\0\0\0\0\x66\x88\xb6" + MARK * 4
NR = 3  # descriptors of each attack; Xen takes bus mastering away after ten faults in a row
XEN_LOADED = 0x200000  # where the boot loader puts Xen; it moves itself up from there
SETTLE_S = 0.3
LATER_S = 10


def xen_text(scene):
    """A page of Xen's text where Xen runs, found by the image's bytes."""
    image = (scene.lab.built.images / "xen").read_bytes()
    pages = [image[at:at + PAGE] for at in range(0x80 + 0x20000, 0x80 + 0xa0000, PAGE)]
    found = [page for page in scene.memory.pages_of(*pages) if page[0] > XEN_LOADED + len(image)]
    if found:
        return max(found)
    raise LabError("no page of Xen's text is in the machine's memory as it is in the image")


class Target:
    """Somebody's page, and how to see that it is as it was."""

    def __init__(self, name, maddr, content, holds):
        self.name, self.maddr, self.content, self.holds = name, maddr, content, holds


def targets(scene):
    memory = scene.memory
    dom0, guest = scene.canary(scene.lab.dom0, "/dev/shm"), scene.canary(scene.other.guest, "/tmp")
    maddr, content = xen_text(scene)
    return [Target("dom0's memory", dom0.maddr, dom0.content, dom0.holds),
            Target("Xen's text", maddr, content, lambda: memory.read(maddr, PAGE) == content),
            Target("another guest's memory", guest.maddr, guest.content, guest.holds)]


class Wire:
    """Whole frames on the attacker's wire while something goes on."""

    def __init__(self, scene, name):
        self._wire, self._name = scene.lab.wire["A"], name

    def __enter__(self):
        self._before = self._wire.counts()["from_nic"]["frames"]
        self._path = self._wire.capture(self._name)
        return self

    def __exit__(self, *_exception):
        time.sleep(SETTLE_S)
        self._wire.capture_stop()
        self.data = self._path.read_bytes()
        self.frames = self._wire.counts()["from_nic"]["frames"] - self._before
        self._path.unlink()


def inject(scene, nr=NR):
    for _ in range(nr):
        scene.lab.wire["A"].inject(FRAME)


def written(scene, maddr, nr=NR):
    """The NIC receives frames to there. Returns how many descriptors it used."""
    scene.evil.do(f"write {maddr:#x} {4 * nr}")
    inject(scene, nr)
    time.sleep(SETTLE_S)
    return scene.evil.do("written")


def works_on_its_own(scene):
    """The tool itself: what must fail on others does work on a page of the attacker's own."""
    word = "attackers-own-16"
    maddr = scene.evil.do(f"own {word}")["maddr"]
    with Wire(scene, "own") as wire:
        done = scene.evil.do(f"read {maddr:#x} 960 {NR}")
    expect(done == {"left": 0, "master": 1}, f"its own page is not sent: {done}")
    expect(wire.data.count(word.encode() * 60) == NR, "its own page did not reach the wire")
    used = written(scene, maddr)
    expect(used["used"] >= NR, f"{used} of {NR} frames received")
    seen = bytes.fromhex(scene.evil.do("peek")["bytes"])
    # All buffers are the same one, and a frame's check sequence may get one of its own: four bytes.
    expect(seen[4:] == FRAME[4:len(seen)], f"its own page holds {seen}, not the frame")
    expect(MARK in scene.memory.read(maddr, PAGE), "QEMU's memory shows another page")


def read_refused(scene, target):
    faults = Faults(scene.lab)
    with Wire(scene, "read") as wire:
        scene.evil.do(f"read {target.maddr:#x} 1024 {NR}")
    faults.wait("Read", target.maddr, f"reading {target.name}")
    pieces = [target.content[at:at + 16] for at in range(0, 1024, 16)]
    scene.check(not any(piece in wire.data for piece in pieces if len(set(piece)) > 4),
                f"reading {target.name}: no byte of it on the wire ({wire.frames} frames went out)")


def write_refused(scene, target):
    faults = Faults(scene.lab)
    written(scene, target.maddr)
    faults.wait("Write", target.maddr, f"writing {target.name}")
    scene.check(target.holds(), f"writing {target.name}: it is as it was")


def rings_refused(scene, target):
    """The rings themselves: descriptors are fetched from there, and written back."""
    faults = Faults(scene.lab)
    scene.evil.do(f"rings {target.maddr:#x} {target.maddr:#x}")
    inject(scene)
    faults.wait("Read", target.maddr, f"descriptors in {target.name}")
    scene.check(target.holds(), f"descriptors in {target.name}: it is as it was")


def granted(scene):
    """A page that another guest grants is within reach while it is mapped, and no longer."""
    word = "granted-granted-"
    grant = scene.granter.do(f"grant {scene.evil.domid} {word}")
    maddr = scene.evil.do(f"map {scene.granter.domid} {grant['ref']}")["maddr"]
    expect(maddr == grant["maddr"], f"granted is {grant['maddr']:#x}, mapped {maddr:#x}")
    with Wire(scene, "granted") as wire:
        scene.evil.do(f"read {maddr:#x} 960 {NR}")
    expect(word.encode() * 60 in wire.data, "what is granted for DMA cannot be sent: the check below would be blind")
    scene.evil.do(f"unmap {maddr:#x}")
    scene.granter.do("revoke")
    content = word.encode() * (PAGE // 16)
    target = Target("a page that was granted and is revoked", maddr, content,
                    lambda: scene.memory.read(maddr, PAGE) == content)
    for attack in (read_refused, write_refused, rings_refused):
        attack(scene, target)
    scene.granter.do(f"same {word}")


def goes_on(scene, maddr, what):
    """DMA to there, tried again and again for LATER_S: refused each time. After each try, yields what was on the wire."""
    faults, nr, end = Faults(scene.lab), 0, time.monotonic() + LATER_S
    while nr == 0 or time.monotonic() < end:
        written(scene, maddr)
        with Wire(scene, "later") as wire:
            scene.evil.do(f"read {maddr:#x} 960 {NR}")
        nr += 1
        yield wire.data
    seen = [kind for kind, addr in faults.all() if addr == maddr]
    print(f"evil_domain: {what}: tried {nr} times in {LATER_S} s, faults: {seen.count('Read')} of reads, "
          f"{seen.count('Write')} of writes", flush=True)
    scene.check(seen.count("Read") >= nr and seen.count("Write") >= nr, f"{what}: each try is refused, for {LATER_S} s")


def unmapped_for_a_while(scene):
    """Another guest's page, mapped, unmapped, and at once and for a while the target of DMA; still granted all the time."""
    word = "granted-granted-"
    grant = scene.granter.do(f"grant {scene.evil.domid} {word}")
    maddr = scene.evil.do(f"map {scene.granter.domid} {grant['ref']}")["maddr"]
    expect(written(scene, maddr)["used"] >= NR, "no DMA while it is mapped: the check below would be blind")
    expect(MARK in scene.memory.read(maddr, PAGE), "nothing was received into it while it was mapped")
    scene.evil.do(f"unmap {maddr:#x}")
    scene.granter.do("revoke")
    content = word.encode() * (PAGE // 16)
    again = scene.granter.do(f"grant {scene.evil.domid} {word}")
    expect(again["maddr"] == maddr, "the granter's page is another one now")
    scene.evil.do(f"map {scene.granter.domid} {again['ref']}")
    scene.evil.do(f"write {maddr:#x} 63")
    scene.evil.do(f"unmap {maddr:#x}")
    inject(scene)
    time.sleep(SETTLE_S)
    scene.check(scene.memory.read(maddr, PAGE) == content, "a page that was unmapped: nothing is received into it at once")
    sent = b"".join(goes_on(scene, maddr, "a page that was unmapped"))
    scene.check(word.encode() * 4 not in sent, "a page that was unmapped: no byte of it on the wire")
    scene.check(scene.memory.read(maddr, PAGE) == content, "a page that was unmapped: it is as it was")
    scene.granter.do(f"same {word}")
    scene.granter.do("revoke")


def given_away(scene):
    """A page of its own that it gives back to Xen while the NIC receives into it."""
    word = "given-away-page-"
    maddr = scene.evil.do(f"spare {word}")["maddr"]
    expect(written(scene, maddr)["used"] >= NR, "no DMA while it is its own: the check below would be blind")
    expect(MARK in scene.memory.read(maddr, PAGE), "nothing was received into it while it was its own")
    scene.evil.do(f"spare {word}")
    scene.evil.do(f"write {maddr:#x} 63")
    scene.evil.do("away")
    inject(scene)
    time.sleep(SETTLE_S)
    marked = [MARK in scene.memory.read(maddr, PAGE) for _ in goes_on(scene, maddr, "a page that was given away")]
    scene.check(not any(marked), "a page that was given away: nothing is received into it")


def later(scene):
    unmapped_for_a_while(scene)
    given_away(scene)
    works_on_its_own(scene)


def run(scene):
    works_on_its_own(scene)
    for target in scene.targets:
        print(f"evil_domain: {target.name}: at {target.maddr:#x}", flush=True)
        for attack in (read_refused, write_refused, rings_refused):
            attack(scene, target)
    granted(scene)
    works_on_its_own(scene)
