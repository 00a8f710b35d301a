# SPDX-License-Identifier: BSD-2-Clause
"""One guest exhausts each table of the driver domain, one after the other; the others do not notice.

Each case shows that the table was full: what the attacker itself had in it first is gone.
"""
import time

import topology_exhaustion_attacks as attack
import topology_frames as raw
from ferry_domnet import check_alive
from ferrylab import CheckFailed
from topology_exhaustion_scene import PORT, SINK_IP, Flood, Scene, wait_for
from topology_world import INTERNET_IP, ROUTER_IP, WIRE_IP, seen

STRANGER = "02:00:00:00:00:7c"
NR_STATIONS, NR_FLOWS, NR_FRAGMENTS, NR_LEASES, NR_QUERIES = 20000, 30000, 8000, 4000, 2000
NR_NEIGHBOURS = 2 * attack.SILENT_HOSTS
# What docs/topology.md and domain/net/ say.
FLOWS_MAX, QUERIES_GUEST, NEIGHBOURS_GUEST = 4096, 16, 16
QUERY_S, NEIGHBOUR_S = 5, 3
PING_IN_PIECES = f"ping -n -c 5 -i 0.2 -W 2 -s 3000 {INTERNET_IP}"
FIVE = r"[45] (packets )?received"


def stations(scene):
    """20000 MACs on one bridged vif: who is known stays so, and is sent what is its own, nobody else."""
    world, sender = scene.world, scene.station("a-flat")
    first, last = "02:ab:00:00:00:01", "02:ab:00:00:00:02"

    def show(mac):
        sender.run("frames send eth0", stdin=attack.stations(scene.wire_mac, mac).hex().encode() + b"\n", check=True)

    def unicast(**targets):
        caught = world.volley("wire", {name: lambda m, mac=mac: raw.eth(mac, STRANGER, raw.LOCAL, m)
                                       for name, mac in targets.items()}, ["flat", "flat2"])
        return [seen(caught[name]) for name in ("flat", "flat2")]
    show(first)
    since = time.monotonic_ns()
    with Flood(sender, [(attack.stations(scene.wire_mac), f"@{attack.SRC_MAC + 2}:4")]) as flood:
        flood.reach(NR_STATIONS // 4)
        before = flood.sent
        got = [unicast(one=scene.station("flat").mac, two=scene.station("flat2").mac) for _ in range(3)]
        scene.check(all(each == ["one", "two"] for each in got), f"stations: bystanders' frames at both: {got}")
        scene.untouched("stations, during")
        scene.check(flood.sent > before, "stations: the flood has ended by itself")
        flood.reach(NR_STATIONS)
    show(last)
    came = world.wire.gap("from_nic @6=02aa @12=88b5", after=since)["frames"]
    scene.check(came >= NR_STATIONS * 9 // 10, f"stations: only {came} of {flood.sent} frames came to the wire")
    got = unicast(first=first, last=last)
    scene.check(got == ["first"] * 2, f"stations: of the attacker's first and last MAC, flooded: {got}")
    scene.untouched("stations, after")
    return flood, f"{came} on the wire", scene.recovers("stations", "a-flat", WIRE_IP)


def outside_port(scene, name, sport):
    """Open a UDP flow through NAT; its port outside."""
    station, mark = scene.station(name), raw.mark(f"{name}{sport}{time.monotonic_ns()}")
    since = time.monotonic_ns()
    station.run("frames send eth0", stdin=attack.flow(station, sport, mark).hex().encode() + b"\n", check=True)
    found = []

    def is_there():
        found[:] = [frame for frame in scene.world.frames(since, "from_nic @12=0800 @23=11") if mark in frame.data]
        return found
    wait_for(is_there, f"{name}: no UDP through NAT")
    return int.from_bytes(found[0].l3[20:22], "big")


def answers(scene, ports):
    """Which of these flows of the sink let an answer through? {name: port outside}; at a-nat, and at nat"""
    caught = scene.world.volley("wire", {name: lambda m, port=port: raw.eth(
        scene.world.nic_mac, scene.wire_mac, raw.IPV4, raw.ipv4(SINK_IP, ROUTER_IP, raw.udp(7000, port, m)))
        for name, port in ports.items()}, ["a-nat", "nat"])
    return [seen(caught[name]) for name in ("a-nat", "nat")]


def flows(scene):
    """Tens of thousands of UDP flows and SYNs of one NAT guest."""
    sender, ports = scene.station("a-nat"), {}
    idle = scene.station("nat").start(f"nc {WIRE_IP} {PORT + 2}")
    wait_for(lambda: scene.far.ask("say first") and "first" in idle.stdout, "flows: the idle connection")
    ports["idle"] = outside_port(scene, "nat", 7001)
    ports["first"] = outside_port(scene, "a-nat", 6001)
    scene.check(answers(scene, ports) == ["first", "idle"], "flows: answers do not come back before the attack")
    since = time.monotonic_ns()
    with Flood(sender, attack.flows(sender), burst=16) as flood:
        flood.reach(2 * FLOWS_MAX)
        before = flood.sent
        scene.untouched("flows, during")
        scene.check(flood.sent > before, "flows: the flood has ended by itself")
        flood.reach(NR_FLOWS)
    ports["last"] = outside_port(scene, "a-nat", 6002)
    came = [scene.world.wire.gap(f"from_nic @12=0800 @23={protocol} @30={bytes(map(int, SINK_IP.split('.'))).hex()}",
                                 after=since)["frames"] for protocol in ("11", "06")]
    scene.check(min(came) > 2 * FLOWS_MAX, f"flows: only {came} UDP and TCP frames came to the wire")
    got = answers(scene, ports)
    scene.check(got == ["last", "idle"], f"flows: after it there is an answer to {got}")
    # The outside speaks first: what the guest sent would open a flow that was lost again.
    scene.far.ask("say second")
    try:
        wait_for(lambda: "second" in idle.stdout, "flows: the idle connection is dead")
        idle.feed(b"heard\n")
        wait_for(lambda: "heard" in scene.far.ask("report")["heard"], "flows: the idle connection, to the wire")
    finally:
        idle.kill()
    scene.untouched("flows, after")
    return flood, f"{came[0]} UDP and {came[1]} TCP on the wire", scene.recovers("flows", "a-nat", INTERNET_IP)


def fragments(scene):
    """First fragments that are never completed, and others without their first, of one NAT guest."""
    world, sender, other = scene.world, scene.station("a-nat"), scene.station("nat")

    def later(*ids):
        caught = world.volley("a-nat", {name: lambda m, number=number: attack.later_fragment(sender, number, m)
                                        for name, number in ids})["nic"]
        return seen(caught)

    def first(number):
        sender.run("frames send eth0", stdin=attack.first_fragment(sender, number).hex().encode() + b"\n", check=True)
    first(65001)
    began = time.monotonic()
    with Flood(sender, attack.fragments(sender), burst=4) as flood:
        flood.reach(NR_FRAGMENTS // 8)
        before = flood.sent
        late = world.volley("nat", {"later": lambda m: attack.later_fragment(other, 500, m),
                                    "first": lambda m: attack.first_fragment(other, 500, m)})["nic"]
        scene.check(seen(late) == "later first", f"fragments: of a bystander's two, the last first: {seen(late)}")
        scene.untouched("fragments, during", [("nat", PING_IN_PIECES, FIVE), ("routed", PING_IN_PIECES, FIVE)])
        scene.check(flood.sent > before, "fragments: the flood has ended by itself")
        flood.reach(NR_FRAGMENTS)
    first(65002)
    got = later(("first", 65001), ("last", 65002))
    scene.check(got == "last", f"fragments: of the attacker's first and last packet, what follows passes: {got}")
    scene.untouched("fragments, after", [("nat", PING_IN_PIECES, FIVE)])
    return flood, f"{time.monotonic() - began:.0f} s", scene.recovers("fragments", "a-nat", f"-s 3000 {INTERNET_IP}")


def received(station):
    return int(station.output("grep eth0 /proc/net/dev").split(":")[1].split()[1])


def leases(scene):
    """Thousands of DHCP clients on one NAT vif."""
    sender, client = scene.station("a-nat"), "udhcpc -i eth0 -s /usr/share/udhcpc/default.script"
    renewing = scene.station("lease").start(f"{client} -f -t 10 -T 1")
    wait_for(lambda: "udhcpc: bound" in renewing.stdout, "leases: the one before the attack")
    before = received(sender)
    with Flood(sender, attack.leases(sender), burst=4) as flood:
        flood.reach(NR_LEASES // 8)
        sent = flood.sent
        scene.world.guests[1].run("killall -USR1 udhcpc")
        scene.untouched("leases, during", [("late", f"{client} -n -q -t 10 -T 1", "^udhcpc: bound ip=10")])
        wait_for(lambda: "udhcpc: renew" in renewing.stdout, "leases: not renewed")
        scene.check(flood.sent > sent, "leases: the flood has ended by itself")
        flood.reach(NR_LEASES)
    answered = received(sender) - before
    # Of four models three are this vif's client.
    scene.check(flood.sent // 2 <= answered <= flood.sent, f"leases: {answered} answers to {flood.sent} messages")
    renewing.kill()
    for name in ("lease", "late"):
        reached = scene.world.reaches(name, {"internet": INTERNET_IP})
        scene.check(reached == "internet", f"leases: {name} reaches {reached}")
    scene.untouched("leases, after")
    return flood, f"{answered} answers", scene.recovers("leases", "a-nat", INTERNET_IP)


def queries(scene):
    """Names that nobody answers for."""
    sender = scene.station("a-nat")
    began = time.monotonic()
    lookup = [("nat", "timeout 5 nslookup answer.test 192.168.77.130", "198.51.100.7")]
    with Flood(sender, attack.queries(sender), burst=2) as flood:
        flood.reach(NR_QUERIES // 2)
        sent = flood.sent
        scene.untouched("queries, during", lookup)
        scene.check(flood.sent > sent, "queries: the flood has ended by itself")
        flood.reach(NR_QUERIES)
    asked, limit = scene.far.ask("report")["silent"], QUERIES_GUEST * (2 + (time.monotonic() - began) // QUERY_S)
    scene.check(QUERIES_GUEST <= asked <= limit, f"queries: {asked} names were asked for, at most {limit} may be")
    scene.untouched("queries, after", lookup)
    took = wait_for(lambda: scene.resolves("a-nat"), "queries: the attacker resolves again", 2 * QUERY_S)
    return flood, f"{asked} names asked for", took


def neighbours(scene):
    """A routed guest looks for a thousand hosts that are not there, with IPv6 a thousand more."""
    sender, since = scene.station("a-routed"), time.monotonic_ns()

    def unknown(bystander):
        one, two = scene.hosts(), scene.hosts()
        ping = "ping -n -c 5 -i 0.2 -W 2"
        return [("routed", f"{ping} {one[0]}", FIVE), ("routed", f"{ping} {one[1]}", FIVE),
                (bystander, f"{ping} {two[0]}", FIVE)]
    with Flood(sender, attack.neighbours(sender), burst=2) as flood:
        flood.reach(NR_NEIGHBOURS // 2)
        sent = flood.sent
        scene.untouched("neighbours, during", unknown("nat"))
        scene.check(flood.sent > sent, "neighbours: the flood has ended by itself")
        flood.reach(NR_NEIGHBOURS)
    seconds = (time.monotonic_ns() - since) / 1e9
    asked = {frame.l3[24:28] for frame in scene.world.frames(since, "from_nic @12=0806 @38=0a4d")
             if 4 <= frame.l3[26] < 8}
    # By the solicited-node group: ff02::1:ff02:N.
    asked6 = {frame.l3[24:40] for frame in scene.world.frames(since, "from_nic @12=86dd @50=ff02 @54=87")}
    limit = NEIGHBOURS_GUEST * (2 + seconds // NEIGHBOUR_S)
    scene.check(NEIGHBOURS_GUEST <= len(asked) + len(asked6) <= limit,
                f"neighbours: {len(asked)} and {len(asked6)} were asked for, {limit} may be in {seconds:.0f} s")
    scene.untouched("neighbours, after", unknown("flat"))
    return (flood, f"{len(asked)} and {len(asked6)} asked for in {seconds:.0f} s",
            scene.recovers("neighbours", "a-routed", scene.hosts()[0]))


def run(lab):
    scene = Scene(lab)
    for case in (stations, flows, fragments, leases, queries, neighbours):
        wrong = len(scene.wrong)
        flood, counted, took = case(scene)
        check_alive(lab, scene.world.domain)
        print(f"topology_exhaustion: {case.__name__}: {flood.sent} frames in {flood.seconds:.1f} s, {counted}; the "
              f"attacker itself after {took:.1f} s; {scene.wrong[wrong:] or 'nobody else noticed'}", flush=True)
    scene.end()
    if scene.wrong:
        raise CheckFailed(f"{len(scene.wrong)} things:\n" + "\n".join(scene.wrong))
