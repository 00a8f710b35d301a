# SPDX-License-Identifier: BSD-2-Clause
"""What the hostile guest's honest frames must look like on the wire: cut, and with right checksums."""
import struct

from ferrylab import CheckFailed

_PCAP_HEAD, _RECORD_HEAD = 24, 16
_ETH_LEN = 14


def frames_of(pcap, mac):
    """The frames from a MAC address in a pcap file."""
    data = pcap.read_bytes()
    source = bytes.fromhex(mac.replace(":", ""))
    at = _PCAP_HEAD
    while at + _RECORD_HEAD <= len(data):
        length, = struct.unpack_from("<I", data, at + 8)
        frame = data[at + _RECORD_HEAD:at + _RECORD_HEAD + length]
        at += _RECORD_HEAD + length
        if frame[6:12] == source:
            yield frame


def _sum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def tcp4_segments(frames):
    """{TCP sequence number: payload lengths} of TCP over IPv4; CheckFailed for a wrong checksum."""
    found = []
    for frame in frames:
        if frame[12:14] != b"\x08\x00" or frame[23] != 6:
            continue
        packet = frame[_ETH_LEN:_ETH_LEN + struct.unpack_from(">H", frame, 16)[0]]
        segment = packet[20:]
        pseudo = packet[12:20] + struct.pack(">HH", 6, len(segment))
        sequence, = struct.unpack_from(">I", segment, 4)
        if len(frame) > 1514:
            raise CheckFailed(f"a frame of {len(frame)} bytes left the NIC")
        if _sum(packet[:20]) != 0xFFFF or _sum(pseudo + segment) != 0xFFFF:
            raise CheckFailed(f"a TCP segment (sequence number {sequence}, {len(segment) - 20} bytes) "
                              "left the NIC with a wrong checksum")
        found.append((sequence, segment[(segment[12] >> 4) * 4:]))
    return found


def tcp6_segments(frames):
    """The same of TCP over IPv6 without extension headers."""
    found = []
    for frame in frames:
        if frame[12:14] != b"\x86\xdd" or frame[20] != 6:
            continue
        segment = frame[54:54 + struct.unpack_from(">H", frame, 18)[0]]
        pseudo = frame[22:54] + struct.pack(">II", len(segment), 6)
        sequence, = struct.unpack_from(">I", segment, 4)
        if len(frame) > 1514:
            raise CheckFailed(f"a frame of {len(frame)} bytes left the NIC")
        if _sum(pseudo + segment) != 0xFFFF:
            raise CheckFailed(f"a TCP segment over IPv6 (sequence number {sequence}, "
                              f"{len(segment) - 20} bytes) left the NIC with a wrong checksum")
        found.append((sequence, segment[(segment[12] >> 4) * 4:]))
    return found


def check_payload(segments, length):
    """The segments, laid side by side, are the guest's `length` bytes (fill_payload() in frame.c)."""
    expected = bytes((i * 7 + (i >> 8)) & 0xFF for i in range(length))
    got = bytearray()
    for sequence, payload in sorted(segments):
        if sequence != 1 + len(got):
            raise CheckFailed(f"a segment with sequence number {sequence} follows {len(got)} bytes")
        got += payload
    if bytes(got) != expected:
        raise CheckFailed(f"{len(got)} bytes reached the wire in {len(segments)} segments, not the "
                          f"{length} that were sent, or changed on the way")
