# SPDX-License-Identifier: BSD-2-Clause
"""The Debian packages in a dom0 with systemd, from installing to purging (docs/install.md): `make check-systemd`."""
import re

import ferry_domnet
import recovery_common as common
import systemd_common as systemd
from ferry_domnet import expect
from ferrylab.domain import Domain

MACHINE = "systemd"
IN_CHECK = False  # needs `make deb`
COMMAND = "make check-systemd"


# Written by others, or by the machine itself.
OTHERS = """/proc /sys /dev /run /tmp /root /var/cache /var/lib/dpkg /var/lib/apt /var/lib/systemd /var/log/journal
            /var/log/xen /var/log/apt /var/log/dpkg.log""".split()


def files(lab):
    but = " -o ".join(f"-path {path}" for path in OTHERS)
    return set(lab.dom0.output(f"find / -xdev \\( {but} \\) -prune -o -print").splitlines())


def at_first(lab):
    """Installing starts ferryd, and no driver domain."""
    systemd.install_packages(lab)
    systemd.expect_started(lab)
    for name in ("ferryd", "ferry"):
        expect(lab.dom0.output(f"systemctl is-enabled {name}") == "enabled", f"{name} is not enabled")
    expect("no driver domains" in lab.dom0.output("ferry status"), "there is a driver domain")


def init_script(lab):
    """/etc/init.d/ferryd, as where there is no systemd: it starts ferryd in the background, and leaves domains alone."""
    script = "SYSTEMCTL_SKIP_REDIRECT=1 /etc/init.d/ferryd"
    lab.dom0.run("systemctl stop ferry ferryd")
    before = None
    for verb, runs, code in (("status", False, 3), ("start", True, 0), ("start", True, 0), ("status", True, 0), ("restart", True, 0),
                             ("stop", False, 0), ("stop", False, 0), ("bad", False, 3)):
        done = lab.dom0.run(f"{script} {verb}", check=False, timeout=60)
        expect(done.rc == code, f"/etc/init.d/ferryd {verb}: exit code {done.rc}, not {code}: {done.stdout}{done.stderr}")
        pid = lab.dom0.run("pidof ferryd", check=False).stdout.strip()
        expect(bool(pid) == runs, f"/etc/init.d/ferryd {verb}: ferryd {'runs' if pid else 'does not run'}")
        expect((verb == "restart") == bool(before and pid and pid != before), f"/etc/init.d/ferryd {verb}: process {before}, then {pid}")
        before = pid
    lab.dom0.run("systemctl start ferryd ferry")
    systemd.expect_started(lab)


def restrictions(lab):
    """As docs/install.md says of the unit."""
    said = lab.dom0.output("systemd-analyze security ferryd.service --no-pager | tail -n 1", timeout=60)
    expect("2.1 OK" in said, f"systemd-analyze security: {said}")


def set_up(lab):
    """The first driver domain; dom0 does not use the card, so nobody is asked."""
    lab.dom0.run("modprobe xen-pciback")
    shown = lab.dom0.output(f"ferry setup {systemd.NIC} --dry-run", timeout=60)
    expect("pci           = [" in shown and systemd.is_dom0s(lab), f"--dry-run: {shown}")
    expect(lab.dom0.run(f"test -e {systemd.CONFIG}", check=False).rc, "--dry-run wrote the configuration")
    lab.dom0.run(f"ferry setup {systemd.NIC}", timeout=90)
    expect(not systemd.is_dom0s(lab), "dom0 still has the card")
    lab.dom0.run(f"ferry check {systemd.CONFIG}")
    return Domain(lab, "domnet")


def kernel_upgrade(lab, guest):
    """The package's new kernel, which does as it is told, comes under the guests."""
    fault = "xenstore-write /local/domain/$(xl domid domnet)/ferry/fault null"
    before = common.status(lab)["nr_deaths"]
    lab.dom0.run(fault)
    common.ping_works(lab, guest)
    expect(common.status(lab)["nr_deaths"] == before, "the new package's kernel runs already")
    lab.dom0.run("ferry upgrade domnet --kernel /usr/lib/ferry/ferry-net", timeout=60)
    common.ping_works(lab, guest)
    systemd.dies(lab, guest, fault, 1)
    report = lab.dom0.output("ferry logs --report domnet 2>&1", timeout=60)
    expect("apt" in report or "ferry-net-dbg" in report, f"no word of the package with source lines: {report}")
    systemd.install_packages(lab, ("ferry-net-dbg",), later=True)
    report = lab.dom0.output("ferry logs --report domnet 2>&1", timeout=60)
    expect(re.search(r"fault_null\S* .*domain/main/fault\.c:\d+", report), f"no source lines: {report}")


def upgrade(lab):
    """The same with another version."""
    before = systemd.unit(lab, "ferryd", "MainPID")
    systemd.install_packages(lab, later=True)
    expect(systemd.unit(lab, "ferryd", "MainPID") != before, "ferryd was not restarted")
    systemd.expect_started(lab)
    expect(lab.dom0.output("dpkg-query -W -f '${Version}' ferry").endswith("+1"), "it is still the old one")


def removal_refused(lab):
    done = lab.dom0.run("apt-get -q -y remove ferry", check=False, timeout=120)
    expect(done.rc and "ferry stop domnet" in done.stdout + done.stderr,
           f"removed under a driver domain:\n{done.stdout}\n{done.stderr}")
    expect(lab.dom0.output("dpkg-query -W -f '${Status}' ferry") == "install ok installed",
           f"the refusal leaves it as {lab.dom0.output('dpkg-query -W -f ${Status} ferry')}")
    systemd.expect_started(lab)


def remove(lab):
    lab.dom0.run("apt-get -q -y remove ferry ferry-net ferry-net-dbg", timeout=240)
    expect(lab.dom0.run("pidof ferryd", check=False).rc, "ferryd still runs")
    expect(lab.dom0.run("test -e /run/ferry", check=False).rc, "/run/ferry is left")
    expect(lab.dom0.run(f"test -e {systemd.CONFIG}", check=False).rc == 0, "a removal took the configuration")


def purge(lab, before):
    lab.dom0.run("apt-get -q -y purge ferry ferry-net ferry-net-dbg", timeout=240)
    left = files(lab) ^ before
    expect(not left, f"left or gone: {sorted(left)}")
    units = lab.dom0.output("systemctl list-units --all --no-legend --plain 'ferry*' | grep -v lab-agent || true")
    expect(not units, f"systemd still knows {units}")


def run(lab):
    before = files(lab)
    at_first(lab)
    init_script(lab)
    restrictions(lab)
    domnet = set_up(lab)
    guest = ferry_domnet.guest(lab, 1)
    common.ping_works(lab, guest)
    systemd.dies(lab, guest, "xl destroy domnet", 3)
    with systemd.Undisturbed(lab, domnet, guest, "upgrade"):
        upgrade(lab)
    kernel_upgrade(lab, guest)
    with systemd.Undisturbed(lab, domnet, guest, "apt remove"):
        removal_refused(lab)
    guest.destroy()
    systemd.stop(lab)
    remove(lab)
    purge(lab, before)
