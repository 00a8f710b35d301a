# SPDX-License-Identifier: BSD-2-Clause
"""One guest that attacks, and bystanders: their vifs, what they do all the time, and whether that goes on."""
import json
import re
import time
from pathlib import Path

import recovery_common as common
from ferry_domnet import expect
from topology_world import DNS_ANSWER, DNS_NAME, INTERNET_IP, ROUTER_IP, WIRE_IP, WIRE_IP6, Station, World

DNS_IP = "10.77.1.53"
# The bridge's network has room for a thousand addresses at which there is nobody: 10.77.4.0 and on.
EXTRA = (f"bridge=xenbr0,uplink=nic0,address={ROUTER_IP}/21,gateway={WIRE_IP},address6=fd00:77::2/64,"
         f"gateway6={WIRE_IP6},dns={DNS_IP}")
SINK_IP = "198.51.100.50"  # takes all and says nothing
PORT = 5360
ROUTER_MAC = "fe:ff:ff:ff:ff:ff"  # toward guests
ENDLESS = 10**12
PIECE = 64 << 10
ADDRESSES = {"flat": "10.77.0.60", "flat2": "10.77.0.61", "nat": "192.168.77.3", "routed": "10.77.0.67",
             "a-flat": "10.77.0.62", "a-nat": "192.168.77.9", "a-routed": "10.77.0.66"}
ADDRESSES6 = {"routed": "fd00:77::67", "a-routed": "fd00:77::66"}
NAT_ROUTERS = {"nat": "192.168.77.130", "a-nat": "192.168.77.136"}
# Whose connections go on, whatever the attacker does.
BYSTANDERS = ["flat", "nat", "routed"]
# What is sent to these is let through as an answer only: their flows are known, beside those of NAT guests.
POLICY = """[00:16:3e:77:10:67]
allow in proto icmp
default deny in
[00:16:3e:77:10:63]
default deny in
"""
PING = "ping -n -c 5 -i 0.1 -W 2"
ANSWERED = r"[45] (packets )?received"
NEW_HOSTS = range(10, 40)
LIMIT_S = 20
RECOVER_S = 10


def new_host(number):
    return f"10.77.1.{number}"


def new_host6(number):
    return f"fd00:77::1:{number}"


def stations(guests):
    one, two = guests

    def flat(name):
        return f"ip addr add {ADDRESSES[name]}/21 dev eth0"

    def nat(name):
        return (f"ip addr add {ADDRESSES[name]}/32 dev eth0; ip route add {NAT_ROUTERS[name]} dev eth0; "
                f"ip route add default via {NAT_ROUTERS[name]}")

    def routed(name):
        return (f"ip addr add {ADDRESSES[name]}/32 dev eth0; ip route add {ROUTER_IP} dev eth0; "
                f"ip route add default via {ROUTER_IP}; ip addr add {ADDRESSES6[name]}/128 dev eth0 nodad; "
                "ip route add default via fe80::fcff:ffff:feff:ffff dev eth0")

    def words(script, name):
        return [f"script={script}", f"ip={' '.join(d[name] for d in (ADDRESSES, ADDRESSES6) if name in d)}"]
    return [
        Station("a-flat", one, ["bridge=xenbr0"], flat("a-flat"), 0x61),
        Station("a-nat", one, words("vif-nat", "a-nat"), nat("a-nat"), 0x62),
        Station("a-routed", one, words("vif-route", "a-routed"), routed("a-routed"), 0x63),
        Station("flat", two, ["bridge=xenbr0"], flat("flat"), 0x64),
        Station("flat2", two, ["bridge=xenbr0"], flat("flat2"), 0x65),
        Station("nat", two, words("vif-nat", "nat"), nat("nat"), 0x66),
        Station("routed", two, words("vif-route", "routed"), routed("routed"), 0x67),
        Station("lease", two, ["script=vif-nat"], "", 0x68),
        Station("late", two, ["script=vif-nat"], "", 0x69),
    ]


def wait_for(holds, what, limit=LIMIT_S):
    """Returns how long it took, s."""
    began = time.monotonic()
    while not holds():
        expect(time.monotonic() < began + limit, f"{what}: not within {limit} s")
        time.sleep(0.1)
    return time.monotonic() - began


class Far:
    """The program at the wire's end."""

    def __init__(self, world):
        program = Path(__file__).with_name("topology_exhaustion_far.py")
        self._program = world.wire.popen(["python3", str(program), str(PORT), DNS_IP], stdin=-1, stdout=-1)
        expect(self._program.stdout.readline() == "ready\n", "the wire's end does not listen")

    def ask(self, command):
        print(command, file=self._program.stdin, flush=True)
        return json.loads(self._program.stdout.readline())


class Flood:
    """Frames without end of one station, which is the attacker's: `with Flood(...) as flood`."""

    def __init__(self, station, models, burst=8):
        self.station = station
        self._session = station.start(f"flood eth0 300 {burst}")
        self._session.feed("".join(f"{frame.hex()} {' '.join(fields)}\n" for frame, *fields in models).encode())
        self._session.feed_eof()
        self.began = time.monotonic()

    @property
    def sent(self):
        said = re.findall(r"^(\d+) frames$", self._session.stdout, re.MULTILINE)
        return int(said[-1]) if said else 0

    def reach(self, number, limit=60):
        wait_for(lambda: self.sent >= number, f"{self.station.name}: {number} frames", limit)

    def end(self):
        self.station.guest.run("killall flood", check=False)
        self._session.wait(10)
        self.seconds = time.monotonic() - self.began

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class Scene:
    def __init__(self, lab):
        self.lab = lab
        guests = [lab.guest(name) for name in ("attacker", "bystander")]
        self.world = World(lab, "ferry", guests)
        wire = self.world.wire
        # dnsmasq takes the addresses that there are when it starts.
        wait_for(lambda: f"{WIRE_IP}:53" in wire.run("ss -Hlun").stdout, "dnsmasq")
        wire.run(f"ip addr add {DNS_IP}/32 dev wire0; ip route add blackhole {SINK_IP}/32; " + "".join(
            f"ip addr add {new_host(number)}/32 dev wire0; ip addr add {new_host6(number)}/128 dev wire0 nodad; "
            for number in NEW_HOSTS))
        self.wire_mac = wire.run("cat /sys/class/net/wire0/address").stdout.strip()
        self.far = Far(self.world)
        self._start()
        self.world.attach(stations(guests))
        self._hosts = iter(NEW_HOSTS)
        self.wrong, self.times = [], []
        self.talks = {f"{name} {verb}": self.station(name).start(
            f"tcpsum {verb} {WIRE_IP} {PORT + 1} {ENDLESS}") for name in BYSTANDERS for verb in ("send", "recv")}
        wait_for(lambda: len(self._progress()) == len(self.talks) and all(self._progress().values()),
                 "connections at the beginning")

    def _start(self):
        """By `ferry start`, which gives the domain its policy."""
        common.install(self.lab)
        self.lab.dom0.run("mkdir -p /etc/ferry")
        self.lab.dom0.put(POLICY.encode(), "/etc/ferry/domnet.policy")
        self.world.domain = common.start(self.lab, common.config(self.lab, extra=EXTRA))
        self.lab.wait_console("domnet", "nic0: link up", timeout=20)
        self.domid = self.world.domain.domid

    def station(self, name):
        return self.world.stations[name]

    def hosts(self):
        """The address and the IPv6 address of one on the wire that nobody has talked to."""
        number = next(self._hosts)
        return new_host(number), new_host6(number)

    def check(self, holds, text):
        if not holds:
            self.wrong.append(text)

    # What bystanders do.

    def _progress(self):
        """Bytes of each connection that lasts; the attacker has none."""
        return self.far.ask("report")["flows"]

    def _go_on(self, when):
        before = self._progress()

        def stuck():
            now = self._progress()
            return [who for who in before if now.get(who, 0) < before[who] + PIECE]
        deadline = time.monotonic() + LIMIT_S
        while (left := stuck()) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.check(not left, f"{when}: of {len(before)} connections these stand still: {left}")
        ended = [name for name, talk in self.talks.items() if talk.rc is not None]
        self.check(not ended, f"{when}: ended: {ended}")

    def untouched(self, when, asked=()):
        """Do bystanders' connections go on, can they open new ones, do they reach others?

        asked: further (station's name, command, what it must print)
        """
        server = f"{WIRE_IP} {PORT}"
        began = time.monotonic()
        work = [(name, command, wanted) for name in BYSTANDERS for command, wanted in (
            (f"{PING} {WIRE_IP}", ANSWERED),
            (f"timeout {LIMIT_S} tcpsum send {server} {PIECE}", rf"^[0-9a-f]{{64}} {PIECE}$"))]
        work += [*asked, ("flat", f"{PING} {ADDRESSES['routed']}", ANSWERED)]
        sessions = [(name, command, wanted, self.station(name).start(command))
                    for name, command, wanted in work]
        said = {}
        for name, command, wanted, session in sessions:
            done = session.wait(2 * LIMIT_S)
            said[name, command] = done.stdout
            self.check(re.search(wanted, done.stdout, re.MULTILINE),
                       f"{when}: {name}: {command}: {(done.stdout + done.stderr)[-300:]}")
        report = self.far.ask("report")
        sums = {text for (_, command), out in said.items() if "tcpsum" in command for text in out.split("\n") if text}
        self.check(sums <= set(report["sums"]), f"{when}: OTHER SUMS: {sums - set(report['sums'])}")
        self._go_on(when)
        self.times.append(time.monotonic() - began)

    def recovers(self, case, name, address):
        """The attacker itself, soon."""
        took = wait_for(lambda: self.station(name).run(f"ping -n -c 1 -W 1 {address}").rc == 0,
                        f"{case}: {name} reaches {address} again", RECOVER_S)
        expect(self.world.domain.domid == self.domid, f"{case}: another domain")
        return took

    def resolves(self, name):
        said = self.station(name).run(f"timeout 5 nslookup {DNS_NAME} {NAT_ROUTERS[name]}").stdout
        return DNS_ANSWER in said

    def end(self):
        """Of each connection that lasted: both ends' sums."""
        self.far.ask("hurry")
        self.world.guests[1].run("killall -INT tcpsum")
        for name, talk in self.talks.items():
            wait_for(lambda talk=talk: talk.rc is not None, f"{name}: does not end")
            ours = talk.stdout.strip()
            wait_for(lambda ours=ours: ours and ours in self.far.ask("report")["sums"],
                     f"{name}: {ours!r} is not what the other end has", 5)
