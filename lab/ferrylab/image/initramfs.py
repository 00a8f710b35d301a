# SPDX-License-Identifier: BSD-2-Clause
"""The initramfs images: dom0's, the guests', the Linux driver domain's."""
import os
from pathlib import Path

from .. import paths
from ..errors import LabError
from ..process import run_host
from . import tree as debian
from .cpio import Initramfs

_DOM0_MODULES = ("virtio_pci", "virtio_blk", "ext4", "crc32c_generic")
_GUEST_MODULES = ("xen-netfront", "xen-blkfront")
# Loaded by whoever needs them: what is in a list, in its order.
_GUEST_LISTS = {"modules-extra.list": ("8021q",), "modules-bridge.list": ("bridge",),
                "modules-nic.list": ("xen-pcifront", "e1000e"),
                "modules-tunnel.list": ("vxlan", "ip_gre"),
                "modules-nat.list": ("crc32c_generic", "iptable_nat", "xt_MASQUERADE")}
_DOMLINUX_MODULES = ("bridge", "xen-netback", "xen-pcifront", "e1000e", "xenfs", "xen-privcmd",
                     "xen-evtchn", "xen-gntdev", "xen-gntalloc")
# Of its larger images: for NICs that the plain one does not drive (linux_modules in slots.py).
_DOMLINUX_LISTS = {"modules-virtio.list": ("virtio_pci", "virtio_net"), "modules-vmxnet3.list": ("vmxnet3",),
                   "modules-e1000.list": ("e1000",)}
_TOPOLOGY_MODULES = ("crc32c_generic", "br_netfilter", "nf_conntrack", "nf_nat", "nf_tables",
                     "nft_compat", "nft_chain_nat", "xt_tcpudp", "xt_conntrack", "xt_physdev",
                     "xt_nat", "xt_MASQUERADE", "openvswitch", "8021q")

_GUEST_PROGRAMS = ("/bin/dash", "/usr/bin/iperf3", "/bin/ping", "/bin/ip", "/sbin/ethtool",
                   "/usr/sbin/xtables-legacy-multi")
_DOMLINUX_PROGRAMS = """
    /bin/bash /bin/dash /bin/sed /bin/grep /bin/cat /bin/ls /bin/mkdir /bin/rm /bin/rmdir /bin/ln
    /bin/sleep /bin/mount /bin/umount /bin/hostname /bin/ps /bin/date /bin/cp /bin/mv /bin/uname
    /bin/ip /sbin/brctl /sbin/ethtool /sbin/modprobe /sbin/insmod /sbin/lsmod /bin/readlink
    /usr/bin/cut /usr/bin/tr /usr/bin/head /usr/bin/tail /usr/bin/wc /usr/bin/sort /usr/bin/stat
    /usr/bin/dirname /usr/bin/basename /usr/bin/expr /usr/bin/touch /usr/bin/id /usr/bin/mawk
    /usr/bin/flock /usr/bin/logger /usr/bin/setsid /usr/bin/env /usr/bin/seq /usr/bin/test /usr/bin/[ /usr/bin/timeout
    /usr/bin/xenstore-read /usr/bin/xenstore-write /usr/bin/xenstore-list /usr/bin/xenstore-ls
    /usr/bin/xenstore-exists /usr/bin/xenstore-rm /usr/bin/xenstore-watch
    /usr/lib/xen-4.17/bin/xl /usr/lib/xen-4.17/bin/libxl-save-helper /usr/bin/tcpdump
""".split()
_TOPOLOGY_PROGRAMS = """
    /sbin/bridge /usr/bin/ping /usr/sbin/xtables-nft-multi
    /usr/bin/ovs-vsctl /usr/bin/ovs-appctl /usr/bin/ovs-ofctl /usr/bin/ovs-dpctl /usr/bin/ovsdb-tool
    /usr/sbin/ovsdb-server /usr/lib/openvswitch-switch/ovs-vswitchd
""".split()


def _find(tree, path):
    """The file behind a path in the tree, following its links inside the tree."""
    for place in (path, f"/usr{path}", path.removeprefix("/usr")):
        at = tree / place.lstrip("/")
        for _ in range(8):
            if not at.is_symlink():
                break
            target = os.readlink(at)
            at = tree / target.lstrip("/") if target.startswith("/") else at.parent / target
        if at.exists():
            return at
    raise LabError(f"Debian's tree has no {path}; is its package in ferrylab/image/tree.py?")


def _add_program(image, tree, path):
    source = _find(tree, path)
    image.add_file(path, source)
    if source.read_bytes()[:4] != b"\x7fELF":
        return
    listed = run_host(["chroot", str(tree), "/lib64/ld-linux-x86-64.so.2", "--list",
                       "/" + str(source.relative_to(tree))], f"listing the libraries of {path}")
    for word in listed.split():
        if word.startswith("/"):
            image.add_file(word, _find(tree, word))


def _add_modules(image, tree, names, listed_in="modules.list"):
    listed = []
    for source in debian.module_files(tree, names):
        image.add_file(f"modules/{source.name}", source)
        listed.append(f"/modules/{source.name}\n")
    image.add_data(listed_in, "".join(listed).encode())


def _start(tree, init, modules):
    image = Initramfs()
    for path in ("dev", "proc", "sys", "tmp", "run", "root", "etc", "var/log", "mnt"):
        image.add_dir(path)
    image.add_char_device("dev/console", 5, 1)
    image.add_char_device("dev/null", 1, 3)
    image.add_file("init", paths.LAB / "rootfs" / init)
    for name in ("passwd", "group"):
        image.add_file(f"etc/{name}", tree / "etc" / name)
    _add_modules(image, tree, modules)
    return image


def _add_busybox(image, tree):
    busybox = tree / "bin/busybox"
    image.add_file("bin/busybox", busybox)
    for applet in run_host([str(busybox), "--list"], "listing busybox's applets").split():
        if f"bin/{applet}" not in image.entries:
            image.add_link(f"bin/{applet}", "/bin/busybox")


def _add_udhcpc(image):
    image.add_file("usr/share/udhcpc/default.script", paths.LAB / "rootfs" / "udhcpc-script")


def make_dom0(tree, target):
    image = _start(tree, "dom0-initramfs-init", _DOM0_MODULES)
    _add_busybox(image, tree)
    image.write(target)


def make_guest(tree, tools, target):
    image = _start(tree, "guest-init", _GUEST_MODULES)
    for program in _GUEST_PROGRAMS:
        _add_program(image, tree, program)
    # Busybox's own shell would prefer its applets to these programs.
    image.add_link("bin/sh", "dash")
    image.add_file("bin/agent", tools / "agent")
    for name in ("tcpsum", "frames", "flood", "rr"):
        image.add_file(f"bin/{name}", tools / name)
    image.add_link("usr/sbin/iptables", "xtables-legacy-multi")
    library = tree / "usr/lib/x86_64-linux-gnu/xtables/libxt_MASQUERADE.so"
    image.add_file(str(library.relative_to(tree)), library)
    _add_busybox(image, tree)
    _add_udhcpc(image)
    for listed_in, names in _GUEST_LISTS.items():
        _add_modules(image, tree, names, listed_in)
    image.write(target)


def _domlinux(tree, tools, modules):
    image = _start(tree, "domlinux-init", modules)
    for program in _DOMLINUX_PROGRAMS:
        _add_program(image, tree, program)
    image.add_link("bin/sh", "dash")
    image.add_link("usr/bin/awk", "mawk")
    image.add_file("usr/lib/ferry-lab/agent", tools / "agent")
    for source in sorted(Path(tree / "etc/xen").rglob("*")):
        if source.is_file() and not source.is_symlink():
            image.add_file(str(source.relative_to(tree)), source)
    return image


def make_domlinux(tree, tools, target):
    _domlinux(tree, tools, _DOMLINUX_MODULES).write(target)


def make_domlinux_nics(tree, tools, target):
    """The same with drivers of other NICs; apart, as the first one is measured."""
    image = _domlinux(tree, tools, _DOMLINUX_MODULES)
    for listed_in, names in _DOMLINUX_LISTS.items():
        _add_modules(image, tree, names, listed_in)
    image.write(target)


def make_topology(tree, tools, target):
    """The same with what other topologies need; apart for the same reason."""
    image = _domlinux(tree, tools, _DOMLINUX_MODULES + _TOPOLOGY_MODULES)
    for listed_in, names in _DOMLINUX_LISTS.items():
        _add_modules(image, tree, names, listed_in)
    for program in _TOPOLOGY_PROGRAMS:
        _add_program(image, tree, program)
    for name in ("iptables", "iptables-save", "ip6tables"):
        image.add_link(f"usr/sbin/{name}", "xtables-nft-multi")
    xtables = tree / "usr/lib/x86_64-linux-gnu/xtables"
    for source in sorted([*xtables.glob("libxt_*.so"), *xtables.glob("libipt_*.so")]):
        image.add_file(str(source.relative_to(tree)), source)
    image.add_file("usr/share/openvswitch/vswitch.ovsschema",
                   tree / "usr/share/openvswitch/vswitch.ovsschema")
    for path in ("etc/openvswitch", "var/run/openvswitch", "var/log/openvswitch"):
        image.add_dir(path)
    image.add_file("usr/sbin/topology", paths.LAB / "rootfs" / "domlinux-topology")
    image.add_file("bin/frames", tools / "frames")
    _add_busybox(image, tree)
    _add_udhcpc(image)
    image.write(target)
