# SPDX-License-Identifier: BSD-2-Clause
"""A Linux driver domain with Ferry's agent hangs: ferryd sees it by the heartbeat, and its guest keeps its connections.

The image is what `ferry image linux` makes; FERRY_LINUX_IMAGE names a directory that has one (vmlinux, initrd).
"""
import os
import subprocess
from pathlib import Path

import linux_life as life
import recovery_common as common
from ferry_domnet import BUILD, expect
from linux_image import WHERE, Scene, make

IN_CHECK = False  # for its time; linux_image has one death
ROUNDS = int(os.environ.get("FERRY_ROUNDS", "1"))
BUSY_S = 5
CHOSEN = os.environ.get("FERRY_DEATHS", "hung panicked").split()


def image_put(lab):
    where = os.environ.get("FERRY_LINUX_IMAGE")
    if not where:
        where = lab.run_dir / "image"
        make(where, "--drivers", "e1000e")
    for name in ("vmlinux", "initrd"):
        lab.dom0.put(Path(where) / name, f"{WHERE}/{name}")


def tool_put(lab):
    tool = BUILD / "hang_domain"
    subprocess.run(["gcc", "-Wall", "-Werror", "-o", tool, Path(__file__).with_name("hang_domain.c"),
                    "-lxenctrl", "-lxenforeignmemory"], check=True)
    lab.dom0.put(tool, "/root/hang_domain")


def hang(scene):
    print(scene.lab.dom0.output(f"/root/hang_domain {scene.domid}"), flush=True)


def panic(scene):
    scene.lab.dom0.run(f"xl sysrq {life.NAME} c")


life.KINDS.update({"hung": (hang, "hang", False), "panicked": (panic, "crash", False)})


def busy(scene):
    """Work is no hang: TCP both ways as fast as it goes, for longer than any limit."""
    deaths = scene.status()["nr_deaths"]
    load = life.measure.Load(scene.lab, scene.guest, scene.wire)
    load.wait_flowing()
    life.time.sleep(BUSY_S)
    expect(load.end()[1], "the data changed on its way")
    expect(scene.status()["nr_deaths"] == deaths, "work was taken for a hang")


def run(lab):
    common.prefer_dom0(lab)
    common.install(lab)
    image_put(lab)
    tool_put(lab)
    ferryd = common.supervise(lab, "--max-deaths 15 --window 1")
    try:
        scene = Scene(lab)
        common.wait_for(lambda: scene.status().get("heartbeat"), "no heartbeat", 20)
        text = lab.dom0.output(f"ferry status {life.NAME}")
        expect("with a heartbeat" in text, text)
        busy(scene)
        for kind in CHOSEN:
            outages = [life.one_death(scene, kind) for _ in range(ROUNDS)]
            print(f"linux_hang: {kind}: outage min / median / max {min(outages):.0f} / "
                  f"{life.statistics.median(outages):.0f} / {max(outages):.0f} ms (n = {len(outages)})", flush=True)
            common.wait_for(lambda: scene.status().get("heartbeat"), "no heartbeat after the recovery", 20)
    finally:
        print(ferryd.stdout, flush=True)
    lab.dom0.run(f"ferry stop {life.NAME}", timeout=60)
    ferryd.kill()
