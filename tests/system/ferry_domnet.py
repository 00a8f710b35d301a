# SPDX-License-Identifier: BSD-2-Clause
"""What the scenarios share: a driver domain of Ferry's image, guests behind it, their addresses."""
from pathlib import Path

from ferrylab import CheckFailed
from ferrylab.slots import SLOTS

BUILD = Path(__file__).resolve().parents[2] / "build"
READY = r"boot, ms:.*total (\d+)"


def mac(number):
    return f"00:16:3e:77:00:{number:02x}"


def start(lab, name="domnet", nic="A", wait=READY, image="ferry-net", paused=False, **settings):
    """`xl create` of a driver domain as an admin would write it; waits for its console."""
    target = f"/root/images/{image}"
    lab.dom0.put(BUILD / image, target)
    config = {"name": name, "type": "pv", "kernel": target, "memory": 32, "vcpus": 1,
              "driver_domain": 1, "on_crash": "preserve", "on_watchdog": "preserve"}
    if nic:
        config["pci"] = [SLOTS[nic].bdf[5:]]
    domain = lab.create_domain({**config, **settings}, paused=paused)
    if wait and not paused:
        lab.wait_console(name, wait, timeout=30)
    return domain


def guest(lab, number, backend="domnet", nic="A", bridge="xenbr0", name=None, **settings):
    """A stock Debian guest with one vif, its interface up; `.ip` is its address."""
    name = name or f"guest{number}"
    made = lab.guest(name, vifs=[f"mac={mac(number)},bridge={bridge},backend={backend}"],
                     **settings)
    made.ip = f"{SLOTS[nic].network}.{number + 1}"
    made.run(f"ip addr add {made.ip}/24 dev eth0 && ip link set eth0 up")
    return made


def check_alive(lab, domain):
    """The driver domain is the one that was started, and reported no crash."""
    text = domain.console()
    if "ferry: crash" in text or "panic" in text:
        raise CheckFailed(f"{domain.name} crashed:\n{text[-2500:]}")
    if not domain.exists():
        raise CheckFailed(f"{domain.name} is gone; its console ended with:\n{text[-1500:]}")


def expect(holds, text):
    if not holds:
        raise CheckFailed(text)
