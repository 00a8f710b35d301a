# SPDX-License-Identifier: BSD-2-Clause
"""dom0: commands, files, and the consoles of all domains."""
import os
import shlex
import socket
import threading
import time
from pathlib import Path

from . import paths
from .channel import Channel, unescape
from .errors import CommandFailed, LabError, LabTimeout
from .limits import deadline_in

DEFAULT_TIMEOUT_S = 60


class Runner:
    """What dom0, guests and network namespaces have in common: `run()`."""

    name = "?"

    def start(self, command, on_output=None):
        raise NotImplementedError

    def run(self, command, timeout=DEFAULT_TIMEOUT_S, silence=None, check=True, stdin=None):
        """Run a shell command to its end; CommandFailed unless it ends with 0."""
        session = self.start(command)
        if stdin is not None:
            session.feed(stdin)
        session.feed_eof()
        result = session.wait(timeout, silence)
        if check and result.rc:
            raise CommandFailed(self.name, command, result)
        return result

    def output(self, command, **options):
        return self.run(command, **options).stdout.strip()


class Dom0(Runner):
    name = "dom0"

    def __init__(self, machine):
        self._machine = machine
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(machine.run_dir / "agent.sock"))
        self.channel = Channel("dom0", self._socket.sendall, machine.check_alive)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_greeting(self, limit):
        """Until its agent answers, after a boot."""
        deadline = deadline_in(limit)
        with self.channel.news:
            while not self.channel.greeted:
                self._machine.check_alive()
                if time.monotonic() > deadline:
                    raise LabTimeout(f"dom0's agent did not greet within {limit} s; "
                                     f"see {self._machine.serial_log}")
                self.channel.news.wait(0.5)

    def start(self, command, on_output=None):
        return self.channel.run(command, on_output)

    def put(self, source, target, timeout=120):
        """Copy a file of this machine (or bytes) into dom0."""
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
        mode = 0o755 if not isinstance(source, bytes) and os.access(source, os.X_OK) else 0o644
        quoted = shlex.quote(str(target))
        self.run(f"mkdir -p $(dirname {quoted}) && cat > {quoted}.part && "
                 f"chmod {mode:o} {quoted}.part && mv {quoted}.part {quoted}",
                 timeout=timeout, stdin=data)

    def get(self, source, target=None, timeout=120):
        """Copy a file out of dom0; returns its bytes if no target is named."""
        session = self.start(f"cat {shlex.quote(str(source))}")
        result = session.wait(timeout)
        if result.rc:
            raise CommandFailed(self.name, f"cat {source}", result)
        data = bytes(session.output["out"])
        if target is None:
            return data
        Path(target).write_bytes(data)
        return None

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._reader.join(2)
        self._socket.close()

    def _read(self):
        while True:
            try:
                data = self._socket.recv(1 << 18)
            except OSError:
                data = b""
            if not data:
                break
            self.channel.receive(data)
        with self.channel.news:
            self.channel.broken = "the line to its agent was closed (did QEMU end?)"
            self.channel.news.notify_all()


class Consoles:
    """Every console that xenconsoled logs, as files on this machine while it grows."""

    def __init__(self, dom0, run_dir):
        self._dir = run_dir
        self._lock = threading.Condition()
        self._texts = {}
        self._listeners = {}
        self._partial = b""
        self._session = dom0.start(f"exec {paths.DOM0_TOOLS}/follow {paths.DOM0_CONSOLES}",
                                   self._take)

    def text(self, domain):
        with self._lock:
            return bytes(self._texts.get(domain, b"")).decode(errors="replace").replace("\r", "")

    def listen(self, domain, receive):
        """Hand all that a console printed, and will print, to `receive(bytes)`."""
        with self._lock:
            self._listeners.setdefault(domain, []).append(receive)
            receive(bytes(self._texts.get(domain, b"")))

    def unlisten(self, domain, receive):
        with self._lock:
            self._listeners.get(domain, []).remove(receive)

    def wait_change(self, seconds):
        with self._lock:
            self._lock.wait(seconds)

    def _take(self, kind, data):
        if kind != "out":
            raise LabError(f"following the consoles failed: {data.decode(errors='replace')}")
        lines = (self._partial + data).split(b"\n")
        self._partial = lines.pop()
        with self._lock:
            for line in lines:
                name, _, text = line.partition(b"\t")
                self._append(name.decode(), unescape(text))
            self._lock.notify_all()

    def _append(self, file_name, data):
        domain = file_name.removeprefix("guest-").removesuffix(".log")
        self._texts.setdefault(domain, bytearray()).extend(data)
        with open(self._dir / f"console-{domain}.log", "ab") as log:
            log.write(data)
        for receive in self._listeners.get(domain, []):
            receive(data)
