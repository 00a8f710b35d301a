# SPDX-License-Identifier: BSD-2-Clause
"""`ferry image linux`: an image made of the lab's own Debian packages boots as a driver domain, serves a stock guest, and
comes back under the guest's connections when it was destroyed. How fast it starts, and how it ends by itself, only with FERRY_LONG=1.

The image is made on this machine, from the tree that dom0's disk is made from: dom0's disk here has neither kernel packages nor
libarchive. Prints how long the boot takes, what it weighs, and what memory is left.
"""
import os
import re
import subprocess
from pathlib import Path

import linux_life as life
import recovery_common as common
from ferry_domnet import expect, mac
from ferrylab import measure, paths
from ferrylab.slots import SLOTS

SETTINGS = {"e820_host": 0}  # of the example's lines
NAME, GUEST_IP, MEMORY_MB = "linuxnet", "10.78.0.7", 96
WHERE = "/root/linux"
PHASE_READY = 3  # include/ferry/status.h
STEPS = {"init": r"ferry: linux-init after", "modules": r"ferry: modules loaded after",
         "bridge": r"ferry: bridges are up after", "ready": r"ferry: ready after",
         "forwards": r"ferry: bridge xenbr0 forwards after"}


def make(target, *arguments, tree=None):
    """The image of some tree, by the program as it was built here; returns what it said."""
    tree = tree or next(paths.BUILD.glob("tree-*"))
    command = [paths.TOP / "build/ferry", "image", "linux", "--root", tree, "-o", target, *arguments]
    made = subprocess.run(command, env={**os.environ, "FERRY_KERNEL_DIR": str(paths.TOP / "build")},
                          capture_output=True, text=True, check=False)
    expect(made.returncode == 0, f"`ferry image linux` failed:\n{made.stdout}{made.stderr}")
    return made.stdout


def words(bridge="ferry.bridge=xenbr0"):
    """extra= of the example, with another bridge perhaps."""
    text = (paths.TOP / "docs/examples/linuxnet.cfg").read_text()
    return re.search(r'^extra\s*= "(.*)"', text, re.MULTILINE)[1].replace("ferry.bridge=xenbr0", bridge)


def config(bridge="ferry.bridge=xenbr0", **settings):
    return {"name": NAME, "type": "pv", "kernel": f"{WHERE}/vmlinux", "ramdisk": f"{WHERE}/initrd",
            "extra": words(bridge), "memory": MEMORY_MB, "vcpus": 1, "driver_domain": 1,
            "pci": [SLOTS["B"].bdf[5:]], "on_poweroff": "preserve", "on_reboot": "preserve",
            "on_crash": "preserve", **SETTINGS, **settings}


def start(lab, **settings):
    """The domain, and when its console showed each step, in seconds from the unpausing on."""
    domain = lab.create_domain(config(**settings), paused=True, timeout=120)
    times = measure.console_times(lab, domain, STEPS)
    return domain, times


def look_at_status(lab, domain):
    """The page that the domain shares, as dom0 maps it: it must be READY, and its beat grow every 50 ms."""
    tool = paths.TOP / "build/read_status"
    subprocess.run(["gcc", "-static", "-Wall", "-I", paths.TOP / "include", "-o", tool,
                    Path(__file__).with_name("read_status.c")], check=True)
    lab.dom0.put(tool, "/root/read_status")
    reference = lab.dom0.output(f"xenstore-read /local/domain/{domain.domid}/data/ferry/status").strip()
    expect(reference.isdigit(), f"data/ferry/status holds '{reference}', not a number")
    said = lab.dom0.output(f"/root/read_status {domain.domid} {reference}")
    magic, version, phase, generation, beats = map(int, said.split())
    expect((magic, version, phase, generation) == (1, 1, PHASE_READY, 1), f"its page says {said}")
    expect(10 <= beats <= 21, f"{beats} beats in a second")
    return beats


def ended(lab, domain, letter):
    """Wait until Xen says of the domain that it shut down (s-) or crashed (sc); then it is destroyed."""
    lab.dom0.run(f"for i in $(seq 100); do xl list {NAME} | tail -n 1 | awk '{{print $5}}' | grep -q {letter} && exit 0; sleep 0.1; done; "
                 f"exit 1", timeout=60)
    domain.destroy()


def look_at_ends(lab, domain):
    """A panic is a crash to Xen; a shutdown that is asked for, and a word that is not understood, are none."""
    lab.dom0.run(f"xl sysrq {NAME} c")
    ended(lab, domain, "sc")
    domain = lab.create_domain(config("ferry.bridge=xenbr0 ferry.bridg=x"))
    lab.wait_console(NAME, r"'ferry.bridg=x' is not known")
    ended(lab, domain, "s-")
    domain = lab.create_domain(config())
    lab.wait_console(NAME, r"'ferry.bridg=x' is not known[^$]*ferry: ready after")
    lab.dom0.run(f"xl shutdown {NAME}")
    ended(lab, domain, "s-")


class Scene(life.Scene):
    """This image in linux_life.py's place: there is nobody in it to speak to, but it has a heartbeat."""

    forwards = "ferry: ready after"

    @staticmethod
    def config(**settings):
        return life.config(kernel=f"{WHERE}/vmlinux", ramdisk=f"{WHERE}/initrd", memory=MEMORY_MB, vcpus=1,
                           extra=words(), **SETTINGS, **settings)

    def is_up(self, boots=0):
        common.wait_for(lambda: self.lab.console(life.NAME).count(self.forwards) > boots,
                        f"{life.NAME} does not forward", life.BOOT_LIMIT_S)


def look_at_death(lab):
    """`ferry start` makes it, `xl destroy` ends it under load."""
    common.prefer_dom0(lab)
    common.install(lab)
    ferryd = common.supervise(lab, "--max-deaths 15 --window 1")
    try:
        scene = Scene(lab)
        common.wait_for(lambda: scene.status().get("heartbeat"), "no heartbeat", 20)
        life.one_death(scene, "destroyed")
        common.wait_for(lambda: scene.status().get("heartbeat"), "no heartbeat after the recovery", 20)
    finally:
        print(ferryd.stdout, flush=True)
    lab.dom0.run(f"ferry stop {life.NAME}", timeout=60)
    ferryd.kill()


def look_at_figures(lab, sizes):
    """How fast it starts and what it carries, its status page, and how it ends by itself."""
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
    figures["beats_in_a_second"] = look_at_status(lab, domain)
    expect("not all modules" not in domain.console(), f"modules are missing:\n{domain.console()}")
    measure.save(lab, figures)
    guest.destroy()
    look_at_ends(lab, domain)


def run(lab):
    image = lab.run_dir / "image"
    print(make(image, "--drivers", "e1000e"), end="")
    for name in ("vmlinux", "initrd"):
        lab.dom0.put(image / name, f"{WHERE}/{name}")
    sizes = {name: (image / name).stat().st_size for name in ("vmlinux", "initrd")}
    expect(sizes["vmlinux"] < 45e6 and sizes["initrd"] < 10e6, f"the image is too large: {sizes}")
    if "FERRY_LONG" in os.environ:
        look_at_figures(lab, sizes)
    look_at_death(lab)
