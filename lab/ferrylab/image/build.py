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

from .. import machine, paths
from ..errors import LabError
from ..lock import LabLock
from ..progress import say
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


def _stages():
    """Stage -> directory, for the inputs as they are now."""
    code = paths.LAB / "ferrylab"
    tree_key = _digest(tree.PACKAGES, tree.SOURCES, code / "image/tree.py")
    images_key = _digest(tree_key, code / "image", paths.LAB / "agent", paths.LAB / "tools",
                         paths.LAB / "rootfs", paths.LAB / "examples")
    hardware = machine.hardware_arguments(Path("images"))
    version = subprocess.run([machine.QEMU, "--version"], capture_output=True, check=False).stdout
    state_key = _digest(images_key, hardware, version, code / "image/state.py")
    return {
        "tree": paths.BUILD / f"tree-{tree_key}",
        "images": paths.BUILD / f"images-{images_key}",
        "state": paths.BUILD / f"state-{state_key}",
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


def _make_stage(name, stages):
    from . import state  # it needs a whole lab, which needs this module

    target = stages[name]
    part = target.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    if name == "tree":
        say("tree: Debian packages (10-60 s, by the mirror's speed)")
        tree.make(part)
    else:
        part.mkdir(parents=True)
        if name == "images":
            _make_images(stages, part)
        elif name == "wire":
            tools.make_wire(part)
        else:
            say("state: booting Xen and dom0 once, to save them (20-60 s)")
            state.make(stages["images"], part)
    part.rename(target)


def _remove_old(stages):
    wanted = set(stages.values())
    for name in stages:
        for path in paths.BUILD.glob(f"{name}-*"):
            if path not in wanted:
                shutil.rmtree(path)


def built():
    stages = _stages()
    return Built(stages["images"], stages["state"] / "state",
                 stages["state"] / "base.qcow2", stages["wire"] / "wire")


def is_complete():
    return all(path.exists() for path in _stages().values())


def ensure(lock=None):
    """Build what is missing.  Takes the lab's lock meanwhile, unless it is given."""
    _check_host()
    if is_complete():
        return built()
    own = lock or LabLock("lab/build")
    if not lock:
        own.acquire()
    try:
        stages = _stages()
        for name, path in stages.items():
            if not path.exists():
                _make_stage(name, stages)
        _remove_old(stages)
        say("build complete")
    finally:
        if not lock:
            own.release()
    return built()
