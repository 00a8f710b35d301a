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


# What a PV domain's hypercalls run through in Xen: all of them, then some kinds; sched_op is going to sleep.
XEN_CALLS = {"hypercalls": "pv_hypercall", "grant copy hypercalls": "gnttab_copy",
             "notifications sent": "evtchn_send", "sched_op hypercalls": "do_sched_op"}


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
        self.lab = lab
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
        self.lab.dom0.run("xl set-parameters guest_loglvl=none")
        owners = bytearray(1)
        for number, name in enumerate(self._names, 1):
            domid = "0" if name == "Domain-0" else self.lab.dom0.output(f"xl domid {name}")
            for line in self.lab.dom0.output(f"{_PAGES} {domid}", timeout=120).splitlines():
                first, nr = map(int, line.split())
                if first + nr > len(owners):
                    owners.extend(bytes(first + nr - len(owners)))
                owners[first:first + nr] = bytes([number]) * nr
        self.lab.dom0.run("xl set-parameters guest_loglvl=all")
        path = self.lab.run_dir / "owners"
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
        starts = [address for address, _ in symbols]
        total = Counter()
        for address, instructions, times in self._blocks(name):
            at = bisect.bisect_right(starts, address) - 1
            total[symbols[at][1] if at >= 0 else "?"] += instructions * times
        return total.most_common()

    def xen_work(self, symbols):
        """How often Xen did what for the domain in focus, in the last counting(): {name: times}.

        A function is called as often as the block at its address is executed. Copies are the loop of
        gnttab_copy(), which has one turn for each: they are how often its most frequent block is executed.
        symbols: of Xen, as symbols_of() returns.
        """
        at = {name: address for address, name in symbols}
        copy_end = next(address for address, _ in symbols if address > at["gnttab_copy"])
        calls, copies = Counter(), Counter()
        for address, _, times in self._blocks("xen"):
            calls[address] += times
            if at["gnttab_copy"] <= address < copy_end:
                copies[address] += times
        found = {what: calls[at[function]] for what, function in XEN_CALLS.items()}
        return {**found, "grant copies": max(copies.values(), default=0)}

    def _blocks(self, name):
        """(address, instructions, times) of what a domain executed, or "xen" for the one in focus."""
        path = self.lab.run_dir / "blocks"
        self._say(f"blocks {path}")
        wanted = "xen" if name == "xen" else str(self._names.index(name) + 1)
        for line in path.read_text().splitlines():
            owner, address, instructions, times = line.split()
            if owner == wanted:
                yield int(address, 16), int(instructions), int(times)


def xen_program(lab):
    """Debian's Xen with its symbols, the same build that the lab boots."""
    found, = lab.built.images.parent.glob("tree-*/usr/lib/debug/boot/xen-syms-*-amd64")
    return found


def symbols_of(program):
    """Functions of an ELF file, by address."""
    found = []
    for line in run_host(["nm", "-n", str(program)], "reading symbols").splitlines():
        words = line.split()
        if len(words) == 3 and words[1] in "tT":
            found.append((int(words[0], 16), words[2]))
    return found
