# SPDX-License-Identifier: BSD-2-Clause
"""What dom0's tools read of the attacker: lies, escape sequences, floods. They stay as they are, and serve others."""
import os
import re
import time

import recovery_common as common
from ferry_domnet import expect

LONG = bool(os.environ.get("FERRY_LONG"))
SECONDS = 60 if LONG else 4
RSS_KB = 4096  # that ferryd may grow by, whatever it is told
LINES = 150  # that ferryd may say to one kind of attack; 120 restarts a minute are noted
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Watched:
    """ferryd and `ferry` over one kind of attack."""

    def __init__(self, scene, what):
        self._scene, self._what = scene, what
        self._rss, self._said = self._rss_kb(), len(scene.ferryd.stdout)

    def _rss_kb(self):
        return int(self._scene.lab.dom0.output("grep VmRSS /proc/$(pidof ferryd)/status | tr -dc 0-9"))

    def end(self):
        scene, what, grown = self._scene, self._what, self._rss_kb() - self._rss
        said = scene.ferryd.stdout[self._said:]
        shown = "".join(scene.lab.dom0.run(f"ferry {words}", timeout=30, check=False).stdout for words in
                        ("status", "status evil", "status evil --json", "logs evil --report", "logs evil", "vifs evil", "stations evil"))
        lines = said.count("\n")
        expect("evil" in shown, "`ferry` shows nothing of it: the check below would be blind")
        print(f"evil_domain: {what}: ferryd grew by {grown} KB, said {lines} lines", flush=True)
        scene.check(grown < RSS_KB, f"{what}: ferryd's memory grows by less than {RSS_KB} KB ({grown})")
        scene.check(lines <= LINES, f"{what}: ferryd says {lines} lines, at most {LINES}")
        scene.check(not CONTROLS.search(said + shown), f"{what}: nothing that a terminal acts on: "
                                                       f"{CONTROLS.findall(said + shown)[:3]}")
        return said


def lies(scene):
    for command in ("lies", "scribble"):
        watched = Watched(scene, f"status page, {command}")
        print(f"evil_domain: {scene.evil.do(f'{command} {SECONDS}', SECONDS + 30)}", flush=True)
        watched.end()


def store(scene):
    watched = Watched(scene, "its nodes")
    print(f"evil_domain: {scene.evil.do(f'nodes {SECONDS}', SECONDS + 60)}", flush=True)
    watched.end()
    watched = Watched(scene, "its quota")
    answer = scene.evil.do("quota 3000", 300)
    print(f"evil_domain: {answer}", flush=True)
    scene.check(answer["refused"] > 0, "its quota: xenstored refuses more")
    scene.lab.dom0.run(f"xenstore-rm /local/domain/{scene.evil.domid}/data; "
                       f"xenstore-write /local/domain/{scene.evil.domid}/data ''; "
                       f"xenstore-chmod /local/domain/{scene.evil.domid}/data n{scene.evil.domid}")
    watched.end()


def console(scene):
    watched = Watched(scene, "its console")
    scene.evil.do(f"console {4096 if LONG else 64}", 300)
    watched.end()


def ruin(scene):
    """The ring to xenstored is damaged before it dies: ferryd brings back what it is asked to look after."""
    watched = Watched(scene, "damaged ring")
    before = common.status(scene.lab, "evil")["nr_deaths"]
    ready = scene.lab.console("evil").count("hostile: ready")
    began = time.monotonic()
    scene.evil.begin("ruin")
    common.wait_for(lambda: common.status(scene.lab, "evil")["nr_deaths"] > before, "damaged ring: no death", 20)
    print(f"evil_domain: damaged ring: the death is noted after {time.monotonic() - began:.1f} s", flush=True)
    time.sleep(1)
    # Its lies of restarts count as deaths: whom they harm is itself.
    if common.status(scene.lab, "evil")["wish"] == "given up":
        print("evil_domain: damaged ring: given up, after all the restarts that it made up", flush=True)
        scene.lab.dom0.run("ferry restart evil", timeout=60)
    common.wait_for(lambda: scene.lab.console("evil").count("hostile: ready") > ready, "damaged ring: not back", 60)
    print(f"evil_domain: damaged ring: back after {time.monotonic() - began:.1f} s", flush=True)
    time.sleep(0.5)
    scene.evil.domid = int(scene.lab.dom0.output("xl domid evil"))
    death = common.status(scene.lab, "evil")["deaths"][-1]
    expect(death["cause"], death)
    print(f"evil_domain: damaged ring: {death['cause']}, {death['way']}", flush=True)
    watched.end()


def run(scene):
    scene.evil.do("ready")
    time.sleep(1)
    lies(scene)
    store(scene)
    console(scene)
