# SPDX-License-Identifier: BSD-2-Clause
"""Processor time by domain, as Xen accounts for it (lab/tools/domain_times.c).

What Xen does for a hypercall, or in an interrupt, counts for the domain that ran meanwhile.
"""
from contextlib import contextmanager

from . import paths
from .process import run_host

_FLAGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"]
_TOOL = "/root/domain_times"
_NS = 1e9


class Processors:
    def __init__(self, lab):
        self._dom0 = lab.dom0
        tool = lab.run_dir / "domain_times"
        run_host(["gcc", *_FLAGS, "-o", str(tool), str(paths.LAB / "tools/domain_times.c"), "-lxenctrl"],
                 "compiling domain_times")
        self._dom0.put(tool, _TOOL)

    def now(self):
        """Seconds used so far, by domain id; "idle", the sum of all processors; "clock", when that was."""
        found = {}
        for line in self._dom0.output(_TOOL).splitlines():
            who, ns = line.split()
            found[int(who) if who.isdigit() else who] = int(ns) / _NS
        return found

    @contextmanager
    def counting(self, found):
        """Adds to `found` (a dict) what was used meanwhile; domains that came or went are left out."""
        before = self.now()
        yield
        after = self.now()
        found.update({who: after[who] - before[who] for who in after if who in before})
