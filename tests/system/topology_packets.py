# SPDX-License-Identifier: BSD-2-Clause
"""TCP and UDP packets with every kind of checksum: made, and judged when they come out somewhere."""
import ipaddress
import random
import re
import struct
from dataclasses import dataclass, replace

from topology_frames import IPV4, IPV6, VLAN, checksum, mac_bytes

TCP, UDP = 6, 17
ACK, PSH = 0x10, 0x08
HOP_BY_HOP, FRAGMENT, DESTINATION = 0, 44, 60
DONT_FRAGMENT, MORE_FRAGMENTS = 0x4000, 0x2000
DAMAGE = 0x1234
MTU = 1500
# Of IPv4: router alert (RFC 2113), three NOPs and an end, record route with room for two.
OPTIONS = {"": b"", "router alert": bytes.fromhex("94040000"), "NOPs": bytes.fromhex("01010100"),
           "record route": bytes.fromhex("070b04") + bytes(9)}
# Of IPv6: (header, what follows its first byte).
PADDING = bytes.fromhex("00010400000000")
EXTENSIONS = {"": (), "hop-by-hop": ((HOP_BY_HOP, bytes.fromhex("00050200000100")),),
              "destination": ((DESTINATION, PADDING),),
              "both": ((HOP_BY_HOP, PADDING), (DESTINATION, b"\1" + PADDING[1:3] + bytes(12)))}
# struct virtio_net_hdr, as the lab's `frames` writes it.
NEEDS_CSUM, DATA_VALID = 1, 2
GSO_NONE, GSO_TCPV4, GSO_TCPV6 = 0, 1, 4
_OFFLOAD_LINE = re.compile(r"(\d+) (\d+) (\d+) (\d+) (\d+) ((?:[0-9a-f]{2})+)")


def plus(*words):
    """The ones' complement sum of 16-bit words."""
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def tag_bytes(tags):
    return b"".join(struct.pack(">HH", VLAN, tag) for tag in tags)


@dataclass(frozen=True)
class Packet:
    """A TCP or UDP packet; its L4 checksum is said when it is built."""
    v6: bool
    src: str
    dst: str
    protocol: int
    sport: int
    dport: int
    payload: bytes
    ident: int = 0
    ttl: int = 64
    extra: str = ""  # of OPTIONS or EXTENSIONS
    seq: int = 1000
    flags: int = ACK | PSH
    tcp_options: bytes = b""
    may_fragment: bool = True

    @property
    def csum_offset(self):
        return 16 if self.protocol == TCP else 6

    @property
    def l4_head_len(self):
        return 20 + len(self.tcp_options) if self.protocol == TCP else 8

    def l4(self, field=0):
        """With this in the checksum's field."""
        if self.protocol == TCP:
            head = struct.pack(">HHIIBBHHH", self.sport, self.dport, self.seq, 77,
                               self.l4_head_len // 4 << 4, self.flags, 8192, field, 0)
            return head + self.tcp_options + self.payload
        return struct.pack(">HHHH", self.sport, self.dport, 8 + len(self.payload), field) + self.payload

    def addresses(self):
        return ipaddress.ip_address(self.src).packed + ipaddress.ip_address(self.dst).packed

    def pseudo(self):
        return self.addresses() + struct.pack(">II", self.l4_head_len + len(self.payload), self.protocol)

    def blank(self):
        """What a checksum's field holds while it is blank."""
        return ~checksum(self.pseudo()) & 0xFFFF

    def right(self):
        found = checksum(self.pseudo() + self.l4())
        return found or (0xFFFF if self.protocol == UDP else 0)

    def wrong(self):
        found = plus(self.right(), DAMAGE)
        return found or 1

    def residue(self, field):
        """What a receiver's sum comes to: 0 if the checksum is right."""
        return checksum(self.pseudo() + self.l4(field)) % 0xFFFF

    def _extensions(self, following, more=b""):
        """IPv6: (the first header's number, all of them)."""
        found, headers = [], EXTENSIONS[self.extra]
        kinds = [kind for kind, _ in headers] + [following]
        for at, (_, rest) in enumerate(headers):
            found.append(bytes([kinds[at + 1]]) + rest)
        return kinds[0], b"".join(found) + more

    def l3_head_len(self):
        return 40 + len(self._extensions(0)[1]) if self.v6 else 20 + len(OPTIONS[self.extra])

    def l3(self, l4, offset=0, more=False, is_fragment=False):
        """The IP packet around these bytes of L4."""
        if self.v6:
            kind, headers = self._extensions(self.protocol)
            if is_fragment:
                fragment = struct.pack(">BBHI", self.protocol, 0, offset | more, self.ident)
                kind, headers = self._extensions(FRAGMENT, fragment)
            return (struct.pack(">IHBB", 6 << 28, len(headers) + len(l4), kind, self.ttl)
                    + self.addresses() + headers + l4)
        options = OPTIONS[self.extra]
        word = offset // 8 | (MORE_FRAGMENTS if more else 0) | (0 if self.may_fragment else DONT_FRAGMENT)
        head = struct.pack(">BBHHHBBH", 0x40 | 5 + len(options) // 4, 0, 20 + len(options) + len(l4),
                           self.ident & 0xFFFF, word, self.ttl, self.protocol, 0)
        head += self.addresses() + options
        return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + l4

    def fragments(self, field, size):
        """The whole datagram's checksum is in the first."""
        l4 = self.l4(field)
        return [self.l3(l4[at:at + size], at, at + size < len(l4), True) for at in range(0, len(l4), size)]

    def piece(self, first, nr, mss):
        """The segment that stands for the pieces first to first + nr - 1."""
        payload = self.payload[first * mss:(first + nr) * mss]
        is_last = (first + nr) * mss >= len(self.payload)
        return replace(self, payload=payload, seq=self.seq + first * mss, ident=self.ident + first,
                       flags=self.flags if is_last else self.flags & ~PSH)

    def zero_sum(self):
        """The same with a payload by which its checksum comes out as 0."""
        payload = bytes(2) + self.payload[2:]
        word = checksum(self.pseudo() + replace(self, payload=payload).l4())
        return replace(self, payload=struct.pack(">H", word) + payload[2:])


def noise(number, size):
    return random.Random(number).randbytes(size)


@dataclass
class Offload:
    """What the receiving interface was told about a frame."""
    flags: int = 0
    csum_start: int = 0
    csum_offset: int = 0
    gso_type: int = 0
    gso_size: int = 0


class Caught:
    """A frame as it came out. ports: of TCP and UDP, None for all else and for later fragments."""

    def __init__(self, data, offload=None):
        self.data, self.offload = data, offload or Offload()
        self.protocol = self.ports = self.fragment = self.ident = None
        at = 12
        while data[at:at + 2] == b"\x81\x00":
            at += 4
        self.l3_at = at + 2
        kind = int.from_bytes(data[at:at + 2], "big")
        self.v6 = kind == IPV6
        if kind in (IPV4, IPV6) and len(data) >= self.l3_at + 20:
            self._read_ip(data[self.l3_at:])

    def _read_ip(self, l3):
        if self.v6:
            self.addresses, self.total = l3[8:40], 40 + int.from_bytes(l3[4:6], "big")
            at, protocol = 40, l3[6]
            while protocol in (HOP_BY_HOP, DESTINATION, FRAGMENT) and at + 8 <= len(l3):
                if protocol == FRAGMENT:
                    word, ident = struct.unpack_from(">HI", l3, at + 2)
                    self.fragment = (ident, word & ~7, bool(word & 1))
                protocol, at = l3[at], at + (8 if protocol == FRAGMENT else 8 * (l3[at + 1] + 1))
        else:
            self.addresses, self.total = l3[12:20], int.from_bytes(l3[2:4], "big")
            at, protocol = 4 * (l3[0] & 15), l3[9]
            self.ident, word = struct.unpack_from(">HH", l3, 4)
            if word & 0x3FFF:
                self.fragment = (self.ident, (word & 0x1FFF) * 8, bool(word & MORE_FRAGMENTS))
        self.protocol, self.l4_at = protocol, self.l3_at + at
        self.l4 = l3[at:self.total]
        least = {TCP: 20, UDP: 8}.get(protocol)
        if least and len(self.l4) >= least and (self.fragment is None or self.fragment[1] == 0):
            self.ports = struct.unpack_from(">HH", self.l4)

    @property
    def key(self):
        return (self.addresses, self.protocol, *self.ports)

    @property
    def padding(self):
        return self.data[self.l3_at + self.total:]

    @property
    def field(self):
        return struct.unpack_from(">H", self.l4, 16 if self.protocol == TCP else 6)[0]


def key_of(packet):
    return (packet.addresses(), packet.protocol, packet.sport, packet.dport)


def caught_lines(text):
    """Of `frames watch-offload`."""
    matches = map(_OFFLOAD_LINE.fullmatch, text.splitlines())
    return [Caught(bytes.fromhex(match[6]), Offload(*map(int, match.groups()[:5])))
            for match in matches if match]


def caught_pcap(data):
    found, at = [], 24
    while at + 16 <= len(data):
        length = struct.unpack_from("=I", data, at + 8)[0]
        found.append(Caught(data[at + 16:at + 16 + length]))
        at += 16 + length
    return found


def l2(dst, src, tags, v6):
    return (mac_bytes(dst) + mac_bytes(src) + tag_bytes(tags) +
            struct.pack(">H", IPV6 if v6 else IPV4))


def _bytes_differ(head, l3, caught):
    """What differs from a whole frame; bytes that only fill it up to its least length may follow."""
    expected, got = head + l3, caught.data[:caught.l3_at + caught.total]
    if expected != got:
        at = next((n for n, (a, b) in enumerate(zip(expected, got)) if a != b), min(len(expected), len(got)))
        return (f"byte {at} (L3 at {len(head)}) of {len(expected)}/{len(got)}: expected "
                f"{expected[at:at + 8].hex()}, got {got[at:at + 8].hex()}")
    filled = caught.padding
    if filled.strip(b"\0") or (filled and len(caught.data) > 60 + len(head) - 14):
        return f"{len(filled)} bytes behind the packet"
    return None


def checksum_differs(packet, kind, residue, caught):
    """What is wrong with a checksum, or with what is said about it. residue: of one that is wrong."""
    offload = caught.offload
    if offload.flags & NEEDS_CSUM:
        if kind not in ("right", "blank"):
            return f"a {kind} checksum has become blank"
        where = (offload.csum_start, offload.csum_offset)
        if where != (caught.l4_at, packet.csum_offset):
            return f"blank at {where}, not at {(caught.l4_at, packet.csum_offset)}"
        return None if caught.field % 0xFFFF == packet.blank() % 0xFFFF else \
            f"blank with {caught.field:#06x}, not the pseudo header's {packet.blank():#06x}"
    if kind == "zero":
        return None if caught.field == 0 else f"UDP checksum 0 has become {caught.field:#06x}"
    found = packet.residue(caught.field)
    if kind == "wrong":
        if offload.flags & DATA_VALID:
            return "a wrong checksum is said to be verified"
        return None if found == residue else f"wrong by {found:#06x}, not by {residue:#06x} as before"
    if packet.protocol == UDP and caught.field == 0:
        return "UDP checksum 0, which means none"
    return None if found == 0 else f"checksum {caught.field:#06x}, right is {packet.right():#06x}"


def whole_differs(head, packet, kind, residue, caught, keeps_id=True):
    """A frame that holds all of a packet. keeps_id: IPv4's identification is what it was."""
    if caught.fragment:
        return "a fragment"
    if packet.may_fragment and not keeps_id:
        packet = replace(packet, ident=caught.ident)
    return (_bytes_differ(head, packet.l3(packet.l4(caught.field)), caught) or
            checksum_differs(packet, kind, residue, caught))


def fragments_differ(head, packet, kind, residue, size, parts, keeps_id):
    """Fragments of a datagram, in the order of their offsets."""
    first = parts[0]
    if not keeps_id:
        packet = replace(packet, ident=first.fragment[0])
    expected = packet.fragments(first.field, size)
    if len(expected) != len(parts):
        return f"{len(parts)} fragments, not {len(expected)}"
    for number, (l3, part) in enumerate(zip(expected, parts)):
        wrong = _bytes_differ(head, l3, part)
        if wrong:
            return f"fragment {number}: {wrong}"
        if part.offload.flags & NEEDS_CSUM:
            return f"fragment {number} is blank"
    return checksum_differs(packet, kind, residue, first)


def pieces_differ(head, packet, mss, damaged, parts):
    """Segments of a TCP packet that was cut, or put together again. damaged: the number of a piece with
    a wrong checksum. Returns (what is wrong, the most pieces that came as one)."""
    start, most = 0, 1
    for part in sorted(parts, key=lambda part: struct.unpack_from(">I", part.l4, 4)[0]):
        length = len(part.l4) - packet.l4_head_len
        nr = -(-length // mss)
        is_many = nr > 1
        kind = "wrong" if start == damaged else "right"
        piece = packet.piece(start, nr, mss)
        told = (part.offload.gso_type, part.offload.gso_size, part.offload.flags & NEEDS_CSUM)
        if is_many and told != (GSO_TCPV6 if packet.v6 else GSO_TCPV4, mss, NEEDS_CSUM):
            return f"{nr} pieces as one without being told to be cut: {part.offload}", most
        if is_many and start <= (-1 if damaged is None else damaged) < start + nr:
            return "a damaged piece was put together with others", most
        wrong = whole_differs(head, piece, kind, piece.residue(piece.wrong()), part)
        if wrong:
            return f"piece {start} and {nr - 1} more: {wrong}", most
        start, most = start + nr, max(most, nr)
    nr_all = -(-len(packet.payload) // mss)
    return (None if start == nr_all else f"{start} pieces, not {nr_all}"), most
