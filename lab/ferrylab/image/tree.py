# SPDX-License-Identifier: BSD-2-Clause
"""The Debian tree that every image is cut from."""
import os
import shutil
from pathlib import Path

from ..process import run_host

MIRROR = os.environ.get("FERRY_LAB_MIRROR", "http://deb.debian.org/debian")
SECURITY = os.environ.get("FERRY_LAB_SECURITY", "http://deb.debian.org/debian-security")
SOURCES = (
    f"deb {MIRROR} bookworm main",
    f"deb {MIRROR} bookworm-updates main",
    f"deb {SECURITY} bookworm-security main",
)
PACKAGES = (
    "linux-image-amd64 xen-hypervisor-4.17-amd64 xen-hypervisor-4.17-amd64-dbg xen-utils-4.17 "
    "base-files base-passwd bash dash coreutils bsdutils util-linux mount grep sed mawk findutils "
    "libc-bin procps tar gzip hostname busybox-static kmod pciutils "
    "iproute2 bridge-utils ethtool iputils-ping tcpdump iperf3 iptables openvswitch-switch rt-tests"
).split()

# Weight that no scenario needs.
_DROP = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/perl",
         "usr/lib/x86_64-linux-gnu/perl-base", "usr/share/i18n", "var/cache", "var/lib/apt")


def make(tree):
    """Unpack the packages; nothing is run from them, which takes 10 s, not 55."""
    run_host(["mmdebstrap", "--mode=root", "--variant=extract",
              "--include=" + ",".join(PACKAGES), "bookworm", str(tree), *SOURCES],
             "making the Debian tree")
    for path in _DROP:
        shutil.rmtree(tree / path, ignore_errors=True)
    run_host(["ldconfig", "-r", str(tree)], "making the tree's library cache")
    run_host(["depmod", "-b", str(tree), kernel_version(tree)], "listing the tree's modules")
    # What the packages' own scripts would have done.
    for link, target in (("bin/sh", "dash"), ("usr/bin/awk", "mawk"),
                         ("var/run", "/run"), ("var/lock", "/run/lock")):
        if (tree / link).is_dir():
            shutil.rmtree(tree / link)
        (tree / link).unlink(missing_ok=True)
        (tree / link).symlink_to(target)
    for name in ("passwd", "group"):
        shutil.copy(tree / "usr/share/base-passwd" / f"{name}.master", tree / "etc" / name)
    for name, line in (("passwd", "tcpdump:x:100:100::/nonexistent:/usr/sbin/nologin\n"),
                       ("group", "tcpdump:x:100:\n")):
        with open(tree / "etc" / name, "a", encoding="ascii") as users:
            users.write(line)


def kernel_version(tree):
    return sorted(path.name for path in (tree / "lib/modules").iterdir())[-1]


def module_files(tree, names):
    """The modules of these names and what they need, in loading order."""
    base = tree / "lib/modules" / kernel_version(tree)
    needs = {}
    for line in (base / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        needs[path] = others.split()
    by_name = {Path(path).stem.replace("-", "_"): path for path in needs}
    built_in = (base / "modules.builtin").read_text().replace("-", "_")
    ordered = []
    for name in names:
        key = name.replace("-", "_")
        if key not in by_name and f"/{key}.ko" in built_in:
            continue
        path = by_name[key]
        # modules.dep lists what a module needs with the deepest last.
        for wanted in [*reversed(needs[path]), path]:
            if wanted not in ordered:
                ordered.append(wanted)
    return [base / path for path in ordered]
