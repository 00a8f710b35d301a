# SPDX-License-Identifier: BSD-2-Clause
"""Builds what is missing or out of date: tree, images, saved state, wire program.

Each stage lies in build/lab/<stage>-<key>, the key being a hash of all its
inputs, so a stage is made once and an interrupted one is never taken for done.
"""
import gzip
import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .. import machine, paths, systemd
from ..errors import LabError
from ..lock import build_lock
from ..progress import say
from ..slots import MACHINES
from . import disk, initramfs, kernel, tools, tree

HOST_PROGRAMS = ("mmdebstrap", "qemu-system-x86_64", "qemu-img", "mke2fs", "depmod", "ldconfig",
                 "gcc", "ip", "iperf3", "chroot", "dnsmasq")


@dataclass(frozen=True)
class Built:
    """Where a complete build lies."""

    images: Path
    state: Path
    disk: Path
    wire: Path


def _digest(*parts):
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            for file in sorted(part.rglob("*")) if part.is_dir() else [part]:
                if file.is_file() and file.suffix != ".pyc":
                    total.update(str(file.relative_to(paths.LAB)).encode() + file.read_bytes())
        else:
            total.update(repr(part).encode())
    return total.hexdigest()[:12]


def _state(machine_name):
    """The stage of a machine's saved state."""
    return "state" if machine_name == "default" else f"state-{machine_name}"


def _stages():
    """Stage -> directory, for the inputs as they are now, in the order in which they are made."""
    code = paths.LAB / "ferrylab"
    tree_key = _digest(tree.PACKAGES, tree.SOURCES, code / "image/tree.py")
    images_key = _digest(tree_key, code / "image", paths.LAB / "agent", paths.LAB / "tools",
                         paths.LAB / "rootfs", paths.LAB / "examples")
    systemd_tree_key = _digest(systemd.PACKAGES, systemd.DROP, tree.SOURCES)
    systemd_key = _digest(systemd_tree_key, images_key, code / "systemd.py", paths.LAB / "systemd")
    version = subprocess.run([machine.QEMU, "--version"], capture_output=True, check=False).stdout
    states = {}
    for name, kind in MACHINES.items():
        hardware = machine.hardware_arguments(Path("images"), kind.slots, kind.xen_options)
        key = _digest(systemd_key if kind.has_systemd else images_key, hardware, version,
                      code / "image/state.py")
        states[_state(name)] = paths.BUILD / f"{_state(name)}-{key}"
    return {
        "tree": paths.BUILD / f"tree-{tree_key}",
        "images": paths.BUILD / f"images-{images_key}",
        "systemd-tree": paths.BUILD / f"systemd-tree-{systemd_tree_key}",
        "systemd-images": paths.BUILD / f"systemd-images-{systemd_key}",
        **states,
        "wire": paths.BUILD / f"wire-{_digest(paths.LAB / 'wire', code / 'image/tools.py')}",
    }


def _check_host():
    missing = [name for name in HOST_PROGRAMS if not shutil.which(name)]
    if missing:
        raise LabError(f"not installed: {', '.join(missing)}; "
                       f"apt-get install the packages in lab/packages.txt")
    if os.geteuid() != 0:
        raise LabError("the lab needs root (network namespaces, device files in images); use sudo")


def _make_images(stages, target):
    source = stages["tree"]
    say("images: programs, kernels, initramfs")
    tools.make_static(target / "tools")
    version = tree.kernel_version(source)
    kernel.unpack_vmlinuz(source / f"boot/vmlinuz-{version}", target / "vmlinux")
    os.link(target / "vmlinux", target / "dom0-vmlinux")
    kernel.unpack_gz(source / "boot/xen-4.17-amd64.gz", target / "xen")
    initramfs.make_dom0(source, target / "dom0.cpio")
    initramfs.make_guest(source, target / "tools", target / "guest.cpio")
    initramfs.make_domlinux(source, target / "tools", target / "domlinux.cpio")
    initramfs.make_domlinux_nics(source, target / "tools", target / "domlinux-nics.cpio")
    initramfs.make_topology(source, target / "tools", target / "domlinux-topology.cpio")
    _write_sizes(source, target)
    say("images: dom0's disk")
    disk.make(source, target)


def _write_sizes(source, target):
    """What the Linux driver domain weighs, packed as a distribution would ship it."""
    version = tree.kernel_version(source)
    initramfs_image = (target / "domlinux.cpio").read_bytes()
    sizes = {
        "kernel_packed": (source / f"boot/vmlinuz-{version}").stat().st_size,
        "kernel": (target / "vmlinux").stat().st_size,
        "initramfs_packed": len(gzip.compress(initramfs_image, 6)),
        "initramfs": len(initramfs_image),
    }
    (target / "sizes.json").write_text(json.dumps(sizes, indent=2) + "\n")


def _images(machine_name):
    """The stage of a machine's images."""
    return "systemd-images" if MACHINES[machine_name].has_systemd else "images"


def _make_state(machine_name, stages, target):
    from . import state  # it needs a whole lab, which needs this module

    kind = MACHINES[machine_name]
    say(f"{_state(machine_name)}: booting Xen and dom0 once, to save them (20-90 s)")
    state.make(stages[_images(machine_name)], target, kind)


def _make_stage(name, stages):
    target = stages[name]
    part = target.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    machines = {_state(machine_name): machine_name for machine_name in MACHINES}
    if name == "tree":
        say("tree: Debian packages (10-60 s, by the mirror's speed)")
        tree.make(part)
    elif name == "systemd-tree":
        say("systemd-tree: Debian with systemd, installed (1-3 minutes)")
        systemd.make_tree(part)
    else:
        part.mkdir(parents=True)
        if name == "images":
            _make_images(stages, part)
        elif name == "systemd-images":
            say("systemd-images: its disk")
            systemd.make_images(stages["systemd-tree"], stages["tree"], stages["images"], part)
        elif name == "wire":
            tools.make_wire(part)
        else:
            _make_state(machines[name], stages, part)
    part.rename(target)


def _remove_old(stages):
    wanted = set(stages.values())
    for name in stages:
        for path in paths.BUILD.glob(f"{name}-*"):
            if path not in wanted:
                shutil.rmtree(path)


def built(machine_name="default"):
    stages = _stages()
    state = stages[_state(machine_name)]
    return Built(stages[_images(machine_name)], state / "state", state / "base.qcow2", stages["wire"] / "wire")


def _needed(stages, machine_name):
    """The stages without what only other machines have."""
    others = {_state(name) for name in MACHINES if name != machine_name}
    if not MACHINES[machine_name].has_systemd:
        others |= {"systemd-tree", "systemd-images"}
    return {name: path for name, path in stages.items() if name not in others}


def is_complete(machine_name="default"):
    return all(path.exists() for path in _needed(_stages(), machine_name).values())


def ensure(machine_name="default"):
    """Build what a machine misses."""
    _check_host()
    if is_complete(machine_name):
        return built(machine_name)
    lock = build_lock()
    try:
        stages = _stages()
        for name, path in _needed(stages, machine_name).items():
            if not path.exists():
                _make_stage(name, stages)
        _remove_old(stages)
        say("build complete")
    finally:
        lock.release()
    return built(machine_name)
