# SPDX-License-Identifier: BSD-2-Clause
"""Every topology through the driver domain's death at each depth: connections go on, new ones by a port forward
can be made, and meanwhile not one frame of a guest that lies about its address reaches the wire, nor one from
one isolated port to the other. Depth 2 only with FERRY_LONG=1.
"""
import os
import subprocess
import time

import recovery_common as common
import topology_frames as raw
import topology_rows_vlan as vlan
from ferry_domnet import expect
from ferrylab import CheckFailed, LabTimeout
from topology_talks import IPV6, TAGGED, ForwardedTalk, Isolated, Talk, greet, is_greeted
from topology_world import ROUTER_IP, VLANS, WIRE_IP, WIRE_IP6, Station, World

IMAGE = "ferry-net-faults"
FORWARDED, GREETED = 5460, 5470  # ports; with the first the one after it
EXTRA = ("bridge=xenbr0,uplink=nic0,isolated,address=dhcp,address6=fd00:77::2/64" +
         "".join(f",forward=tcp:{port}:192.168.77.2:{port}" for port in (FORWARDED, FORWARDED + 1, GREETED)) +
         " restarts=60")
LIMIT_S = 60
SETTLE_S = 1.5
FLAT, ROUTED, NAT, NAT_ROUTER, STOLEN = ("10.77.0.60", "10.77.0.61", "192.168.77.2", "192.168.77.129",
                                         "10.77.0.99")
SIX = "fd00:77::64"
ISOLATED = {"isolated1": "10.77.0.65", "isolated2": "10.77.0.66"}
STOLEN_MAC, STRANGER = "02:00:00:00:00:99", "02:00:00:00:00:7f"
# Which fault, and the depth at which it must be repaired.
FAULTS = [("null", 1), *([("text", 2)] if "FERRY_LONG" in os.environ else []), ("xl-destroy", 3)]
# A new domain knows no flows: a connection by NAT on which the guest has nothing to say stands still
# until it has (docs/topology.md). Here it says goodbye.
STANDS_STILL = {"xl-destroy": ["nat receiving"]}
HONEST = {"liar": "10.77.0.62", "routed-liar": "10.77.0.63"}


def stations(guests):
    one, two = guests

    def behind(address, router):
        return (f"ip addr add {address}/32 dev eth0; ip route add {router} dev eth0; "
                f"ip route add default via {router}")
    one.run(vlan.LOAD_8021Q, check=False)
    return [
        Station("access", one, ["script=vif-openvswitch", "bridge=xenbr0.10"],
                f"ip addr add {vlan.A10}/24 dev eth0", 0x51),
        Station("trunk", one, ["script=vif-openvswitch", "bridge=xenbr0:10:20"],
                "ip link add link eth0 name eth0.20 type vlan id 20; ip link set eth0.20 up; "
                f"ip addr add {vlan.TRUNK20}/24 dev eth0.20", 0x52),
        Station("flat", two, ["bridge=xenbr0", f"ip={FLAT}"], f"ip addr add {FLAT}/24 dev eth0", 0x53),
        Station("routed", two, ["script=vif-route", f"ip={ROUTED}"], behind(ROUTED, ROUTER_IP), 0x54),
        Station("nat", two, ["script=vif-nat", f"ip={NAT}"], behind(NAT, NAT_ROUTER), 0x55),
        Station("liar", one, ["bridge=xenbr0", f"ip={HONEST['liar']}"],
                f"ip addr add {HONEST['liar']}/24 dev eth0", 0x56),
        Station("routed-liar", two, ["script=vif-route", f"ip={HONEST['routed-liar']}"],
                behind(HONEST["routed-liar"], ROUTER_IP), 0x57),
        Station("six", one, ["script=vif-route", f"ip={SIX}"],
                f"ip addr add {SIX}/128 dev eth0 nodad; ip route add default via fe80::fcff:ffff:feff:ffff "
                "dev eth0", 0x58),
        *(Station(name, guest, ["bridge=xenbr0"], f"ip addr add {ISOLATED[name]}/24 dev eth0", number)
          for name, guest, number in (("isolated1", one, 0x59), ("isolated2", two, 0x5a))),
    ]


def talks_start(world):
    return [ForwardedTalk(world, "nat", FORWARDED),
            Talk(world, "access", VLANS[10], 5400, TAGGED), Talk(world, "trunk", VLANS[20], 5410, TAGGED),
            Talk(world, "flat", WIRE_IP, 5420), Talk(world, "routed", WIRE_IP, 5430),
            Talk(world, "nat", WIRE_IP, 5440), Talk(world, "six", WIRE_IP6, 5450, IPV6)]


def to_isolated(station, other):
    """Mostly to the other itself: frames to all go to the wire, which has enough to do."""
    mac, packet = station.mac, raw.ipv4(ISOLATED[station.name], ISOLATED[other.name], raw.udp(1, 2, b"near"))
    return [raw.eth(other.mac, mac, raw.IPV4, packet)] * 6 + [
        raw.eth(raw.BROADCAST, mac, raw.ARP, raw.arp(mac, ISOLATED[station.name], ISOLATED[other.name])),
        raw.eth(other.mac, mac, raw.IPV4, packet, [10])]


def from_stranger(station):
    return raw.eth(station.mac, STRANGER, raw.LOCAL, raw.mark(f"{station.name} {time.monotonic_ns()}"))


def lies(world, name):
    """Frames with another's address, another's MAC, in ARP, in IPv6, in a VLAN; and an honest one, which
    shows that the way is open."""
    mac = world.stations[name].mac
    to = "fe:ff:ff:ff:ff:ff" if name == "routed-liar" else "02:00:00:00:00:7d"
    packet = raw.ipv4(STOLEN, WIRE_IP, raw.udp(1000, 1001, b"lie"))
    honest = raw.ipv4(HONEST[name], WIRE_IP, raw.udp(1000, 1001, b"honest"))
    return [raw.eth(to, mac, raw.IPV4, honest), raw.eth(to, mac, raw.IPV4, packet), raw.eth(to, STOLEN_MAC, raw.IPV4, packet),
            raw.eth(raw.BROADCAST, mac, raw.ARP, raw.arp(mac, STOLEN, WIRE_IP)),
            raw.eth(to, mac, raw.IPV6, raw.ipv6("fd00:77::99", "fd00:77::1", b"lie")),
            raw.eth(to, mac, raw.IPV4, packet, [10])]


def source_words(address, kind="0800", tag_len=0):
    """A filter for IPv4 packets from an address."""
    return f"@12={kind} @{26 + tag_len}={bytes(map(int, address.split('.'))).hex()}"


def lies_on_the_wire(world, since):
    """Frames that left the NIC with anything of a lie in them."""
    words = [source_words(STOLEN), source_words(STOLEN, "8100", 4),
             f"@6={STOLEN_MAC.replace(':', '')}",
             "@12=0806 @28=0a4d0063",  # ARP's sender
             "@12=86dd @22=fd000077000000000000000000000099"]
    return {word: count for word in words
            if (count := world.wire.gap(f"from_nic {word}", after=since)["frames"])}


class Scene:
    def __init__(self, lab):
        self.lab = lab
        guests = [lab.guest(name) for name in ("guest1", "guest2")]
        self.world = World(lab, "ferry", guests)
        self.world.domain = common.start(lab, common.config(lab, image=IMAGE, extra=EXTRA))
        lab.wait_console("domnet", "nic0: link up", timeout=20)
        self.world.attach(stations(guests))
        greet(self.world.stations["nat"], GREETED)
        self._tag = 0

    def fault(self, kind):
        self._tag += 1
        if kind == "xl-destroy":
            self.lab.dom0.run("xl destroy domnet", timeout=60)
        else:
            path = f"/local/domain/{self.world.domain.domid}/ferry/fault"
            self.lab.dom0.run(f"xenstore-write {path} '{kind} {self._tag}'")

    def is_back(self, before):
        now = common.status(self.lab)
        return (now["state"] == "running" and now["vifs"] == now["vifs_serving"] > 0 and
                now["nr_deaths"] > before["nr_deaths"] and now["deaths"][-1]["back_ms"] >= 0)


def flowing(talks, since, still=(), limit=20):
    """Each connection's frames leave the NIC again. Which do not, after a while? still: not waited for."""
    deadline = time.monotonic() + limit
    while True:
        silent = [f"{talk.name} {'sending' if way == 0 else 'receiving'}" for talk in talks
                  for way, count in enumerate(talk.frames(since)) if count < 20]
        if set(silent) <= set(still) or time.monotonic() > deadline:
            return silent
        time.sleep(0.2)


def one(scene, kind, depth):
    """Returns what went wrong, as text."""
    world, wrong = scene.world, []
    began = time.monotonic_ns()
    liars = [(name, world.stations[name].guest.start(
        world.stations[name]._command("exec frames repeat eth0 600"))) for name in ("liar", "routed-liar")]
    for name, session in liars:
        session.feed("".join(frame.hex() + "\n" for frame in lies(world, name)).encode())
        session.feed_eof()
    isolated = Isolated(world, ISOLATED)
    isolated.repeat(to_isolated)
    talks = talks_start(world)
    try:
        silent = flowing(talks, began)
        expect(not silent, f"before {kind}: silent: {silent}")
        expect(is_greeted(world.wire, ROUTER_IP, GREETED), f"before {kind}: the port forward leads nowhere")
        apart = isolated.wrong(from_stranger, began)
        expect(not apart, f"before {kind}: {apart}")
        before = common.status(scene.lab)
        scene.fault(kind)
        common.wait_for(lambda: scene.is_back(before), f"{kind}: not back", LIMIT_S)
        back = time.monotonic_ns()
        time.sleep(SETTLE_S)
        still = STANDS_STILL.get(kind, [])
        silent = flowing(talks, back, still)
        wrong += [f"{kind}: silent after it: {each}" for each in silent if each not in still]
        wrong += [f"{kind}: {name} cannot send what is honest" for name, ip in HONEST.items()
                  if not world.wire.gap(f"from_nic {source_words(ip)}", after=back)["frames"]]
        if not is_greeted(world.wire, ROUTER_IP, GREETED):
            wrong.append(f"{kind}: no new connection by the port forward")
        wrong += [f"{kind}: {each}" for each in isolated.wrong(from_stranger, back)]
        for guest in world.guests:
            guest.run("killall -INT tcpsum", check=False)
        for talk in talks:
            try:
                if not talk.end() and depth < 3:
                    wrong.append(f"{kind}: {talk.name}: OTHER SUMS")
            except (CheckFailed, LabTimeout, subprocess.TimeoutExpired) as failed:
                wrong.append(f"{kind}: {talk.name}: {failed}")
    finally:
        for guest in world.guests:
            guest.run("killall frames; killall -9 tcpsum", check=False)
        for talk in talks:
            talk.drop()
    told = lies_on_the_wire(world, began)
    if told:
        wrong.append(f"{kind}: lies on the wire: {told}")
    death = common.status(scene.lab)["deaths"][-1]
    print(f"topology_recovery: {kind}: depth {death['depth']}, back in {death['back_ms']} ms; lies on the "
          f"wire: {told or 'none'}; "
          f"{wrong or 'all went on'}{', but ' + ' '.join(still) if still else ''}", flush=True)
    if death["depth"] != depth:
        wrong.append(f"{kind}: repaired at depth {death['depth']}, not {depth}")
    return wrong


def run(lab):
    common.install(lab)
    common.prefer_dom0(lab)
    ferryd = common.supervise(lab, "--max-deaths 15 --window 1")
    try:
        scene = Scene(lab)
        wrong = [each for fault in FAULTS for each in one(scene, *fault)]
    finally:
        print(ferryd.stdout, flush=True)
    expect(not wrong, f"{len(wrong)} things:\n" + "\n".join(wrong))
