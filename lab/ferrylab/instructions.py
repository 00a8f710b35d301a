# SPDX-License-Identifier: BSD-2-Clause
"""Counts executed instructions by domain: lab/plugin/instruction_count.c in the lab's QEMU.

A count does not depend on how busy this machine is. `with Lab(name, counts_instructions=True)`; the lab
is several times slower then.
"""
import bisect
import socket
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass

from . import paths
from .errors import LabError
from .process import run_host

_FLAGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"]
_SHARED = ["-shared", "-fPIC", "-fvisibility=hidden", "-lpthread"]
_PAGES = "/root/domain_pages"


def make_plugin(target):
    """Compile the plugin; returns its path."""
    plugin = target / "instruction_count.so"
    run_host(["gcc", *_FLAGS, "-o", str(plugin), str(paths.LAB / "plugin/instruction_count.c"), *_SHARED],
             "compiling instruction_count")
    return plugin


@dataclass
class Counts:
    """Of one domain: its own instructions, Xen's on behalf of it, and what string instructions repeated."""

    own: int = 0
    xen: int = 0
    repeats: int = 0


class InstructionCounter:
    """Speaks to the plugin of a running lab."""

    def __init__(self, lab):
        self._lab = lab
        self._names = []  # by owner's number less one
        tool = lab.run_dir / "domain_pages"
        run_host(["gcc", *_FLAGS, "-o", str(tool), str(paths.LAB / "plugin/domain_pages.c"), "-lxenctrl"],
                 "compiling domain_pages")
        lab.dom0.put(tool, _PAGES)
        link = socket.socket(socket.AF_UNIX)
        link.connect(str(lab.run_dir / "instructions.sock"))
        self._file = link.makefile("rw")

    def _say(self, command):
        self._file.write(command + "\n")
        self._file.flush()
        lines = []
        for line in self._file:
            line = line.strip()
            if line == "ok":
                return lines
            if line.startswith("error"):
                raise LabError(f"instruction_count: {command}: {line}")
            lines.append(line)
        raise LabError("instruction_count: QEMU is gone")

    def watch(self, names):
        """Tell these domains apart from now on; their memory must not change hands."""
        self._names = list(names)
        # Xen would say of each page that is not the domain's, slowly, that it is not.
        self._lab.dom0.run("xl set-parameters guest_loglvl=none")
        owners = bytearray(1)
        for number, name in enumerate(self._names, 1):
            domid = "0" if name == "Domain-0" else self._lab.dom0.output(f"xl domid {name}")
            for line in self._lab.dom0.output(f"{_PAGES} {domid}", timeout=120).splitlines():
                first, nr = map(int, line.split())
                if first + nr > len(owners):
                    owners.extend(bytes(first + nr - len(owners)))
                owners[first:first + nr] = bytes([number]) * nr
        self._lab.dom0.run("xl set-parameters guest_loglvl=all")
        path = self._lab.run_dir / "owners"
        path.write_bytes(owners)
        self._say(f"owners {path}")

    @contextmanager
    def counting(self, found, focus=None):
        """Count meanwhile; `found` (a dict) gets Counts by domain's name, and "others"."""
        if focus:
            self._say(f"focus {self._names.index(focus) + 1}")
        self._say("start")
        try:
            yield
        finally:
            self._say("stop")
        found.update({name: Counts() for name in [*self._names, "others"]})
        for line in self._say("totals"):
            owner, *numbers = map(int, line.split())
            found[self._names[owner - 1] if owner else "others"] = Counts(*numbers)

    def functions(self, name, symbols):
        """Instructions of a domain by function, most first: what the last counting() saw.

        symbols: [(address, name)] in order, as symbols_of() returns.
        """
        path = self._lab.run_dir / "blocks"
        self._say(f"blocks {path}")
        wanted = "xen" if name == "xen" else str(self._names.index(name) + 1)
        starts = [address for address, _ in symbols]
        total = Counter()
        for line in path.read_text().splitlines():
            owner, address, instructions, times = line.split()
            if owner != wanted:
                continue
            at = bisect.bisect_right(starts, int(address, 16)) - 1
            total[symbols[at][1] if at >= 0 else "?"] += int(instructions) * int(times)
        return total.most_common()


def symbols_of(program):
    """Functions of an ELF file, by address."""
    found = []
    for line in run_host(["nm", "-n", str(program)], "reading symbols").splitlines():
        words = line.split()
        if len(words) == 3 and words[1] in "tT":
            found.append((int(words[0], 16), words[2]))
    return found
