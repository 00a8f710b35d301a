# SPDX-License-Identifier: BSD-2-Clause
"""The other dom0: Debian as it is installed on a host, systemd as first process, Xen's own services.

Its packages are installed by their own scripts, so dpkg, apt and systemctl work in it. Its NICs are
with their own drivers, as nobody has taken them from dom0 yet.
"""
import os
import shutil

from . import paths
from .image import disk
from .image import tree as debian
from .process import run_host

DISK_SIZE = "2G"
PACKAGES = (
    "systemd-sysv udev dbus kmod procps pciutils iproute2 iputils-ping ethtool bridge-utils less "
    "bash-completion man-db binutils libarchive13 xen-utils-common xen-utils-4.17 "
    "libvirt-daemon-system libvirt-daemon-driver-xen libvirt-clients"
).split()
_MODULES = ("xenfs", "xen-gntdev", "xen-gntalloc", "xen-evtchn", "xen-privcmd", "xen-acpi-processor",
            "xen-pciback", "xen-netback", "xen-netfront", "virtio_console", "autofs4", "binfmt_misc", "loop",
            "bridge", "e1000e", "e1000")
DROP = ("usr/share/locale", "usr/share/i18n", "var/cache/apt", "var/lib/apt/lists", "usr/share/doc")
# What looks for updates, and libvirt, which is for who asks for it.
_MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "fstrim.timer",
           "man-db.timer", "dpkg-db-backup.timer", "logrotate.timer")
_DISABLED = ("libvirtd.service", "libvirtd.socket", "libvirtd-ro.socket", "libvirtd-admin.socket",
             "libvirt-guests.service", "virtlockd.socket", "virtlogd.socket",
             "virtlockd-admin.socket", "virtlogd-admin.socket", "e2scrub_reap.service",
             "ferry-lab-agent.service")
_MACHINE_ID = "f0" * 16 + "\n"  # an unwritten one would mean a first boot, which enables everything


def make_tree(tree):
    """Unlike the other tree, this one's packages are installed by their own scripts."""
    run_host(["mmdebstrap", "--mode=root", "--variant=minbase",
              "--include=" + ",".join(PACKAGES), "bookworm", str(tree), *debian.SOURCES],
             "making the Debian of the dom0 with systemd")
    for path in DROP:
        shutil.rmtree(tree / path, ignore_errors=True)
    (tree / "var/cache/apt/archives/partial").mkdir(parents=True)
    (tree / "var/lib/apt/lists/partial").mkdir(parents=True)


def _configure(root):
    shutil.copytree(paths.LAB / "systemd", root, dirs_exist_ok=True)
    (root / "etc/hostname").write_text("dom0\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost dom0\n")
    (root / "etc/fstab").write_text("/dev/vda / ext4 noatime 0 0\n")
    (root / "etc/machine-id").write_text(_MACHINE_ID)
    (root / paths.DOM0_CONSOLES.lstrip("/")).mkdir()
    systemctl = ["systemctl", f"--root={root}"]
    run_host([*systemctl, "mask", *_MASKED], "quieting dom0")
    run_host([*systemctl, "disable", *_DISABLED], "quieting dom0")
    run_host([*systemctl, "enable", "ferry-lab-agent.service"], "enabling dom0's agent")
    run_host(["chroot", str(root), "passwd", "-q", "-d", "root"], "opening dom0's console")


def make_images(tree, source, plain, target):
    """What a machine needs, of the plain dom0's images but for the disk.

    tree, source: the trees of this dom0 and of the other images; plain: those images.
    """
    for name in ("xen", "vmlinux", "dom0-vmlinux", "dom0.cpio"):
        os.link(plain / name, target / name)
    shutil.copytree(plain / "tools", target / "tools")
    root = target / "root"
    shutil.rmtree(root, ignore_errors=True)
    run_host(["cp", "-a", "--reflink=auto", str(tree), str(root)], "copying the tree")
    disk.add_modules(source, root, _MODULES)
    _configure(root)
    disk.add_domains(plain, root, ("vmlinux", "guest.cpio"))
    disk.write(root, target, DISK_SIZE)
