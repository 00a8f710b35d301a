# SPDX-License-Identifier: BSD-2-Clause
"""Compiles the lab's own programs."""
from .. import paths
from ..process import run_host

_FLAGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"]
_STATIC = {
    "agent": ["agent/agent.c", "agent/session.c", "agent/escape.c"],
    "flood": ["tools/flood.c"],
    "follow": ["agent/follow.c", "agent/escape.c"],
    "frames": ["tools/frames.c"],
    "rr": ["tools/rr.c"],
    "tcpsum": ["tools/tcpsum.c", "tools/sha256.c"],
}


def _compile(name, sources, target, flags):
    files = [str(paths.LAB / source) for source in sources]
    run_host(["gcc", *_FLAGS, *flags, "-o", str(target / name), *files], f"compiling {name}")


def make_static(target):
    """The programs that run inside the domains."""
    target.mkdir(parents=True, exist_ok=True)
    for name, sources in _STATIC.items():
        _compile(name, sources, target, ["-static"])


def make_wire(target):
    """The program on this machine at the other end of the NICs' cables."""
    target.mkdir(parents=True, exist_ok=True)
    sources = sorted(str(path.relative_to(paths.LAB)) for path in (paths.LAB / "wire").glob("*.c"))
    _compile("wire", sources, target, [])
