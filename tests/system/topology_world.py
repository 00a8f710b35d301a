# SPDX-License-Identifier: BSD-2-Clause
"""A driver domain of either kind with its wire, and stations: vifs of guests, each in a network
namespace of its own, so that a few guests stand for many.

Both wires have the same addresses, so that a row needs no word about which kind it runs on.
"""
import re
import shlex
import time

import ferry_domnet
from ferry_domnet import expect
from ferrylab import CheckFailed
from topology_frames import MARK_LEN, Frame, mark

WIRE_IP, WIRE_IP6 = "10.77.0.1", "fd00:77::1"
INTERNET_IP = "198.51.100.1"  # behind the wire's end
ROUTER_IP, ROUTER_IP6 = "10.77.0.2", "fd00:77::2"  # the driver domain's own
VLANS = {10: "10.77.10.1", 20: "10.77.20.1"}
DNS_NAME, DNS_ANSWER = "answer.test", "198.51.100.7"
LEASES = ("10.77.0.100", "10.77.0.120")
SUM_PORT = 5330
ATTACH_LIMIT_S = 90
# Linux would answer for any of its addresses on any of its devices.
STRICT_ARP = "echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore"
LISTEN_S = 0.6  # after the last frame was sent


class Station:
    """One vif of a guest: run() works in its namespace, where it is eth0."""

    def __init__(self, name, guest, vif, setup="", number=0):
        self.name, self.guest, self.vif, self.setup = name, guest, vif, setup
        self.mac = f"00:16:3e:77:10:{number:02x}"
        self.devid = self.refused = self.world = None

    def _command(self, command):
        return f"ip netns exec {self.name} sh -c {shlex.quote(command)}"

    def run(self, command, check=False, **options):
        return self.guest.run(self._command(command), check=check, **options)

    def output(self, command, **options):
        return self.run(command, **options).stdout.strip()

    def start(self, command):
        return self.guest.start("exec " + self._command(command))

    @property
    def backend_path(self):
        return f"{self.world.backend_path}/{self.guest.domid}/{self.devid}"

    @property
    def frontend_path(self):
        return f"/local/domain/{self.guest.domid}/device/vif/{self.devid}"


class World:
    """kind: "linux" or "ferry"."""

    def __init__(self, lab, kind, guests):
        self.lab, self.kind, self.guests = lab, kind, guests
        self.slot = "B" if kind == "linux" else "A"
        self.wire = lab.wire[self.slot]
        self.nic_mac = self.wire.slot.mac
        self.name = "domlinux" if kind == "linux" else "domnet"
        self.domain = None
        self.since = 0  # when the rows of this topology began, for the wire's log
        self.stations = {}  # those that were taken, by name
        self.attached = []  # the refused ones besides
        self._wire_setup()

    # The wire's end.

    def _wire_setup(self):
        self.wire.run(f"ip addr flush dev wire0; ip addr add {WIRE_IP}/24 dev wire0; "
                      f"ip addr add {WIRE_IP6}/64 dev wire0 nodad; ip addr add {INTERNET_IP}/32 dev lo; "
                      f"{STRICT_ARP}")
        for vid, address in VLANS.items():
            self.wire.vlan(vid, f"{address}/24")
        leases = self.lab.run_dir / f"leases-{self.slot}"
        self.wire.popen(
            f"exec dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --pid-file= "
            f"--interface=wire0 --bind-interfaces --no-hosts --no-resolv --no-ping "
            f"--dhcp-range={LEASES[0]},{LEASES[1]},255.255.255.0,1h --dhcp-leasefile={leases} "
            f"--dhcp-authoritative --dhcp-host={self.nic_mac},{ROUTER_IP} "
            f"--address=/{DNS_NAME}/{DNS_ANSWER} --log-dhcp --log-queries "
            f"--log-facility={self.lab.run_dir}/dnsmasq-{self.slot}.log")

    def frames(self, since, words="from_nic", limit=100000):
        return [Frame(head) for _, _, _, head in self.wire.dump(f"after={since} {words}", limit)]

    # The driver domain.

    def start(self, topology, extra, linux_words=""):
        """Linux goes over to a topology; Ferry gets a domain of its own for it."""
        if self.kind == "linux":
            if self.domain is None:
                self.domain = self.lab.linux_domnet(topology=topology, nic=self.slot)
            self.domain.run(f"topology {topology} {linux_words} 2>&1", timeout=40)
            self.lab.wait_console(self.name, "NIC Link is Up")
            return
        self.domain = ferry_domnet.start(self.lab, name=self.name, nic=self.slot, extra=extra)
        self.lab.wait_console(self.name, "nic0: link up", timeout=20)

    def stop(self):
        self.detach()
        if self.kind == "ferry" and self.domain:
            ferry_domnet.check_alive(self.lab, self.domain)
            self.domain.destroy()
            self.domain = None

    @property
    def backend_path(self):
        return f"/local/domain/{self.domain.domid}/backend/vif"

    # Stations.

    def attach(self, stations, may_be_refused=False):
        """`xl network-attach` of all; the guests move them to namespaces. Sets .refused to what the
        backend said of one that it does not take."""
        for station in stations:
            station.world = self
        # libxl ends a script after 40 s, which many at once may take on a busy machine.
        at_once = len(self.guests) if self.kind == "linux" else len(stations)
        by_guest = sorted(stations, key=lambda s: [t for t in stations if t.guest is s.guest].index(s))
        for first in range(0, len(stations), at_once):
            self._attach(by_guest[first:first + at_once])
        self.attached += [station for station in stations if station.devid is not None]
        taken = [station for station in stations if station.refused is None]
        expect(may_be_refused or len(taken) == len(stations), "refused: " + "; ".join(
            f"{s.name} ({' '.join(s.vif)}): {s.refused}" for s in stations if s.refused is not None))
        self.stations.update((station.name, station) for station in taken)
        for guest in self.guests:
            self._settle(guest, [station for station in taken if station.guest is guest])

    def _attach(self, stations):
        commands = {}
        for station in stations:
            words = " ".join(shlex.quote(word) for word in station.vif)
            commands.setdefault(station.guest.name, []).append(
                f"xl network-attach {station.guest.name} mac={station.mac} backend={self.name} {words}")
        # Guests at once, the vifs of one in order.
        script = "".join(f"( {'; '.join(each)} ) & " for each in commands.values()) + "wait"
        said = self.lab.dom0.run(f"{{ {script}; }} 2>&1", timeout=90, check=False).stdout
        self._wait_attached(stations, said)

    def _nodes(self):
        text = self.lab.dom0.run(f"xenstore-ls -f {self.backend_path}", check=False).stdout
        nodes = {}
        for path, value in re.findall(r'^(\S+) = "(.*)"$', text, re.MULTILINE):
            match = re.search(r"/backend/vif/(\d+)/(\d+)/(\S+)$", path)
            if match:
                nodes.setdefault((int(match[1]), int(match[2])), {})[match[3]] = value
        return nodes

    def _wait_attached(self, stations, said):
        """Until each is connected, or there is an error, or time is up."""
        deadline = time.monotonic() + ATTACH_LIMIT_S
        left = list(stations)
        while True:
            before = self._nodes()
            is_last = any("hotplug-error" in node for node in before.values()) and self._is_settled()
            nodes = {node.get("mac"): (where[1], node) for where, node in
                     (self._nodes() if is_last else before).items()}
            for station in list(left):
                station.devid, node = nodes.get(station.mac, (None, {}))
                if node.get("hotplug-status") == "connected" and node.get("state") == "4":
                    station.refused = None
                elif node.get("hotplug-error") and is_last or time.monotonic() > deadline:
                    station.refused = node.get("hotplug-error") or said.strip() or f"no answer: {node}"
                else:
                    continue
                left.remove(station)
            if not left:
                return
            # Each look costs xenstored time that the stock scripts wait for.
            time.sleep(1 if self.kind == "linux" else 0.1)

    def _is_settled(self):
        """The stock scripts' errors are not always their last word: vif-openvswitch cannot read the
        guest's name in a driver domain, says so, and goes on."""
        if self.kind == "ferry":
            return True
        running = "grep -ls '[s]cripts/vif-' /proc/[0-9]*/cmdline"
        return self.domain.run(running, check=False).stdout == ""

    def _settle(self, guest, stations):
        """Each vif, found by its address, into a namespace of its own as eth0."""
        if not stations:
            return
        lines = ["set -e", "mkdir -p /var/run",
                 "device() { for d in /sys/class/net/eth*; do "
                 'if [ "$(cat $d/address)" = $1 ]; then echo ${d##*/}; fi; done; }']
        for station in stations:
            lines += [f"ip netns add {station.name}",
                      f"ip link set $(device {station.mac}) netns {station.name} name eth0",
                      station._command(f"{STRICT_ARP}; ip link set lo up; ip link set eth0 up; "
                                       + station.setup)]
        guest.run("\n".join(lines), timeout=60)

    def detach(self):
        commands = {}
        for station in self.attached:
            name = station.guest.name
            commands.setdefault(name, []).append(f"xl network-detach {name} {station.devid}")
        script = "".join(f"( {'; '.join(each)} ) & " for each in commands.values()) + "wait"
        self.lab.dom0.run(script, timeout=180, check=False)
        for guest in self.guests:
            names = [s.name for s in self.stations.values() if s.guest is guest]
            if names:
                guest.run("; ".join(f"ip netns del {name}" for name in names), check=False)
        self.stations, self.attached = {}, []

    # What rows ask.

    def runner(self, name):
        return self.wire if name == "wire" else self.stations[name]

    def reaches(self, name, addresses, options=""):
        """Which of these answer a ping within 2 s: their labels in order, as text. addresses: {label: address}"""
        script = "".join(f"(ping -n -c 1 -i 0.2 -w 2 {options} {address} > /dev/null 2>&1 && "
                         f"echo @{label}) & " for label, address in addresses.items())
        said = self.runner(name).run(script + "wait", check=False, timeout=30).stdout
        return " ".join(label for label in addresses if f"@{label}\n" in said) or "nobody"

    def expired(self, name, target):
        """Who says of a ping that its TTL of 1 is used up."""
        said = self.runner(name).run(f"ping -n -c 1 -W 2 -t 1 {target}", check=False).stdout
        match = re.search(r"From (\S+) icmp_seq=1 Time to live exceeded", said)
        return match[1] if match else "no answer"

    def volley(self, sender, frames, receivers=(), words=""):
        """Send raw frames, a few times each; who got them?

        frames: {name: function of a mark that returns the frame}. words: what `frames watch` is to look for, on a
        busy vif. Returns {receiver: {name: [Frame]}}, with what left the NIC as "nic".
        """
        watches = {name: self.runner(name).start(f"frames watch eth0 30 {words}")
                   for name in receivers}
        for watch in watches.values():
            deadline = time.monotonic() + 10
            while "watching" not in watch.stdout:
                expect(time.monotonic() < deadline, "frames watch does not start")
                time.sleep(0.02)
        since = time.monotonic_ns()
        marks = {name: mark(f"{name}{since}") for name in frames}
        made = [make(marks[name]) for name, make in frames.items()]
        if sender == "wire":
            for frame in made:
                self.wire.inject(frame)
        else:
            lines = "".join(frame.hex() + "\n" for frame in made)
            self.runner(sender).run("frames send eth0", stdin=lines.encode(), check=True)
        time.sleep(LISTEN_S)
        got = {}
        for name, watch in watches.items():
            watch.kill()
            got[name] = [bytes.fromhex(line) for line in watch.stdout.splitlines()
                         if re.fullmatch(r"([0-9a-f]{2})+", line)]
        got["nic"] = [frame.data for frame in self.frames(since)]
        return {receiver: {name: [Frame(data) for data in all_data if marks[name] in data]
                           for name in frames} for receiver, all_data in got.items()}

    def transfer(self, source, target, address, nr_bytes=2 << 20, port=SUM_PORT):
        """tcpsum between two, both ways: "sums match", or what went wrong."""
        tool = str(self.lab.built.images / "tools" / "tcpsum")
        if target == "wire":
            server = self.wire.popen([tool, "serve", str(port), "2"], stdout=-1)
            expect(server.stdout.readline() == "listening\n", "tcpsum does not listen")
        else:
            server = self.runner(target).start(f"exec tcpsum serve {port} 2")
            deadline = time.monotonic() + 10
            while "listening" not in server.stdout:
                expect(time.monotonic() < deadline, "tcpsum does not listen")
                time.sleep(0.02)
        try:
            client = "tcpsum" if source != "wire" else tool
            ended = [self.runner(source).run(f"timeout 20 {client} {verb} {address} {port} {nr_bytes}",
                                             check=False, timeout=30) for verb in ("send", "recv")]
            said = [result.stdout.strip() for result in ended]
            if not all(re.fullmatch(rf"[0-9a-f]{{64}} {nr_bytes}", text) for text in said):
                print(f"topology: {self.kind}: {source} to {address}: {ended}", flush=True)
                return "no transfer"
            if target == "wire":
                theirs = server.communicate(timeout=10)[0].split("\n")[:2]
            else:
                theirs = server.wait(10).stdout.split("\n")[1:3]
            return "sums match" if said == theirs else "OTHER SUMS"
        finally:
            server.kill()


def seen(caught, names=None):
    """Of a volley's frames at one receiver: which came, and each once, as text."""
    texts = [name if len(frames) == 1 else f"{name}*{len(frames)}"
             for name, frames in caught.items() if frames and (names is None or name in names)]
    return " ".join(texts) or "nothing"
