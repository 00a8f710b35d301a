# SPDX-License-Identifier: BSD-2-Clause
"""Policies of routed and NAT vifs, and what policy.py leaves out of bridged ones: the same questions with a policy
that forbids nothing, with one that does, and with that after the driver domain's death at depths 1 and 3.
"""
import re
import time

import policy
import recovery_common as common
import topology_frames as raw
from ferry_domnet import expect
from topology_rows_nat import static
from topology_talks import SAID, Talk, greet, greeting
from topology_world import ROUTER_IP, VLANS, WIRE_IP, Station, World

IMAGE = "ferry-net-faults"
ROUTED, NAT, NAT_ROUTER = "10.77.0.61", "192.168.77.2", "192.168.77.129"
ANYBODY, FORBIDDEN = 7000, 7003  # ports of the wire's end
ASKED, CLOSED = 7001, 7002  # ports of guests
FORWARDS = {7004: 80, 7005: 81}  # ports outside, and of the NAT guest
EXTRA = ("bridge=xenbr0,uplink=nic0,address=10.77.0.2/24,gateway=10.77.0.1" +
         "".join(f",forward=tcp:{outside}:{NAT}:{port}" for outside, port in FORWARDS.items()) +
         " policy=required restarts=60")
NO_POLICY = "dom0 has no policy for it, and extra= says policy=required"
OUT_MBIT, IN_MBIT = 2, 3
MEASURED_S, SETTLE_S = 1.5, 1.5
UDP_CHECKSUM = (34, 6)  # where it begins, and where in it
SERVER = f"""
import select, socket
servers = [socket.create_server(("", port)) for port in ({ANYBODY}, {FORBIDDEN})]
print("up", flush=True)
IN_CHECK = False  # for its time; policy has what bridged vifs obey, the unit tests the rest
while True:
    for server in select.select(servers, [], [])[0]:
        peer = server.accept()[0]
        peer.sendall(b"{SAID}\\n")
        peer.close()
"""

RULES = {
    "routed": ["default deny in", f"allow in proto tcp remote {WIRE_IP} local-port {ASKED}",
               f"deny out proto tcp remote-port {FORBIDDEN}", f"rate out {OUT_MBIT}Mb/s",
               f"rate in {IN_MBIT}Mb/s"],
    "nat": ["default deny in", "allow in proto tcp local-port 80",
            f"deny out proto tcp remote-port {FORBIDDEN}", "deny out proto icmp"],
    "in-vlan": ["vlan 10p"],
    "finished": ["tx-checksum off"],
    "sender": [],
}

# What is asked, and the answers without and with these rules.
ANSWERS = {
    "routed asks the wire": ("yes", "yes"),
    "routed asks at the forbidden port": ("yes", "no"),
    "routed pings the wire": ("yes", "yes"),
    "the wire asks routed": ("yes", "yes"),
    "the wire asks routed at another port": ("yes", "no"),
    "the wire pings routed": ("yes", "no"),
    "nat asks the wire": ("yes", "yes"),
    "nat asks at the forbidden port": ("yes", "no"),
    "nat pings the wire": ("yes", "no"),
    "the wire asks nat's port 80 by a forward": ("yes", "yes"),
    "the wire asks nat's port 81 by a forward": ("yes", "no"),
    "in-vlan pings the wire": ("yes", "no"),
    "in-vlan pings the wire's VLAN 10": ("no", "yes"),
    "a blank checksum at finished": ("blank", "right"),
    "a vif without a policy": ("refused", "refused"),
}


def stations(guests):
    one, two = guests
    return [
        Station("routed", one, ["script=vif-route", f"ip={ROUTED}"], static(ROUTED, ROUTER_IP), 0x81),
        Station("nat", two, ["script=vif-nat", f"ip={NAT}"], static(NAT, NAT_ROUTER), 0x82),
        Station("sender", one, ["bridge=xenbr0"], "", 0x83),
        Station("finished", two, ["bridge=xenbr0"], "", 0x84),
        Station("in-vlan", two, ["bridge=xenbr0"],
                "ip addr add 10.77.0.85/24 dev eth0; ip addr add 10.77.10.85/24 dev eth0", 0x85),
    ]


def text_of(found, rules):
    """The file: a section for each vif."""
    return "".join(f"[{station.mac}]\n" + "".join(f"{line}\n" for line in rules.get(station.name, []))
                   for station in found)


def pings(address):
    return f"ping -n -c 3 -i 0.2 -W 1 {address} > /dev/null 2>&1 && echo {SAID}"


def asks(port):
    return f"timeout 5 nc {WIRE_IP} {port} < /dev/null"


class Scene:
    def __init__(self, lab):
        self.lab = lab
        guests = [lab.guest(name) for name in ("guest1", "guest2")]
        self.world = World(lab, "ferry", guests)
        self.world.domain = common.start(lab, common.config(lab, image=IMAGE, extra=EXTRA))
        lab.wait_console("domnet", "nic0: link up", timeout=20)
        self.stations = stations(guests)
        policy.load(lab, text_of(self.stations, {}))
        self.world.attach(self.stations)
        self._strangers = self._port = 0
        for port in (ASKED, CLOSED):
            greet(self.world.stations["routed"], port)
        for port in FORWARDS.values():
            greet(self.world.stations["nat"], port)
        server = self.world.wire.popen(["python3", "-c", SERVER], stdout=-1)
        expect(server.stdout.readline() == "up\n", "the wire's server does not listen")

    def _by_connections(self):
        """All at once: what is dropped is waited for."""
        world = self.world
        in_guests = {
            "routed asks the wire": ("routed", asks(ANYBODY)),
            "routed asks at the forbidden port": ("routed", asks(FORBIDDEN)),
            "routed pings the wire": ("routed", pings(WIRE_IP)),
            "nat asks the wire": ("nat", asks(ANYBODY)),
            "nat asks at the forbidden port": ("nat", asks(FORBIDDEN)),
            "nat pings the wire": ("nat", pings(WIRE_IP)),
            "in-vlan pings the wire": ("in-vlan", pings(WIRE_IP)),
            "in-vlan pings the wire's VLAN 10": ("in-vlan", pings(VLANS[10])),
        }
        on_wire = {
            "the wire asks routed": greeting(ROUTED, ASKED),
            "the wire asks routed at another port": greeting(ROUTED, CLOSED),
            "the wire pings routed": pings(ROUTED),
            **{f"the wire asks nat's port {port} by a forward": greeting(ROUTER_IP, outside)
               for outside, port in FORWARDS.items()},
        }
        sessions = {what: world.stations[name].start(command) for what, (name, command) in in_guests.items()}
        processes = {what: world.wire.popen(["sh", "-c", command], stdout=-1, stderr=-2)
                     for what, command in on_wire.items()}
        said = {what: session.wait(20).stdout for what, session in sessions.items()}
        said |= {what: process.communicate(timeout=20)[0] for what, process in processes.items()}
        return {what: "yes" if SAID in text else "no" for what, text in said.items()}

    def _checksum(self):
        """What becomes of a frame that `sender` leaves unfinished."""
        mac = {name: self.world.stations[name].mac for name in ("sender", "finished")}
        mark = raw.mark(f"checksum{time.monotonic_ns()}")
        packet = raw.ipv4("10.77.0.83", "10.77.0.84", raw.udp(1000, 1001, mark))
        pseudo = packet[12:20] + bytes([0, 17, 0, 8 + len(mark)])
        blank = 0xFFFF ^ raw.checksum(pseudo)
        packet = packet[:26] + blank.to_bytes(2, "big") + packet[28:]
        watch = self.world.stations["finished"].start("frames watch-offload eth0 30 @12=0800 @23=11")
        common.wait_for(lambda: "watching" in watch.stdout, "frames watch does not start", 10)
        line = " ".join(map(str, (1, *UDP_CHECKSUM, 0, 0, raw.eth(mac["finished"], mac["sender"], raw.IPV4,
                                                                  packet).hex())))
        self.world.stations["sender"].run("frames send-offload eth0", stdin=f"{line}\n".encode())
        wanted = re.compile(rf"^(\d+) .* ([0-9a-f]*{mark.hex()}[0-9a-f]*)$", re.MULTILINE)
        common.wait_for(lambda: wanted.search(watch.stdout), "the frame does not arrive", 10)
        flags, frame = wanted.search(watch.stdout).groups()
        watch.kill()
        is_right = raw.checksum(pseudo + bytes.fromhex(frame)[34:34 + 8 + len(mark)]) == 0
        return "blank" if int(flags) & 1 else "right" if is_right else "wrong"

    def _stranger(self):
        """A vif that no section names."""
        self._strangers += 1
        station = Station("stranger", self.world.guests[0], ["bridge=xenbr0"], "", 0x90 + self._strangers)
        self.world.attach([station], may_be_refused=True)
        if station.refused is None:
            return "served"
        return "refused" if NO_POLICY in station.refused else station.refused

    def wrong(self, when, is_held):
        """Answers that are other than they should be, as text."""
        found = self._by_connections()
        found["a blank checksum at finished"] = self._checksum()
        found["a vif without a policy"] = self._stranger()
        print(f"policy_routed: {when}: {found}", flush=True)
        expect(found.keys() == ANSWERS.keys(), "not all was asked")
        return [f"{when}: {what}: {found[what]}, not {both[is_held]}" for what, both in ANSWERS.items()
                if found[what] != both[is_held]]

    def talk(self):
        """Of the routed guest, both ways."""
        self._port += 10
        return Talk(self.world, "routed", WIRE_IP, 7100 + self._port)

    def wrong_rates(self, when, talk, is_held):
        """Of data in both directions; bursts are over by then."""
        time.sleep(SETTLE_S)
        since = time.monotonic_ns()
        time.sleep(MEASURED_S)
        until = time.monotonic_ns()
        words = (f"from_nic @36={talk.port:04x}", f"to_nic @34={talk.port + 1:04x}")
        out_mbit, in_mbit = (8e3 * sum(frame[2] for frame in self.world.wire.dump(
            f"{each} after={since} before={until}", 200000)) / (until - since) for each in words)
        print(f"policy_routed: {when}: {out_mbit:.1f} Mb/s out, {in_mbit:.1f} in", flush=True)
        return [f"{when}: {way} at {mbit:.1f} Mb/s" for way, mbit, limit in
                (("out", out_mbit, OUT_MBIT), ("in", in_mbit, IN_MBIT))
                if (not limit / 4 < mbit < 1.8 * limit if is_held else mbit < 2 * limit)]

    def end(self, when, talk):
        self.world.guests[0].run("killall -INT tcpsum", check=False)
        return [] if talk.end() else [f"{when}: OTHER SUMS"]

    def die(self, kind, depth):
        deaths = common.status(self.lab)["nr_deaths"]
        path = f"/local/domain/{self.world.domain.domid}/ferry/fault"
        self.lab.dom0.run("xl destroy domnet" if kind == "xl-destroy" else f"xenstore-write {path} '{kind} 1'",
                          timeout=60)
        common.wait_for(lambda: common.is_over(self.lab, deaths), f"{kind}: not back", 60)
        death = common.status(self.lab)["deaths"][-1]
        expect(death["depth"] == depth, f"{kind}: repaired at depth {death['depth']}, not {depth}")
        routed = self.world.stations["routed"]
        common.wait_for(lambda: SAID in routed.run(pings(WIRE_IP)).stdout, f"{kind}: no way to the wire", 20)


def holds(scene):
    """The questions, in the order in which the driver domain lives and dies."""
    wrong = scene.wrong("free", False)
    talk = scene.talk()
    wrong += scene.wrong_rates("free", talk, False) + scene.end("free", talk)
    policy.load(scene.lab, text_of(scene.stations, RULES))
    nat, in_vlan = (scene.world.stations[name] for name in ("nat", "in-vlan"))
    common.wait_for(lambda: not nat.run(pings(WIRE_IP)).stdout and not in_vlan.run(pings(WIRE_IP)).stdout,
                    "the rules do not hold", 10)
    wrong += scene.wrong("held", True)
    talk = scene.talk()
    wrong += scene.wrong_rates("held", talk, True)
    scene.die("null", 1)
    # The same connections: their flow is known, the rules alone would not let answers in.
    wrong += scene.wrong_rates("depth 1", talk, True) + scene.end("depth 1", talk)
    wrong += scene.wrong("depth 1", True)
    scene.die("xl-destroy", 3)
    talk = scene.talk()
    wrong += scene.wrong_rates("depth 3", talk, True) + scene.end("depth 3", talk)
    return wrong + scene.wrong("depth 3", True)


def run(lab):
    common.install(lab)
    common.prefer_dom0(lab)
    ferryd = common.supervise(lab, "--max-deaths 15 --window 1")
    try:
        wrong = holds(Scene(lab))
    finally:
        print(ferryd.stdout, flush=True)
    expect(not wrong, f"{len(wrong)} things:\n" + "\n".join(wrong))
