# SPDX-License-Identifier: BSD-2-Clause
"""Refused DMA and requests to pciback at full rate: dom0 stays usable, its log small, and ferryd says what goes on."""
import os
import re
import time

from evil_driver import Faults
from evil_memory_reuse import Flood
from ferry_domnet import expect
from ferrylab.slots import SLOTS

LONG = bool(os.environ.get("FERRY_LONG"))
STORM_S = 60 if LONG else 5
HAMMER_S = 30 if LONG else 4
LATENCY_S = 5.0  # the longest that a command in dom0 may take meanwhile, in a machine that is emulated
LOG_LINES = 50  # of dom0's kernel log, for one kind of attack
CONFIG_STEP = 1 if LONG else 53
HANDLES = "0 65535 1" if LONG else "0 32767 257"


class Meanwhile:
    """What an attack costs dom0: its latency, its processor time, lines of its kernel's log."""

    def __init__(self, scene, what):
        self._scene, self._what, self._dom0 = scene, what, scene.lab.dom0

    def _kernel_lines(self):
        return int(self._dom0.output("dmesg | wc -l"))

    def _seconds(self):
        return float(re.search(r"^Domain-0 .*?([\d.]+)$", self._dom0.output("xl list"), re.MULTILINE)[1])

    def run(self, command, limit):
        evil, lines, seconds, began = self._scene.evil, self._kernel_lines(), self._seconds(), time.monotonic()
        number, latencies = evil.begin(command), []
        while f"hostile: #{number} " not in self._scene.lab.console(evil.name):
            expect(time.monotonic() - began < limit, f"{self._what}: no end after {limit} s")
            asked = time.monotonic()
            self._dom0.run("xenstore-read domid; true")
            latencies.append(time.monotonic() - asked)
            time.sleep(0.1)
        answer, wall = evil.end(number), time.monotonic() - began
        busy = (self._seconds() - seconds) / wall
        lines = self._kernel_lines() - lines
        print(f"evil_domain: {self._what}: {answer}; in {wall:.1f} s; dom0: {busy * 100:.0f} % of a processor, {lines} lines "
              f"in its kernel's log, a command at most {max(latencies) * 1000:.0f} ms", flush=True)
        self._scene.check(max(latencies) < LATENCY_S, f"{self._what}: dom0 answers within {LATENCY_S} s, always")
        self._scene.check(lines <= LOG_LINES, f"{self._what}: dom0's kernel logs {lines} lines at most {LOG_LINES}")
        return answer


def faults(scene, target):
    seen = Faults(scene.lab)
    told = len(scene.ferryd.stdout)
    answer = Meanwhile(scene, "refused DMA").run(f"storm {target.maddr:#x} {STORM_S}", STORM_S + 30)
    nr = len(seen.all())
    expect(nr > 20, f"{nr} faults are no storm")
    scene.check(answer["cut_off"] > 0, f"refused DMA: Xen takes bus mastering away ({answer['cut_off']} times, {nr} faults)")
    scene.check(target.holds(), f"refused DMA: {target.name} is as it was")
    time.sleep(2)
    said = scene.ferryd.stdout[told:]
    # The attacks before may have had the first notice; the next one is a minute away.
    notices = re.findall(r"evil: the IOMMU refused .*", scene.ferryd.stdout)
    print(f"evil_domain: ferryd: {notices}", flush=True)
    scene.check(any(SLOTS["A"].bdf in notice for notice in notices), "refused DMA: ferryd names domain and device")
    scene.check(said.count("the IOMMU refused") <= 1 + STORM_S // 60, "refused DMA: ferryd says so once a minute")


def interrupts(scene):
    """Messages to each handle of the remapping table: none of them reaches a processor as another device's."""
    serial, flood = len(scene.lab.serial()), Flood(scene.lab.wire["A"])
    flood.start()
    answer = scene.evil.do(f"interrupts {HANDLES}", 3600 if LONG else 60)
    flood.end()
    expect(answer["sent"] > 0, "no message was sent")
    said = scene.lab.serial()[serial:]
    scene.check("No irq handler" not in said and "panic" not in said.lower(),
                f"interrupts: {answer['sent']} handles: no processor was interrupted")


def config_space(scene):
    """Through pciback, whose requests they are; then the NIC works as before."""
    answer = Meanwhile(scene, "configuration space").run(f"config 0 4095 {CONFIG_STEP}", 900 if LONG else 60)
    scene.check(answer["silent"] == 0, "configuration space: pciback answers each request")
    Meanwhile(scene, "commands of pciback").run("commands", 60)
    Meanwhile(scene, "requests to pciback").run(f"hammer {HAMMER_S}", HAMMER_S + 30)
    Meanwhile(scene, "events to pciback").run("kicks 1000000", 60)


def run(scene):
    faults(scene, scene.targets[0])
    interrupts(scene)
    config_space(scene)
