# SPDX-License-Identifier: BSD-2-Clause
"""`ferry` and `ferryd` look after a Linux driver domain: it dies under load, and its guest keeps its connections.

The domain is the lab's own, which has no agent of Ferry's: no heartbeat, so a hang is not seen. FERRY_LONG=1: all deaths,
and more rounds; FERRY_DEATHS="panicked restarted": these alone.
"""
import os
import statistics
import time

import recovery_common as common
import recovery_measure as measure
from ferry_domnet import expect, mac
from ferrylab import paths
from ferrylab.domain import Guest, config_text
from ferrylab.slots import SLOTS
from recovery_nic import dom0_drives, interfaces

IN_CHECK = False  # for its time; linux_image has one death of the image that Ferry makes
NAME, GUEST, SLOT = "domlinux", "guest9", "A"
KERNEL, RAMDISK = f"{paths.DOM0_IMAGES}/vmlinux", f"{paths.DOM0_IMAGES}/domlinux.cpio"
ROUNDS = 4 if os.environ.get("FERRY_LONG") else 1
LIMIT_S, BOOT_LIMIT_S, SETTLE_S = 240, 150, 1.0


class Scene:
    """The driver domain, started, and a guest that reaches the wire."""

    forwards = "domlinux: forwarding at"  # on its console, once

    def __init__(self, lab):
        self.lab, self.wire = lab, lab.wire[SLOT]
        self.path = f"/root/{NAME}.cfg"
        lab.dom0.put(self.config(nic=SLOTS[SLOT].bdf[5:]).encode(), self.path)
        self.linux = Guest(lab, NAME)
        self.start()
        self.domid = self.linux.domid
        self.guest = lab.guest(GUEST, vifs=[f"mac={mac(9)},bridge=xenbr0,backend={NAME}"])
        self.guest.ip = f"{SLOTS[SLOT].network}.10"
        self.guest.run(f"ip addr add {self.guest.ip}/24 dev eth0 && ip link set eth0 up")
        common.wait_for(lambda: self.guest.run(f"ping -c 1 -W 1 {self.wire.ip}", check=False).rc == 0,
                        "the guest does not reach the wire", 90)
        self.store = measure.StoreLog(lab)
        self.store.listen(False)

    def start(self):
        self.lab.dom0.run(f"ferry start {self.path}", timeout=LIMIT_S)
        self.is_up()

    config = staticmethod(lambda **settings: config(**settings))

    def is_up(self, boots=0):
        """It forwards, for the first time or once more."""
        common.wait_for(lambda: self.lab.console(NAME).count(self.forwards) > boots, f"{NAME} does not forward",
                        BOOT_LIMIT_S)
        if boots:
            self.linux.reconnect()
        else:
            self.linux.connect(timeout=30)

    def status(self):
        return common.status(self.lab, NAME)


def config(**settings):
    nic = settings.pop("nic")
    return config_text({"name": NAME, "type": "pv", "kernel": KERNEL, "ramdisk": RAMDISK,
                        "extra": "console=hvc0 lab.agent", "memory": 256, "driver_domain": 1, "pci": [nic],
                        **settings})


# How it dies: (what is done, the cause that ferryd must see, whether reads of the emulated NIC may be refused while it sends).

def destroy(scene):
    scene.lab.dom0.run(f"xl destroy {NAME}", timeout=60)


def panic(scene):
    scene.linux.start("echo c > /proc/sysrq-trigger")


def restart(scene):
    scene.lab.dom0.run(f"ferry restart {NAME}", timeout=LIMIT_S)


def upgrade(scene):
    scene.lab.dom0.run(f"ferry upgrade {NAME} --kernel {KERNEL} --ramdisk {RAMDISK}", timeout=LIMIT_S)


KINDS = {"destroyed": (destroy, "vanished", True), "panicked": (panic, "crash", False),
         "restarted": (restart, "restart", False), "upgraded": (upgrade, "upgrade", False)}


# In `make check` the first, for its time.
CHOSEN = os.environ.get("FERRY_DEATHS", " ".join(KINDS) if os.environ.get("FERRY_LONG") else "destroyed").split()


def is_back(scene, deaths):
    now = scene.status()
    return (now["nr_deaths"] == deaths and now["state"] == "running" and now["deaths"][-1]["back_ms"] >= 0 and
            now["vifs"] == now["vifs_serving"] == 1)


def one_death(scene, kind):
    """Returns the outage in ms, as the wire saw it."""
    lab, guest = scene.lab, scene.guest
    die, cause, refused = KINDS[kind]
    deaths, boots = scene.status()["nr_deaths"], lab.console(NAME).count(scene.forwards)
    watched = common.StateLog(lab, common.domid_front(guest) + "/state")
    scene.store.listen(True)
    scene.store.mark()
    load = measure.Load(lab, guest, scene.wire)
    load.wait_flowing()
    window, began = measure.Window(load), time.monotonic()
    die(scene)
    common.wait_for(lambda: is_back(scene, deaths + 1), f"{kind}: not back", LIMIT_S)
    time.sleep(SETTLE_S)
    nr_from = scene.wire.counts()["from_nic"]["bytes"]
    common.wait_for(lambda: scene.wire.counts()["from_nic"]["bytes"] > nr_from + (1 << 18),
                    f"{kind}: TCP does not go on", 60 + time.monotonic() - began)  # its next try comes after as long again
    window.close()
    total, same = load.end(30 + time.monotonic() - began)  # the other way's next try may be as far away
    expect(same or refused, f"{kind}: the data changed on its way")
    figures = window.figures()
    states = measure.connected_throughout(scene.store, watched, guest.domid, scene.domid, kind)
    watched.end()
    scene.store.listen(False)
    death = scene.status()["deaths"][-1]
    expect(scene.linux.domid == scene.domid, f"{kind}: it came back with another id")
    expect((death["cause"], death["way"], death["depth"]) == (cause, "rebuilt", 3), f"{kind}: {death}")
    print(f"linux_life: {kind}: {figures.text()}; TCP survived, {total} bytes"
          f"{'' if same else ', changed (refused reads, docs/recovery.md)'}; ferryd took {death['back_ms']} ms; "
          f"{states}", flush=True)
    scene.is_up(boots)
    return figures.outage


def refused(lab, command, words, code=1):
    done = lab.dom0.run(command, check=False)
    expect(done.rc and code in (done.rc, None) and words in done.stderr, f"{command}: {done}")


def refusals(scene):
    """What Ferry's kernel has and Linux has not, each by name."""
    lab = scene.lab
    for command in (f"ferry vifs {NAME}", f"ferry stations {NAME}", f"ferry top {NAME} --batch --iterations 1",
                    f"ferry capture {NAME} vif1.0 -w /tmp/none", f"ferry policy {NAME} --show"):
        refused(lab, command, f"{NAME} runs Linux")
    lab.dom0.put(b"[default]\nguard mac\n", "/tmp/policy")
    refused(lab, f"ferry policy {NAME} --file /tmp/policy", f"{NAME} runs Linux")
    refused(lab, f"ferry upgrade {NAME} --kernel {KERNEL}", "--ramdisk")
    refused(lab, f"ferry upgrade {NAME} --kernel /bin/true --ramdisk {RAMDISK}", "is no Linux kernel")
    lab.dom0.put(config(nic=SLOTS["B"].bdf[5:], name="other").replace("memory = 256\n", "").encode(), "/tmp/o.cfg")
    refused(lab, "ferry start /tmp/o.cfg", "memory= is missing")
    lab.dom0.put(config(nic=SLOTS["B"].bdf[5:], name="other").encode(), "/tmp/o.cfg")
    lab.dom0.run("mkdir -p /etc/ferry && cp /tmp/policy /etc/ferry/other.policy")
    refused(lab, "ferry start /tmp/o.cfg", "other runs Linux", code=None)
    expect(lab.dom0.run("xl domid other", check=False).rc, "started with a policy that Linux does not keep")
    text = lab.dom0.output(f"ferry status {NAME}")
    expect("Linux; no heartbeat" in text, text)
    done = lab.dom0.run(f"ferry check {scene.path}", check=False)
    expect("what its ramdisk drives" in done.stdout, f"ferry check: {done}")


def lies(scene, ferryd):
    """A reference of the domain's own making: said once, and it goes on without a heartbeat."""
    node = f"/local/domain/{scene.domid}/data/ferry/status"
    for lie in ("4000000000", "8"):
        said = ferryd.stdout.count("heartbeat cannot be read")
        scene.lab.dom0.run(f"xenstore-write {node} {lie}")
        time.sleep(2)
        if not said:
            common.wait_for(lambda n=said: ferryd.stdout.count("heartbeat cannot be read") == n + 1,
                            "ferryd does not say that the reference lies", 5)
        expect(ferryd.stdout.count("heartbeat cannot be read") == 1, "said more than once")
    scene.lab.dom0.run(f"xenstore-rm {node}")


def run(lab):
    common.prefer_dom0(lab)
    common.install(lab)
    dom0_drives(lab, SLOTS[SLOT].bdf)
    names = interfaces(lab, SLOTS[SLOT].bdf)
    ferryd = common.supervise(lab, "--max-deaths 15 --window 1")
    try:
        scene = Scene(lab)
        refusals(scene)
        lies(scene, ferryd)
        outages = {kind: [one_death(scene, kind) for _ in range(ROUNDS if kind in ("destroyed", "panicked") else 1)]
                   for kind in CHOSEN}
    finally:
        print(ferryd.stdout, flush=True)
    for kind, values in outages.items():
        print(f"linux_life: {kind}: outage min / median / max {min(values):.0f} / {statistics.median(values):.0f} / "
              f"{max(values):.0f} ms (n = {len(values)})", flush=True)
    report = lab.dom0.output(f"ferry logs --report {NAME}")
    expect(report, "the console's end was not kept")
    lab.dom0.run(f"ferry stop {NAME}", timeout=60)
    common.wait_for(lambda: interfaces(lab, SLOTS[SLOT].bdf) == names, "dom0 has not got its interface back", 15)
    expect(lab.dom0.run(f"ls /var/lib/ferry/{NAME}.ramdisk", check=False).rc, "the ramdisk is kept for nobody")
    ferryd.kill()
