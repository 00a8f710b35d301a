#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""TCP through NICs that cut it, and whose wires need no cutting: Ferry and the Linux driver domain, each with a NIC of
the same model, in one boot.

usage: bench/tso_nics.py [ROUNDS [WORD...]]     (3 rounds; words: virtio vmxnet3 speed instructions; without: virtio, both)

Each way with 1 stream and with 8, the two in turns. "speed": Mb/s, and the driver domain's processor seconds; then,
in a boot of its own, as counting slows the machine, "instructions": what the domain and Xen on its behalf execute per
KB. Prints Markdown tables with min / median / max.
"""
import sys

import counted
import ferry_domnet
import pair
from ferrylab import CheckFailed, Lab, measure
from ferrylab.instructions import InstructionCounter
from ferrylab.progress import say

MACHINE = "tso"
MODELS = {"virtio": ("V", "W"), "vmxnet3": ("X", "Y")}  # Ferry's slot, the Linux driver domain's
MODES = ("speed", "instructions")
COUNTED = ("tcp-out", "tcp-in", "tcp8-out", "tcp8-in")
NR_STREAMS = (1, 8)
SECONDS = 4
CHECKED = 4 << 20  # bytes each way with sums, before anything is measured
FRAME = 1514  # of a wire without jumbo frames


def start(lab, slots):
    """Both sides; that both leave it to the NIC to cut, and lose nothing."""
    mine, peers = slots
    say("Ferry's driver domain, the Linux driver domain, a guest behind each")
    domnet = ferry_domnet.start(lab, nic=mine)
    lab.wait_console("domnet", "nic0: link up", timeout=30)
    if " cuts TCP," not in domnet.console():
        raise CheckFailed(f"Ferry's NIC does not cut TCP:\n{domnet.console()}")
    domlinux = lab.linux_domnet(nic=peers)
    lab.wait_console("domlinux", "domlinux: forwarding at", timeout=60)
    domlinux.run("ethtool -k eth0 | grep -qx 'tcp-segmentation-offload: on'")
    guest1 = ferry_domnet.guest(lab, 1, nic=mine)
    guest2 = ferry_domnet.guest(lab, 2, backend="domlinux", nic=peers)
    lab.wait_console("domlinux", r"port 2\(vif\d+\.0\) entered forwarding state", timeout=60)
    sides = [pair.Side("ferry", domnet, lab.wire[mine], guest1), pair.Side("linux", domlinux, lab.wire[peers], guest2)]
    for side in sides:
        say(f"{side.label}: checked TCP: {measure.checked_transfers(lab, side.wire, side.guest, CHECKED)}")
    return sides


def transfer(side, to_wire, streams):
    """{figure: value} of one."""
    way = "from_nic" if to_wire else "to_nic"
    before = side.wire.counts()[way]
    tcp = measure.tcp(side.wire, side.guest, to_wire, SECONDS, side.domain, streams)
    after = side.wire.counts()[way]
    frames, length = (after[key] - before[key] for key in ("frames", "bytes"))
    if to_wire and length <= FRAME * frames:  # 8 streams had a mean of 2785: a bound well above a frame would fail
        raise CheckFailed(f"{side.label}: TCP reaches the wire in frames of {length // frames} bytes: it was cut before")
    return {"Mb/s": tcp["mbit_per_s"], "driver domain CPU s per GB": tcp["driver_cpu_s_per_gb"],
            "bytes a frame at the wire": length // frames}


def speed(sides, rounds):
    found = {}
    for number in range(rounds):
        for streams in NR_STREAMS:
            for to_wire, way in ((True, "guest to wire"), (False, "wire to guest")):
                for side in sides if number % 2 == 0 else sides[::-1]:
                    name = f"TCP {way}, {streams} {'stream' if streams == 1 else 'streams'}"
                    figures = transfer(side, to_wire, streams)
                    say(f"round {number + 1} of {rounds}: {side.label}: {name}: {figures}")
                    for what, value in figures.items():
                        found.setdefault(f"{name}: {what}", {}).setdefault(side.label, []).append(value)
    return pair.table(found)


def instructions(lab, sides, rounds):
    counter, found = InstructionCounter(lab), {}
    say("finding out which memory is whose")
    counter.watch([side.domain.name for side in sides] + ["Domain-0"] + [side.guest.name for side in sides])
    counted.rounds_run(counter, sides, rounds, COUNTED, found)
    return counted.table(found, "ferry", "linux", ("Ferry", "Linux driver domain"))


def main():
    try:
        rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    except ValueError:
        sys.exit(f"{sys.argv[1]}: not a number of rounds\n\n{__doc__}")
    words = sys.argv[2:]
    if unknown := set(words) - {*MODELS, *MODES}:
        sys.exit(f"{' '.join(unknown)}: not a word of this program's; there are: {' '.join([*MODELS, *MODES])}")
    for model in [word for word in words if word in MODELS] or ["virtio"]:
        for mode in [word for word in words if word in MODES] or MODES:
            counts = mode == "instructions"
            with Lab("tso_nics", counts_instructions=counts, machine=MACHINE, alone=True) as lab:
                sides = start(lab, MODELS[model])
                table = instructions(lab, sides, rounds) if counts else speed(sides, rounds)
            print(f"\n{model}, {mode}\n\n{table}\n", flush=True)


if __name__ == "__main__":
    main()
