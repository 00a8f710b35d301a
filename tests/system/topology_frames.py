# SPDX-License-Identifier: BSD-2-Clause
"""Raw Ethernet frames, made and read."""
import ipaddress
import struct
import zlib

BROADCAST = "ff:ff:ff:ff:ff:ff"
IPV4, ARP, IPV6, VLAN = 0x0800, 0x0806, 0x86DD, 0x8100
LOCAL = 0x88B5  # IEEE 802: for local experiments
MARK = b"\xfe\xed"
MARK_LEN = 6


def mark(name):
    """What a frame of this name carries, to be found again wherever it goes."""
    return MARK + struct.pack(">I", zlib.crc32(name.encode()))


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def eth(dst, src, kind, payload, tags=()):
    head = mac_bytes(dst) + mac_bytes(src)
    for tag in tags:
        head += struct.pack(">HH", VLAN, tag)
    return (head + struct.pack(">H", kind) + payload).ljust(60 + 4 * len(tags), b"\0")


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _ip(text):
    return ipaddress.ip_address(text).packed


def arp(src_mac, src_ip, dst_ip, op=1, dst_mac="00:00:00:00:00:00"):
    """ARP's packet; a mark may follow it."""
    return (struct.pack(">HHBBH", 1, IPV4, 6, 4, op) + mac_bytes(src_mac) + _ip(src_ip) +
            mac_bytes(dst_mac) + _ip(dst_ip))


def ipv4(src, dst, payload, protocol=17, ttl=64):
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0x4242, 0, ttl, protocol, 0)
    head += _ip(src) + _ip(dst)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def udp(sport, dport, payload):
    """Without a checksum, as IPv4 allows."""
    return struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload


def ipv6(src, dst, payload, following=59, hops=64):
    return (struct.pack(">IHBB", 6 << 28, len(payload), following, hops) + _ip(src) + _ip(dst) +
            payload)


class Frame:
    """What the beginning of a frame says."""

    def __init__(self, data):
        self.data = data
        self.dst, self.src = data[:6].hex(":"), data[6:12].hex(":")
        self.tags = []
        at = 12
        while data[at:at + 2] == b"\x81\x00":
            self.tags.append(struct.unpack_from(">H", data, at + 2)[0] & 0xFFF)
            at += 4
        self.kind = struct.unpack_from(">H", data, at)[0] if len(data) >= at + 2 else 0
        self.l3 = data[at + 2:]

    @property
    def tag(self):
        """The tags as text: "none", "10", "10+20"."""
        return "+".join(map(str, self.tags)) or "none"

    @property
    def ttl(self):
        return self.l3[8] if self.kind == IPV4 else self.l3[7]

    @property
    def source(self):
        part = self.l3[12:16] if self.kind == IPV4 else self.l3[8:24]
        return str(ipaddress.ip_address(part))

    @property
    def target(self):
        part = self.l3[16:20] if self.kind == IPV4 else self.l3[24:40]
        return str(ipaddress.ip_address(part))
