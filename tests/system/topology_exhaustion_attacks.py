# SPDX-License-Identifier: BSD-2-Clause
"""What the attacker sends: models for Flood, and single frames that show what has become of its tables."""
import struct

import topology_frames as raw
from topology_exhaustion_scene import ADDRESSES, ADDRESSES6, NAT_ROUTERS, ROUTER_MAC, SINK_IP

# Offsets in frames: Ethernet, IPv4 without options, UDP.
SRC_MAC, IP_ID, IP_DST, L4, UDP_DATA = 6, 18, 30, 34, 42
IP6_DST = 38
ARP_SRC = 28
MORE = 0x2000
SILENT_NET, SILENT_HOSTS = "10.77.4.0", 1000
SILENT_NET6 = "fd00:77::2:0"
CLAIMED_NET, CLAIMED_HOSTS = "10.77.2.0", 500


def stations(wire_mac, mac="02:aa:00:00:00:00", payload=b""):
    """From ever new MACs, to the wire."""
    return raw.eth(wire_mac, mac, raw.LOCAL, payload)


def piece(src, dst, payload, protocol=17, fragment=0, ip_id=0):
    """An IPv4 packet. fragment: the word with MF and the offset."""
    packet = bytearray(raw.ipv4(src, dst, payload, protocol))
    struct.pack_into(">HH", packet, 4, ip_id, fragment)
    struct.pack_into(">H", packet, 10, 0)
    struct.pack_into(">H", packet, 10, raw.checksum(bytes(packet[:20])))
    return bytes(packet)


def ipv4(station, dst, payload, protocol=17, fragment=0, ip_id=0):
    """A frame to the router."""
    return raw.eth(ROUTER_MAC, station.mac, raw.IPV4,
                   piece(ADDRESSES[station.name], dst, payload, protocol, fragment, ip_id))


def syn(port):
    return struct.pack(">HHIIBBHHH", port, 9, 1, 0, 5 << 4, 2, 8192, 0, 0)


def flows(station):
    """UDP and TCP from each port, to one that takes all. A number in UDP's payload."""
    return [(ipv4(station, SINK_IP, raw.udp(1024, 9, bytes(8))), f"@{L4}:2", f"@{UDP_DATA}:4"),
            (ipv4(station, SINK_IP, syn(1024), 6), f"@{L4}:2", f"@{L4 + 4}:4")]


def flow(station, port, payload):
    return ipv4(station, SINK_IP, raw.udp(port, 7000, payload))


def first_piece(src, dst, ports, ip_id, payload=b""):
    """32 bytes of UDP and a sign that there is more."""
    return piece(src, dst, struct.pack(">HHHH", *ports, 64, 0) + payload.ljust(24, b"\0"), 17, MORE, ip_id)


def later_piece(src, dst, ip_id, payload=b""):
    """The other 32 bytes."""
    return piece(src, dst, payload.ljust(32, b"\0"), 17, 32 // 8, ip_id)


def first_fragment(station, ip_id, payload=b""):
    return raw.eth(ROUTER_MAC, station.mac, raw.IPV4,
                   first_piece(ADDRESSES[station.name], SINK_IP, (1000, 9), ip_id, payload))


def later_fragment(station, ip_id, payload=b""):
    return raw.eth(ROUTER_MAC, station.mac, raw.IPV4,
                   later_piece(ADDRESSES[station.name], SINK_IP, ip_id, payload))


def fragments(station):
    """First ones without the others, others without the first."""
    return [(first_fragment(station, 0), f"@{IP_ID}:2%30000"),
            (later_fragment(station, 32768), f"@{IP_ID}:2%30000")]


def fragments_from_the_bridge(station, router_mac, router_ip):
    """Others without the first, to the address of the NAT guests."""
    packet = later_piece(ADDRESSES[station.name], router_ip, 0)
    return [(raw.eth(router_mac, station.mac, raw.IPV4, packet), f"@{IP_ID}:2")]


def dhcp(station, kind, chaddr, requested=""):
    """A BOOTP message to all, with a client identifier."""
    options = b"\x63\x82\x53\x63" + bytes([53, 1, kind, 61, 7, 1]) + raw.mac_bytes(chaddr)
    if requested:
        options += bytes([50, 4, *map(int, requested.split("."))])
    message = struct.pack(">BBBBIHH", 1, 1, 6, 0, 0x11000000, 0, 0x8000).ljust(28, b"\0")
    message += raw.mac_bytes(chaddr).ljust(16 + 64 + 128, b"\0") + options + b"\xff"
    packet = raw.ipv4("0.0.0.0", "255.255.255.255", raw.udp(68, 67, message.ljust(300, b"\0")))
    return raw.eth(raw.BROADCAST, station.mac, raw.IPV4, packet)


def leases(station):
    """As thousands of clients, by their identifier and by their MAC; some want another guest's address."""
    xid, chaddr, client = UDP_DATA + 4, UDP_DATA + 28, UDP_DATA + 28 + 208 + 4 + 3 + 3
    fields = [f"@{xid}:4", f"@{client + 2}:4"]
    return [(dhcp(station, 1, station.mac), *fields),
            (dhcp(station, 3, station.mac, ADDRESSES["nat"]), *fields),
            (dhcp(station, 3, station.mac, ADDRESSES[station.name]), *fields),
            (dhcp(station, 1, "02:aa:00:00:00:00"), *fields, f"@{chaddr + 2}:4")]


def queries(station):
    """Each for another name below silent.test, from another port."""
    name = b"\x04aaaa\x06silent\x04test\0"
    query = struct.pack(">HHHHHH", 1, 0x0100, 1, 0, 0, 0) + name + b"\0\1\0\1"
    frame = ipv4(station, NAT_ROUTERS[station.name], raw.udp(1024, 53, query))
    return [(frame, f"@{L4}:2%60000", f"@{UDP_DATA}:2", f"@{UDP_DATA + 13}:2%20000")]


def neighbours(station):
    """A thousand addresses at which there is nobody, of each IP version."""
    packet6 = raw.ipv6(ADDRESSES6[station.name], SILENT_NET6, bytes(16))
    return [(ipv4(station, SILENT_NET, raw.udp(1000, 9, bytes(16))), f"@{IP_DST + 2}:2%{SILENT_HOSTS}"),
            (raw.eth(ROUTER_MAC, station.mac, raw.IPV6, packet6), f"@{IP6_DST + 14}:2%{SILENT_HOSTS}")]


def mentions(station, router_mac, router_ip):
    """Hundreds of neighbours ask the router for its MAC; it takes note of where they are."""
    question = raw.arp(station.mac, CLAIMED_NET, router_ip)
    return [(raw.eth(router_mac, station.mac, raw.ARP, question), f"@{ARP_SRC + 2}:2%{CLAIMED_HOSTS}")]
