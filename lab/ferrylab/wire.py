# SPDX-License-Identifier: BSD-2-Clause
"""One NIC's wire: a network namespace at its end, and what passed over it."""
import os
import re
import signal
import socket
import subprocess
import threading
import time

from .channel import Result
from .dom0 import DEFAULT_TIMEOUT_S
from .errors import CommandFailed, LabError, LabTimeout
from .limits import PATIENCE
from .process import run_host, spawn, stop

TAP = "wire0"
# Byte tests for filters (untagged Ethernet, IPv4 without options).
ARP = "@12=0806"
ICMP_REQUEST = "@12=0800 @23=01 @34=08"
ICMP_REPLY = "@12=0800 @23=01 @34=00"
UDP = "@12=0800 @23=11"
TCP = "@12=0800 @23=06"


def now_ns():
    """The clock of all of the wire's time stamps."""
    return time.monotonic_ns()


class Wire:
    """`run()` works in the namespace; the other methods ask the wire program."""

    def __init__(self, slot, program, run_dir, monitor, place):
        self.slot = slot
        self.netns = f"ferrylab{place}-{slot.name}"
        self.name = f"wire {slot.name}"
        self.ip = slot.wire_ip
        self.cable = run_dir / f"cable-{slot.name}.sock"
        self.log = run_dir / f"frames-{slot.name}.log"
        self._control = run_dir / f"wire-{slot.name}.sock"
        self._program = program
        self._run_dir = run_dir
        self._monitor = monitor
        self._process = None
        self._children = []

    @property
    def netdev(self):
        return f"stream,id=nic{self.slot.name},server=off,addr.type=unix,addr.path={self.cable}"

    def start(self):
        self._remove_netns()  # left behind by a lab that was killed hard; the place is ours
        run_host(["ip", "netns", "add", self.netns], "making a network namespace")
        with open(self._run_dir / f"wire-{self.slot.name}.log", "wb") as log:
            self._process = spawn(["ip", "netns", "exec", self.netns, str(self._program),
                                   str(self.cable), str(self._control), TAP, str(self.log)],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        if self._process.stdout.readline() != b"ready\n":
            raise LabError(f"the wire program did not start; see {self._run_dir}/"
                           f"wire-{self.slot.name}.log")
        for line in (f"addr add {self.ip}/24 dev {TAP}", f"link set {TAP} up", "link set lo up"):
            run_host(["ip", "-n", self.netns, *line.split()], "setting up the wire's end")

    def attach(self):
        """Called once QEMU runs."""

    def stop(self):
        for child in self._children:
            stop(child)
        stop(self._process)
        if self._process:
            self._process.stdout.close()
            self._remove_netns()

    def _remove_netns(self):
        """Whatever still runs in the namespace was started there by a scenario."""
        listed = subprocess.run(["ip", "netns", "pids", self.netns], capture_output=True, text=True,
                                check=False)
        for pid in listed.stdout.split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        subprocess.run(["ip", "netns", "del", self.netns], stderr=subprocess.DEVNULL, check=False)

    # Commands in the namespace.

    def popen(self, command, **options):
        """Start a command at the wire's end; it is ended with the lab."""
        if threading.current_thread() is not threading.main_thread():
            raise LabError("Wire.popen() must be called from the main thread, "
                           "whose end would otherwise take the child along")
        argv = ["ip", "netns", "exec", self.netns, *_argv(command)]
        child = spawn(argv, text=True, **options)
        self._children.append(child)
        return child

    def run(self, command, timeout=DEFAULT_TIMEOUT_S, check=True):
        """Run a command at the wire's end; CommandFailed unless it ends with 0."""
        argv = ["ip", "netns", "exec", self.netns, *_argv(command)]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout * PATIENCE,
                                  check=False, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired as late:
            raise LabTimeout(f"{self.name}: `{command}` did not end within {timeout} s") from late
        result = Result(done.returncode, done.stdout, done.stderr)
        if check and result.rc:
            raise CommandFailed(self.name, command, result)
        return result

    # The wire program.

    def ask(self, line):
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(30)
            link.connect(str(self._control))
            link.sendall(line.encode() + b"\n")
            answer = b"".join(iter(lambda: link.recv(1 << 16), b"")).decode()
        if answer.startswith("error"):
            raise LabError(f"{self.name}: `{line[:80]}`: {answer.strip()}")
        return answer

    def counts(self):
        """{'from_nic': {'frames': n, 'bytes': n}, 'to_nic': {...}}"""
        counts = {}
        for direction, frames, length in re.findall(r"(\w+_nic) frames=(\d+) bytes=(\d+)",
                                                    self.ask("counts")):
            counts[direction] = {"frames": int(frames), "bytes": int(length)}
        return counts

    def gap(self, filter_words="", after=0, before=None):
        """The longest time between two matching frames.

        A dict of ints: frames, first, last, gap, gap_start (all times in ns).
        `after`/`before` bound the frames and count as frames themselves, so an
        outage that lasts until `before` is seen too.
        """
        bounds = f"after={after}" + (f" before={before}" if before else "")
        found = {key: int(value) for key, value in
                 re.findall(r"(\w+)=(\d+)", self.ask(f"gap {bounds} {filter_words}"))}
        edges = [(after, found["first"] or before)] if after else []
        if before and found["frames"]:
            edges.append((found["last"], before))
        for start, end in edges:
            if end and end - start > found["gap"]:
                found["gap"], found["gap_start"] = end - start, start
        return found

    def dump(self, filter_words="", limit=1000):
        """Matching frames: (ns, direction, length, first 64 bytes)."""
        frames = []
        for line in self.ask(f"dump limit={limit} {filter_words}").splitlines():
            ns, direction, length, head = (line.split(" ") + [""])[:4]
            frames.append((int(ns), direction, int(length), bytes.fromhex(head)))
        return frames

    def inject(self, frame):
        """Put a raw frame (up to 64 KiB) into the NIC, as if it came from the wire."""
        self.ask(f"inject {frame.hex()}")

    def vlan(self, vid, address):
        """A station in a VLAN of the wire: a device wire0.VID with an address (A.B.C.D/L)."""
        self.ask(f"vlan {vid}")
        device = f"{TAP}.{vid}"
        for line in (f"addr add {address} dev {device}", f"link set {device} up"):
            run_host(["ip", "-n", self.netns, *line.split()], "setting up a VLAN's station")
        return device

    def capture(self, name):
        """Write whole frames to <run directory>/<name>.pcap from now on."""
        path = self._run_dir / f"{name}.pcap"
        self.ask(f"pcap {path}")
        return path

    def capture_stop(self):
        self.ask("pcap off")

    def link(self, up):
        """Plug the cable in, or pull it."""
        self._monitor(f"set_link nic{self.slot.name} {'on' if up else 'off'}")


class TapWire(Wire):
    """A wire whose end in the namespace is the kernel's own: a tap with virtio headers (Linux
    include/uapi/linux/virtio_net.h), in which the emulated NIC leaves checksums and the cutting of TCP
    frames to the kernel, as NICs of virtual machines do.

    No frame is time-stamped or kept; what this does not define here is not there.
    """

    @property
    def netdev(self):
        return (f"tap,id=nic{self.slot.name},ifname={self._made},script=no,downscript=no,"
                "vhost=off,vnet_hdr=on")

    @property
    def _made(self):
        """The tap's name while it is QEMU's only."""
        return self.netns

    def start(self):
        self._remove_netns()
        run_host(["ip", "netns", "add", self.netns], "making a network namespace")

    def attach(self):
        run_host(["ip", "link", "set", self._made, "netns", self.netns, "name", TAP], "moving a tap")
        for line in (f"addr add {self.ip}/24 dev {TAP}", f"link set {TAP} up", "link set lo up"):
            run_host(["ip", "-n", self.netns, *line.split()], "setting up the wire's end")

    def stop(self):
        for child in self._children:
            stop(child)
        self._remove_netns()

    def ask(self, line):
        raise LabError(f"{self.name} is a tap: it cannot `{line[:80]}`")

    def counts(self):
        """As the kernel counts: a long TCP frame that the NIC left uncut is one frame."""
        counted = {}
        for direction, kind in (("from_nic", "rx"), ("to_nic", "tx")):
            files = [f"/sys/class/net/{TAP}/statistics/{kind}_{what}" for what in ("packets", "bytes")]
            frames, length = self.run(["cat", *files]).stdout.split()
            counted[direction] = {"frames": int(frames), "bytes": int(length)}
        return counted

    def inject(self, frame):
        self.run(["python3", "-c", "import socket, sys\n"
                  "s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n"
                  f"s.bind(('{TAP}', 0))\ns.send(bytes.fromhex(sys.argv[1]))", frame.hex()])


def _argv(command):
    return ["sh", "-c", command] if isinstance(command, str) else list(command)
