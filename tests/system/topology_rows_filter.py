# SPDX-License-Identifier: BSD-2-Clause
"""Rows: ip= on bridged vifs. Linux keeps to it by iptables rules of the stock scripts, with FORWARD
dropping what they do not accept, br_netfilter, and without Debian's patch that takes the rules out."""
import topology_frames as raw
from topology_matrix import Row, Topology
from topology_world import WIRE_IP, Station, seen

ONE, TWO, TWO_MORE, FREE, STOLEN = (f"10.77.0.{n}" for n in (50, 51, 52, 53, 99))
WIRE_STATION = "02:00:00:00:00:7a"
TWO_6, STOLEN_6 = "fd00:77::51", "fd00:77::99"
NO_ARP = "iptables rules do not see ARP"
ONLY_4 = "iptables rules are for IPv4 without a tag"
TO_GUESTS = "the stock rules accept everything towards a guest's vif"


def stations(guests):
    one, two = guests

    def at(address):
        return f"ip addr add {address}/24 dev eth0"
    return [
        Station("one", one, ["bridge=xenbr0", f"ip={ONE}"], at(ONE), 0x21),
        Station("two", two, ["bridge=xenbr0", f"ip={TWO} {TWO_MORE} {TWO_6}"],
                f"{at(TWO)}; {at(TWO_MORE)}", 0x22),
        Station("free", two, ["bridge=xenbr0"], at(FREE), 0x23),
    ]


def udp_frames(sources):
    """UDP to a station of the wire, from each of these addresses of a guest."""
    def make(world, name):
        mac = world.stations[name].mac
        return {source: lambda m, s=source: raw.eth(
            WIRE_STATION, mac, raw.IPV4, raw.ipv4(s, WIRE_IP, raw.udp(1000, 1001, m)))
            for source in sources}
    return make


def to_wire(name, sources):
    def ask(world):
        return seen(world.volley(name, udp_frames(sources)(world, name))["nic"])
    return ask


def six_to_wire(world):
    mac = world.stations["two"].mac
    frames = {source: lambda m, s=source: raw.eth(WIRE_STATION, mac, raw.IPV6,
                                                  raw.ipv6(s, "fd00:77::1", m))
              for source in (TWO_6, STOLEN_6)}
    return seen(world.volley("two", frames)["nic"])


def spoofed_to_neighbour(world):
    """To another guest, whose vif lets everything in."""
    mac, target = world.stations["one"].mac, world.stations["free"].mac
    frames = {source: lambda m, s=source: raw.eth(target, mac, raw.IPV4,
                                                  raw.ipv4(s, FREE, raw.udp(1000, 1001, m)))
              for source in (ONE, STOLEN)}
    return seen(world.volley("one", frames, ["free"])["free"])


def arps(world):
    mac = world.stations["one"].mac
    frames = {
        "own": lambda m: raw.eth(raw.BROADCAST, mac, raw.ARP, raw.arp(mac, ONE, WIRE_IP) + m),
        "probe": lambda m: raw.eth(raw.BROADCAST, mac, raw.ARP, raw.arp(mac, "0.0.0.0", ONE) + m),
        "stolen": lambda m: raw.eth(raw.BROADCAST, mac, raw.ARP, raw.arp(mac, WIRE_IP, STOLEN) + m),
        "reply": lambda m: raw.eth(raw.BROADCAST, mac, raw.ARP,
                                   raw.arp(mac, WIRE_IP, FREE, 2, raw.BROADCAST) + m),
        "other-mac": lambda m: raw.eth(raw.BROADCAST, mac, raw.ARP,
                                       raw.arp("02:00:00:00:00:01", ONE, WIRE_IP) + m),
    }
    got = world.volley("one", frames, ["free"])
    return f"wire: {seen(got['nic'])}, free: {seen(got['free'])}"


def dhcp_frames(world):
    mac = world.stations["one"].mac
    frames = {
        "request": lambda m: raw.eth(raw.BROADCAST, mac, raw.IPV4, raw.ipv4(
            "0.0.0.0", "255.255.255.255", raw.udp(68, 67, m))),
        "no-dhcp": lambda m: raw.eth(raw.BROADCAST, mac, raw.IPV4, raw.ipv4(
            "0.0.0.0", "255.255.255.255", raw.udp(69, 67, m))),
    }
    return seen(world.volley("one", frames)["nic"])


def other_protocols(world):
    """IPv6, and what is neither ARP nor IP, when only IPv4 was given."""
    mac = world.stations["one"].mac
    frames = {
        "ipv6": lambda m: raw.eth(WIRE_STATION, mac, raw.IPV6,
                                  raw.ipv6("fd00:77::99", "fd00:77::1", m)),
        "local": lambda m: raw.eth(WIRE_STATION, mac, raw.LOCAL, m),
        "tagged": lambda m: raw.eth(WIRE_STATION, mac, raw.IPV4,
                                    raw.ipv4(STOLEN, WIRE_IP, raw.udp(1000, 1001, m)), [7]),
    }
    return seen(world.volley("one", frames)["nic"])


def stolen_mac(world):
    frames = {"stolen": lambda m: raw.eth(WIRE_STATION, "02:00:00:00:00:01", raw.IPV4,
                                          raw.ipv4(ONE, WIRE_IP, raw.udp(1000, 1001, m)))}
    return seen(world.volley("one", frames)["nic"])


def from_wire(world):
    """What is sent to a guest is not limited by ip=."""
    mac = world.stations["one"].mac
    frames = {"own": lambda m: raw.eth(mac, WIRE_STATION, raw.IPV4,
                                       raw.ipv4(WIRE_IP, ONE, raw.udp(1000, 1001, m)))}
    return seen(world.volley("wire", frames, ["one"])["one"])


ADDRESSES = {"wire": WIRE_IP, "one": ONE, "two": TWO, "two-more": TWO_MORE, "free": FREE}


def reaches(name):
    def ask(world):
        return world.reaches(name, {k: v for k, v in ADDRESSES.items() if not k.startswith(name)})
    return ask


# Transfers first: behind Linux the lies of later rows are believed for a while.
ROWS = [
    Row("one (ip= of one address) reaches", reaches("one"), "wire two two-more free"),
    Row("two (ip= of two) reaches", reaches("two"), "wire one free"),
    Row("the wire reaches", reaches("wire"), "one two two-more free"),
    Row("two from its second address", lambda world: world.reaches(
        "two", {"wire": WIRE_IP, "one": ONE}, f"-I {TWO_MORE}"), "wire one"),
    Row("TCP one and wire, both ways", lambda world: world.transfer("one", "wire", WIRE_IP),
        "sums match"),
    Row("TCP two and one, both ways", lambda world: world.transfer("two", "one", ONE), "sums match"),
    Row("one to the wire, sources", to_wire("one", [ONE, STOLEN, TWO, "0.0.0.0"]), ONE),
    Row("two to the wire, sources", to_wire("two", [TWO, TWO_MORE, ONE, STOLEN]),
        f"{TWO} {TWO_MORE}"),
    Row("two to the wire, IPv6 sources (one in ip=)", six_to_wire, TWO_6, f"{TWO_6} {STOLEN_6}", ONLY_4),
    Row("free to the wire, sources", to_wire("free", [FREE, STOLEN]), f"{FREE} {STOLEN}"),
    Row("one to another guest, sources", spoofed_to_neighbour, ONE, f"{ONE} {STOLEN}", TO_GUESTS),
    Row("ARP of one", arps, "wire: own probe, free: own probe",
        "wire: own probe stolen reply other-mac, free: own probe stolen reply other-mac", NO_ARP),
    Row("DHCP of one", dhcp_frames, "request"),
    Row("one sends other protocols", other_protocols, "nothing", "ipv6 local tagged", ONLY_4),
    Row("one with another MAC", stolen_mac, "nothing", "stolen", "the stock rules do not look at MACs"),
    Row("the wire to one", from_wire, "own"),
]

TOPOLOGY = Topology("filter", "bridge=xenbr0,uplink=nic0", stations, ROWS,
                    title="ip= on bridged vifs")
