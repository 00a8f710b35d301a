# SPDX-License-Identifier: BSD-2-Clause
"""Which checksums of captured frames are wrong, those inside VXLAN and GRE too."""
import struct
from collections import Counter

from topology_frames import IPV4, IPV6, VLAN, checksum, mac_bytes

ICMP, TCP, UDP, GRE, ICMP6 = 1, 6, 17, 47, 58
CHECKSUM_AT = {TCP: ("TCP", 16), UDP: ("UDP", 6), ICMP6: ("ICMPv6", 2)}
VXLAN_PORT, VXLAN_LEN = 4789, 8
ETHERNET = 0x6558  # what GRE calls it
PCAP_HEAD, PCAP_FRAME_HEAD = 24, 16


def _u16(data, at):
    return struct.unpack_from(">H", data, at)[0]


def _inside(protocol, data):
    """What is wrong with what a tunnel carries."""
    if protocol == UDP and VXLAN_PORT == _u16(data, 2):
        return [f"VXLAN {what}" for what in ethernet(data[8 + VXLAN_LEN:])]
    if protocol == GRE:
        at = 4 + 4 * bin(_u16(data, 0) & 0xB000).count("1")
        inner = {IPV4: _ipv4, IPV6: _ipv6, ETHERNET: ethernet}.get(_u16(data, 2))
        return [f"GRE {what}" for what in inner(data[at:])] if inner else []
    return []


def _l4(protocol, addresses, data):
    if protocol == ICMP:
        return [] if checksum(data) == 0 else ["ICMP"]
    wrong = []
    name, at = CHECKSUM_AT.get(protocol, (None, 0))
    if name and not (protocol == UDP and _u16(data, at) == 0):
        pseudo = addresses + struct.pack(">II", len(data), protocol)
        wrong = [] if checksum(pseudo + data) == 0 else [name]
    return wrong + _inside(protocol, data)


def _ipv4(data):
    head_len, length = 4 * (data[0] & 15), _u16(data, 2)
    wrong = [] if checksum(data[:head_len]) == 0 else ["IPv4"]
    if _u16(data, 6) & 0x3FFF:  # a fragment
        return wrong
    return wrong + _l4(data[9], data[12:20], data[head_len:length])


def _ipv6(data):
    """Without extension headers."""
    return _l4(data[6], data[8:40], data[40:40 + _u16(data, 4)])


def ethernet(frame):
    """The names of the wrong checksums in a whole frame, innermost last."""
    at = 12
    while _u16(frame, at) == VLAN:
        at += 4
    layer = {IPV4: _ipv4, IPV6: _ipv6}.get(_u16(frame, at))
    return layer(frame[at + 2:]) if layer else []


def captured(path):
    """The frames of a wire's capture."""
    data = path.read_bytes()
    at, frames = PCAP_HEAD, []
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        at += PCAP_FRAME_HEAD
        frames.append(data[at:at + length])
        at += length
    return frames


def verdict(frames, sources):
    """"right", or what is wrong of the frames from these MACs."""
    macs = {mac_bytes(mac) for mac in sources}
    sent = [frame for frame in frames if frame[6:12] in macs]
    wrong = Counter(what for frame in sent for what in ethernet(frame))
    if not sent:
        return "nothing"
    return ", ".join(f"{nr} of {len(sent)} {what} wrong" for what, nr in wrong.items()) or "right"
