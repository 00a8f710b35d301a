# SPDX-License-Identifier: BSD-2-Clause
"""The host's end of the agent's protocol (lab/agent/agent.c)."""
import itertools
import re
import threading
import time
from dataclasses import dataclass

from .errors import LabError, LabTimeout
from .limits import PATIENCE, deadline_in

_ESCAPED = [b"\\x%02x" % code for code in range(256)]
for _code in range(0x20, 0x7F):
    _ESCAPED[_code] = bytes([_code])
_ESCAPED[ord("\\")] = b"\\\\"
# What one request carries; small enough for a console's buffers.
_FEED_CHUNK = 16384


def unescape(data):
    # Python's own escapes are a superset of the agent's, and decoded in C.
    return data.decode("unicode_escape").encode("latin-1")


def escape(data):
    return b"".join([_ESCAPED[code] for code in data])


@dataclass
class Result:
    rc: int
    stdout: str
    stderr: str


class Session:
    """One command under way."""

    def __init__(self, channel, number, what, on_output):
        self.channel = channel
        self.number = number
        self.what = what
        self.output = {"out": bytearray(), "err": bytearray()}
        self.rc = None
        self.why = ""
        self.last_sign = time.monotonic()
        self._on_output = on_output

    def feed(self, data):
        for start in range(0, len(data), _FEED_CHUNK):
            self.channel.send(self.number, "in", escape(data[start:start + _FEED_CHUNK]))

    def feed_eof(self):
        self.channel.send(self.number, "eof")

    def kill(self):
        self.channel.send(self.number, "kill")

    @property
    def stdout(self):
        return self.output["out"].decode(errors="replace")

    @property
    def stderr(self):
        return self.output["err"].decode(errors="replace")

    def wait(self, timeout, silence=None):
        """Wait for the end; `silence` limits the time without any output."""
        deadline = deadline_in(timeout)
        with self.channel.news:
            while self.rc is None:
                now = time.monotonic()
                quiet_until = self.last_sign + silence * PATIENCE if silence else deadline
                if now >= min(deadline, quiet_until):
                    break
                self.channel.check()
                self.channel.news.wait(min(deadline, quiet_until, now + 0.5) - now)
        if self.rc is None:
            self.kill()
            limit = f"{timeout} s" if time.monotonic() >= deadline else f"{silence} s without output"
            raise LabTimeout(f"{self.channel.name}: `{self.what}` did not end within {limit}; "
                             f"so far it printed:\n{(self.stdout + self.stderr)[-1500:]}")
        return Result(self.rc, self.stdout, self.stderr)

    def take(self, kind, data):
        """A frame for us; called with the channel's lock held."""
        self.last_sign = time.monotonic()
        if kind == "rc":
            code, _, why = data.decode(errors="replace").partition(" ")
            self.rc, self.why = int(code), why
            self.output["err"] += why.encode()
        elif self._on_output:
            self._on_output(kind, data)
        else:
            self.output[kind] += data


class Channel:
    """Sessions over one byte stream.  `write` sends bytes; feed `receive()`."""

    def __init__(self, name, write, check=lambda: None):
        self.name = name
        self.check_owner = check
        self.news = threading.Condition()
        self.greeted = False
        self.broken = None
        self._write = write
        self._write_lock = threading.Lock()
        self._sessions = {}
        # Numbers differ from any other channel to the same agent.
        self._numbers = itertools.count(time.time_ns() // 1000 % 10**9)
        self._partial = b""

    def run(self, command, on_output=None):
        return self._begin("run", command, on_output)

    def tty(self, command, on_output=None):
        """Like run(), on a terminal of its own."""
        return self._begin("tty", command, on_output)

    def open(self, path, on_output=None):
        return self._begin("open", path, on_output)

    def _begin(self, verb, text, on_output):
        session = Session(self, next(self._numbers), text, on_output)
        with self.news:
            self._sessions[session.number] = session
        self.send(session.number, verb, escape(text.encode()))
        return session

    def send(self, number, verb, data=b""):
        with self._write_lock:
            self._write(b"%d %s %s\n" % (number, verb.encode(), data))

    def receive(self, data):
        lines = (self._partial + data).split(b"\n")
        self._partial = lines.pop()
        frames = [frame for frame in map(_parse, lines) if frame]
        if not frames:
            return
        with self.news:
            for number, kind, payload in frames:
                self._deliver(number, kind, payload)
            self.news.notify_all()

    def _deliver(self, number, kind, payload):
        if kind == "ready":
            self.greeted = True
        session = self._sessions.get(number)
        if session:
            session.take(kind, payload)
            if kind == "rc":
                del self._sessions[number]

    def check(self):
        if self.broken:
            raise LabError(f"{self.name}: {self.broken}")
        self.check_owner()


_FRAME = re.compile(rb"@(\d+) (out|err|rc|ready) ([^\r]*)\r?$")


def _parse(line):
    match = _FRAME.match(line)
    if not match:
        return None
    try:
        return int(match[1]), match[2].decode(), unescape(match[3])
    except UnicodeError:
        return None  # a line of a console that only looked like a frame
