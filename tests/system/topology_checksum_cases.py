# SPDX-License-Identifier: BSD-2-Clause
"""The cases of topology_checksums.py: which packets go every way."""
from dataclasses import dataclass

import topology_packets as pk

FULL = -1
ODD = 333
FRAGMENT = 400
TIMESTAMPS = bytes.fromhex("0101080a0000000100000002")
NAMES = {pk.TCP: "TCP", pk.UDP: "UDP"}


@dataclass(frozen=True)
class Case:
    protocol: int
    kind: str  # of checksum: blank, right, wrong, zero
    size: int  # of the payload; FULL: the longest
    extra: str = ""
    v6: bool = None  # for one IP version only
    fragment: int = 0  # bytes of each
    is_reversed: bool = False
    mss: int = 0  # cut into pieces of so much, or sent as such by the wire
    damaged: int = None  # which piece of the wire's
    tcp_options: bytes = b""
    zero: str = ""  # where the right checksum comes out as 0: "in", "out"
    is_padded: bool = False
    is_big: bool = False
    arrives: bool = True
    title: str = ""

    @property
    def name(self):
        words = [NAMES[self.protocol], self.kind, "full" if self.size == FULL else str(self.size),
                 self.extra, self.title]
        if self.fragment:
            words.append("in fragments, the last first" if self.is_reversed else "in fragments")
        if self.mss:
            words.append(f"in pieces of {self.mss}")
        if self.damaged is not None:
            words.append(f"number {self.damaged} wrong")
        if self.zero:
            words.append(f"comes out as 0 ({self.zero})")
        return " ".join(word for word in words if word) + (" padded" if self.is_padded else "")

    def is_for(self, way):
        from_wire = way.sender == "wire"
        return (self.v6 in (None, way.v6) and not (self.kind == "blank" and from_wire and not self.mss)
                and not (self.damaged is not None and not from_wire) and not (self.is_big and not way.big)
                # Linux cuts TCP over IPv6 itself, for which it has to see the tags.
                and not (self.mss and way.v6 and way.into[2] and not from_wire))

    def size_on(self, way):
        if self.size != FULL:
            return self.size
        head = pk.Packet(way.v6, *way.addresses, self.protocol, 1, 1, b"", extra=self.extra)
        return pk.MTU - 4 * max(len(way.into[2]) - 1, 0) - head.l3_head_len() - head.l4_head_len


def _full():
    both = (pk.TCP, pk.UDP)
    cases = [Case(protocol, kind, size) for protocol in both for kind in ("blank", "right", "wrong")
             for size in (0, 1, 2, ODD, FULL)]
    cases += [Case(pk.UDP, "zero", size) for size in (0, 1, 2, ODD, FULL)]
    for protocol in both:
        for kind in ("blank", "right", "wrong"):
            cases += [Case(protocol, kind, ODD, extra, v6=False) for extra in list(pk.OPTIONS)[1:]]
            cases += [Case(protocol, kind, ODD, extra, v6=True) for extra in list(pk.EXTENSIONS)[1:]]
            cases += [Case(protocol, kind, FULL, "router alert", v6=False),
                      Case(protocol, kind, FULL, "both", v6=True)]
        cases += [Case(protocol, kind, 8, zero=where) for kind in ("blank", "right") for where in ("in", "out")]
        cases += [Case(protocol, kind, 1, is_padded=True) for kind in ("blank", "right", "wrong")]
    cases += [Case(pk.UDP, kind, 1001, fragment=FRAGMENT) for kind in ("right", "wrong", "zero")]
    cases += [Case(pk.TCP, kind, 1001, fragment=FRAGMENT) for kind in ("right", "wrong")]
    cases += [Case(pk.UDP, kind, 1001, fragment=FRAGMENT, is_reversed=True) for kind in ("right", "wrong")]
    # No interface can finish the checksum of a datagram of which it sees a part only.
    cases += [Case(pk.UDP, "blank", 1001, fragment=FRAGMENT, arrives=False)]
    return cases + _cut()


def _cut():
    return [Case(pk.TCP, "blank", 3 * 1428, mss=1428), Case(pk.TCP, "blank", 2 * 1428 + 1, mss=1428),
            Case(pk.TCP, "blank", 5 * ODD + 7, mss=ODD, tcp_options=TIMESTAMPS),
            Case(pk.TCP, "blank", 2 * 1400 + 5, "router alert", v6=False, mss=1400),
            Case(pk.TCP, "blank", 60001, mss=1428, is_big=True),
            Case(pk.TCP, "blank", 7 * 1000 + 3, mss=1000, damaged=3)]


def _few():
    kinds = [(pk.TCP, kind) for kind in ("blank", "right", "wrong")]
    kinds += [(pk.UDP, kind) for kind in ("blank", "right", "wrong", "zero")]
    cases = [Case(*kind, size) for kind in kinds for size in (1, ODD, FULL)]
    cases += [Case(protocol, "blank", ODD, extra, v6) for protocol in NAMES
              for extra, v6 in (("record route", False), ("both", True))]
    return cases + _cut()


CASES = {"full": _full(), "few": _few()}
