# SPDX-License-Identifier: BSD-2-Clause
"""A machine without an IOMMU: `ferry start` refuses and names what is missing, also with --allow-unisolated."""
import json

import ferry_domnet
import recovery_common as common
from ferry_domnet import expect
from ferrylab.slots import SLOTS

MACHINE = "no-iommu"
IN_CHECK = False  # for its time: it boots a machine of its own; recovery_check has refusals
REFUSED = 3


def rows(lab, what):
    done = lab.dom0.run(f"ferry check {what} --json", check=False)
    return done.rc, {row["name"]: row for row in json.loads(done.stdout)[0]["rows"]}


def refused(lab, path, missing):
    code, found = rows(lab, SLOTS["A"].bdf)
    wrong = {name: row["seen"] for name, row in found.items() if row["result"] == "refused"}
    expect(code == REFUSED and set(missing) <= set(wrong), f"ferry check: exit code {code}, refused: {wrong}")
    done = lab.dom0.run(f"ferry start {path}", check=False)
    expect(done.rc == REFUSED, f"started without isolation: exit code {done.rc}: {done.stderr}")
    for row in missing:
        expect(row in done.stdout, f"the row {row} is not shown: {done.stdout}")
    expect("do: " in done.stdout, f"not said what to do: {done.stdout}")
    expect(lab.dom0.run("xl domid domnet", check=False).rc, "refused, but the domain is there")
    print(done.stdout, flush=True)


def insisted_in_vain(lab, path):
    """libxl gives no device to any domain here: that is said before anything is done, and by its reason."""
    done = lab.dom0.run(f"ferry start {path} --allow-unisolated", timeout=60, check=False)
    print(done.stderr, flush=True)
    expect(done.rc == REFUSED and "WARNING" in done.stderr and "Xen uses no IOMMU" in done.stderr,
           f"exit code {done.rc}: {done.stderr}")
    expect(lab.dom0.run("xl domid domnet", check=False).rc, "refused, but the domain is there")
    expect(lab.dom0.run("ferry status domnet", check=False).rc == 5, "refused, but known")


def insisted(lab, path):
    done = lab.dom0.run(f"ferry start {path} --allow-unisolated", timeout=60, check=False)
    print(done.stderr, flush=True)
    expect(done.rc == 0, f"--allow-unisolated does not start it: exit code {done.rc}: {done.stderr}")
    expect("WARNING" in done.stderr, f"not warned of running without isolation: {done.stderr}")
    expect(common.status(lab)["unisolated"], "`ferry status` does not tell")
    lab.wait_console("domnet", ferry_domnet.READY, timeout=30)
    guest = ferry_domnet.guest(lab, 1)
    common.ping_works(lab, guest)
    lab.dom0.run("ferry stop domnet", timeout=60)


def begin(lab, missing):
    """Returns the path of a configuration that is refused for these rows."""
    common.install(lab)
    path = common.config(lab, extra="bridge=xenbr0,uplink=nic0")
    refused(lab, path, missing)
    return path


def run(lab):
    insisted_in_vain(lab, begin(lab, ("iommu", "interrupt-remapping")))
