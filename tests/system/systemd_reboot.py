# SPDX-License-Identifier: BSD-2-Clause
"""dom0 reboots, with Debian's packages: driver domains of /etc/ferry/auto come back before the guests of xendomains, and
dom0's own network behind one of them."""
import time

import ferry_domnet
import recovery_common as common
import setup_nic
import systemd_common as systemd
from ferry_domnet import expect
from ferrylab.domain import Guest

MACHINE = "systemd"
IN_CHECK = False  # needs `make deb`
COMMAND = "make check-systemd"


def told(lab):
    """What the units said, and what there is."""
    units = "-u xendomains -u ferry -u ferryd --no-pager -o short-monotonic"
    return lab.dom0.output(f"systemctl --failed --no-pager; xl list; journalctl -b -1 {units} 2>&1 | tail -40; "
                           f"echo; journalctl -b {units}")


def expect_in_order(lab):
    """The guest came after what it needs, which is looked after."""
    there = [line.split()[0] for line in lab.dom0.output("xl list").splitlines()[1:]]
    expect(there == ["Domain-0", "domnet", "guest1"], f"there are {there}:\n{told(lab)}")
    now = common.status(lab)
    expect(now["state"] == "running" and now["supervised"], f"it is not looked after: {now}\n{told(lab)}")


def reboot(lab):
    """Goes down as xendomains and the units have it, and comes up."""
    began = time.monotonic()
    lab.reboot()
    state = lab.dom0.run("systemctl is-system-running --wait", check=False, timeout=120).stdout.strip()
    print(f"systemd_reboot: down, and up again with all services, in {time.monotonic() - began:.0f} s", flush=True)
    (lab.run_dir / "journal.txt").write_text(told(lab))
    expect(state == "running", f"{state}:\n{told(lab)}")
    expect(is_in_order(lab), f"ferryd, ferry and xendomains were not one after the other:\n{told(lab)}")
    expect_in_order(lab)


def is_in_order(lab):
    """Each was done before the next began."""
    ends = [int(systemd.unit(lab, name, "ActiveEnterTimestampMonotonic")) for name in ("ferryd", "ferry")]
    begins = [int(systemd.unit(lab, name, "InactiveExitTimestampMonotonic")) for name in ("ferry", "xendomains")]
    return all(0 < end <= begin for end, begin in zip(ends, begins))


def wire_reaches(lab, guest):
    common.wait_for(lambda: lab.wire["A"].run(f"ping -c 1 -W 1 {guest.ip}", check=False).rc == 0,
                    "the restored guest does not answer", 20)


def saved_and_restored(lab, guest):
    """xendomains saves the guest, and it goes on after the boot as if nothing had been."""
    reboot(lab)
    wire_reaches(lab, guest)


def xendomains_restarted(lab, guest):
    """It shuts driver domains down as well: they are started before what it restores."""
    lab.dom0.run("systemctl restart xendomains", timeout=120)
    expect_in_order(lab)
    wire_reaches(lab, guest)


def started_anew(lab):
    """A guest of /etc/xen/auto finds its backend when it is created."""
    lab.dom0.run("xl destroy guest1; rm -f /var/log/xen/console/guest-guest1.log")
    reboot(lab)
    guest = Guest(lab, "guest1").connect()
    guest.run("ip addr add 10.77.0.2/24 dev eth0 && ip link set eth0 up")
    common.ping_works(lab, guest)


def dom0_moves(lab):
    """dom0's own network goes by the card, as systemd-networkd has it: it moves behind the driver domain, at a boot as well."""
    nic, address = systemd.NIC, setup_nic.ADDRESS
    lab.dom0.run(f"xl destroy guest1; ferry stop domnet && rm {systemd.CONFIG}", timeout=60)
    common.wait_for(lambda: systemd.is_dom0s(lab), "the card is not back with dom0", 20)
    lab.dom0.put(f"[Match]\nName={nic}\n[Network]\nAddress={address}\nGateway={lab.wire['A'].ip}\n".encode(),
                 "/etc/systemd/network/wire.network")
    lab.dom0.run("systemctl enable --now systemd-networkd")
    setup_nic.dom0_pings(lab, "by its own card")
    done = lab.dom0.run(f"ferry setup {nic} --yes --dom0-vif --confirm 60", timeout=120, check=False, stdin=b"yes\n")
    expect(done.rc == 0, f"ferry setup: {done.rc}: {done.stdout}{done.stderr}")
    setup_nic.moved(lab, nic, nic, "set up")
    reboot(lab)
    setup_nic.moved(lab, nic, nic, "after the boot")
    lab.dom0.run("ferry stop domnet", timeout=60)
    expect(systemd.is_dom0s(lab), "the card is not dom0's again")
    setup_nic.dom0_pings(lab, "moved back")


def run(lab):
    systemd.install_packages(lab)
    systemd.configure(lab, "/usr/share/doc/ferry/examples")
    lab.dom0.run("ln -s ../domnet.cfg /etc/ferry/auto/")
    systemd.start(lab)
    guest = ferry_domnet.guest(lab, 1)
    common.ping_works(lab, guest)
    lab.dom0.run("mkdir -p /etc/xen/auto && cp /root/guest1.cfg /etc/xen/auto/")
    xendomains_restarted(lab, guest)
    saved_and_restored(lab, guest)
    started_anew(lab)
    dom0_moves(lab)
