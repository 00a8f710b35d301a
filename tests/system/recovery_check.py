# SPDX-License-Identifier: BSD-2-Clause
"""`ferry check` tells a contained device from one that is not; `ferry start` heeds it."""
import json

import ferry_domnet
import recovery_common as common
from ferry_domnet import expect
from ferrylab.slots import SLOTS

BESIDE = True  # tests/run-system
REFUSED, UNKNOWN_ROWS, NO_SUCH = 3, 4, 5
NO_NIC = "0000:00:03.0"  # dom0's serial line to the lab: no image has a driver for it


def rows(lab, what):
    done = lab.dom0.run(f"ferry check {what} --json", check=False)
    return done.rc, {row["name"]: row for row in json.loads(done.stdout)[0]["rows"]}


def all_hold(lab, bdf):
    code, found = rows(lab, bdf)
    wrong = {name: row["seen"] for name, row in found.items() if row["result"] != "ok"}
    expect(code == 0 and not wrong, f"ferry check {bdf}: exit code {code}, not ok: {wrong}")
    expect(found["iommu"]["seen"].endswith("I/O virtualisation enabled"), found["iommu"]["seen"])
    expect("Interrupt remapping enabled" in found["interrupt-remapping"]["seen"],
           found["interrupt-remapping"]["seen"])
    print(lab.dom0.output(f"ferry check {bdf}"), flush=True)


def refused(lab, path, row):
    done = lab.dom0.run(f"ferry start {path}", check=False)
    expect(done.rc == REFUSED, f"started in spite of {row}: exit code {done.rc}: {done.stderr}")
    expect(row in done.stdout and "do: " in done.stdout, f"the row {row} is not shown: {done.stdout}")
    expect(lab.dom0.run("xl domid domnet", check=False).rc, "refused, but the domain is there")
    return done


def permissive(lab, bdf):
    path = common.config(lab, pci_permissive=1)
    code, found = rows(lab, path)
    expect(code == REFUSED and found["permissive"]["result"] == "refused", found["permissive"])
    refused(lab, path, "permissive")
    path = common.config(lab)
    lab.dom0.run(f"echo {bdf} > /sys/bus/pci/drivers/pciback/permissive")
    code, found = rows(lab, bdf)
    expect(code == REFUSED and found["permissive"]["result"] == "refused", found["permissive"])
    refused(lab, path, "permissive")
    done = lab.dom0.run(f"ferry start {path} --allow-unisolated", timeout=60)
    expect("WARNING" in done.stderr, "not warned of running without isolation")
    expect(common.status(lab)["unisolated"], "`ferry status` does not tell")
    lab.wait_console("domnet", ferry_domnet.READY, timeout=30)
    lab.dom0.run("ferry stop domnet", timeout=60)


def one_of_two(lab):
    """Two devices, one of them fit: the other is named, with what is wrong with it."""
    fit, other = SLOTS["A"].bdf, SLOTS["B"].bdf
    quirk = "/sys/bus/pci/drivers/pciback/permissive"
    lab.dom0.run(f"echo {other} > {quirk}")
    for culprit, row in ((other, "permissive"), (NO_NIC, "driver")):
        path = common.config(lab, pci=[fit[5:], culprit[5:]])
        done = lab.dom0.run(f"ferry check {path} --json", check=False)
        found = {device["device"]: {row["name"]: row["result"] for row in device["rows"]}
                 for device in json.loads(done.stdout)}
        expect(done.rc == REFUSED and set(found) == {fit, culprit}, f"{done.rc}: {found}")
        expect(found[culprit][row] == "refused", f"{culprit}, {row}: {found[culprit]}")
        expect(set(found[fit].values()) == {"ok"}, f"{fit}: {found[fit]}")
        done = refused(lab, path, row)
        expect(culprit in done.stdout and fit not in done.stdout, f"not {culprit} alone: {done.stdout}")


def mistakes(lab):
    for command, code, words in (
            ("ferry check eth9", 1, "ip link"),
            ("ferry check 00:1e.0", 1, "lspci"),
            ("ferry start /root/nothing.cfg", 1, "No such file"),
            ("ferry stop nobody", NO_SUCH, "ferry status"),
            ("ferry stop ../../etc/passwd", NO_SUCH, "cannot be the name"),
            ("ferry sail", 2, "no command"),
            ("ferry start", 2, "usage: ferry start")):
        done = lab.dom0.run(command, check=False)
        expect(done.rc == code and words in done.stderr,
               f"{command}: exit code {done.rc}, said {done.stderr!r}")
    path = common.config(lab, name="driverless", image="ferry-net-no-e1000")
    for command in (f"ferry check {path}", f"ferry start {path}"):
        done = lab.dom0.run(command, check=False)
        expect(done.rc == 3 and "ferry-net-no-e1000 does not drive 8086:10d3" in done.stdout,
               f"{command}: exit code {done.rc}, said {done.stdout!r} {done.stderr!r}")
    path = common.config(lab, name="wrong", disk=["x"], vnc=1)
    done = lab.dom0.run(f"ferry start {path}", check=False)
    expect(done.rc == 1 and "disk, vnc" in done.stderr, f"unknown names: {done.stderr!r}")


def ends_at_boot(lab):
    """A word of extra= that the kernel refuses: the start has failed, and what to do is said. What serves is ready at once."""
    path = common.config(lab, extra="brigde=xenbr0")
    done = lab.dom0.run(f"ferry start {path}", timeout=60, check=False)
    expect(done.rc == 1 and "has ended while it booted; `ferry logs domnet`" in done.stderr, f"brigde=: {done}")
    said = lab.dom0.run("ferry logs domnet", check=False).stdout
    expect("unknown word 'brigde=xenbr0'" in said, f"`ferry logs` does not have it: {said}")
    lab.dom0.run("ferry stop domnet", timeout=60)
    lab.dom0.run(f"ferry start {common.config(lab)}", timeout=60)
    phase = common.status(lab)["phase"]
    expect(phase in ("serving", "ready"), f"started, but {phase}")
    lab.dom0.run("ferry stop domnet", timeout=60)


def run(lab):
    common.install(lab)
    bdf = SLOTS["A"].bdf
    all_hold(lab, bdf)
    one_of_two(lab)
    mistakes(lab)
    ends_at_boot(lab)
    permissive(lab, bdf)
