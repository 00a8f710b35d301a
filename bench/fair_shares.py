#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How evenly guests that all send share a wire, and over how long: Ferry and the Linux driver domain in one boot.

usage: bench/fair_shares.py [GUESTS [ROUNDS [SECONDS]]] [ferry]     (16 guests, 3 rounds of 20 s; from 12 s on)

Each guest has a vif of either; with "ferry" only of that. What counts is what the wire's end received, second by second. Prints Jain's
index (1: all the same; 1/n: one has everything) of the first 2 s of each transfer, of 2 s in its middle, and of all but its first
and last 4 s, when all guests are surely sending; min / median / max. Takes 6 minutes to start 16 guests.

TCP as Linux has it; TCP whose slow start does not end where round trips get longer (CUBIC's HyStart, RFC 9406), which is
no matter of the backend's; and UDP as fast as each guest can, for which there is nothing but the backend and the processors.
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
    """(bytes of each second, as the wire's end counted them; what the guest's TCP says of itself)."""
    report = measure.iperf_report(guest, session)
    seconds = report["server_output_text"].split("- - -")[0]  # what follows is the sum
    sender = report["end"]["streams"][0].get("sender")  # of TCP alone
    said = sender and (f"{sender['retransmits']} sent again, window {sender['max_snd_cwnd'] >> 10} KB, "
                       f"{sender['mean_rtt'] / 1000:.0f} ms")
    return [float(number) * UNITS[unit] for number, unit in re.findall(r"sec +([0-9.]+) ([KMG]?)Bytes", seconds)], said


def cpu_seconds(backend):
    """Each guest's processor time so far, by `xl list`."""
    listed = {words[0]: float(words[-1]) for words in map(str.split, backend.domain.lab.dom0.output("xl list").splitlines()[1:])}
    return [listed[guest.name] for guest in backend.guests]


HYSTART = "/sys/module/tcp_cubic/parameters/hystart"
# What is sent: a command in each guest before it, and iperf3's options.
KINDS = {"TCP": (f"echo 1 > {HYSTART}", ""), "TCP without HyStart": (f"echo 0 > {HYSTART}", ""), "UDP": ("true", "-u -b 0 -l 1400")}


def round_run(backend, kind, seconds):
    """{name of figure: value} of one transfer of all guests at once."""
    prepare, words = KINDS[kind]
    for guest in backend.guests:
        guest.run(prepare)
    options, spent = f"-t {seconds} -i 1 --get-server-output {words}", cpu_seconds(backend)
    under_way = [(guest, measure.iperf_start(guest, backend.wire.ip, options, measure.IPERF_PORT + number))
                 for number, guest in enumerate(backend.guests)]
    shares, said = zip(*(received(guest, session) for guest, session in under_way))
    times = [after - before for after, before in zip(cpu_seconds(backend), spent)]
    for guest, share, time, words in zip(backend.guests, shares, times, said):
        say(f"{backend.label}: {kind}: {guest.name}: {sum(share) * 8e-6 / seconds:.2f} Mb/s, {time:.1f} s of processor"
            f"{', ' if words else ''}{words or ''}")
    middle = seconds // 2
    windows = {f"the first {WINDOW_S} s": (0, WINDOW_S), f"{WINDOW_S} s in the middle": (middle, middle + WINDOW_S),
               f"all but the first and last {EDGE_S} s": (EDGE_S, seconds - EDGE_S)}
    figures = {f"{kind}: Jain's index, {name}": round(measure.jain([sum(share[a:b]) for share in shares]), 3)
               for name, (a, b) in windows.items()}
    steady = [sum(share[EDGE_S:seconds - EDGE_S]) for share in shares]
    figures[f"{kind}: Jain's index of the guests' processor time"] = round(measure.jain(times), 3)
    return {**figures, f"{kind}: Mb/s in all": round(sum(steady) * 8e-6 / (seconds - 2 * EDGE_S), 1),
            f"{kind}: the least of one guest, of the mean": round(min(steady) / statistics.mean(steady), 2),
            f"{kind}: the most of one guest, of the mean": round(max(steady) / statistics.mean(steady), 2)}


def main():
    labels = ("ferry",) if sys.argv[-1] == "ferry" else ("ferry", "linux")
    numbers = [int(word) for word in sys.argv[1:] if word != "ferry"]
    nr_guests, rounds, seconds = (numbers + [16, 3, 20][len(numbers):])[:3]
    if nr_guests < 2 or seconds < 3 * EDGE_S:
        sys.exit(__doc__)
    found = {}
    with Lab("fair_shares", alone=True) as lab:
        sides = start(lab, nr_guests, labels)
        turns = [(label, kind) for kind in KINDS for label in labels]
        for number in range(rounds):
            for label, kind in turns if number % 2 == 0 else turns[::-1]:
                figures = round_run(sides[label], kind, seconds)
                say(f"round {number + 1} of {rounds}: {label}: {figures}")
                for name, value in figures.items():
                    found.setdefault(name, {}).setdefault(label, []).append(value)
    if len(labels) == 2:
        print(f"\n{pair.table(found)}")


main()
