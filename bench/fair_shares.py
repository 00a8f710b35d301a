#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How evenly guests that all send TCP share a wire, and over how long: Ferry and the Linux driver domain in one boot.

usage: bench/fair_shares.py [GUESTS [ROUNDS [SECONDS]]] [ferry]     (16 guests, 3 rounds of 20 s; from 12 s on)

Each guest has a vif of either; with "ferry" only of that. What counts is what the wire's end received, second by second. Prints Jain's
index (1: all the same; 1/n: one has everything) of the first 2 s of each transfer, of 2 s in its middle, and of all but its first
and last 4 s, when all guests are surely sending; min / median / max. Takes 6 minutes to start 16 guests.
"""
import re
import statistics
import sys

import backends
import pair
import ferry_domnet
from ferrylab import CheckFailed, Lab, measure
from ferrylab.progress import say

EDGE_S = 4  # of a transfer's beginning and end, when others may not have begun, or have ended
WINDOW_S = 2
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}  # of iperf3


NAMES = {"ferry": "domnet", "linux": "domlinux"}


def vif(label, number):
    return f"mac={backends.mac(label, number)},bridge=xenbr0,backend={NAMES[label]}"


def start(lab, nr_guests, labels):
    """{label: Backend}; with a server on its wire for each guest."""
    domains = {"ferry": ferry_domnet.start(lab)}
    if "linux" in labels:
        domains["linux"] = lab.linux_domnet()
    found = {label: backends.Backend(label, lab.wire[backends.NICS[label]], domains[label]) for label in labels}
    # One after the other: the Linux domain's scripts give up on vifs that come faster than they can be bridged here.
    for number in range(nr_guests):
        guest = lab.guest(f"guest{number + 1}", [vif(label, number) for label in labels], memory=backends.GUEST_MB)
        backends.addresses_set(found, guest, number, labels)
        for label, backend in found.items():
            backend.guests.append(guest)
            measure.iperf_server(backend.wire, measure.IPERF_PORT + number)
            try:
                backends.answers(guest, backend.wire.ip)
            except CheckFailed:
                if label == "ferry":
                    raise
                replug(lab, found, guest, number)
    return found


def replug(lab, found, guest, number):
    """As an admin would where the Linux domain's script gave up."""
    say(f"{guest.name}: the Linux driver domain does not serve it: replugged")
    lab.dom0.run(f"xl network-detach {guest.name} 1", timeout=60)
    lab.dom0.run(f"xl network-attach {guest.name} " + vif("linux", number).replace(",", " "), timeout=60)
    backends.addresses_set(found, guest, number, ("linux",))
    backends.answers(guest, found["linux"].wire.ip)


def received(guest, session):
    """Bytes of each second, as the wire's end counted them."""
    text = measure.iperf_report(guest, session)["server_output_text"]
    seconds = text.split("- - -")[0]  # what follows is the sum
    return [float(number) * UNITS[unit] for number, unit in re.findall(r"sec +([0-9.]+) ([KMG]?)Bytes", seconds)]


def round_run(backend, seconds):
    """{name of figure: value} of one transfer of all guests at once."""
    options = f"-t {seconds} -i 1 --get-server-output"
    under_way = [(guest, measure.iperf_start(guest, backend.wire.ip, options, measure.IPERF_PORT + number))
                 for number, guest in enumerate(backend.guests)]
    shares = [received(guest, session) for guest, session in under_way]
    middle = seconds // 2
    windows = {f"the first {WINDOW_S} s": (0, WINDOW_S), f"{WINDOW_S} s in the middle": (middle, middle + WINDOW_S),
               f"all but the first and last {EDGE_S} s": (EDGE_S, seconds - EDGE_S)}
    figures = {f"Jain's index, {name}": round(measure.jain([sum(share[a:b]) for share in shares]), 3)
               for name, (a, b) in windows.items()}
    steady = [sum(share[EDGE_S:seconds - EDGE_S]) for share in shares]
    return {**figures, "Mb/s in all": round(sum(steady) * 8e-6 / (seconds - 2 * EDGE_S), 1),
            "the least and the most of one guest, of the mean: least": round(min(steady) / statistics.mean(steady), 2),
            "the least and the most of one guest, of the mean: most": round(max(steady) / statistics.mean(steady), 2)}


def main():
    labels = ("ferry",) if sys.argv[-1] == "ferry" else ("ferry", "linux")
    numbers = [int(word) for word in sys.argv[1:] if word != "ferry"]
    nr_guests, rounds, seconds = (numbers + [16, 3, 20][len(numbers):])[:3]
    if nr_guests < 2 or seconds < 3 * EDGE_S:
        sys.exit(__doc__)
    found = {}
    with Lab("fair_shares") as lab:
        sides = start(lab, nr_guests, labels)
        for number in range(rounds):
            for label in labels if number % 2 == 0 else labels[::-1]:
                figures = round_run(sides[label], seconds)
                say(f"round {number + 1} of {rounds}: {label}: {figures}")
                for name, value in figures.items():
                    found.setdefault(name, {}).setdefault(label, []).append(value)
    if len(labels) == 2:
        print(f"\n{pair.table(found)}")


main()
