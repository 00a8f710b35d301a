# SPDX-License-Identifier: BSD-2-Clause
"""How long a guest waits while a Linux driver domain of `ferry image linux` is built anew, and where the time goes.

Each death is `xl destroy`, or with FERRY_REBUILD_KIND=panicked a panic, under pings. Prints ferryd's steps and the domain's own
times of each death, and min / median / max. FERRY_REBUILDS: how many deaths, 3 unless said; FERRY_LINUX_IMAGE: a directory
with an image that is made already; FERRY_LINUX_EXTRA: more words for extra=.
"""
import os
import re
import statistics
from pathlib import Path

import linux_image as image
import linux_life as life
import recovery_common as common
from ferry_domnet import expect
from ferrylab import wire as wires

ALONE = True
IN_CHECK = False  # it takes minutes
DEATHS = int(os.environ.get("FERRY_REBUILDS", "3"))
KIND = os.environ.get("FERRY_REBUILD_KIND", "destroyed")
HOW = {"destroyed": life.destroy, "panicked": lambda scene: scene.lab.dom0.run(f"xl sysrq {life.NAME} c", timeout=60)}
PING_S = 0.05  # a load that fills the processors would be measured, not the rebuild
OWN = r"ferry: (linux-init|modules loaded|bridges are up|ready|bridge xenbr0 forwards) after (\d+) ms"


class Scene(image.Scene):
    @staticmethod
    def config(**settings):
        more = os.environ.get("FERRY_LINUX_EXTRA", "")
        return life.config(kernel=f"{image.WHERE}/vmlinux", ramdisk=f"{image.WHERE}/initrd", memory=image.MEMORY_MB, vcpus=1,
                           extra=f"{image.words()} {more}".strip(), **image.SETTINGS, **settings)


def one_death(scene, number):
    """Returns (the outage as the wire saw it, ferryd's steps, the domain's own times), in ms."""
    lab, wire, guest = scene.lab, scene.wire, scene.guest
    deaths, boots = scene.status()["nr_deaths"], lab.console(life.NAME).count(scene.forwards)
    pings = "from_nic @6=" + guest.output("cat /sys/class/net/eth0/address").replace(":", "") + f" {wires.ICMP_REQUEST}"
    began, seen = wires.now_ns(), len(lab.console(life.NAME))
    load = guest.start(f"exec ping -n -i {PING_S} -W 1 {wire.ip} > /dev/null 2>&1")
    common.wait_for(lambda: wire.gap(pings, after=began)["frames"] > 5, "no pings reach the wire", 10)
    before = wires.now_ns()
    HOW[KIND](scene)
    common.wait_for(lambda: life.is_back(scene, deaths + 1), "not back", life.LIMIT_S)
    common.wait_for(lambda: lab.console(life.NAME).count(scene.forwards) > boots, "it does not say that it is ready", 30)
    after = wires.now_ns()
    common.wait_for(lambda: wire.gap(pings, after=after)["frames"] > 5, "no pings reach the wire again", 60)
    outage = wire.gap(pings, after=before, before=wires.now_ns())["gap"] / 1e6
    guest.run("killall -INT ping", check=False)
    load.wait(10)
    death = scene.status()["deaths"][-1]
    expect((death["way"], death["depth"], scene.linux.domid) == ("rebuilt", 3, scene.domid), f"{death}")
    steps = {step["step"]: step["us"] / 1000 for step in death["steps"]}
    own = {word: int(ms) for word, ms in re.findall(OWN, lab.console(life.NAME)[seen:])}
    print(f"linux_rebuild: death {number}: outage {outage:.0f} ms; ferryd: "
          f"{', '.join(f'{name} {ms:.0f}' for name, ms in steps.items())}; its own clock: "
          f"{', '.join(f'{name} {ms}' for name, ms in own.items())}", flush=True)
    return outage, steps, own


def spread(values):
    return f"{min(values):.0f} / {statistics.median(values):.0f} / {max(values):.0f}"


def run(lab):
    where = os.environ.get("FERRY_LINUX_IMAGE")
    if not where:
        where = lab.run_dir / "image"
        print(image.make(where, "--drivers", "e1000e"), end="")
    for name in ("vmlinux", "initrd"):
        lab.dom0.put(Path(where) / name, f"{image.WHERE}/{name}")
    common.prefer_dom0(lab)
    common.install(lab)
    ferryd = common.supervise(lab, f"--max-deaths {DEATHS + 10} --window 1")
    try:
        scene = Scene(lab)
        rounds = [one_death(scene, number) for number in range(1, DEATHS + 1)]
    finally:
        print(ferryd.stdout, flush=True)
        (lab.run_dir / "console.txt").write_text(lab.console(life.NAME))
        print(lab.console(life.NAME)[-3000:], flush=True)
    print(f"linux_rebuild: {DEATHS} deaths; min / median / max, ms: outage {spread([outage for outage, _, _ in rounds])}", flush=True)
    for index, whose in ((1, "ferryd"), (2, "its own clock")):
        for name in rounds[0][index]:
            values = [one[index][name] for one in rounds if name in one[index]]
            print(f"linux_rebuild: {whose}: {name}: {spread(values)} (n = {len(values)})", flush=True)
    lab.dom0.run(f"ferry stop {life.NAME}", timeout=60)
    ferryd.kill()
