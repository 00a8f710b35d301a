# SPDX-License-Identifier: BSD-2-Clause
"""Where a NIC's refused reads went: frames of a capture that carry zeros where a sender had data.

`xl destroy` takes the NIC from a domain that still transmits. The emulated NIC takes a refused read for zeros, and sends the
frame (docs/recovery.md, "What `xl destroy` does to frames"). A transfer that is changed by that, and by nothing else, is told
from one that is changed otherwise: each changed byte must have been seen on the wire as such a zero, in a frame that left
after the domain was asked to go, and whose checksum is right.
"""
import re
import struct
from dataclasses import dataclass

_FILE_HEAD, _FRAME_HEAD = 24, 16
_NANOSECONDS = 0xa1b23c4d
_IPV4, _TCP, _SYN = b"\x08\x00", 6, 2
_RUN = 32  # so many zeros in a row are in no data of tcpsum's
_WORD = 8  # tcpsum tells of words
_TOLD_AT = 16  # its first bytes on a connection are the client's request
_CHANGED = re.compile(r"(\d+) bytes from (\d+) on are not those that were sent")


@dataclass(frozen=True)
class Zeros:
    """A run of zeros in a TCP frame's payload. Offsets in bytes, the end not included."""

    ns: int  # the wall clock
    ports: tuple  # from, to
    seq: int
    length: int  # of the payload
    begin: int
    end: int
    sum_is_right: bool

    def text(self):
        return (f"port {self.ports[0]}, seq {self.seq}: zeros from {self.begin} to {self.end} of {self.length} bytes, "
                f"checksum {'right' if self.sum_is_right else 'WRONG'}")


def _frames(path):
    data = memoryview(path.read_bytes())
    if struct.unpack_from("<I", data)[0] != _NANOSECONDS:
        raise ValueError(f"{path} is no capture of the wire program")
    at = _FILE_HEAD
    while at + _FRAME_HEAD <= len(data):
        seconds, ns, length, _ = struct.unpack_from("<IIII", data, at)
        at += _FRAME_HEAD
        yield seconds * 10 ** 9 + ns, bytes(data[at:at + length])
        at += length


def _sum_is_right(frame, tcp, end):
    segment = frame[tcp:end]
    words = frame[26:34] + struct.pack(">HH", _TCP, len(segment)) + segment + b"\0" * (len(segment) & 1)
    return sum(struct.unpack(f">{len(words) // 2}H", words)) % 0xffff == 0


def _zeros(ns, frame):
    tcp = 14 + (frame[14] & 15) * 4
    end = 14 + struct.unpack_from(">H", frame, 16)[0]
    source, target, seq = struct.unpack_from(">HHI", frame, tcp)
    payload = frame[tcp + (frame[tcp + 12] >> 4) * 4:end]
    for run in re.finditer(rb"\0{%d,}" % _RUN, payload):
        yield Zeros(ns, (source, target), seq, len(payload), run.start(), run.end(), _sum_is_right(frame, tcp, end))


class Capture:
    """What a capture has of refused reads. It must have begun before the connections that are asked for."""

    def __init__(self, path):
        self.zeros, self.blank, self.nr_frames, self._first = [], [], 0, {}
        for ns, frame in _frames(path):
            self.nr_frames += 1
            if frame[:12] == b"\0" * 12:
                self.blank.append(ns)  # its first fragment was refused: no addresses
            elif frame[12:14] == _IPV4 and frame[23] == _TCP and len(frame) >= 54:
                self._take(ns, frame)

    def _take(self, ns, frame):
        tcp = 14 + (frame[14] & 15) * 4
        if frame[tcp + 13] & _SYN:
            source, target, seq = struct.unpack_from(">HHI", frame, tcp)
            self._first.setdefault((source, target), seq + 1)
        if b"\0" * _RUN in frame:
            self.zeros += _zeros(ns, frame)

    def explains(self, told, port, after):
        """Is every change that tcpsum's server on a port tells of one of these zeros, since `after` (ns, the wall clock)?

        Returns (whether, as text: what was changed and what was seen).
        """
        changes = [(int(begin), int(begin) + int(nr)) for nr, begin in _CHANGED.findall(told)]
        seen = [zeros for zeros in self.zeros if zeros.ports[1] == port and zeros.ns >= after and zeros.sum_is_right]
        holds = bool(changes) and all(self._is_seen(change, seen) for change in changes)
        return holds, f"changed: {changes}; on the wire: {[zeros.text() for zeros in seen]}"

    def _is_seen(self, change, seen):
        """Zeros may end within a word, of which all is told; and neighbours may make one change."""
        at, end = change
        for begin, until in sorted(self._range(zeros) for zeros in seen):
            if begin < at + _WORD and until > at:
                at = until
        return at + _WORD > end

    def _range(self, zeros):
        """Where a run of zeros lies in the stream, as tcpsum counts."""
        first = self._first.get(zeros.ports)
        if first is None:
            return (0, 0)
        begin = (zeros.seq - first) % 2 ** 32 - _TOLD_AT + zeros.begin
        return begin, begin + zeros.end - zeros.begin
