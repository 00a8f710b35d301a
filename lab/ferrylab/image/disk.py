# SPDX-License-Identifier: BSD-2-Clause
"""dom0's disk: the Debian tree, the tools, the images for domains."""
import shutil

from .. import paths
from ..process import run_host
from . import tree as debian

DISK_SIZE = "1G"
_DOM0_MODULES = ("xenfs", "xen-gntdev", "xen-gntalloc", "xen-evtchn", "xen-privcmd",
                 "xen-pciback", "xen-netfront", "virtio_console", "loop", "bridge", "xen-netback", "e1000e")

_PROFILE = """\
export PATH=/root:/usr/lib/xen-4.17/bin:/usr/sbin:/usr/bin:/sbin:/bin
PS1='dom0:\\w# '
"""


def add_modules(source, root, names):
    """Only the modules that dom0 loads, or may be asked to: all of them are 300 MB."""
    version = debian.kernel_version(source)
    base = root / "lib/modules" / version
    shutil.rmtree(root / "lib/modules", ignore_errors=True)
    for module in debian.module_files(source, names):
        target = base / module.relative_to(source / "lib/modules" / version)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(module, target)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(source / "lib/modules" / version / name, base / name)
    run_host(["depmod", "-b", str(root), version], "listing dom0's modules")


def add_domains(images, root, names):
    """The lab's programs, and the images that domains are made from."""
    tools = root / paths.DOM0_TOOLS.lstrip("/")
    tools.mkdir(parents=True)
    for name in ("agent", "follow", "tcpsum"):
        shutil.copy(images / "tools" / name, tools / name)
    target = root / paths.DOM0_IMAGES.lstrip("/")
    target.mkdir(parents=True)
    for name in names:
        shutil.copy(images / name, target / name)


def _fill(source, images, root):
    run_host(["cp", "-a", "--reflink=auto", str(source), str(root)], "copying the tree")
    add_modules(source, root, _DOM0_MODULES)
    for unused in ("boot", "usr/lib/debug"):
        shutil.rmtree(root / unused)
    add_domains(images, root, ("vmlinux", "guest.cpio", "domlinux.cpio", "domlinux-nics.cpio",
                               "domlinux-topology.cpio"))
    init = root / "sbin/init"
    shutil.copy(paths.LAB / "rootfs" / "dom0-init", init)
    init.chmod(0o755)
    for example in sorted((paths.LAB / "examples").iterdir()):
        shutil.copy(example, root / "root" / example.name)
    (root / "root/.bash_profile").write_text(_PROFILE)
    (root / "etc/hostname").write_text("dom0\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost dom0\n")


def write(root, images, size):
    """images/dom0.qcow2 of a tree, which is removed, without mounting anything."""
    raw = images / "dom0.raw"
    raw.unlink(missing_ok=True)
    run_host(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-L", "dom0",
              "-d", str(root), str(raw), size], "making dom0's file system")
    run_host(["qemu-img", "convert", "-O", "qcow2", str(raw), str(images / "dom0.qcow2")],
             "making dom0's disk")
    raw.unlink()
    shutil.rmtree(root)


def make(source, images):
    root = images / "root"
    shutil.rmtree(root, ignore_errors=True)
    _fill(source, images, root)
    write(root, images, DISK_SIZE)
