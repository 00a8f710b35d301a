# SPDX-License-Identifier: BSD-2-Clause
"""Rows: what the words of extra= make of a bridge. Ferry only: Linux has other words for each."""
import time

import topology_frames as raw
from topology_matrix import Row, Topology
from topology_world import VLANS, WIRE_IP, Station, seen

X, Y = "10.77.0.70", "10.77.0.71"
TAGGED = "10.77.20.70"
PINNED = "02:00:00:00:00:aa"
STRANGER = "02:00:00:00:00:7e"
STORM, NR_STORM = 50, 300
EXTRA = (f"bridge=xenbr0,uplink=nic0,native=10,trunk=20,isolated,group_fwd_mask=0x4000,pin={PINNED},"
         f"storm={STORM} bridge=inside")


def stations(guests):
    one, two = guests
    script = "script=vif-openvswitch"
    return [
        Station("x", one, [script, "bridge=xenbr0.10"], f"ip addr add {X}/24 dev eth0", 0x61),
        Station("y", two, [script, "bridge=xenbr0.10"], f"ip addr add {Y}/24 dev eth0", 0x62),
        Station("tagged", one, [script, "bridge=xenbr0.20"], f"ip addr add {TAGGED}/24 dev eth0", 0x63),
        Station("off", two, [script, "bridge=xenbr0.30"], "", 0x64),
    ]


ADDRESSES = {"wire": WIRE_IP, "wire20": VLANS[20], "x": X, "y": Y, "tagged": TAGGED}


def reaches(name):
    def ask(world):
        return world.reaches(name, {k: v for k, v in ADDRESSES.items() if k != name})
    return ask


def tags_of(name):
    """Of the pings of the rows before."""
    def ask(world):
        tags = {f.tag for f in world.frames(world.since) if f.src == world.stations[name].mac}
        return " ".join(sorted(tags)) or "nothing"
    return ask


def off_the_wire(world):
    """A VLAN that trunk= does not list: nothing goes out, nothing comes in."""
    off = world.stations["off"].mac
    out = world.volley("off", {"out": lambda m: raw.eth(raw.BROADCAST, off, raw.LOCAL, m)})
    back = world.volley("wire", {
        "30": lambda m: raw.eth(raw.BROADCAST, STRANGER, raw.LOCAL, m, [30]),
        "10": lambda m: raw.eth(raw.BROADCAST, STRANGER, raw.LOCAL, m, [10]),
        "none": lambda m: raw.eth(raw.BROADCAST, STRANGER, raw.LOCAL, m)}, ["off", "x"])
    return f"out: {seen(out['nic'])}, off: {seen(back['off'])}, x: {seen(back['x'])}"


def groups(world):
    x = world.stations["x"].mac
    frames = {name: lambda m, n=n: raw.eth(f"01:80:c2:00:00:{n:02x}", x, raw.LOCAL, m)
              for name, n in {"BPDU": 0, "pause": 1, "EAPOL": 3, "LLDP": 14}.items()}
    return seen(world.volley("x", frames)["nic"])


def pinned(world):
    """The station is the wire's, whatever a guest says; frames to it go there and nowhere else."""
    x = world.stations["x"].mac
    frames = {"from-it": lambda m: raw.eth(raw.BROADCAST, PINNED, raw.LOCAL, m),
              "to-it": lambda m: raw.eth(PINNED, x, raw.LOCAL, m)}
    return seen(world.volley("x", frames)["nic"])


def storm(world):
    """Frames to all beyond the limit are dropped, those to one station are not."""
    x = world.stations["x"].mac
    time.sleep(1.5)
    to_all = world.volley("x", {str(n): lambda m: raw.eth(raw.BROADCAST, x, raw.LOCAL, m)
                                for n in range(NR_STORM)})["nic"]
    to_one = world.volley("x", {str(n): lambda m: raw.eth(PINNED, x, raw.LOCAL, m)
                                for n in range(NR_STORM)})["nic"]
    nr_all, nr_one = (sum(map(bool, got.values())) for got in (to_all, to_one))
    print(f"topology: storm={STORM}: {nr_all} of {NR_STORM} to all came through", flush=True)
    few = "limited" if STORM // 5 <= nr_all <= 3 * STORM else str(nr_all)
    return f"to all: {few}, to one: {nr_one}"


ROWS = [
    Row("native=10: x (access 10) reaches", reaches("x"), "wire"),
    Row("isolated: y (access 10) reaches", reaches("y"), "wire"),
    Row("trunk=20: tagged (access 20) reaches", reaches("tagged"), "wire20"),
    Row("the wire reaches", reaches("wire"), "wire20 x y tagged"),
    Row("tags on the wire of x", tags_of("x"), "none"),
    Row("tags on the wire of tagged", tags_of("tagged"), "20"),
    Row("VLAN 30 is not on the wire; tag 10 is VLAN 10 as well", off_the_wire,
        "out: nothing, off: nothing, x: 10 none"),
    Row("group_fwd_mask=0x4000", groups, "BPDU LLDP"),
    Row(f"pin={PINNED}", pinned, "to-it"),
    Row(f"storm={STORM}: {NR_STORM} frames at once", storm, f"to all: limited, to one: {NR_STORM}"),
]

TOPOLOGY = Topology("words", EXTRA, stations, ROWS, title="words of extra= (Ferry only)",
                    kinds=("ferry",))
