# SPDX-License-Identifier: BSD-2-Clause
"""`ferry image linux`: an image made of the lab's own Debian packages boots as a driver domain and serves a stock guest.

The image is made on this machine, from the tree that dom0's disk is made from: dom0's disk here has neither kernel packages nor
libarchive. Prints how long the boot takes, what it weighs, and what memory is left.
"""
import os
import re
import subprocess

from ferry_domnet import expect, mac
from ferrylab import measure, paths
from ferrylab.slots import SLOTS

NAME, GUEST_IP, MEMORY_MB = "linuxnet", "10.78.0.7", 96
WHERE = "/root/linux"
STEPS = {"init": r"ferry: linux-init after", "modules": r"ferry: modules loaded after",
         "bridge": r"ferry: bridges are up after", "ready": r"ferry: ready after",
         "forwards": r"ferry: bridge xenbr0 forwards after"}


def make(target, *words, tree=None):
    """The image of some tree, by the program as it was built here; returns what it said."""
    tree = tree or next(paths.BUILD.glob("tree-*"))
    command = [paths.TOP / "build/ferry", "image", "linux", "--root", tree, "-o", target, *words]
    made = subprocess.run(command, env={**os.environ, "FERRY_KERNEL_DIR": str(paths.TOP / "build")},
                          capture_output=True, text=True, check=False)
    expect(made.returncode == 0, f"`ferry image linux` failed:\n{made.stdout}{made.stderr}")
    return made.stdout


def config(words="ferry.bridge=xenbr0", **settings):
    return {"name": NAME, "type": "pv", "kernel": f"{WHERE}/vmlinuz", "ramdisk": f"{WHERE}/initrd",
            "extra": f"console=hvc0 {words}", "memory": MEMORY_MB, "vcpus": 1, "driver_domain": 1,
            "pci": [SLOTS["B"].bdf[5:]], "on_poweroff": "preserve", "on_reboot": "preserve",
            "on_crash": "preserve", **settings}


def start(lab, **settings):
    """The domain, and when its console showed each step, in seconds from the unpausing on."""
    domain = lab.create_domain(config(**settings), paused=True, timeout=120)
    times = measure.console_times(lab, domain, STEPS)
    return domain, times


def status_page(lab, domain):
    """The beat as dom0 sees it: the grant's reference, from the domain's own node."""
    node = f"/local/domain/{domain.domid}/data/ferry/status"
    text = lab.dom0.output(f"xenstore-read {node}")
    expect(re.fullmatch(r"\d+", text.strip()), f"{node} holds '{text}', not a number")
    return int(text)


def run(lab):
    image = lab.run_dir / "image"
    print(make(image, "--drivers", "e1000e"), end="")
    for name in ("vmlinuz", "initrd"):
        lab.dom0.put(image / name, f"{WHERE}/{name}")
    sizes = {name: (image / name).stat().st_size for name in ("vmlinuz", "initrd")}
    expect(sum(sizes.values()) < 20e6, f"the image has more than 20 MB: {sizes}")

    domain, times = start(lab)
    print(f"after the unpausing, s: {times}; its own clock:",
          ", ".join(re.findall(r"ferry: (.* after \d+ ms)", domain.console())))
    guest = lab.guest("guest7", vifs=[f"mac={mac(7)},bridge=xenbr0,backend={NAME}"])
    guest.run(f"ip addr add {GUEST_IP}/24 dev eth0 && ip link set eth0 up")
    wire = lab.wire["B"]
    guest.run(f"for i in $(seq 50); do ping -c 1 -W 1 {wire.ip} && exit 0; done; exit 1", timeout=60)
    figures = {"boot_s": times, "size_bytes": sizes, "ping": measure.ping(guest, wire.ip),
               "tcp_to_wire": measure.tcp(wire, guest, True, driver_domain=domain),
               "tcp_from_wire": measure.tcp(wire, guest, False, driver_domain=domain)}
    print(figures)
    status_page(lab, domain)
    expect("not all modules" not in domain.console(), f"modules are missing:\n{domain.console()}")
    measure.save(lab, figures)
