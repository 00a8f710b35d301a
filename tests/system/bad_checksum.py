# SPDX-License-Identifier: BSD-2-Clause
"""A damaged frame from the wire does not reach a guest as one that the NIC has verified."""
import ipaddress
import struct
import time

import ferry_domnet
from ferrylab.limits import deadline_in

BESIDE = True  # tests/run-system
FRAMES = 20


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def udp_frame(source_mac, target_mac, source, target, damage):
    payload = b"ferry" * 20
    addresses = ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed
    head = struct.pack("!HHH", 40000, 5000, 8 + len(payload))
    pseudo = addresses + struct.pack("!HH", 17, 8 + len(payload))
    udp = head + struct.pack("!H", checksum(pseudo + head + b"\0\0" + payload) ^ damage) + payload
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0) + addresses
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    macs = bytes.fromhex(target_mac.replace(":", "") + source_mac.replace(":", ""))
    return macs + b"\x08\x00" + ip + udp


def udp_counters(guest):
    names, values = [line.split()[1:] for line in guest.output("grep ^Udp: /proc/net/snmp").splitlines()]
    return dict(zip(names, map(int, values)))


def run(lab):
    wire = lab.wire["A"]
    ferry_domnet.start(lab)
    guest = ferry_domnet.guest(lab, 1)
    lab.wait_console("domnet", "nic0: link up", timeout=20)
    guest.run(f"ping -c 2 {wire.ip}")
    for damage, good, bad in ((0, FRAMES, 0), (0x55aa, 0, FRAMES)):
        before = udp_counters(guest)
        for _ in range(FRAMES):
            wire.inject(udp_frame("02:00:00:00:00:01", ferry_domnet.mac(1), wire.ip, guest.ip, damage))
        deadline = deadline_in(10)
        seen = {}
        while sum(seen.values()) < FRAMES and time.monotonic() < deadline:
            after = udp_counters(guest)
            seen = {name: after[name] - before[name] for name in ("NoPorts", "InCsumErrors")}
        print(f"damage {damage:#x}: {seen}", flush=True)
        ferry_domnet.expect(seen == {"NoPorts": good, "InCsumErrors": bad},
                            f"checksums damaged by {damage:#x}: {FRAMES} frames sent, seen {seen}")
