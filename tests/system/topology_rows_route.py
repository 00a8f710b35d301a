# SPDX-License-Identifier: BSD-2-Clause
"""Rows: vif-route. The driver domain has an address and routes to its guests."""
import re
import time

import topology_frames as raw
from topology_matrix import Row, Topology
from topology_world import INTERNET_IP, ROUTER_IP, ROUTER_IP6, WIRE_IP, WIRE_IP6, Station, seen

R1, R2, R6_IP = (f"10.77.0.{n}" for n in (40, 41, 42))
R6 = "fd00:77::42"
NETWORK, IN_NETWORK = "10.99.0.0/28", "10.99.0.5"
NEAR = "10.77.0.43"
IPV6_FAILS = "vif-route of Xen 4.17 cannot route IPv6: it gives the IPv4 address as the route's source"


def onlink(address):
    """As xl-network-configuration(5) and the wiki say: the router is a neighbour, all else behind it."""
    return (f"ip addr add {address}/32 dev eth0; ip route add {ROUTER_IP} dev eth0; "
            f"ip route add default via {ROUTER_IP} dev eth0")


def stations(guests):
    one, two = guests
    return [
        Station("r1", one, ["script=vif-route", f"ip={R1}"], onlink(R1), 0x31),
        Station("r2", two, ["script=/etc/xen/scripts/vif-route", f"ip={R2}"], onlink(R2), 0x32),
        Station("net", one, ["script=vif-route", f"ip={NETWORK}"], onlink(IN_NETWORK), 0x33),
        Station("near", two, ["script=vif-route", f"ip={NEAR}"],
                f"ip addr add {NEAR}/24 dev eth0; ip route add default via {WIRE_IP}", 0x34),
        Station("r6", two, ["script=vif-route", f"ip={R6_IP} {R6}"],
                onlink(R6_IP) + f"; ip addr add {R6}/128 dev eth0 nodad; ip -6 route add {ROUTER_IP6} "
                f"dev eth0; ip -6 route add default via {ROUTER_IP6} dev eth0", 0x35),
    ]


GUESTS = {"r1": R1, "r2": R2, "net": IN_NETWORK, "near": NEAR}
ADDRESSES = {"wire": WIRE_IP, "internet": INTERNET_IP, "router": ROUTER_IP, **GUESTS}


def prepare(world):
    """The wire's end knows the way to the network that is not its own."""
    world.wire.run(f"ip route replace 10.99.0.0/28 via {ROUTER_IP}")


def reaches(name):
    def ask(world):
        prepare(world)
        return world.reaches(name, {k: v for k, v in ADDRESSES.items() if k != name})
    return ask


def on_the_wire(name, address):
    """Of a guest's pings: source, whose MAC, TTL."""
    def ask(world):
        since = time.monotonic_ns()
        world.reaches(name, {"wire": WIRE_IP})
        found = {(f.source, "the NIC's" if f.src == world.nic_mac else f.src, f.ttl)
                 for f in world.frames(since, "from_nic @12=0800 @23=01") if f.target == WIRE_IP}
        return "; ".join(f"{source}, MAC {mac}, TTL {ttl}" for source, mac, ttl in sorted(found)) or \
            "nothing"
    return ask


def to_the_guest(world):
    """TTL of what the wire sent, as the guest gets it, and from which MAC."""
    watch = world.stations["r1"].start("frames watch eth0 2 @12=0800 @23=01")
    time.sleep(0.7)
    world.wire.run(f"ping -c 2 -i 0.2 -t 33 -W 1 {R1}", check=False)
    frames = [raw.Frame(bytes.fromhex(line)) for line in watch.wait(10).stdout.splitlines()
              if re.fullmatch(r"([0-9a-f]{2})+", line)]
    return " ".join(sorted({f"TTL {f.ttl} from {f.source}" for f in frames})) or "nothing"


def arp_of(addresses):
    """Who answers ARP for these on the wire. Linux takes up to 0.8 s for an answer that is not its own."""
    stranger = "02:00:00:00:00:7b"

    def ask(world):
        since = time.monotonic_ns()
        for _ in range(2):
            for address in addresses:
                world.wire.inject(raw.eth(raw.BROADCAST, stranger, raw.ARP,
                                          raw.arp(stranger, "10.77.0.250", address)))
            time.sleep(1)
        replies = world.frames(since, "from_nic @12=0806 @20=0002")
        names = []
        for address in addresses:
            macs = {f.src for f in replies if f.l3[14:18] == bytes(map(int, address.split(".")))}
            names.append(" ".join("the NIC" if m == world.nic_mac else m for m in macs) or "nobody")
        return ", ".join(f"{address} {name}" for address, name in zip(addresses, names))
    return ask


def spoofed(world):
    """A guest with a source that is not its own."""
    r1 = world.stations["r1"]
    router = r1.output(f"ping -c 1 -W 1 {ROUTER_IP} > /dev/null; ip neigh show {ROUTER_IP}")
    match = re.search(r"lladdr (\S+)", router)
    mac = match[1] if match else "fe:ff:ff:ff:ff:ff"
    frames = {source: lambda m, s=source: raw.eth(mac, r1.mac, raw.IPV4, raw.ipv4(
        s, WIRE_IP, raw.udp(1000, 1001, m))) for source in (R1, R2, "10.77.0.99", "192.0.2.1")}
    return seen(world.volley("r1", frames)["nic"])


def large(name, address, size):
    def ask(world):
        return world.reaches(name, {str(size): address}, f"-s {size}")
    return ask


def unreachable(world):
    """A guest's ICMP error comes back to who asked: a UDP port that nobody listens at."""
    since = time.monotonic_ns()
    world.wire.run(f"echo x > /dev/udp/{R1}/9 || bash -c 'echo x > /dev/udp/{R1}/9'", check=False)
    time.sleep(0.7)
    found = {(f.source, f.l3[20], f.l3[21]) for f in world.frames(since, "from_nic @12=0800 @23=01")}
    return "; ".join(f"{source}: type {kind} code {code}" for source, kind, code in sorted(found)) or \
        "nothing"


def transfers(source, target, address):
    def ask(world):
        return world.transfer(source, target, address)
    return ask


def six(name, addresses):
    def ask(world):
        return world.reaches(name, addresses)
    return ask


def transfer6(world):
    """iperf3 over IPv6, both ways."""
    server = world.wire.popen("exec iperf3 -s -p 5360", stdout=-3)
    time.sleep(0.3)
    station = world.stations["r6"]
    try:
        done = [station.run(f"timeout 20 iperf3 -6 -c {WIRE_IP6} -p 5360 -n 2M {way} > /dev/null").rc
                for way in ("", "-R")]
    finally:
        server.kill()
        server.wait()
    return "both" if done == [0, 0] else f"iperf3 ended with {done}"


ROWS = [
    Row("r1 reaches", reaches("r1"), "wire internet router r2 net near"),
    Row("net (ip=10.99.0.0/28) reaches", reaches("net"), "wire internet router r1 r2 near"),
    Row("near (a /24, asks for the wire itself) reaches", reaches("near"),
        "wire internet router r1 r2 net"),
    Row("the wire reaches", reaches("wire"), "internet router r1 r2 net near"),
    Row("r1's pings on the wire", on_the_wire("r1", R1), f"{R1}, MAC the NIC's, TTL 63"),
    Row("a ping of the wire with TTL 33 at r1", to_the_guest, f"TTL 32 from {WIRE_IP}"),
    Row("r1's ping with TTL 1: who says so", lambda world: world.expired("r1", INTERNET_IP), ROUTER_IP),
    Row("the wire's ping with TTL 1: who says so", lambda world: world.expired("wire", R1), ROUTER_IP),
    Row("ARP on the wire", arp_of([ROUTER_IP, R1, NEAR, "10.77.0.99"]),
        f"{ROUTER_IP} the NIC, {R1} the NIC, {NEAR} the NIC, 10.77.0.99 nobody"),
    Row("r1 to the wire, sources", spoofed, R1, f"{R1} {R2} 10.77.0.99 192.0.2.1",
        "nothing keeps to ip= (Debian's rp_filter is off, and handle_iptable taken out)"),
    Row("1500 bytes, DF, r1 to wire", lambda world: world.reaches("r1", {"1472": WIRE_IP},
                                                                  "-M do -s 1472"), "1472"),
    Row("4000 bytes in fragments, r1 to wire", large("r1", WIRE_IP, 4000), "4000"),
    Row("4000 bytes in fragments, wire to r1", large("wire", R1, 4000), "4000"),
    Row("UDP from the wire to a closed port of r1", unreachable, f"{R1}: type 3 code 3"),
    Row("TCP r1 and wire, both ways", transfers("r1", "wire", WIRE_IP), "sums match"),
    Row("TCP wire and r1, both ways", transfers("wire", "r1", R1), "sums match"),
    Row("TCP r1 and r2, both ways", transfers("r1", "r2", R2), "sums match"),
    Row("r6 (ip= of both kinds) reaches", six("r6", {"wire": WIRE_IP, "wire6": WIRE_IP6,
                                                     "router6": ROUTER_IP6}),
        "wire wire6 router6", "r6 is refused", IPV6_FAILS),
    Row("TCP r6 and wire over IPv6", transfer6, "both", "r6 is refused", IPV6_FAILS),
    Row("the wire reaches r6", six("wire", {"r6": R6_IP, "r6-6": R6}), "r6 r6-6", "nobody", IPV6_FAILS),
]

EXTRA = ("bridge=xenbr0,uplink=nic0,address=10.77.0.2/24,gateway=10.77.0.1,"
         "address6=fd00:77::2/64,gateway6=fd00:77::1")
TOPOLOGY = Topology("route", EXTRA, stations, ROWS, title="vif-route", linux_words="10.77.0.2/24 10.77.0.1")
