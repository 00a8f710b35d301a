# SPDX-License-Identifier: BSD-2-Clause
"""A dom0 with systemd: what `make install` puts there is enabled, keeps a driver domain alive under the unit's
restrictions, and is itself restarted, ended by its watchdog and stopped while guests go on. What its restrictions keep it from,
dom0's own network, it has brought back by a unit of its own."""
import json

import ferry_domnet
import recovery_common as common
import systemd_common as systemd
from ferry_domnet import expect
from ferrylab import CheckFailed
from ferrylab.slots import SLOTS

MACHINE = "systemd"
IN_CHECK = False  # its image takes minutes to make
COMMAND = "make check-systemd"
METRICS = "127.0.0.1:9101"
WATCHDOG_S = 4  # instead of the unit's own
MESSAGE_ID = "5b0c9f0e4c6f4d0d8a53c1e7f2d9a6b4"  # of all deaths (docs/observing.md)


def hangs(lab):
    """systemd finds that ferryd does not go round any more."""
    before = int(systemd.unit(lab, "ferryd", "NRestarts"))
    lab.dom0.run("kill -STOP $(systemctl show -P MainPID ferryd)")
    common.wait_for(lambda: int(systemd.unit(lab, "ferryd", "NRestarts")) > before,
                    "a stopped ferryd was not found out", 4 * WATCHDOG_S)
    common.wait_for(lambda: systemd.unit(lab, "ferryd", "SubState") == "running", "not started again", 10)
    expect("watchdog" in lab.dom0.output("journalctl -b -u ferryd --no-pager").lower(), "not by the watchdog")
    systemd.expect_started(lab)


def observers_install(lab):
    """Metrics for this machine, and a hook that leaves the unit's restrictions by systemd-run."""
    lab.dom0.put(f'FERRYD_OPTIONS="--metrics {METRICS}"\n'.encode(), "/etc/default/ferry")
    lab.dom0.put(b"#!/bin/sh\nexec systemd-run -q --no-block sh -c 'echo \"$0 $1\" >> /root/told' \"$1\" \"$3\"\n",
                 "/etc/ferry/hooks.d/told")
    lab.dom0.run("chmod 755 /etc/ferry/hooks.d/told")


def observers_see(lab):
    """Both deaths, in metrics, the journal's fields and by the hook."""
    def told():
        return lab.dom0.run("cat /root/told", check=False).stdout
    try:
        common.wait_for(lambda: told() == "domnet 2\ndomnet 3\n", "the hook was not run as it should be", 10)
    except CheckFailed as failed:
        place = lab.dom0.output("ls -la /etc/ferry/hooks.d")
        raise CheckFailed(f"{failed}: told {told()!r}; {place}\n{systemd.journal(lab, 'ferryd')}") from failed
    fetch = f'from urllib.request import urlopen; print(urlopen("http://{METRICS}/metrics").read())'
    page = lab.dom0.output(f"python3 -c '{fetch}'")
    expect("domnet" in page, f"not among the metrics: {page}")
    said = lab.dom0.output(f"journalctl -b MESSAGE_ID={MESSAGE_ID} FERRY_DOMAIN=domnet -o json --no-pager")
    deaths = [json.loads(line) for line in said.splitlines()]
    expect([death["FERRY_DEPTH"] for death in deaths] == ["2", "3"] and
           all(death["FERRY_OUTAGE_MS"].isdigit() for death in deaths), f"the journal's fields of the deaths: {deaths}")


def network_comes_back(lab):
    """`ferry setup` is killed before it is confirmed; dom0's network goes back to its card."""
    nic, address = systemd.NIC, f"{SLOTS['A'].network}.9/24"
    lab.dom0.run(f"ip link set {nic} up && ip addr add {address} dev {nic}")
    session = lab.dom0.channel.tty(f"ferry setup {nic} --yes --dom0-vif --name moved --confirm 60")
    common.wait_for(lambda: "Press Enter within" in session.stdout, "`ferry setup` does not ask", 90)
    expect("/vif-" in lab.dom0.output(f"readlink -f /sys/class/net/{nic}/device"), f"{nic} is no vif: {session.stdout}")
    lab.dom0.run("pkill -KILL -x ferry")
    common.wait_for(lambda: lab.dom0.run("test -e /run/ferry/moved.dom0", check=False).rc, "not undone", 60)
    said = lab.dom0.output("journalctl -b -u ferry-unfinished-moved -o cat --no-pager")
    expect("all of it is undone" in said and "is dom0's again, up" in said, f"its unit says: {said}")
    expect("/pci" in lab.dom0.output(f"readlink -f /sys/class/net/{nic}/device"), f"{nic} is not on the card again")
    expect(address in lab.dom0.output(f"ip -o -4 addr show dev {nic}"), f"{nic} has not got its address")
    common.wait_for(lambda: lab.dom0.run(f"ping -c 1 -W 1 {lab.wire['A'].ip}", check=False).rc == 0,
                    "dom0 does not reach the wire", 15)
    lab.dom0.run(f"ip addr flush dev {nic}; rm /etc/ferry/moved.cfg.failed")


def run(lab):
    systemd.install_tools(lab)
    observers_install(lab)
    lab.dom0.put(f"[Service]\nWatchdogSec={WATCHDOG_S}\n".encode(),
                 "/etc/systemd/system/ferryd.service.d/watchdog.conf")
    lab.dom0.run("systemctl daemon-reload && systemctl enable --now ferryd ferry", timeout=60)
    systemd.expect_started(lab)
    expect("nothing to start" in systemd.journal(lab, "ferry"), f"ferry.service: {systemd.journal(lab, 'ferry')}")
    network_comes_back(lab)
    systemd.configure(lab, "/usr/local/share/doc/ferry/examples", extra="bridge=xenbr0,uplink=nic0 restarts=0")
    domnet = systemd.start(lab)
    guest = ferry_domnet.guest(lab, 1)
    common.ping_works(lab, guest)
    fault = f"xenstore-write /local/domain/{domnet.domid}/ferry/fault null"
    systemd.dies(lab, guest, fault, 2)
    systemd.dies(lab, guest, "xl destroy domnet", 3)
    observers_see(lab)
    with systemd.Undisturbed(lab, domnet, guest, "systemctl restart ferryd"):
        lab.dom0.run("systemctl restart ferryd")
        systemd.expect_started(lab)
    with systemd.Undisturbed(lab, domnet, guest, "ferryd hangs"):
        hangs(lab)
    with systemd.Undisturbed(lab, domnet, guest, "systemctl stop ferryd"):
        lab.dom0.run("systemctl stop ferryd ferry")
    guest.destroy()
    systemd.stop(lab)
    left = lab.dom0.output("systemctl --failed --no-legend --plain --no-pager")
    expect(not left, f"failed units: {left}")
