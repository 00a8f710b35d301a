# SPDX-License-Identifier: BSD-2-Clause
"""Rows: VLANs. vif-openvswitch's access ports (bridge=xenbr0.10) and trunks (bridge=xenbr0:10:20)."""
import time

import topology_frames as raw
from topology_matrix import Row, Topology
from topology_world import VLANS, WIRE_IP, Station, seen

A10, B10, TRUNK10 = (f"10.77.10.{n}" for n in (20, 21, 22))
C20, TRUNK20 = (f"10.77.20.{n}" for n in (20, 22))
FLAT = "10.77.0.20"
STRANGER = "02:00:00:00:00:79"
LOAD_8021Q = "for m in $(cat /modules-extra.list); do insmod $m 2> /dev/null; done"


def stations(guests):
    one, two = guests
    script = "script=vif-openvswitch"
    one.run(LOAD_8021Q, check=False)
    subinterfaces = "; ".join(
        f"ip link add link eth0 name eth0.{vid} type vlan id {vid}; ip addr add {ip}/24 dev eth0.{vid}; "
        f"ip link set eth0.{vid} up" for vid, ip in ((10, TRUNK10), (20, TRUNK20)))
    return [
        Station("a10", one, [script, "bridge=xenbr0.10"], f"ip addr add {A10}/24 dev eth0", 0x11),
        Station("b10", two, [script, "bridge=xenbr0.10"], f"ip addr add {B10}/24 dev eth0", 0x12),
        Station("c20", two, [script, "bridge=xenbr0.20"], f"ip addr add {C20}/24 dev eth0", 0x13),
        Station("trunk", one, [script, "bridge=xenbr0:10:20"], subinterfaces, 0x14),
        Station("flat", two, [script, "bridge=xenbr0"], f"ip addr add {FLAT}/24 dev eth0", 0x15),
        Station("both", one, [script, "bridge=xenbr0.10:20"], "", 0x16),
    ]


EVERYBODY = {"wire": WIRE_IP, "wire10": VLANS[10], "wire20": VLANS[20], "a10": A10, "b10": B10,
             "trunk10": TRUNK10, "c20": C20, "trunk20": TRUNK20, "flat": FLAT}


def reaches(name):
    """Over its own interface alone: who is in another VLAN is near by address, not by route."""
    def ask(world):
        others = {k: v for k, v in EVERYBODY.items() if not k.startswith(name)}
        if name in ("a10", "b10", "c20", "flat"):
            # A route to everywhere on the link, so that only the driver domain is in the way.
            world.stations[name].run("ip route replace 10.77.0.0/16 dev eth0")
        return world.reaches(name, others)
    return ask


def tags_of(name):
    """Of the pings of the rows before."""
    def ask(world):
        mac = world.stations[name].mac
        tags = {frame.tag for frame in world.frames(world.since) if frame.src == mac}
        return " ".join(sorted(tags)) or "nothing"
    return ask


def from_wire(world):
    """Who gets a broadcast from each VLAN of the wire, and with which tag."""
    frames = {tag or "none": lambda m, tag=tag: raw.eth(raw.BROADCAST, STRANGER, raw.LOCAL, m,
                                                        [int(tag)] if tag else [])
              for tag in ("", "10", "20", "30")}
    got = world.volley("wire", frames, ["a10", "c20", "trunk", "flat"])
    parts = []
    for name in ("a10", "c20", "trunk", "flat"):
        came = [f"{sent}>{frame.tag}" for sent, caught in got[name].items() for frame in caught]
        parts.append(f"{name} {' '.join(came) or 'nothing'}")
    return ", ".join(parts)


def sent_with_tags(name, receivers):
    """What leaves when a guest puts tags on its frames itself."""
    def ask(world):
        mac = world.stations[name].mac
        tags = {"none": [], "0": [0], "10": [10], "20": [20], "30": [30], "10+20": [10, 20]}
        frames = {what: lambda m, t=t: raw.eth(raw.BROADCAST, mac, raw.LOCAL, m, t)
                  for what, t in tags.items()}
        got = world.volley(name, frames, receivers)
        parts = []
        for receiver in ["nic", *receivers]:
            came = [f"{sent}>{frame.tag}" for sent, caught in got[receiver].items() for frame in caught]
            parts.append(f"{receiver} {' '.join(came) or 'nothing'}")
        return ", ".join(parts)
    return ask


def full_size(name, address):
    def ask(world):
        since = time.monotonic_ns()
        answer = world.reaches(name, {"1472": address}, "-M do -s 1472")
        frames = world.wire.dump(f"after={since} from_nic minlen=1000")
        longest = max((length for _, _, length, _ in frames), default=0)
        return f"{answer}, longest frame {longest}"
    return ask


def transfers(source, target, address):
    def ask(world):
        return world.transfer(source, target, address)
    return ask


ROWS = [
    Row("a10 (access 10) reaches", reaches("a10"), "wire10 b10 trunk10"),
    Row("c20 (access 20) reaches", reaches("c20"), "wire20 trunk20"),
    Row("flat reaches", reaches("flat"), "wire"),
    Row("trunk (10 and 20, tagged by the guest) reaches", reaches("trunk"),
        "wire10 wire20 a10 b10 c20"),
    Row("the wire reaches (untagged, 10, 20)",
        lambda world: world.reaches("wire", {k: v for k, v in EVERYBODY.items() if k[:4] != "wire"}),
        "a10 b10 trunk10 c20 trunk20 flat"),
    Row("tags on the wire of a10", tags_of("a10"), "10"),
    Row("tags on the wire of c20", tags_of("c20"), "20"),
    Row("tags on the wire of flat", tags_of("flat"), "none"),
    Row("tags on the wire of trunk", tags_of("trunk"), "10 20"),
    Row("broadcasts from the wire, tag sent>tag received", from_wire,
        "a10 10>none, c20 20>none, trunk 10>10 20>20, flat none>none 10>10 20>20 30>30"),
    Row("a10 puts tags on itself (nic, b10, c20, flat)", sent_with_tags("a10", ["b10", "c20", "flat"]),
        "nic none>10 0>10, b10 none>none 0>none, c20 nothing, flat none>10 0>10"),
    Row("trunk puts tags on itself", sent_with_tags("trunk", ["b10", "c20", "flat"]),
        "nic 10>10 20>20 10+20>10+20, b10 10>none 10+20>20, c20 20>none, "
        "flat 10>10 20>20 10+20>10+20",
        "nic 10>10 20>20 10+20>10, b10 10>none 10+20>20, c20 20>none, flat 10>10 20>20 10+20>10+20",
        "the emulated NIC writes the outer tag over the inner one, where Linux lets it put the tag"),
    Row("both (bridge=xenbr0.10:20) puts tags on itself", sent_with_tags("both", ["b10", "c20"]),
        "both is refused", "nic none>10 0>10, b10 none>none 0>none, c20 nothing",
        "Open vSwitch passes over the trunks of a port with a tag"),
    Row("1500 bytes, DF, a10 to wire10", full_size("a10", VLANS[10]), "1472, longest frame 1518"),
    Row("1500 bytes, DF, trunk to wire20", full_size("trunk", VLANS[20]), "1472, longest frame 1518"),
    Row("1500 bytes, DF, trunk to b10", full_size("trunk", B10), "1472, longest frame 0"),
    Row("TCP a10 and wire10, both ways", transfers("a10", "wire", VLANS[10]), "sums match"),
    Row("TCP trunk and wire20, both ways", transfers("trunk", "wire", VLANS[20]), "sums match"),
    Row("TCP a10 and b10, both ways", transfers("a10", "b10", B10), "sums match"),
    Row("TCP c20 and trunk, both ways", transfers("c20", "trunk", TRUNK20), "sums match"),
]

TOPOLOGY = Topology("openvswitch", "bridge=xenbr0,uplink=nic0", stations, ROWS,
                    title="VLANs: vif-openvswitch on xenbr0 over the NIC")
