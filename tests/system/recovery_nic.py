# SPDX-License-Identifier: BSD-2-Clause
"""`ferry start` takes a NIC from dom0 by its interface's name; `ferry stop` gives it back."""
import ferry_domnet
import recovery_common as common
from ferry_domnet import expect
from ferrylab import paths
from ferrylab.image import tree
from ferrylab.slots import SLOTS


def interfaces(lab, bdf):
    return lab.dom0.run(f"ls /sys/bus/pci/devices/{bdf}/net", check=False).stdout.split()


def dom0_drives(lab, bdf):
    """Dom0's image has no driver for the NIC: give it one, and the NIC to it."""
    source = sorted(paths.BUILD.glob("tree-*"))[-1]
    for module in tree.module_files(source, ["e1000e"]):
        lab.dom0.put(module, f"/root/modules/{module.name}")
        lab.dom0.run(f"insmod /root/modules/{module.name} 2>&1 || true")
    lab.dom0.run(f"echo {bdf} > /sys/bus/pci/drivers/pciback/unbind; "
                 f"echo {bdf} > /sys/bus/pci/drivers/e1000e/bind; sleep 1")


def run(lab):
    common.install(lab)
    bdf = SLOTS["A"].bdf
    dom0_drives(lab, bdf)
    names = interfaces(lab, bdf)
    expect(len(names) == 1, f"dom0's own driver shows no interface on {bdf}: {names}")
    path = common.config(lab, pci=names)
    ferryd = common.supervise(lab)
    domnet = common.start(lab, path)
    lab.wait_console("domnet", "nic0: link up", timeout=20)
    expect(not interfaces(lab, bdf), "dom0 still has the interface")
    done = lab.dom0.run(f"ferry check {path}", check=False)
    expect(done.rc == 0 and bdf in done.stdout, f"ferry check does not know {names[0]} while the domain has it: {done}")
    done = lab.dom0.run(f"ferry start {path}", check=False)
    expect(done.rc == 1 and "there already" in done.stderr, f"ferry start, the second time: {done}")
    lab.dom0.run("xl destroy domnet", timeout=60)
    common.wait_for(lambda: common.status(lab)["state"] == "running", "not back", 30)
    guest = ferry_domnet.guest(lab, 1)
    guest.run(f"ping -c 3 -i 0.2 -W 2 {lab.wire['A'].ip}")
    lab.dom0.run("ferry stop domnet", timeout=60)
    expect(not domnet.exists(), "stopped, and yet there")
    common.wait_for(lambda: interfaces(lab, bdf) == names, "dom0 has not got its interface back", 10)
    ferryd.kill()
