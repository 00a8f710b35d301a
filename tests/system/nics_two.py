# SPDX-License-Identifier: BSD-2-Clause
"""One driver domain with two NICs of different drivers: a bridge for each, a guest's interface on each.

Traffic on both, none from one on the other; a link that goes down takes its own bridge's carrier only;
deaths at each depth bring both back under TCP, as does a stop of one of them. Part of nics.py's run.
"""
import subprocess
import time

import ferry_domnet
import recovery_common as common
from ferry_domnet import SLOTS, expect
from ferrylab import measure

NAME = "domT"
LEFT_OUT = "domL"
IMAGE = "ferry-net-faults"
TCP_PORT = 5303
BROADCAST = "ffffffffffff"
SOURCE = "02fe0000000"
SLOTS_USED = "AX"
FIRST_ADDRESS = 16  # below are nics.py's


class Side:
    """A NIC, its bridge and wire, and the guest's interface on that bridge."""

    def __init__(self, lab, guest, slot, driver, index):
        self.lab, self.guest, self.slot, self.driver = lab, guest, slot, driver
        self.nic, self.bridge, self.wire = f"nic{index}", f"two{index}", lab.wire[slot]
        self.mac = ferry_domnet.mac(FIRST_ADDRESS + index)
        self.ip = f"{SLOTS[slot].network}.{FIRST_ADDRESS + index}"
        self.device = self.vif_id = None

    def attach(self):
        self.lab.dom0.run(f"xl network-attach {self.guest.name} mac={self.mac} bridge={self.bridge} "
                          f"backend={NAME}")
        find = f"grep -l {self.mac} /sys/class/net/*/address | cut -d/ -f5"
        common.wait_for(lambda: self.guest.output(find).startswith("eth"), f"no {self.mac} in the guest", 10)
        self.device = self.guest.output(find)
        self.guest.run(f"ip addr add {self.ip}/24 dev {self.device} && ip link set {self.device} up")
        self.vif_id = self.lab.dom0.output(f"xl network-list {self.guest.name} | awk '/{self.mac}/ {{print $1}}'")

    def ping(self):
        return self.guest.run(f"ping -c 1 -W 1 -I {self.device} {self.wire.ip}", check=False).rc == 0


class Two:
    def __init__(self, lab, guest):
        self.lab, self.guest, self.domain, self._tag = lab, guest, None, 0
        self.streams = None
        self.sides = [Side(lab, guest, "A", "net_e1000_em", 0), Side(lab, guest, "X", "net_vmxnet3", 1)]

    def start(self):
        extra = " ".join(f"bridge={side.bridge},uplink={side.nic}" for side in self.sides)
        path = common.config(self.lab, name=NAME, image=IMAGE, extra=f"log=debug restarts=20 {extra}",
                             pci=[SLOTS[side.slot].bdf[5:] for side in self.sides])
        self.lab.dom0.run(f"ferry start --allow-unisolated {path}", timeout=60)
        text = self.lab.wait_console(NAME, ferry_domnet.READY, timeout=30).string
        self.domain = common.Domain(self.lab, NAME)
        for side in self.sides:
            expect(f"{side.nic}: {side.driver} at" in text, f"{side.nic} is not {side.driver}:\n{text}")
            side.attach()
        self.all_ping("at first")

    def all_ping(self, when):
        for side in self.sides:
            common.wait_for(side.ping, f"{NAME}: {when}: no ping over {side.nic}", 15)

    # Frames.

    def apart(self, when):
        """A broadcast from each of the four ends arrives at the end opposite, and nowhere else."""
        program = str(self.lab.built.images / "tools" / "frames")
        wires = [side.wire.popen([program, "watch", "wire0", "20", "@12=9000"], stdout=subprocess.PIPE)
                 for side in self.sides]
        guests = [self.guest.start(f"exec frames watch {side.device} 20 @12=9000") for side in self.sides]
        for watch in wires:
            expect(watch.stdout.readline() == "watching\n", "frames watch does not start")
        for watch in guests:
            common.wait_for(lambda w=watch: "watching" in w.stdout, "frames watch does not start", 10)
        out, into = ([BROADCAST + source + "9000" + f"{where} {i} {when}".ljust(46).encode().hex()
                      for i, source in enumerate(sources)]
                     for where, sources in (("out", [s.mac.replace(":", "") for s in self.sides]),
                                            ("in", [f"{SOURCE}{i}" for i in range(2)])))
        for side, frame_out, frame_in in zip(self.sides, out, into):
            self.guest.run(f"echo {frame_out} | frames send {side.device}")
            side.wire.inject(bytes.fromhex(frame_in))
        common.wait_for(lambda: all(frame in watch.stdout for frame, watch in zip(into, guests)),
                        f"{NAME}: {when}: a frame from a wire does not arrive", 5)
        time.sleep(0.5)  # for what should not come
        for side, watch, wire, frame_in, frame_out in zip(self.sides, guests, wires, into, out):
            lines = [line for line in watch.stdout.splitlines() if len(line) > 24]
            expect(lines == [frame_in], f"{NAME}: {when}: the guest sees on {side.bridge}: {lines}")
            watch.kill()
            wire.terminate()
            lines = wire.communicate(timeout=5)[0].split()
            # What is put into a tap's end is seen there, too.
            expect([line for line in lines if line != frame_in] == [frame_out],
                   f"{NAME}: {when}: the wire of {side.nic} sees {lines}")

    def links(self):
        """Each in turn goes down: its vif's carrier does, the other's does not, which carries frames."""
        nodes = " ".join(f"/local/domain/{self.domain.domid}/backend/vif/{self.guest.domid}/{side.vif_id}/carrier"
                         for side in self.sides)

        def carriers():
            return self.lab.dom0.output(f"xenstore-read {nodes}").split()

        common.wait_for(lambda: carriers() == ["1", "1"], f"{NAME}: a link stays down", 10)
        for down, up in (self.sides, reversed(self.sides)):
            down.wire.link(False)
            want = ["0" if side is down else "1" for side in self.sides]
            common.wait_for(lambda: carriers() == want, f"{NAME}: {down.nic} is down: carriers are not {want}", 10)
            expect(up.ping(), f"{NAME}: no ping over {up.nic} while {down.nic} is down")
            expect(not down.ping(), f"{NAME}: ping over {down.nic}, which is down")
            down.wire.link(True)
            common.wait_for(lambda: carriers() == ["1", "1"], f"{NAME}: {down.nic} stays down", 10)
        self.all_ping("after the links were down")

    # Deaths.

    def die(self, kind, depth, nic):
        self._tag += 1
        command = (f"xl destroy {NAME}" if kind == "xl destroy" else
                   f"xenstore-write /local/domain/{self.domain.domid}/ferry/fault '{kind} {self._tag}'")
        death = common.death(self.lab, lambda: self.lab.dom0.run(command, timeout=60), f"{NAME}: {kind}", NAME)
        print(f"nics: {NAME}: {kind}: {death['cause']}, {death['reason']!r}, {death['way']} at depth "
              f"{death['depth']} in {death['back_ms']} ms, NICs {death['nic'] or 'new'}", flush=True)
        expect(death["depth"] == depth, f"{NAME}: {kind}: depth {death['depth']}: {death}")
        expect(not nic or death["nic"].startswith(nic), f"{NAME}: {kind}: not {nic}: {death}")
        self.streams.go_on(f"{NAME}: {kind}", 1 << 19)
        return death

    def streams_begin(self):
        self.streams = common.CheckedStreams(self.lab, self.guest, [(side.wire, TCP_PORT) for side in self.sides])
        self.streams.go_on(f"{NAME}: at first", 1 << 19)

    def deaths(self):
        self.streams_begin()
        self.die("null", 1, "kept")
        self.die("loop", 2, "kept")
        death = self.die("nic-bus nic1", 1, "reset")
        expect(death["reason"] == "nic1 transmits nothing", f"{NAME}: nic-bus nic1: {death}")
        self.streams.end(NAME)

    def destroyed(self):
        """TCP goes on. That what it carried is the same nobody promises of a NIC that is taken from a
        domain that runs (docs/recovery.md), so that is asked of what comes after."""
        self.streams_begin()
        self.die("xl destroy", 3, None)
        self.streams.stop()
        for side in self.sides:
            measure.checked_transfers(self.lab, side.wire, self.guest, 1 << 20)
        self.apart("once it is rebuilt")


def left_out(lab, guest):
    """The first device has no driver in the image: the second one keeps its number, and gets no other's bridge."""
    sides = [Side(lab, guest, "A", None, 0), Side(lab, guest, "X", "net_vmxnet3", 1)]
    extra = " ".join(f"bridge={side.bridge},uplink={side.nic}" for side in sides)
    path = common.config(lab, name=LEFT_OUT, image="ferry-net-no-e1000", extra=extra,
                         pci=[SLOTS[side.slot].bdf[5:] for side in sides])
    lab.dom0.run(f"ferry start --allow-unisolated {path}", timeout=60)
    text = lab.wait_console(LEFT_OUT, ferry_domnet.READY, timeout=30).string
    expect("nic1: net_vmxnet3 at" in text and "nic0: net" not in text, f"nic1 is another:\n{text}")
    expect("bridge two0 has no wire" in text and "bridge two1: nic1 is its uplink" in text,
           f"the bridges have other wires:\n{text}")
    lab.dom0.run(f"ferry stop {LEFT_OUT}", timeout=60)


def check(lab, guest):
    """The domains that have had slots A and X so far are stopped; guest: a Guest with free addresses."""
    two = Two(lab, guest)
    two.start()
    for step in ("links", "deaths", "destroyed"):
        started = time.monotonic()
        if step == "links":
            two.apart("at first")
        getattr(two, step)()
        print(f"nics: {NAME}: {step}: {time.monotonic() - started:.1f} s", flush=True)
    expect(two.domain.exists(), f"{NAME} is gone")
    lab.dom0.run(f"ferry stop {NAME}", timeout=60)
    left_out(lab, guest)
