# SPDX-License-Identifier: BSD-2-Clause
"""One guest exhausts each table of the driver domain, one after the other; the others do not notice.

Each case shows that the table was full: what the attacker itself had in it first is gone. Flows and neighbours,
the others, whose tables have unit tests with as many entries, only with FERRY_LONG=1.
"""
import os
import time

import topology_exhaustion_attacks as attack
import topology_frames as raw
from ferry_domnet import check_alive, expect
from ferrylab import CheckFailed, LabTimeout
from topology_exhaustion_scene import (ADDRESSES, ANSWERED, DNS_IP, NAT_ROUTERS, PING, PORT, SINK_IP, Flood, Scene,
                                       wait_for)
from topology_world import DNS_ANSWER, DNS_NAME, INTERNET_IP, ROUTER_IP, WIRE_IP, seen

BESIDE = True  # tests/run-system
FROM_SINK = "@12=0800 @26=" + bytes(map(int, SINK_IP.split("."))).hex()
STRANGER = "02:00:00:00:00:7c"
NR_STATIONS, NR_FLOWS, NR_FRAGMENTS, NR_LEASES, NR_QUERIES = 20000, 12000, 4000, 4000, 2000
NR_NEIGHBOURS = 2 * attack.SILENT_HOSTS
# What docs/topology.md and domain/net/ say.
FLOWS_MAX, QUERIES_GUEST, NEIGHBOURS_GUEST = 4096, 16, 16
QUERY_S, NEIGHBOUR_S = 5, 3
PING_IN_PIECES = f"{PING} -s 3000 {INTERNET_IP}"
LOOKUP = ("nat", f"timeout 5 nslookup {DNS_NAME} {NAT_ROUTERS['nat']}", DNS_ANSWER)


def goes_on(*floods):
    """Was all that was asked meanwhile asked during the attack?"""
    before = [flood.sent for flood in floods]
    wait_for(lambda: all(flood.sent > sent for flood, sent in zip(floods, before)), "the attack has ended by itself")


def stations(scene):
    """20000 MACs on one bridged vif: who is known stays so, and is sent what is its own, nobody else."""
    world, sender = scene.world, scene.station("a-flat")
    first, last = "02:ab:00:00:00:01", "02:ab:00:00:00:02"

    def show(mac):
        sender.run("frames send eth0", stdin=attack.stations(scene.wire_mac, mac).hex().encode() + b"\n", check=True)

    def unicast(**targets):
        caught = world.volley("wire", {name: lambda m, mac=mac: raw.eth(mac, STRANGER, raw.LOCAL, m)
                                       for name, mac in targets.items()}, ["flat", "flat2"], "@12=88b5")
        return [seen(caught[name]) for name in ("flat", "flat2")]
    show(first)
    since = time.monotonic_ns()
    with Flood(sender, [(attack.stations(scene.wire_mac), f"@{attack.SRC_MAC + 2}:4")], 16) as flood:
        flood.reach(NR_STATIONS // 4)
        got = [unicast(one=scene.station("flat").mac, two=scene.station("flat2").mac) for _ in range(3)]
        scene.check(all(each == ["one", "two"] for each in got), f"stations: bystanders' frames at both: {got}")
        scene.untouched("stations, during")
        goes_on(flood)
        flood.reach(NR_STATIONS)
    show(last)
    came = world.wire.gap("from_nic @6=02aa @12=88b5", after=since)["frames"]
    scene.check(came >= NR_STATIONS * 9 // 10, f"stations: only {came} of {flood.sent} frames came to the wire")
    got = unicast(first=first, last=last)
    scene.check(got == ["first"] * 2, f"stations: of the attacker's first and last MAC, flooded: {got}")
    scene.untouched("stations, after")
    return flood, f"{came} on the wire", scene.recovers("stations", "a-flat", WIRE_IP)


def flow(scene, name, sport):
    """Open a UDP flow; where its answers go to."""
    station, mark = scene.station(name), raw.mark(f"{name}{sport}{time.monotonic_ns()}")
    since = time.monotonic_ns()
    station.run("frames send eth0", stdin=attack.flow(station, sport, mark).hex().encode() + b"\n", check=True)
    found = []

    def is_there():
        found[:] = [frame for frame in scene.world.frames(since, "from_nic @12=0800 @23=11") if mark in frame.data]
        return found
    wait_for(is_there, f"{name}: no UDP")
    return found[0].source, int.from_bytes(found[0].l3[20:22], "big")


def answers(scene, opened):
    """Which of these flows with the sink let an answer through? {name: (address, port)}"""
    names = ["a-nat", "a-routed", "nat", "routed"]
    caught = scene.world.volley("wire", {name: lambda m, to=to: raw.eth(
        scene.world.nic_mac, scene.wire_mac, raw.IPV4, raw.ipv4(SINK_IP, to[0], raw.udp(7000, to[1], m)))
        for name, to in opened.items()}, names, FROM_SINK)
    return " ".join(seen(caught[name]) for name in names)


def flows(scene):
    """Tens of thousands of UDP flows and SYNs, of a NAT guest and of a routed one with rules."""
    opened = {}
    idle = scene.station("nat").start(f"nc {WIRE_IP} {PORT + 2}")
    wait_for(lambda: scene.far.ask("say first") and "first" in idle.stdout, "flows: the idle connection")
    for name in ("nat", "routed"):
        opened[f"idle-{name}"] = flow(scene, name, 7001)
        opened[f"first-{name}"] = flow(scene, f"a-{name}", 6001)
    scene.check(answers(scene, opened) == "first-nat first-routed idle-nat idle-routed",
                "flows: answers do not come back before the attack")
    since = time.monotonic_ns()
    senders = [scene.station(name) for name in ("a-nat", "a-routed")]
    with Flood(senders[0], attack.flows(senders[0])) as flood, Flood(senders[1], attack.flows(senders[1])) as other:
        for each in (flood, other):
            each.reach(FLOWS_MAX)
        scene.untouched("flows, during")
        goes_on(flood, other)
        for each in (flood, other):
            each.reach(NR_FLOWS)
    for name in ("nat", "routed"):
        opened[f"last-{name}"] = flow(scene, f"a-{name}", 6002)
    came = [scene.world.wire.gap(f"from_nic @12=0800 @23={protocol} @30={bytes(map(int, SINK_IP.split('.'))).hex()}",
                                 after=since)["frames"] for protocol in ("11", "06")]
    scene.check(min(came) > 2 * FLOWS_MAX, f"flows: only {came} UDP and TCP frames came to the wire")
    got = answers(scene, opened)
    scene.check(got == "last-nat last-routed idle-nat idle-routed", f"flows: after it there is an answer to {got}")
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


def last_first(scene):
    """A packet in two fragments, the last before the first, from each bystander to the wire and back: what came?"""
    world, came = scene.world, []
    for name in ("nat", "routed"):
        station, (address, port) = scene.station(name), flow(scene, name, 7003)
        sent = world.volley(name, {f"{name}-later": lambda m: attack.later_fragment(station, 500, m),
                                   f"{name}-first": lambda m: attack.first_fragment(station, 500, m)})["nic"]
        back = world.volley("wire", {label: lambda m, packet=packet: raw.eth(
            world.nic_mac, scene.wire_mac, raw.IPV4, packet(m)) for label, packet in {
                "later": lambda m: attack.later_piece(SINK_IP, address, 600, m),
                "first": lambda m: attack.first_piece(SINK_IP, address, (7000, port), 600, m)}.items()},
                            [name], FROM_SINK)[name]
        came += [seen(sent), seen(back)]
    return " ".join(came)


def fragments(scene):
    """First fragments that are never completed, and others without their first, of a NAT guest, of a routed one with
    rules, and of a bridged one to the NAT guests' address."""
    world, names = scene.world, ("a-nat", "a-routed")
    nat, routed, flat = [scene.station(name) for name in (*names, "a-flat")]

    def first(number):
        for sender in (nat, routed):
            sender.run("frames send eth0", stdin=attack.first_fragment(sender, number).hex().encode() + b"\n", check=True)

    def later(name, *ids):
        return seen(world.volley(name, {label: lambda m, number=number: attack.later_fragment(
            scene.station(name), number, m) for label, number in ids})["nic"])
    first(65001)
    with Flood(nat, attack.fragments(nat), 2) as flood, Flood(routed, attack.fragments(routed), 2) as other, \
            Flood(flat, attack.fragments_from_the_bridge(flat, world.nic_mac, ROUTER_IP), 1) as third:
        for each in (flood, other, third):
            each.reach(NR_FRAGMENTS // 4)
        got = last_first(scene)
        scene.check(got == "nat-later nat-first later first routed-later routed-first later first",
                    f"fragments: of bystanders' two, the last first: {got}")
        scene.untouched("fragments, during", [(name, PING_IN_PIECES, ANSWERED) for name in ("nat", "routed")])
        goes_on(flood, other, third)
        for each in (flood, other):
            each.reach(NR_FRAGMENTS)
    first(65002)
    got = [later(name, ("first", 65001), ("last", 65002)) for name in names]
    scene.check(got == ["last"] * 2, f"fragments: of the attacker's first and last packet, what follows passes: {got}")
    scene.untouched("fragments, after", [(name, PING_IN_PIECES, ANSWERED) for name in ("nat", "routed")])
    return (flood, f"{other.sent} and {third.sent} besides",
            scene.recovers("fragments", "a-nat", f"-s 3000 {INTERNET_IP}"))


def received(station):
    return int(station.output("grep eth0 /proc/net/dev").split(":")[1].split()[1])


def leases(scene):
    """Thousands of DHCP clients on one NAT vif."""
    sender, client = scene.station("a-nat"), "udhcpc -i eth0 -s /usr/share/udhcpc/default.script"
    renewing = scene.station("lease").start(f"{client} -f -t 10 -T 1")
    wait_for(lambda: "udhcpc: bound" in renewing.stdout, "leases: the one before the attack")
    before = received(sender)
    with Flood(sender, attack.leases(sender), 4) as flood:
        flood.reach(NR_LEASES // 8)
        scene.world.guests[1].run("killall -USR1 udhcpc")
        scene.untouched("leases, during", [("late", f"{client} -n -q -t 10 -T 1", "^udhcpc: bound ip=10")])
        wait_for(lambda: "udhcpc: renew" in renewing.stdout, "leases: not renewed")
        goes_on(flood)
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
    with Flood(sender, attack.queries(sender), 2) as flood:
        flood.reach(NR_QUERIES // 2)
        scene.untouched("queries, during", [LOOKUP])
        goes_on(flood)
        flood.reach(NR_QUERIES)
    asked, limit = scene.far.ask("report")["silent"], QUERIES_GUEST * (2 + (time.monotonic() - began) // QUERY_S)
    scene.check(QUERIES_GUEST <= asked <= limit, f"queries: {asked} names were asked for, at most {limit} may be")
    scene.untouched("queries, after", [LOOKUP])
    took = wait_for(lambda: scene.resolves("a-nat"), "queries: the attacker resolves again", 2 * QUERY_S)
    return flood, f"{asked} names asked for", took


def neighbours(scene):
    """A routed guest looks for a thousand hosts that are not there, with IPv6 a thousand more; a bridged one says that
    it is hundreds of hosts."""
    world, sender, flat, since = scene.world, scene.station("a-routed"), scene.station("a-flat"), time.monotonic_ns()

    def unknown(bystander):
        one, two = scene.hosts(), scene.hosts()
        return [("routed", f"{PING} {one[0]}", ANSWERED), ("routed", f"{PING} {one[1]}", ANSWERED),
                (bystander, f"{PING} {two[0]}", ANSWERED), LOOKUP]
    with Flood(sender, attack.neighbours(sender), 2) as flood, \
            Flood(flat, attack.mentions(flat, world.nic_mac, ROUTER_IP), 2) as other:
        for each in (flood, other):
            each.reach(NR_NEIGHBOURS // 2)
        scene.untouched("neighbours, during", unknown("nat"))
        goes_on(flood, other)
        flood.reach(NR_NEIGHBOURS)
    seconds = (time.monotonic_ns() - since) / 1e9
    asked = {frame.l3[24:28] for frame in world.frames(since, "from_nic @12=0806 @38=0a4d")
             if 4 <= frame.l3[26] < 8}
    # By the solicited-node group: ff02::1:ff02:N.
    asked6 = {frame.l3[24:40] for frame in world.frames(since, "from_nic @12=86dd @50=ff02 @54=87")}
    dns = "".join(f"{int(part):02x}" for part in DNS_IP.split("."))
    again = world.wire.gap(f"from_nic @0=ffffffffffff @12=0806 @38={dns}", after=since)["frames"]
    scene.check(again, "neighbours: the router never forgot where the DNS server is")
    limit = NEIGHBOURS_GUEST * (2 + seconds // NEIGHBOUR_S)
    scene.check(NEIGHBOURS_GUEST <= len(asked) + len(asked6) <= limit,
                f"neighbours: {len(asked)} and {len(asked6)} were asked for, {limit} may be in {seconds:.0f} s")
    scene.untouched("neighbours, after", unknown("flat"))
    return (flood, f"{len(asked)} and {len(asked6)} asked for in {seconds:.0f} s",
            scene.recovers("neighbours", "a-routed", scene.hosts()[0]))


def one(scene, case):
    wrong, name, began = len(scene.wrong), case.__name__, time.monotonic()
    scene.times.clear()
    try:
        flood, counted, took = case(scene)
        told = f"{flood.sent} frames in {flood.seconds:.1f} s, {counted}; the attacker itself after {took:.1f} s"
    except (CheckFailed, LabTimeout) as failed:
        told = "not to its end"
        scene.wrong.append(str(failed) if str(failed).startswith(name) else f"{name}: {failed}")
    check_alive(scene.lab, scene.world.domain)
    print(f"topology_exhaustion: {name}: {told}; bystanders were asked for "
          f"{' and '.join(f'{s:.1f}' for s in scene.times)} of {time.monotonic() - began:.1f} s: "
          f"{scene.wrong[wrong:] or 'nothing noticed'}", flush=True)


CASES = (stations, flows, fragments, leases, queries, neighbours)
CASES_OF_CHECK = (flows, neighbours)


def run(lab):
    scene = Scene(lab)
    for case in CASES if "FERRY_LONG" in os.environ else CASES_OF_CHECK:
        one(scene, case)
    try:
        scene.end()
    except CheckFailed as failed:
        scene.wrong.append(str(failed))
    expect(not scene.wrong, f"{len(scene.wrong)} things:\n" + "\n".join(scene.wrong))
