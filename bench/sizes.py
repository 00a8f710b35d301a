# SPDX-License-Identifier: BSD-2-Clause
"""What does not change from round to round: images, memory, and the machine code that guests talk to.

Code is counted in bytes of executable sections, of what is loaded into the kernel that takes a guest's
requests: Ferry's whole image with DPDK in it; of Linux the kernel and the modules loaded at the time. Xen,
which all guests reach, and programs in user space, which no frame reaches, are not counted.
"""
import json
import re

import backends
import pair
from ferrylab.process import run_host

SIZES = "sizes"
FERRY = pair.ROOT / "build" / "kernel" / "second"
VIFS_MAX = 64
DROPPED = (".init", ".exit", ".alt")


def _text_bytes(program):
    """Executable sections of an ELF file, but what a Linux kernel drops after boot or patches from."""
    headers = run_host(["readelf", "-SW", str(program)], "reading section headers")
    return sum(int(size, 16) for name, size, flags in re.findall(
        r"^ *\[ *\d+\] (\S+) +\S+ +[0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) [0-9a-f]+ +(\w+)", headers, re.MULTILINE)
        if "X" in flags and "A" in flags and not name.startswith(DROPPED))


def _linux_text(lab, runner):
    """The running kernel's and its modules', in bytes."""
    tree, = (lab.built.images.parent).glob("tree-*")
    version = runner.output("uname -r")
    files = {path.stem.replace("-", "_"): path for path in (tree / "lib/modules" / version).rglob("*.ko")}
    loaded = [line.split()[0] for line in runner.output("cat /proc/modules").splitlines()]
    return _text_bytes(lab.built.images / "vmlinux") + sum(_text_bytes(files[name]) for name in loaded)


def _symbol_bytes(name):
    for line in run_host(["nm", "-S", str(FERRY)], "reading symbols").splitlines():
        words = line.split()
        if words[-1] == name:
            return int(words[1], 16)
    raise KeyError(name)


def measure(bench, boot, vif_kb):
    """boot: {label: seconds}; vif_kb: what a vif takes of a Linux driver domain's memory."""
    lab, by_label = bench.lab, {backend.label: backend for backend in bench.backends}
    packed = json.loads((lab.built.images / "sizes.json").read_text())
    image = {"ferry": (pair.ROOT / "build" / "ferry-net").stat().st_size,
             "linux": packed["kernel_packed"] + packed["initramfs_packed"]}
    text = {"ferry": _text_bytes(FERRY), "linux": _linux_text(lab, by_label["linux"].domain),
            "dom0": _linux_text(lab, lab.dom0)}
    rows = {"unpause to first vif connected, s": boot,
            "image (Linux: kernel and initramfs, packed), MB": {k: round(v / 1e6, 2) for k, v in image.items()},
            "memory given, MB": {label: by_label[label].domain.memory_mb() for label in ("ferry", "linux")},
            "memory for each vif, KB": {"ferry": round(_symbol_bytes("vif_table") / VIFS_MAX / 1024, 1), "linux": vif_kb},
            "code that guests' requests reach, MB of text": {k: round(v / 1e6, 2) for k, v in text.items()}}
    for name, values in rows.items():
        for label in backends.TITLES:
            if label in values:
                bench.note(SIZES, name, label, values[label])
