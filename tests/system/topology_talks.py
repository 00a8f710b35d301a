# SPDX-License-Identifier: BSD-2-Clause
"""Connections between stations and the wire that go on until they are told to end."""
import re
import time

import recovery_common as common
from ferry_domnet import expect
from topology_world import ROUTER_IP

ENDLESS = 10**13
# Where the wire's frames have TCP's port of the wire's end, by the kind of station.
UNTAGGED, TAGGED, IPV6 = 36, 40, 56
SOURCE_PORT = 34
SENT_MAX = 8
LISTEN_LIMIT_S = 40  # many connections at once leave a guest little time
SAID = "a new one"  # to who connects to what greets


class Talk:
    """TCP both ways at once between a station and the wire, checked by sums. The station connects: by port to
    send, by the next one to receive."""

    def __init__(self, world, name, address, port, offset=UNTAGGED):
        self.world, self.name, self.port, self.offset = world, name, port, offset
        self.station = world.stations[name]
        tool = str(common.tcpsum(world.lab))
        self._on_wire = [world.wire.popen([tool, "serve", str(port + way), "1"], stdout=-1, stderr=-2)
                         for way in (0, 1)]
        for server in self._on_wire:
            expect(server.stdout.readline() == "listening\n", "tcpsum does not listen")
        self._in_guest = [self.station.start(f"tcpsum {verb} {address} {port + way} {ENDLESS}")
                          for way, verb in enumerate(("send", "recv"))]

    def frames(self, since):
        """Frames of each connection that left the NIC: (what the station sends, acknowledgements)."""
        return [self.world.wire.gap(f"from_nic @{self.offset}={self.port + way:04x}", after=since)["frames"]
                for way in (0, 1)]

    def end(self):
        """Whether the sums match, once the guest's tcpsum was told to end."""
        said = []
        for in_guest, on_wire in zip(self._in_guest, self._on_wire):
            done = in_guest.wait(30)
            expect(done.rc == 0, f"{self.name}: a connection did not survive: {done.stderr}")
            theirs = on_wire.communicate(timeout=30)[0].strip().splitlines()[-1]
            said.append(done.stdout.strip().splitlines()[-1] == theirs)
        return all(said)

    def drop(self):
        for process in self._on_wire:
            process.kill()
            process.wait()


class ForwardedTalk(Talk):
    """The same by port forwards: the wire connects. Outside the ports are what they are inside."""

    def __init__(self, world, name, port):
        self.world, self.name, self.port, self.offset = world, f"{name} by forwards", port, SOURCE_PORT
        self.station = world.stations[name]
        tool = str(common.tcpsum(world.lab))
        self._in_guest = [self.station.start(f"exec tcpsum serve {port + way} 1") for way in (0, 1)]
        for server in self._in_guest:
            common.wait_for(lambda: "listening" in server.stdout, "tcpsum does not listen", LISTEN_LIMIT_S)
        self._on_wire = [world.wire.popen([tool, verb, ROUTER_IP, str(port + way), str(ENDLESS)],
                                          stdout=-1, stderr=-2)
                         for way, verb in enumerate(("recv", "send"))]


def greet(station, port):
    """Say something to each that connects to a station's port, from now on."""
    station.start(f"while :; do echo {SAID} | nc -l -p {port} > /dev/null; done")
    listens = re.compile(rf":{port:04X} 0+:0000 0A")
    common.wait_for(lambda: listens.search(station.run("cat /proc/net/tcp /proc/net/tcp6").stdout),
                    "nc does not listen", LISTEN_LIMIT_S)


def greeting(address, port):
    """A command for the wire's end that prints what is said there."""
    return f"timeout 5 bash -c 'exec 3<> /dev/tcp/{address}/{port} && cat <&3'"


def is_greeted(wire, address, port):
    return wire.run(greeting(address, port), check=False).stdout.strip() == SAID


class Isolated:
    """Two stations that must not reach each other: both send to the other, to all and with a tag, and watch."""

    def __init__(self, world, names):
        self.world, self._pair = world, [world.stations[name] for name in names]
        self._watches = [station.start("frames watch eth0 600") for station in self._pair]
        for watch in self._watches:
            common.wait_for(lambda: "watching" in watch.stdout, "frames watch does not start", LISTEN_LIMIT_S)

    def repeat(self, frames_of):
        """frames_of: of (station, the other) what it sends over and over."""
        for station, other in self._both():
            session = station.start("exec frames repeat eth0 600")
            session.feed("".join(frame.hex() + "\n" for frame in frames_of(station, other)).encode())
            session.feed_eof()

    def _both(self):
        return zip(self._pair, reversed(self._pair))

    def wrong(self, frame_to, since):
        """What is wrong, as text. frame_to: of a station a frame from the wire that it must see: the watch
        works. Once a second, a new one each time: under this load frames are lost, as on any wire."""
        found = []
        for (station, other), watch in zip(self._both(), self._watches):
            sent, began = [], time.monotonic()
            while not any(frame.hex() in watch.stdout for frame in sent):
                if len(sent) == SENT_MAX and time.monotonic() > began + SENT_MAX:
                    found.append(f"{station.name} sees none of {SENT_MAX} frames that the wire sends it")
                    break
                if len(sent) < SENT_MAX and time.monotonic() >= began + len(sent):
                    sent.append(frame_to(station))
                    self.world.wire.inject(sent[-1])
                time.sleep(0.1)
            if len(sent) > 1:
                print(f"{station.name} sees one of {len(sent)} frames from the wire", flush=True)
            number = sum(other.mac.replace(":", "") == line[12:24] for line in watch.stdout.splitlines())
            if number:
                found.append(f"{station.name} sees {number} frames of {other.name}")
            if not self.world.wire.gap(f"from_nic @6={station.mac.replace(':', '')}", after=since)["frames"]:
                found.append(f"{station.name} does not reach the wire")
        return found
