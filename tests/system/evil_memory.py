# SPDX-License-Identifier: BSD-2-Clause
"""The emulated machine's memory, as QEMU has it: where a canary is, and what is in it, whatever anybody inside says."""
import re

from ferrylab import LabError
from ferrylab.machine import RAM_GIB

PAGE = 4096
_CHUNK = 16 << 20
_KEY = 32  # bytes of a page that are looked at first
# Where QEMU's q35 puts RAM: 2 GiB below 4 GiB, the rest from there on (hw/i386/pc_q35.c, above_4g_mem_size).
_LOW = 2 << 30
_HIGH = 4 << 30


class Memory:
    """Machine addresses are Xen's."""

    def __init__(self, lab):
        pid = lab.machine.process.pid
        self._file = open(f"/proc/{pid}/mem", "rb", buffering=0)
        self._base = self._ram(pid)

    @staticmethod
    def _ram(pid):
        with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps:
            for line in maps:
                first, last = (int(word, 16) for word in re.match(r"(\w+)-(\w+)", line).groups())
                if last - first == RAM_GIB << 30:
                    return first
        raise LabError(f"QEMU has no mapping of {RAM_GIB} GiB: its memory cannot be looked at")

    def read(self, maddr, length):
        offset = maddr if maddr < _LOW else maddr - _HIGH + _LOW
        self._file.seek(self._base + offset)
        return self._file.read(length)

    def pages_of(self, *contents):
        """[(machine address, content)] of the pages that hold exactly one of these."""
        found, wanted = [], {content[:_KEY]: content for content in contents}
        for start in range(0, RAM_GIB << 30, _CHUNK):
            self._file.seek(self._base + start)
            chunk = self._file.read(_CHUNK)
            for at in range(0, _CHUNK, PAGE):
                content = wanted.get(chunk[at:at + _KEY])
                if content is not None and chunk[at:at + PAGE] == content:
                    offset = start + at
                    found.append((offset if offset < _LOW else offset - _LOW + _HIGH, content))
        return found

    def close(self):
        self._file.close()


class Canary:
    """A page of a file in somebody's memory (a tmpfs), found in the machine's."""

    def __init__(self, memory, runner, directory, word):
        """runner: dom0 or a guest; word: 16 characters that are nowhere else."""
        self.name, self.word, self._memory, self._runner = runner.name, word.encode(), memory, runner
        self._path = f"{directory}/canary"
        half = word[:8], word[8:]
        # In halves, so that no command line and no buffer holds the page itself.
        runner.run(f"i=0; while [ $i -lt {PAGE // 16} ]; do printf %s {half[0]}; printf %s {half[1]}; i=$((i+1)); done "
                   f"> {self._path}")
        self.maddr = self._find()

    @property
    def content(self):
        return self.word * (PAGE // len(self.word))

    def _find(self):
        """Pages like it may be in a buffer, too: only the file's own page changes with the file."""
        pages = [page for page, _ in self._memory.pages_of(self.content)]
        changed = b"#" + self.content[1:]
        self._runner.run(f"printf '#' 1<> {self._path}")
        found = [page for page in pages if self._memory.read(page, PAGE) == changed]
        self._runner.run(f"printf %s {chr(self.word[0])} 1<> {self._path}")
        if len(found) != 1 or not self.is_whole():
            raise LabError(f"the canary of {self.name} is at {[hex(page) for page in found]} of {len(pages)} pages")
        return found[0]

    def is_whole(self):
        """As its owner sees it."""
        return self._runner.output(f"cat {self._path}").encode() == self.content

    def holds(self):
        return self._memory.read(self.maddr, PAGE) == self.content and self.is_whole()
