# SPDX-License-Identifier: BSD-2-Clause
"""What an admin gets wrong: each mistake is named on the console, and nobody else suffers from it."""
import re

import ferry_domnet
from ferry_domnet import expect
from ferrylab import CheckFailed, CommandFailed

BESIDE = True  # tests/run-system


def stops_with(lab, name, pattern, **settings):
    """A domain that cannot serve says why and shuts down; no crash."""
    domain = ferry_domnet.start(lab, name=name, wait=pattern, on_poweroff="preserve", **settings)
    lab.wait_console(name, "shutting down", timeout=20)
    expect("crash" not in domain.console(), f"{name} crashed:\n{domain.console()[-1500:]}")
    domain.destroy()


def words(lab):
    stops_with(lab, "typo", r"unknown word 'brigde=xenbr0'", nic=None, extra="brigde=xenbr0")
    stops_with(lab, "badage", r"'ageing=never'", nic=None, extra="ageing=never")
    stops_with(lab, "twice", r"xenbr0", nic=None, extra="bridge=xenbr0 bridge=xenbr0")


def memory(lab):
    """xl refuses what the image does not fit in; the smallest domain it builds can serve."""
    try:
        ferry_domnet.start(lab, name="tiny", nic=None, memory=6)
    except CommandFailed as refused:
        expect(re.search("not enough memory|Out of memory", str(refused)), f"xl says something else: {refused}")
    else:
        raise CheckFailed("xl built a domain of 6 MB")
    small = ferry_domnet.start(lab, name="small", memory=10)
    guest = ferry_domnet.guest(lab, 8, backend="small")
    lab.wait_console("small", "nic0: link up", timeout=20)
    guest.run(f"ping -c 3 -i 0.1 {lab.wire['A'].ip}")
    guest.destroy()
    small.destroy()


def hardware(lab):
    alone = ferry_domnet.start(lab, name="alone", nic=None)
    expect("no PCI device" in alone.console(), "a domain without pci= does not say so")
    alone.destroy()
    other = ferry_domnet.start(lab, name="other", image="ferry-net-no-e1000")
    text = other.console()
    expect("8086:10d3" in text and "net_igc" in text,
           f"a NIC without a driver is not named with the drivers there are:\n{text[-1500:]}")
    other.destroy()


def absent_bridge(lab):
    domnet = ferry_domnet.start(lab)
    good = ferry_domnet.guest(lab, 1)
    try:
        lab.guest("guest9", vifs=[f"mac={ferry_domnet.mac(9)},bridge=nope,backend=domnet"])
    except CommandFailed as refused:
        expect("unable to add vif" in str(refused), f"xl says something else: {refused}")
    else:
        raise CheckFailed("xl created a guest whose vif names a bridge that is not there")
    lab.wait_console("domnet", r"no bridge 'nope'; bridges are: xenbr0", timeout=20)
    left = lab.dom0.run(f"xenstore-ls -f /local/domain/{domnet.domid}/backend | grep nope",
                        check=False).stdout
    expect(not left, f"the refused vif left nodes behind:\n{left}")
    lab.wait_console("domnet", "nic0: link up", timeout=20)
    good.run(f"ping -c 3 -i 0.1 {lab.wire['A'].ip}")
    ferry_domnet.check_alive(lab, domnet)


def run(lab):
    for check in (words, memory, hardware, absent_bridge):
        print(f"bad_config: {check.__name__}", flush=True)
        check(lab)
