# SPDX-License-Identifier: BSD-2-Clause
"""Rows: a flat bridge over the NIC and a bridge without a wire, vif-bridge."""
import re
import time

import topology_frames as raw
from topology_matrix import Row, Topology
from topology_world import LEASES, WIRE_IP, Station, seen

A, B, IN1, IN2, LIMITED, SHORT = (f"10.77.0.{n}" for n in (20, 21, 22, 23, 24, 25))
GROUPS = {"BPDU": 0x00, "pause": 0x01, "LACP": 0x02, "EAPOL": 0x03, "LLDP": 0x0E}
NR_SOURCES = 45
MBIT = 1e6


def stations(guests):
    one, two = guests

    def at(address):
        return f"ip addr add {address}/24 dev eth0"
    return [
        Station("a", one, ["bridge=xenbr0"], at(A), 1),
        Station("b", two, ["bridge=xenbr0", "script=vif-bridge"], at(B), 2),
        Station("in1", one, ["bridge=inside"], at(IN1), 3),
        Station("in2", two, ["bridge=inside"], at(IN2), 4),
        Station("limited", one, ["bridge=xenbr0", "rate=10Mb/s"], at(LIMITED), 5),
        Station("short", two, ["bridge=xenbr0", "mtu=1400"], at(SHORT), 6),
    ]


def everybody():
    return {"wire": WIRE_IP, "a": A, "b": B, "in1": IN1, "in2": IN2}


def reaches(name):
    def ask(world):
        return world.reaches(name, {k: v for k, v in everybody().items() if k != name})
    return ask


def untagged(world):
    since = time.monotonic_ns()
    world.reaches("a", {"wire": WIRE_IP})
    a = world.stations["a"]
    tags = {frame.tag for frame in world.frames(since) if frame.src == a.mac}
    inside = [f for f in world.frames(since) if f.src == world.stations["in1"].mac]
    return f"tags: {' '.join(sorted(tags))}, of in1: {len(inside)} frames"


def full_size(name, address):
    def ask(world):
        return world.reaches(name, {"1472": address}, "-M do -s 1472")
    return ask


def groups(world):
    """What a guest sends to the addresses that bridges keep for themselves."""
    a = world.stations["a"].mac
    frames = {name: lambda m, n=n: raw.eth(f"01:80:c2:00:00:{n:02x}", a, raw.LOCAL, m)
              for name, n in GROUPS.items()}
    got = world.volley("a", frames, ["b"])
    return f"wire: {seen(got['nic'])}, b: {seen(got['b'])}"


def groups_from_wire(world):
    frames = {name: lambda m, n=n: raw.eth(f"01:80:c2:00:00:{n:02x}", "02:00:00:00:00:77", raw.LOCAL, m)
              for name, n in GROUPS.items()}
    return seen(world.volley("wire", frames, ["a"])["a"])


def tagged_through(world):
    """A bridge without VLANs passes frames with tags as they are."""
    a, b = world.stations["a"].mac, world.stations["b"].mac
    frames = {"33": lambda m: raw.eth(b, a, raw.LOCAL, m, [33]),
              "0": lambda m: raw.eth(raw.BROADCAST, a, raw.LOCAL, m, [0]),
              "5+6": lambda m: raw.eth(raw.BROADCAST, a, raw.LOCAL, m, [5, 6])}
    got = world.volley("a", frames, ["b"])
    tags = {f.tag for frames in got["b"].values() for f in frames}
    return f"b: {seen(got['b'])} with tags {' '.join(sorted(tags))}, wire: {seen(got['nic'], ['0', '5+6'])}"


def many_sources(world):
    """Frames from more stations than a guest has a quota for, and answers to all of them."""
    macs = [f"02:00:00:00:01:{n:02x}" for n in range(NR_SOURCES)]
    wire = "02:00:00:00:00:78"
    out = world.volley("a", {mac: lambda m, mac=mac: raw.eth(wire, mac, raw.LOCAL, m) for mac in macs})
    back = world.volley("wire", {mac: lambda m, mac=mac: raw.eth(mac, wire, raw.LOCAL, m)
                                 for mac in macs}, ["a"])
    return f"to the wire: {sum(map(bool, out['nic'].values()))}, back: {sum(map(bool, back['a'].values()))}"


def multicast(world):
    b = world.stations["b"]
    frames = {"mdns": lambda m: raw.eth("01:00:5e:00:00:fb", b.mac, raw.IPV4,
                                        raw.ipv4(B, "224.0.0.251", raw.udp(5353, 5353, m), ttl=1))}
    got = world.volley("b", frames, ["a"])
    return f"a: {seen(got['a'])}, wire: {seen(got['nic'])}"


def dhcp(world):
    said = world.stations["b"].run(
        "ip addr flush dev eth0; udhcpc -i eth0 -n -q -t 10 -T 1 -s /usr/share/udhcpc/default.script; "
        f"ip addr flush dev eth0; ip addr add {B}/24 dev eth0").stdout
    match = re.search(r"udhcpc: bound ip=10\.77\.0\.(\d+)", said)
    low, high = (int(address.rsplit(".", 1)[1]) for address in LEASES)
    return "a lease" if match and low <= int(match[1]) <= high else "no lease"


def transfers(source, target, address):
    def ask(world):
        return world.transfer(source, target, address)
    return ask


def measured_mbit(world, station, seconds):
    since = time.monotonic_ns()
    time.sleep(seconds)
    until = time.monotonic_ns()
    found = world.wire.dump(f"from_nic after={since} before={until} "
                            f"@6={station.mac.replace(':', '')}", 200000)
    return 8 * sum(length for _, _, length, _ in found) / (until - since) * 1e9 / MBIT


def limited(world):
    """What a guest sends is limited, what it is sent is not; the limit follows the node."""
    station = world.stations["limited"]
    tool = str(world.lab.built.images / "tools" / "tcpsum")
    server = world.wire.popen([tool, "serve", "5340", "1"], stdout=-1)
    server.stdout.readline()
    client = station.start(f"tcpsum send {WIRE_IP} 5340 {1 << 30}")
    try:
        time.sleep(0.5)
        slow = measured_mbit(world, station, 1.3)
        world.lab.dom0.run(f"xenstore-write {station.backend_path}/rate 250000,50000")
        time.sleep(0.5)
        quick = measured_mbit(world, station, 1.3)
        world.lab.dom0.run(f"xenstore-write {station.backend_path}/rate 62500,50000")
        time.sleep(0.5)
        again = measured_mbit(world, station, 1.3)
    finally:
        station.run("killall -9 tcpsum")
        client.wait(10)
        server.kill()
    print(f"topology: {world.kind}: rate=10Mb/s {slow:.1f}, then 40 {quick:.1f}, then 10 {again:.1f}")
    verdicts = ["10" if 3 < slow < 14 else f"{slow:.1f}", "40" if 15 < quick < 56 else f"{quick:.1f}",
                "10" if 3 < again < 14 else f"{again:.1f}"]
    return " ".join(verdicts)


def mtu_node(world):
    path = world.stations["short"].frontend_path
    return world.lab.dom0.run(f"xenstore-read {path}/mtu", check=False).stdout.strip() or "none"


def mtu_sizes(world):
    return world.reaches("wire", {"1400": SHORT}, "-M do -s 1372") + ", " + \
        world.reaches("wire", {"1500": SHORT}, "-M do -s 1472")


ROWS = [
    Row("a reaches", reaches("a"), "wire b"),
    Row("in1 reaches", reaches("in1"), "in2"),
    Row("the wire reaches", reaches("wire"), "a b"),
    Row("frames of a on the wire", untagged, "tags: none, of in1: 0 frames"),
    Row("1500 bytes, DF, a to wire", full_size("a", WIRE_IP), "1472"),
    Row("1500 bytes, DF, a to b", full_size("a", B), "1472"),
    Row("TCP a and wire, both ways", transfers("a", "wire", WIRE_IP), "sums match"),
    Row("TCP a and b, both ways", transfers("a", "b", B), "sums match"),
    Row("TCP in1 and in2, both ways", transfers("in1", "in2", IN2), "sums match"),
    Row("a sends to 01:80:C2:00:00:0x", groups, "wire: BPDU, b: BPDU"),
    Row("the wire sends to 01:80:C2:00:00:0x", groups_from_wire, "BPDU"),
    Row("a sends with tags 33 (to b), 0 and 5+6 (to all)", tagged_through,
        "b: 33 0 5+6 with tags 0 33 5+6, wire: 0 5+6"),
    Row(f"{NR_SOURCES} source MACs of one guest", many_sources,
        f"to the wire: {NR_SOURCES}, back: {NR_SOURCES}"),
    Row("b sends IPv4 multicast", multicast, "a: mdns, wire: mdns"),
    Row("b asks the wire's DHCP server", dhcp, "a lease"),
    Row("rate=10Mb/s, node changed to 40 and back", limited, "10 40 10"),
    Row("mtu=1400: the frontend's node", mtu_node, "1400"),
    Row("mtu=1400: pings from the wire of", mtu_sizes, "1400, nobody"),
]

TOPOLOGY = Topology("bridge", "bridge=xenbr0,uplink=nic0 bridge=inside", stations, ROWS,
                    title="bridges: xenbr0 over the NIC, inside without a wire")
