# SPDX-License-Identifier: BSD-2-Clause
"""Checksums on every way through the driver domain: bridged, with VLAN tags, routed, by NAT; to the wire,
from it, and between guests.

A blank one comes out right (or blank still, at a guest whose interface is told so), a right one right, a wrong
one wrong by just as much, UDP's 0 as 0; everything else of a frame is compared byte by byte with what it
should be there.
"""
import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import topology_packets as pk
from ferry_domnet import expect
from topology_checksum_cases import CASES, Case
from topology_frames import BROADCAST, IPV4, LOCAL, eth, mac_bytes
from topology_rows_vlan import LOAD_8021Q
from topology_world import ROUTER_IP, ROUTER_IP6, WIRE_IP, WIRE_IP6, Station, World

IN_CHECK = False  # for its time; bad_checksum, topology and the unit tests have the plain ways
EXTRA = (f"bridge=xenbr0,uplink=nic0,address={ROUTER_IP}/24,gateway={WIRE_IP},"
         f"address6={ROUTER_IP6}/64,gateway6={WIRE_IP6},"
         "forward=tcp:8080:192.168.77.2:80,forward=udp:8080:192.168.77.2:80")
FAR, FAR6 = "198.51.100.9", "fd00:99::9"  # behind the gateway, which answers nothing for it
# Nobody's: bridges do not look at them.
HERE, THERE, HERE6, THERE6 = "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"
FLAT, FLAT6 = "10.77.0.60", "fd00:77::60"
R1, R2, R1_6, R2_6 = "10.77.0.40", "10.77.0.41", "fd00:77::40", "fd00:77::41"
N1, N2 = "192.168.77.2", "192.168.77.3"
WIRE_MAC = "02:00:00:00:77:01"
GUEST_ROUTER_MAC = "fe:ff:ff:ff:ff:ff"
OUTSIDE_PORT, INSIDE_PORT = 8080, 80
FIRST_NUMBER = 20000  # of ports, each case's own
LIMIT_S = 15
A10, TRUNK10, TRUNK20 = "10.77.10.20", "10.77.10.22", "10.77.20.22"
HEAD_LEN = 64  # what the wire's log has of a frame
NIC = "nic"
WIRE = "wire"


def stations(guests):
    one, two = guests
    ovs, router = "script=vif-openvswitch", "script=vif-route"
    for guest in guests:
        guest.run(LOAD_8021Q, check=False)
    tagged = "; ".join(f"ip link add link eth0 name eth0.{vid} type vlan id {vid}; ip link set eth0.{vid} up; "
                       f"ip addr add {ip}/24 dev eth0.{vid}" for vid, ip in ((10, TRUNK10), (20, TRUNK20)))
    # Without a route it answers ARP and neighbour solicitations, and nothing else.
    flat = f"ip addr add {FLAT}/32 dev eth0; ip addr add {FLAT6}/128 dev eth0 nodad"
    return [Station(name, guest, vif, f"ethtool -K eth0 gro off; {setup}", number)
            for number, (name, guest, vif, setup) in enumerate((
                ("flat", one, ["bridge=xenbr0"], flat),
                ("flat2", two, ["bridge=xenbr0"], "true"),
                ("a10", one, [ovs, "bridge=xenbr0.10"], f"ip addr add {A10}/24 dev eth0"),
                ("b10", two, [ovs, "bridge=xenbr0.10"], "true"),
                ("trunk", two, [ovs, "bridge=xenbr0:10:20"], tagged),
                ("r1", one, [router, f"ip={R1} {R1_6}"], "true"),
                ("r2", two, [router, f"ip={R2} {R2_6}"], "true"),
                ("n1", one, ["script=vif-nat", f"ip={N1}"], "true"),
                ("n2", two, ["script=vif-nat", f"ip={N2}"], "true")), 0x91)]


@dataclass
class Way:
    """From a station (or the wire) to another (or what leaves the NIC)."""
    name: str
    sender: str
    receiver: str
    into: tuple  # destination MAC, source MAC, tags
    out: tuple
    addresses: tuple
    out_addresses: tuple = None
    hops: int = 0
    ports: tuple = (None, None)  # None: the case's number
    out_ports: tuple = (None, None)
    cases: str = "full"  # of CASES
    keeps_id: bool = True  # what may be cut gets another identification by NAT (RFC 6864, 5.3.1)
    answers: str = ""  # the way that opened the flows
    big: bool = False

    @property
    def v6(self):
        return ":" in self.addresses[0]


def _bridged(name, sender, receiver, macs, tags, out_tags, cases=("full", "few"), **more):
    src, dst = macs
    versions = (("", (HERE, THERE)), (" IPv6", (HERE6, THERE6)))
    return [Way(name + version, sender, receiver, (dst, src, tags), (dst, src, out_tags), addresses,
                cases=which, **more) for which, (version, addresses) in zip(cases, versions)]


def _routed(name, sender, receiver, into, out, addresses, **more):
    return Way(name, sender, receiver, (*into, ()), (*out, ()), addresses, hops=1, **more)


def ways(world):
    mac = {name: station.mac for name, station in world.stations.items()}
    nic, gateway = world.nic_mac, world.wire.run("cat /sys/class/net/wire0/address").stdout.strip()
    out, back = (nic, WIRE_MAC), (gateway, nic)

    def up(name):
        return (GUEST_ROUTER_MAC, mac[name])

    def down(name):
        return (mac[name], GUEST_ROUTER_MAC)
    masked, opened = (ROUTER_IP, FAR), "n1 to the wire by NAT"
    inside, outside = (None, INSIDE_PORT), (None, OUTSIDE_PORT)
    few, few_both, full_both = ({"cases": which} for which in ("few", ("few", "few"), ("full", "full")))
    return [
        *_bridged("flat to the wire", "flat", NIC, (mac["flat"], WIRE_MAC), (), (), **full_both),
        *_bridged("a10 to the wire", "a10", NIC, (mac["a10"], WIRE_MAC), (), (10,)),
        *_bridged("a10 with a priority tag to the wire", "a10", NIC, (mac["a10"], WIRE_MAC), (0,), (10,), **few_both),
        *_bridged("trunk to the wire", "trunk", NIC, (mac["trunk"], WIRE_MAC), (20,), (20,), big=True,
                  **full_both),
        *_bridged("trunk with two tags to the wire", "trunk", NIC, (mac["trunk"], WIRE_MAC), (20, 30),
                  (20, 30), **few_both),
        _routed("r1 to the wire", "r1", NIC, up("r1"), back, (R1, FAR)),
        _routed("r1 to the wire IPv6", "r1", NIC, up("r1"), back, (R1_6, FAR6)),
        _routed(opened, "n1", NIC, up("n1"), back, (N1, FAR), out_addresses=masked, keeps_id=False, big=True),
        *_bridged("flat to flat2", "flat", "flat2", (mac["flat"], mac["flat2"]), (), ()),
        *_bridged("a10 to b10", "a10", "b10", (mac["a10"], mac["b10"]), (), (), **few_both),
        *_bridged("a10 to trunk", "a10", "trunk", (mac["a10"], mac["trunk"]), (), (10,)),
        *_bridged("trunk to a10", "trunk", "a10", (mac["trunk"], mac["a10"]), (10,), (), big=True),
        *_bridged("trunk with two tags to a10", "trunk", "a10", (mac["trunk"], mac["a10"]), (10, 30), (30,),
                  **few_both),
        _routed("r1 to r2", "r1", "r2", up("r1"), down("r2"), (R1, R2)),
        _routed("r1 to r2 IPv6", "r1", "r2", up("r1"), down("r2"), (R1_6, R2_6)),
        _routed("r1 to flat", "r1", "flat", up("r1"), (mac["flat"], nic), (R1, FLAT), **few),
        _routed("r1 to flat IPv6", "r1", "flat", up("r1"), (mac["flat"], nic), (R1_6, FLAT6), **few),
        _routed("flat2 to r1", "flat2", "r1", (nic, mac["flat2"]), down("r1"), ("10.77.0.61", R1), **few),
        _routed("n1 to n2", "n1", "n2", up("n1"), down("n2"), (N1, N2)),
        _routed("n1 to flat by NAT", "n1", "flat", up("n1"), (mac["flat"], nic), (N1, FLAT),
                out_addresses=(ROUTER_IP, FLAT), keeps_id=False),
        *_bridged("the wire to flat", WIRE, "flat", (WIRE_MAC, mac["flat"]), (), ()),
        *_bridged("the wire to a10", WIRE, "a10", (WIRE_MAC, mac["a10"]), (10,), ()),
        *_bridged("the wire to trunk", WIRE, "trunk", (WIRE_MAC, mac["trunk"]), (20,), (20,), **full_both),
        *_bridged("the wire to trunk with two tags", WIRE, "trunk", (WIRE_MAC, mac["trunk"]), (20, 30), (20, 30),
                  **few_both),
        *_bridged("the wire to a10 with two tags", WIRE, "a10", (WIRE_MAC, mac["a10"]), (10, 30), (30,), **few_both),
        _routed("the wire to r1", WIRE, "r1", out, down("r1"), (FAR, R1)),
        _routed("the wire to r1 IPv6", WIRE, "r1", out, down("r1"), (FAR6, R1_6)),
        _routed("the wire to n1, answers", WIRE, "n1", out, down("n1"), (FAR, ROUTER_IP),
                out_addresses=(FAR, N1), answers=opened),
        _routed("the wire to n1 by a port", WIRE, "n1", out, down("n1"), (FAR, ROUTER_IP), ports=outside,
                out_addresses=(FAR, N1), out_ports=inside),
        _routed("n1 to the wire, answers of a port", "n1", NIC, up("n1"), back, (N1, FAR), ports=inside[::-1],
                out_addresses=masked, out_ports=outside[::-1], keeps_id=False,
                answers="the wire to n1 by a port", **few),
    ]


@dataclass
class Sent:
    """A case on a way: what goes in and what should come out."""
    way: Way
    case: Case
    number: int
    packet: pk.Packet = None
    expected: pk.Packet = None
    caught: list = field(default_factory=list)

    def __post_init__(self):
        way, case = self.way, self.case
        base = pk.Packet(way.v6, *way.addresses, case.protocol, *(port or self.number for port in way.ports),
                         pk.noise(self.number, case.size_on(way)), self.number, extra=case.extra,
                         tcp_options=case.tcp_options, may_fragment=not case.mss)
        src, dst = way.out_addresses or way.addresses
        sport, dport = (port or self.number for port in way.out_ports)
        outer = {"src": src, "dst": dst, "sport": sport, "dport": dport, "ttl": base.ttl - way.hops}
        if case.zero == "in":
            base = base.zero_sum()
        if case.zero == "out":
            base = replace(base, payload=replace(base, **outer).zero_sum().payload)
        self.packet, self.expected = base, replace(base, **outer)

    @property
    def name(self):
        return f"{self.way.name}: {self.case.name}"

    def _field(self):
        return {"blank": self.packet.blank, "right": self.packet.right, "wrong": self.packet.wrong,
                "zero": lambda: 0}[self.case.kind]()

    def frames(self):
        """(struct virtio_net_hdr as five numbers, the frame), as a station sends them."""
        case, packet = self.case, self.packet
        head = pk.l2(*self.way.into, self.way.v6)
        if case.fragment:
            parts = packet.fragments(self._field(), case.fragment)
            if case.kind == "blank":
                l4_at = len(head) + packet.l3_head_len() + (8 if self.way.v6 else 0)
                return [(f"1 {l4_at} {packet.csum_offset} 0 0", head + parts[0])]
            lines = [("0 0 0 0 0", head + l3) for l3 in parts]
            return lines[::-1] if case.is_reversed else lines
        if case.mss and self.way.sender == WIRE:
            nr = -(-len(packet.payload) // case.mss)
            pieces = [packet.piece(n, 1, case.mss) for n in range(nr)]
            return [("", head + p.l3(p.l4(p.wrong() if n == case.damaged else p.right())))
                    for n, p in enumerate(pieces)]
        frame = head + packet.l3(packet.l4(self._field()))
        if case.is_padded:
            frame = frame.ljust(60 + len(head) - 14, b"\0")
        if case.kind != "blank":
            return [("0 0 0 0 0", frame)]
        gso = (pk.GSO_TCPV6 if self.way.v6 else pk.GSO_TCPV4) if case.mss else pk.GSO_NONE
        return [(f"1 {len(head) + packet.l3_head_len()} {packet.csum_offset} {gso} {case.mss}", frame)]

    def judge(self):
        """Returns (what is wrong or None, the most pieces that came as one)."""
        case, head = self.case, pk.l2(*self.way.out, self.way.v6)
        residue = self.packet.residue(self._field())
        if not case.arrives:
            return ("arrived" if self.caught else None), 1
        if not self.caught:
            return "did not arrive", 1
        if case.mss:
            return pk.pieces_differ(head, self.expected, case.mss, case.damaged, self.caught)
        if case.fragment:
            parts = sorted(self.caught, key=lambda part: part.fragment[1] if part.fragment else -1)
            if not all(part.fragment for part in parts):
                return "not in fragments", 1
            return pk.fragments_differ(head, self.expected, case.kind, residue, case.fragment, parts,
                                       self.way.keeps_id), 1
        if len(self.caught) != 1:
            return f"arrived {len(self.caught)} times", 1
        return pk.whole_differs(head, self.expected, case.kind, residue, self.caught[0], self.way.keeps_id), 1


class Volleys:
    def __init__(self, world):
        self.world = world
        self.sent = {}  # by way
        self.wrong = []
        self._numbers = itertools.count(FIRST_NUMBER)
        receivers = sorted({way.receiver for way in ways(world)} - {NIC})
        self.since = time.monotonic_ns()
        self.capture = world.wire.capture("checksums")
        self.watches = {name: world.stations[name].start("exec frames watch-offload eth0 600")
                        for name in receivers}
        for name, watch in self.watches.items():
            self._wait(lambda w=watch: b"watching" in w.output["out"], f"{name} does not watch")

    def _wait(self, holds, what):
        deadline = time.monotonic() + LIMIT_S
        while not holds():
            if time.monotonic() > deadline:
                self.wrong.append(what)
                return False
            time.sleep(0.02)
        return True

    def _has_come(self, sent):
        """A frame without options, whose payload is its own."""
        if sent.way.receiver != NIC:
            return sent.packet.payload.hex().encode() in self.watches[sent.way.receiver].output["out"]
        at = 14 + 4 * len(sent.way.out[2]) + sent.expected.l3_head_len()
        ports = f"{sent.expected.sport:04x}{sent.expected.dport:04x}"[:2 * (HEAD_LEN - at)]
        return self.world.wire.gap(f"from_nic @{at}={ports}", after=self.since)["frames"]

    def _send(self, way, all_sent):
        frames = [frame for sent in all_sent for frame in sent.frames()]
        if way.sender == WIRE:
            for _, frame in frames:
                self.world.wire.inject(frame)
            return
        lines = "".join(f"{offload} {frame.hex()}\n" for offload, frame in frames)
        said = self.world.stations[way.sender].run("frames send-offload eth0", stdin=lines.encode(),
                                                   timeout=30)
        if said.stdout != f"{len(frames)} frames\n":
            self.wrong.append(f"{way.name}: could not send all: {said.stdout} {said.stderr}")

    def _number(self, way, case):
        if not way.answers:
            return next(self._numbers)
        free = self._free.setdefault((way.name, case.protocol), iter(
            [sent.number for sent in self.sent[way.answers]
             if sent.case.protocol == case.protocol and sent.case.arrives]))
        return next(free)

    def fly(self, way):
        """The first alone, for whom neighbours are asked; the last shows that all before it have come."""
        began = time.monotonic()
        self._free = {}
        edge = Case(pk.UDP, "right", 24)
        cases = [replace(edge, title="first"), *(case for case in CASES[way.cases] if case.is_for(way)),
                 replace(edge, title="last")]
        all_sent = self.sent[way.name] = [Sent(way, case, self._number(way, case)) for case in cases]
        for part in ([all_sent[0]], all_sent[1:]):
            self._send(way, part)
            if not self._wait(lambda last=part[-1]: self._has_come(last), f"{way.name}: no end"):
                return
        print(f"topology_checksums: {way.name}: {len(cases)} cases, {time.monotonic() - began:.1f} s",
              flush=True)

    def end(self):
        """Returns what came out where."""
        for watch in self.watches.values():
            watch.kill()
        self.world.wire.capture_stop()
        got = {name: pk.caught_lines(watch.stdout) for name, watch in self.watches.items()}
        theirs = {mac_bytes(WIRE_MAC), mac_bytes(self.world.wire.run(
            "cat /sys/class/net/wire0/address").stdout.strip())}
        got[NIC] = [caught for caught in pk.caught_pcap(self.capture.read_bytes())
                    if caught.data[6:12] not in theirs]
        return got

    def _assign(self, receiver, frames, by_key):
        """Each frame to the case whose it is. Returns those of our ports that are of none."""
        strange, firsts, later = [], {}, []
        last = FIRST_NUMBER + sum(len(all_sent) for all_sent in self.sent.values())
        for caught in frames:
            if caught.protocol not in (pk.TCP, pk.UDP):
                continue
            if caught.fragment and caught.fragment[1]:
                later.append(caught)
                continue
            if caught.ports is None:  # its header is cut off
                strange.append(caught)
                continue
            sent = by_key.get((receiver, *caught.key))
            if sent:
                sent.caught.append(caught)
                if caught.fragment:
                    firsts[caught.addresses, caught.fragment[0]] = sent
            elif any(FIRST_NUMBER <= port < last for port in caught.ports):
                strange.append(caught)
        for caught in later:
            sent = firsts.get((caught.addresses, caught.fragment[0]))
            (sent.caught if sent else strange).append(caught)
        return strange

    def judge(self):
        by_key = {(way_sent.way.receiver, *pk.key_of(way_sent.expected)): way_sent
                  for all_sent in self.sent.values() for way_sent in all_sent}
        for receiver, frames in self.end().items():
            strange = self._assign(receiver, frames, by_key)
            self.wrong += [f"{receiver}: nobody's: {caught.data[:80].hex()}" for caught in strange[:20]]
            if len(strange) > 20:
                self.wrong.append(f"{receiver}: {len(strange)} of nobody's")
        for name, all_sent in self.sent.items():
            results = [(sent, *sent.judge()) for sent in all_sent]
            bad = [f"{sent.name}: {wrong}" for sent, wrong, _ in results if wrong]
            as_one = max(most for _, _, most in results)
            blanks, verified = (sum(bool(caught.offload.flags & flag) for sent in all_sent
                                    for caught in sent.caught) for flag in (pk.NEEDS_CSUM, pk.DATA_VALID))
            print(f"topology_checksums: {name}: {len(results) - len(bad)} of {len(results)} right; "
                  f"{sum(len(sent.caught) for sent in all_sent)} frames, {blanks} of them blank, {verified} verified, "
                  f"at most {as_one} segments in one", flush=True)
            self.wrong += bad


def learn(world):
    """Bridges know where everybody is, so that nothing is flooded."""
    for tags in ((), (10,), (20,)):
        world.wire.inject(eth(BROADCAST, WIRE_MAC, LOCAL, b"here", tags))
    for name, tags in (("flat", ()), ("flat2", ()), ("a10", ()), ("b10", ()), ("trunk", (10,)),
                       ("trunk", (20,))):
        frame = eth(BROADCAST, world.stations[name].mac, LOCAL, b"here", tags)
        world.stations[name].run("frames send eth0", stdin=(frame.hex() + "\n").encode(), check=True)


def transfers(world):
    """TCP with segmentation inside a VLAN, both ways, and frames of full size with a tag."""
    wrong, since = [], time.monotonic_ns()
    for source, target, address in (("trunk", WIRE, "10.77.20.1"), ("a10", "trunk", TRUNK10)):
        answer = world.transfer(source, target, address, 1 << 20)
        if answer != "sums match":
            wrong.append(f"TCP {source} and {target}: {answer}")
    longest = {way: max((length for _, _, length, _ in
                         world.wire.dump(f"after={since} {way} minlen=1000 @12=8100", 100000)), default=0)
               for way in ("from_nic", "to_nic")}
    if set(longest.values()) != {1518}:
        wrong.append(f"longest tagged frames {longest}, not 1518 both ways")
    return wrong


def run(lab):
    with ThreadPoolExecutor(2) as pool:
        guests = [each.result() for each in [pool.submit(lab.guest, name) for name in ("guest1", "guest2")]]
    world = World(lab, "ferry", guests)
    world.wire.run("echo 0 > /proc/sys/net/ipv4/ip_forward")
    world.start("checksums", EXTRA)
    world.attach(stations(guests))
    wrong = transfers(world)
    learn(world)
    volleys = Volleys(world)
    for way in ways(world):
        volleys.fly(way)
    volleys.judge()
    wrong += volleys.wrong
    world.stop()
    expect(not wrong, f"{len(wrong)} things:\n" + "\n".join(wrong))
