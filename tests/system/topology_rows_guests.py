# SPDX-License-Identifier: BSD-2-Clause
"""Rows: guests that are more than an end of the network. They bridge, route, tunnel, or say that they are
the gateway; each case has been reported of Xen hosts.
"""
import re
import time

import topology_frames as raw
import topology_sums as sums
from ferry_domnet import expect
from topology_guest_tunnels import ROWS as TUNNEL_ROWS
from topology_guest_tunnels import tunnel_setup
from topology_matrix import Row, Topology
from topology_world import INTERNET_IP, WIRE_IP, Station, seen

BY, OTHER, KEPT, ROUTER, KEPT_2, HONEST = (f"10.77.0.{n}" for n in range(80, 86))
BY_6, OTHER_6 = "fd00:77::80", "fd00:77::81"
BY_INNER, ROUTER_INNER = "10.88.0.2", "10.88.0.1"
ASIDE, ASIDE_DOMAIN = "10.89.0.2", "10.89.0.1"  # in a bridge without a loop; the driver domain's own there
STORM_S, STORM_LIMIT = 2, 50
STORM_FROM = 3 * STORM_LIMIT  # frames a second on the wire; two vifs may flood
FORWARDING, BLOCKING = "3", "4"
MODULES = "[ -d /sys/module/xt_MASQUERADE ] || for m in $(cat /modules-bridge.list " \
    "/modules-tunnel.list /modules-nat.list); do insmod $m 2> /dev/null; done; true"


def second_vif(owner):
    """The setup of a vif that becomes eth1 of another station."""
    return f"ip link set eth0 netns {owner} name eth1; ip -n {owner} link set eth1 up"


def stations(guests):
    one, two = guests
    for guest in guests:
        guest.run(MODULES)
    return [
        Station("by", one, ["bridge=xenbr0"], f"ip addr add {BY}/24 dev eth0; "
                f"ip addr add {BY_6}/64 dev eth0 nodad; ip addr add {BY_INNER}/24 dev eth0; "
                f"ip route add {INTERNET_IP} via {ROUTER_INNER}; {tunnel_setup(BY, OTHER, 1)}", 0x81),
        Station("other", two, ["bridge=xenbr0"], f"ip addr add {OTHER}/24 dev eth0; "
                f"ip addr add {OTHER_6}/64 dev eth0 nodad; {tunnel_setup(OTHER, BY, 2)}", 0x82),
        Station("many", two, ["bridge=xenbr0"], "", 0x83),
        Station("many-2", two, ["bridge=xenbr0"], second_vif("many"), 0x84),
        Station("aside", one, ["bridge=inside"], f"ip addr add {ASIDE}/24 dev eth0", 0x85),
    ]


def guarded_stations(guests):
    one, two = guests
    for guest in guests:
        guest.run(MODULES)
    return [
        Station("by", one, ["bridge=xenbr0"], f"ip addr add {BY}/24 dev eth0", 0x91),
        Station("other", two, ["bridge=xenbr0"], f"ip addr add {OTHER}/24 dev eth0", 0x92),
        Station("many", two, ["bridge=xenbr0"], "", 0x93),
        Station("many-2", two, ["bridge=xenbr0"], second_vif("many"), 0x94),
        Station("kept", two, ["bridge=xenbr0", f"ip={KEPT}"], "", 0x95),
        Station("kept-2", two, ["bridge=xenbr0", f"ip={KEPT_2}"], second_vif("kept"), 0x96),
    ]


EVERYBODY = {"wire": WIRE_IP, "other": OTHER}


def by_reaches(world):
    return world.reaches("by", EVERYBODY)


# A guest that bridges two of its vifs, which are in one bridge.

def bridge_up(is_stp):
    """Of eth0 and eth1; without spanning tree the ports forward at once."""
    words = "stp_state 1 forward_delay 200 hello_time 100" if is_stp else "stp_state 0 forward_delay 0"
    return (f"ip link add br0 type bridge {words}; ip link set br0 up; ip link set eth0 master br0 up; "
            "ip link set eth1 master br0 up; ")


def to_all(world):
    """How often a broadcast of `by` comes to the wire and to another guest."""
    mac = world.stations["by"].mac
    got = world.volley("by", {"once": lambda m: raw.eth(raw.BROADCAST, mac, raw.LOCAL, m)}, ["other"])
    return f"wire {seen(got['nic'])}, other {seen(got['other'])}"


def spanning_tree(world):
    """Until its ports are in states that last; then a broadcast must not come twice."""
    settled = f"'{FORWARDING} {BLOCKING} '|'{FORWARDING} {FORWARDING} ') break;;"
    states = world.stations["many"].output(
        bridge_up(True) + "for i in $(seq 150); do s=$(cat /sys/class/net/br0/brif/*/state | sort | "
        f"tr '\\n' ' '); case $s in {settled} esac; sleep 0.1; done; echo \"$s\"", timeout=40)
    names = {FORWARDING: "forwarding", BLOCKING: "blocking"}
    text = " ".join(names.get(state, state) for state in states.split()[-2:])
    answer = f"{text}; {to_all(world)}" if BLOCKING in states else text  # not in a storm
    world.stations["many"].run("ip link del br0")
    return answer


def aside_up(world):
    """Ferry's own address in that bridge is a word of extra=."""
    if world.kind == "linux":
        world.domain.run(f"ip addr replace {ASIDE_DOMAIN}/24 dev inside")


def storm(name, asked):
    """The loop without spanning tree for a while: whom others reach meanwhile, and `by` afterwards, once all
    have spoken: in a storm any station is learned at the loop's ports, as behind any bridge.

    asked: {station: {label: address}}
    """
    def ask(world):
        guest, by = world.stations[name], world.stations["by"]
        aside_up(world)
        loop = guest.start(bridge_up(False) + f"echo up; sleep {STORM_S}; ip link set eth1 down; "
                           "ip link del br0; ip link set eth1 up; echo over")
        wait_said(loop, "up", 20)
        before, since = world.wire.counts()["from_nic"]["frames"], time.monotonic()
        frame = raw.eth(raw.BROADCAST, by.mac, raw.LOCAL, b"storm")
        by.run("frames send eth0", stdin=frame.hex().encode() + b"\n", check=True)
        during = ", ".join(f"{who} reaches {world.reaches(who, whom)}" for who, whom in asked.items())
        nr = world.wire.counts()["from_nic"]["frames"] - before
        rate = nr / (time.monotonic() - since)
        wait_said(loop, "over", 60)
        print(f"topology: {world.kind}: {name}: {rate:.0f} frames a second on the wire", flush=True)
        for speaker in ("wire", "other"):
            world.reaches(speaker, {"by": BY})
        after = world.reaches("by", EVERYBODY)
        return f"{'a storm' if rate > STORM_FROM else 'no storm'}, {during}; afterwards {after}"
    return ask


def wait_said(session, word, limit):
    deadline = time.monotonic() + limit
    while word not in session.stdout:
        expect(time.monotonic() < deadline, f"no '{word}' within {limit} s: {session.stdout[-300:]}")
        time.sleep(0.05)


# A guest that says it is the gateway.

def gateway_mac(world):
    return world.wire.run("cat /sys/class/net/wire0/address").stdout.strip()


def stolen_frame(world, source):
    """What a guest with this address sends in the gateway's name."""
    return raw.eth(raw.BROADCAST, gateway_mac(world), raw.IPV4,
                   raw.ipv4(source, "10.77.0.255", raw.udp(1000, 1001, b"stolen")))


def stolen_once(world):
    """One frame; the gateway is found again as soon as it speaks."""
    to_wire = {"wire": WIRE_IP}
    world.reaches("by", to_wire)  # nobody has to ask for its address
    line = stolen_frame(world, OTHER).hex().encode() + b"\n"
    world.stations["other"].run("frames send eth0", stdin=line, check=True)
    lost = world.reaches("by", to_wire)
    world.wire.run(f"ping -c 1 -W 1 {BY}", check=False)
    return f"{lost}; once it has spoken: {world.reaches('by', to_wire)}"


def stolen_always(name, source):
    """A frame each millisecond."""
    def ask(world):
        line = stolen_frame(world, source).hex()
        thief = world.stations[name].start(f"echo {line} | frames repeat eth0 2.5")
        time.sleep(0.3)
        answer = world.reaches("by", {"wire": WIRE_IP})
        expect(" frames" in thief.wait(20).stdout, "frames were not sent")
        world.wire.run(f"ping -c 1 -W 1 {BY}", check=False)
        return answer
    return ask


def honest(world):
    """The same from a guest with ip=, which no word of extra= helps. Behind Linux: topology_rows_filter."""
    world.attach([Station("honest", world.guests[1], ["bridge=xenbr0", f"ip={HONEST}"],
                          f"ip addr add {HONEST}/24 dev eth0", 0x86)])
    return stolen_always("honest", HONEST)(world)


def refused(name, reason):
    """The driver domain's console counts them."""
    def ask(world):
        station = world.stations[name]
        vif = rf"vif{station.guest.domid}\.{station.devid}"
        match = world.lab.wait_console(world.name, rf"{vif}: frames refused so far: .*{reason} (\d+)", 15)
        return "counted" if int(match[1]) else match[0]
    return ask


# A guest that is a router: TCP in long frames with blank checksums comes in by one vif and leaves by another.

def router_up(world):
    world.stations["many"].run(
        f"ip addr add {ROUTER_INNER}/24 dev eth0; ip addr add {ROUTER}/24 dev eth1; "
        f"ip route add default via {WIRE_IP}; echo 1 > /proc/sys/net/ipv4/ip_forward; "
        "iptables -t nat -A POSTROUTING -o eth1 -j MASQUERADE", check=True)


def through_router(ask):
    """The answer, and whether the checksums of what the router then sent over the wire are right."""
    def asked(world):
        path = world.wire.capture(f"frames-{world.kind}")
        answer = ask(world)
        world.wire.capture_stop()
        return f"{answer}, {sums.verdict(sums.captured(path), [world.stations['many-2'].mac])}"
    return asked


def routed_tcp(world):
    router_up(world)
    statistics = "cd /sys/class/net/eth0/statistics; echo $(cat rx_bytes rx_packets)"
    before = list(map(int, world.stations["many"].output(statistics).split()))
    answer = world.transfer("by", "wire", INTERNET_IP)
    after = list(map(int, world.stations["many"].output(statistics).split()))
    nr = after[1] - before[1]
    print(f"topology: {world.kind}: the router took {nr} packets of {(after[0] - before[0]) // nr} bytes",
          flush=True)
    return answer


def routed_udp(world):
    """Datagrams of 1400 bytes, both ways."""
    answers = []
    for way in ("", "-R"):
        server = world.wire.popen(["iperf3", "-s", "-1", "-B", INTERNET_IP, "-p", "5341", "--forceflush"],
                                  stdout=-1)
        line = ""
        while "listening" not in line:
            line = server.stdout.readline()
            expect(line, "iperf3 does not listen")
        said = world.stations["by"].output(f"timeout 15 iperf3 -c {INTERNET_IP} -p 5341 -u -b 2M -l 1400 "
                                           f"-k 100 {way}", timeout=30)
        server.kill()
        match = re.search(r"(\d+)/(\d+) \([^)]*\)\s+receiver", said)
        answers.append("all" if match and match[1] == "0" else match[0] if match else "nothing")
    return " ".join(answers)


FILTERED = "Linux: topology `filter`, where the stock rules do not look at MACs"
ASIDE_ASKED = {"aside": {"the driver domain": ASIDE_DOMAIN}}
ROWS = [
    Row("by reaches", by_reaches, "wire other"),
    Row("a guest bridges two vifs of one bridge, with STP", spanning_tree,
        "forwarding blocking; wire once, other once"),
    Row("the same without STP", storm("many", ASIDE_ASKED),
        "a storm, aside reaches the driver domain; afterwards wire other"),
    Row("one frame in the gateway's name: by reaches", stolen_once, "nobody; once it has spoken: wire"),
    Row("one in each ms, of a guest with ip=: by reaches", honest, "wire", ferry_only=FILTERED),
    Row("they are counted", refused("honest", "mac"), "counted", ferry_only="on its console"),
    Row("a guest routes with MASQUERADE: TCP both ways", through_router(routed_tcp), "sums match, right"),
    Row("UDP through it, both ways", through_router(routed_udp), "all all, right"),
    *TUNNEL_ROWS,
]

TOPOLOGY = Topology("bridge", f"bridge=xenbr0,uplink=nic0 bridge=inside,address={ASIDE_DOMAIN}/24",
                    stations, ROWS, title="guests that bridge, route, tunnel")

GUARDED_ROWS = [
    Row("by reaches", by_reaches, "wire other"),
    Row(f"a guest's loop without STP, storm={STORM_LIMIT}, pin= of the gateway",
        storm("many", {"by": {"wire": WIRE_IP}}), "no storm, by reaches wire; afterwards wire other"),
    Row("a guest's loop of vifs with ip=", storm("kept", {"by": EVERYBODY}),
        "no storm, by reaches wire other; afterwards wire other"),
    Row("pin= of the gateway, and frames in its name", stolen_always("other", OTHER), "wire"),
    Row("they are counted", refused("other", "station"), "counted"),
]


def guarded(gateway):
    return Topology("guarded", f"bridge=xenbr0,uplink=nic0,pin={gateway},storm={STORM_LIMIT}",
                    guarded_stations, GUARDED_ROWS, kinds=("ferry",),
                    title=f"the same guests with storm={STORM_LIMIT} and pin= (Ferry only)")
