# SPDX-License-Identifier: BSD-2-Clause
"""Measures what a guest and the wire notice of a driver domain's death; for Ferry and for its peer.

A guest has `Load`: checksummed TCP both ways at once, as fast as it goes, and pings every 2 ms, which
are numbered. `Window` is the time in which something happens to its driver domain; `Figures` is what
the wire program and the guest saw in it.
"""
import re
import subprocess
import time
from dataclasses import dataclass, field

from ferry_domnet import expect
from ferrylab import CheckFailed, LabTimeout
from ferrylab import wire as wires
from ferrylab.limits import deadline_in
from ferrylab.wire import now_ns

ENDLESS = 10**13
PING_S = 0.002
PING_LOG = "/tmp/ping.log"
SEND_PORT, RECV_PORT = 5310, 5311
DUMP_LIMIT = 200000
SEQ_AT = 40  # of an ICMP echo's number, from the frame's beginning


class Load:
    """Traffic of one guest, from now until end() or drop()."""

    def __init__(self, lab, guest, wire, light=False):
        """light: pings alone, which leave the processors to whoever is measured."""
        self.guest, self.wire = guest, wire
        # Its own frames: driver domains have things to say too when they start.
        self.sent = "from_nic @6=" + guest.output("cat /sys/class/net/eth0/address").replace(":", "")
        tool = str(lab.built.images / "tools" / "tcpsum")
        ways = () if light else (("send", SEND_PORT), ("recv", RECV_PORT))
        self._servers = [wire.popen([tool, "serve", str(port), "1"], stdout=-1, stderr=-2)
                         for _, port in ways]
        for server in self._servers:
            expect(server.stdout.readline() == "listening\n", "tcpsum does not listen")
        self._is_over = False
        self.told = {}  # by way: what the wire's end said of a transfer that was changed
        self.began = now_ns()
        self._ping = guest.start(f"exec ping -n -D -i {PING_S} -W 1 {wire.ip} > {PING_LOG} 2>&1")
        self._clients = [guest.start(f"exec tcpsum {verb} {wire.ip} {port} {ENDLESS}")
                         for verb, port in ways]

    def wait_flowing(self, limit=30):
        """Until frames of all three go both ways."""
        deadline = deadline_in(limit)
        words = [f"{self.sent} {wires.ICMP_REQUEST}"]
        if self._clients:
            words += [f"{self.sent} minlen=1000 {wires.TCP}", f"to_nic minlen=1000 {wires.TCP}"]
        while not all(self.wire.gap(w, after=self.began)["frames"] > 50 for w in words):
            expect(time.monotonic() < deadline, f"no traffic {limit} s after its start")
            time.sleep(0.05)

    def end(self, limit=30):
        """The ends of all three. Returns (bytes each way, whether the sums of both ends match)."""
        self._ask_to_end()
        total, same = [], True
        try:
            for client, server, way in zip(self._clients, self._servers, ("to wire", "to guest")):
                done = client.wait(limit)
                expect(done.rc == 0, f"the TCP connection {way} did not survive: {done.stderr}")
                texts = done.stdout, server.communicate(timeout=limit)[0]
                sums = [re.search(r"([0-9a-f]{64}) (\d+)", text) for text in texts]
                expect(all(sums), f"no checksums {way}: {texts}")
                if sums[0].groups() != sums[1].groups():
                    same, self.told[way] = False, texts[1]
                    print(f"changed on the way {way}: {texts} {done.stderr}", flush=True)
                total.append(int(sums[0][2]))
        except (LabTimeout, subprocess.TimeoutExpired) as late:
            raise CheckFailed(f"{self.guest.name}: a TCP connection hangs: {late}") from late
        finally:
            self._clear()
        return total, same

    def survives(self, limit=20):
        """The same for connections that need not: whether both survived, unchanged."""
        try:
            return self.end(limit)[1]
        except CheckFailed:
            return False

    def drop(self):
        """End it whatever its state; does nothing after end()."""
        if not self._is_over:
            self._ask_to_end()
            self._clear()

    def _ask_to_end(self):
        self.guest.run("killall -INT ping tcpsum", check=False)
        self._ping.wait(10)

    def _clear(self):
        self._is_over = True
        self.guest.run("killall -9 tcpsum 2>/dev/null", check=False)
        for server in self._servers:
            server.kill()
            server.wait()

    def replies(self):
        """(guest's clock in s, number) of each echo that came back, in order."""
        text = self.guest.output(
            rf"sed -n 's/^\[\([0-9.]*\)\].*icmp_seq=\([0-9]*\).* time=.*/\1 \2/p' {PING_LOG}")
        return [(float(at), int(seq)) for at, seq in map(str.split, text.splitlines())]


@dataclass
class Figures:
    """Times in ms. Nothing of the guest's came out of the NIC from `last_ns` on for `outage`."""

    outage: float  # of all its frames
    pings: float  # of the guest's pings, on the wire
    tcp: float  # of the guest's TCP frames, on the wire
    answers: float  # of answers to pings, in the guest
    last_ns: int
    lost_to_wire: int
    lost_to_guest: int
    duplicated: int
    mbytes: tuple = ()
    same: bool = True
    extra: dict = field(default_factory=dict)

    def text(self):
        return (f"outage {self.outage:.1f} ms (pings {self.pings:.1f}, TCP {self.tcp:.1f}, answers in "
                f"the guest {self.answers:.1f}), lost {self.lost_to_wire} to the wire and "
                f"{self.lost_to_guest} to the guest, {self.duplicated} twice")


class Window:
    """From now until close(): what the wire saw of one load."""

    def __init__(self, load):
        self.load = load
        self.began = now_ns()
        self.ended = None

    def close(self):
        self.ended = now_ns()

    def _gap(self, words):
        found = self.load.wire.gap(f"{self.load.sent} {words}", after=self.began, before=self.ended)
        return found["gap"] / 1e6, found["gap_start"]

    def figures(self):
        """After load.end(); numbers are those of the whole load, outages those of the window."""
        outage, last = self._gap("")
        sent, answered = (self._numbers(words) for words in
                          (f"{self.load.sent} {wires.ICMP_REQUEST}", f"to_nic {wires.ICMP_REPLY}"))
        replies = self.load.replies()
        expect(replies, "not one ping was answered")
        got = [seq for _, seq in replies]
        upto = set(range(1, max(got) + 1))
        return Figures(
            outage=outage, pings=self._gap(wires.ICMP_REQUEST)[0], tcp=self._gap(wires.TCP)[0],
            answers=1000 * max((b[0] - a[0] for a, b in zip(replies, replies[1:])), default=0),
            last_ns=last, lost_to_wire=len(upto - set(sent)),
            lost_to_guest=len(upto & set(answered) - set(got)),
            duplicated=len(sent) - len(set(sent)) + len(got) - len(set(got)))

    def _numbers(self, words):
        frames = self.load.wire.dump(f"{words} after={self.load.began}", limit=DUMP_LIMIT)
        return [int.from_bytes(head[SEQ_AT:SEQ_AT + 2], "big") for _, _, _, head in frames]


class StoreLog:
    """Every write and removal that xenstored was asked for, by its own log: nothing comes too quick."""

    FILE = "/var/log/xenstored.log"
    LINE = re.compile(r"^IN \S+ \S+ (\S+) (WRITE|RM|MKDIR) \((\S+) (.*?) ?\)$")

    def __init__(self, lab):
        self._lab = lab
        lab.dom0.run(f"xenstore-control logfile {self.FILE} && xenstore-control log on")
        self.mark()

    def listen(self, to_it):
        """The log slows xenstored down, which a rebuild waits for: without it where only time counts."""
        self._lab.dom0.run(f"xenstore-control log {'on' if to_it else 'off'}")

    def mark(self):
        self._from = int(self._lab.dom0.output(f"stat -c %s {self.FILE}"))

    def requests(self):
        """(verb, path, value) since the mark."""
        text = self._lab.dom0.output(f"tail -c +{self._from + 1} {self.FILE} | "
                                     "grep -aE ' (WRITE|RM|MKDIR) [(].*vif'", check=False)
        found = [self.LINE.match(line) for line in text.splitlines()]
        return [match.group(2, 3, 4) for match in found if match]

    def states(self, guest_domid, backend_domid):
        """What was written into the states of a guest's vifs: (by or for the guest, the backend).

        A domain writes its own by relative paths, which do not say whose: that of any guest counts
        for this one, and that of any driver domain. backend_domid may be a regular expression.
        """
        front = rf"(/local/domain/{guest_domid}/)?device/vif/\d+/state"
        back = rf"(/local/domain/{backend_domid}/)?backend/vif/{guest_domid}/\d+/state"
        writes = [(path, value) for verb, path, value in self.requests() if verb == "WRITE"]
        return tuple([value for path, value in writes if re.fullmatch(pattern, path)]
                     for pattern in (front, back))


def connected_throughout(store, watched, guest_domid, backend_domid, what):
    """CheckFailed if the guest was moved, or its backend closing. The log of both, as text.

    A frontend that is Connected (4) takes no notice of a backend that is Initialising or waits (2);
    Closing (5) and Closed (6) would end it.
    """
    front, back = store.states(guest_domid, backend_domid)
    seen = watched.values()
    if set(front) - {"4"} or set(back) & {"5", "6"} or set(seen) != {"4"}:
        raise CheckFailed(f"{what}: written into the frontend's state: {front}, the backend's: {back}; "
                          f"seen in the frontend: {seen}")
    return f"states written: frontend {front or 'none'}, backend {back or 'none'}"
