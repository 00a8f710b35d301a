# SPDX-License-Identifier: BSD-2-Clause
"""What `make bench` measures, each measurement of one backend at a time.

Figures: {GROUP: {NAME: {LABEL: [VALUE of each round]}}}; a NAME ends with its unit.
"""
import json
import math
import time
from contextlib import contextmanager

import backends
from ferrylab import measure
from ferrylab.progress import say

TCP, UDP, RR, CPU_GB, CPU_FRAMES = "TCP", "UDP", "request and response", "processor time per GB", \
    "processor time per million frames"
PEER, MANY, FLOOD, LATENCY = "guest to guest", "many guests", "a flood beside TCP", "dom0's latency under load"
HEADERS = 14 + 20 + 8 + 4  # of a UDP frame on the wire, with its checksum
UDP_IN_FRAMES = 5000  # a second, offered by the wire, which else would be the fastest by far
PEER_UDP = 50e6, 1400  # bits of payload a second, bytes of payload
TOGETHER = (1, 2, 4, 8, 16)
LATENCY_INTERVAL_US = 1000
LATENCY_MAX_US = 200000
LATENCY_FILE = "/tmp/latency"
LATENCIES = {"an ordinary task": "--policy=other", "a real-time task": "--policy=fifo -p 90"}
IDLE = "nothing"


class Bench:
    def __init__(self, lab, backends_of, processors, seconds, found):
        self.lab, self.backends, self._processors = lab, backends_of, processors
        self.seconds, self.found = seconds, found
        self._domids = {b.label: b.domain.domid for b in backends_of if b.domain}

    def note(self, group, name, backend, value):
        label = backend if isinstance(backend, str) else backend.label
        self.found.setdefault(group, {}).setdefault(name, {}).setdefault(label, []).append(value)

    @contextmanager
    def _spending(self, backend):
        """Notes afterwards what was spent per unit; what is yielded is called with how many there were."""
        spent, units = {}, {}
        domid = self._domids.get(backend.label)
        with self._processors.counting(spent):
            yield lambda group, name, nr: units.update(group=group, name=name, nr=nr)
        for who, value in ((backends.TITLES_OF_DOMAIN[backend.label], spent.get(domid)), ("dom0", spent[0])):
            if value is not None and (who != "dom0" or domid != 0):
                self.note(units["group"], f"{units['name']}: {who}, s", backend, round(value / units["nr"], 2))

    def tcp(self, backend, streams, way):
        options = f"-t {self.seconds} -P {streams}" + ("" if way == "guest to wire" else " -R")
        with self._spending(backend) as spent:
            end = measure.iperf(backend.guests[0], backend.wire.ip, options)
            spent(CPU_GB, f"TCP {way}, {_streams(streams)}", end["sum_received"]["bytes"] / 1e9)
        self.note(TCP, f"{way}, {_streams(streams)}, Mb/s", backend, _mbit(end))

    def udp(self, backend, frame, way):
        payload = frame - HEADERS
        rate = "-b 0" if way == "guest to wire" else f"-R -b {UDP_IN_FRAMES * payload * 8}"
        with self._spending(backend) as spent:
            end = measure.iperf(backend.guests[0], backend.wire.ip, f"-u -l {payload} -t {self.seconds} {rate}")
            total = end["sum"]
            arrived = max(1, total["packets"] - total["lost_packets"])
            spent(CPU_FRAMES, f"UDP {way}, {frame} bytes", arrived / 1e6)
        self.note(UDP, f"{way}, {frame} bytes, thousand frames/s", backend, round(arrived / total["seconds"] / 1e3, 2))
        self.note(UDP, f"{way}, {frame} bytes, lost, %", backend, round(total["lost_percent"], 2))

    def round_trips(self, backend):
        self._round_trips(RR, "guest and wire", backend, backend.wire.ip)

    def _round_trips(self, group, what, backend, address):
        times = measure.round_trips(backend.guests[0], address, self.seconds)
        for name in ("p50", "p99"):
            self.note(group, f"{what}, {name}, ms", backend, times[f"{name}_us"] / 1e3)

    def guest_to_guest(self, backend):
        first, other = backend.guests[0], backend.address(1)
        with self._spending(backend) as spent:
            end = measure.iperf(first, other, f"-t {self.seconds}")
            spent(CPU_GB, "TCP guest to guest, 1 stream", end["sum_received"]["bytes"] / 1e9)
        self.note(PEER, "TCP, 1 stream, Mb/s", backend, _mbit(end))
        rate, payload = PEER_UDP
        total = measure.iperf(first, other, f"-u -b {rate:.0f} -l {payload} -t {self.seconds}")["sum"]
        self.note(PEER, f"UDP, {rate / 1e6:.0f} Mb/s of {payload} bytes, lost, %", backend, round(total["lost_percent"], 2))
        self._round_trips(PEER, "request and response", backend, other)

    def together(self, backend, nr_guests):
        """So many guests send at once. Beside how fairly they share the wire, how fairly Xen shared processors among them."""
        spent, domids = {}, [self._domid(guest) for guest in backend.guests[:nr_guests]]
        with self._processors.counting(spent):
            shares = self._at_once(backend, [f"-t {self.seconds}"] * nr_guests)
        self.note(MANY, f"TCP guests to wire, {_guests(nr_guests)}, Mb/s in all", backend, round(sum(shares), 1))
        if nr_guests > 1:
            self.note(MANY, f"TCP guests to wire, {_guests(nr_guests)}, Jain's index", backend,
                      round(measure.jain(shares), 3))
            self.note(MANY, f"TCP guests to wire, {_guests(nr_guests)}, Jain's index of the guests' processor time",
                      backend, round(measure.jain([spent[domid] for domid in domids]), 3))

    def _domid(self, guest):
        if guest.name not in self._domids:
            self._domids[guest.name] = guest.domid
        return self._domids[guest.name]

    def flood(self, backend):
        """TCP of one guest alone, beside another one that sends small frames as fast as it can, and beside one that
        computes and sends nothing: what that takes is the processor's share, whoever the backend is."""
        alone, = self._at_once(backend, [f"-t {self.seconds}"])
        beside, _ = self._at_once(backend, [f"-t {self.seconds}", f"-t {self.seconds} -u -b 0 -l {64 - HEADERS}"])
        self.note(FLOOD, "TCP guest to wire alone, Mb/s", backend, alone)
        self.note(FLOOD, "TCP guest to wire beside a flood, Mb/s", backend, beside)
        self.note(FLOOD, "what the flood leaves of it, %", backend, round(100 * beside / alone, 1))
        computing = backend.guests[1].start("exec sh -c 'while :; do :; done'")
        busy, = self._at_once(backend, [f"-t {self.seconds}"])
        computing.kill()
        self.note(FLOOD, "what a guest that only computes leaves of it, %", backend, round(100 * busy / alone, 1))

    def _at_once(self, backend, options):
        """A client in each of the first guests; Mb/s of each."""
        under_way = [(guest, measure.iperf_start(guest, backend.wire.ip, option, measure.IPERF_PORT + number))
                     for number, (guest, option) in enumerate(zip(backend.guests, options))]
        ends = [measure.iperf_end(guest, session, 90) for guest, session in under_way]
        return [_mbit(end) if "sum_received" in end else end["sum"]["bits_per_second"] / 1e6 for end in ends]

    def latency(self, backend):
        """dom0's tasks ask to be woken each millisecond: how late they are, while a guest sends and receives."""
        dom0 = self.lab.dom0
        under_way = []
        if backend != IDLE:
            guests = (backend.guests * 2)[:2]
            under_way = [(guest, measure.iperf_start(guest, backend.wire.ip,
                                                     f"-t {self.seconds + 3} -P 2{way}", measure.IPERF_PORT + number))
                         for number, (guest, way) in enumerate(zip(guests, ("", " -R")))
                         if number < len(backend.guests)]
            before = backend.wire.counts()["from_nic"]["bytes"]
            while backend.wire.counts()["from_nic"]["bytes"] < before + 500000:
                time.sleep(0.05)
        for number, (task, options) in enumerate(LATENCIES.items()):
            path = f"{LATENCY_FILE}{number}.json"
            dom0.run(f"cyclictest -q -m {options} -i {LATENCY_INTERVAL_US} -D {max(1, round(self.seconds / 2))} "
                     f"-h {LATENCY_MAX_US} --json={path} > /dev/null")
            for name, value in _percentiles(json.loads(dom0.get(path))).items():
                self.note(LATENCY, f"{task}, {name}, ms", backend, value)
        for guest, session in under_way:
            measure.iperf_end(guest, session)


def _percentiles(report):
    """Of cyclictest's histogram, in ms; what is beyond it counts as its end."""
    thread, = report["thread"].values()
    counts = sorted((int(us), nr) for us, nr in thread["histogram"].items())
    total, found = thread["cycles"], {}
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        left = math.ceil(total * share)
        for us, nr in counts:
            left -= nr
            if left <= 0:
                break
        found[name] = (us if left <= 0 else LATENCY_MAX_US) / 1e3
    found["max"] = thread["max"] / 1e3
    return found


def _mbit(end):
    return round(end["sum_received"]["bits_per_second"] / 1e6, 1)


def _streams(nr):
    return f"{nr} stream{'s' if nr > 1 else ''}"


def _guests(nr):
    return f"{nr} guest{'s' if nr > 1 else ''}"


def rounds_run(bench, rounds, short):
    """Each measurement of each backend in turns; the order turns round from round to round."""
    streams, frames = ((1, 4), (64, 1500)) if short else ((1, 4, 8), (64, 512, 1500))
    served = [backend for backend in bench.backends if backend.label in backends.SERVED]
    steps = [(f"TCP {way}, {nr}", bench.backends, lambda b, nr=nr, way=way: bench.tcp(b, nr, way))
             for way in ("guest to wire", "wire to guest") for nr in streams]
    steps += [(f"UDP {way}, {size} bytes", bench.backends, lambda b, size=size, way=way: bench.udp(b, size, way))
              for way in ("guest to wire", "wire to guest") for size in frames]
    steps += [("request and response", bench.backends, bench.round_trips),
              ("guest to guest", served, bench.guest_to_guest), ("a flood beside TCP", served, bench.flood)]
    nr_guests = len(served[0].guests)
    steps += [(_guests(nr), served, lambda b, nr=nr: bench.together(b, nr)) for nr in TOGETHER
              if nr == nr_guests or nr < nr_guests and nr != 2]
    steps += [("dom0's latency", [IDLE, *bench.backends], bench.latency)]
    for number in range(rounds):
        for what, some, measured in steps:
            say(f"round {number + 1} of {rounds}: {what}")
            for backend in some[::-1] if number % 2 else some:
                measured(backend)
