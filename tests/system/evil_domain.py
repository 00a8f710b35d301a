# SPDX-License-Identifier: BSD-2-Clause
"""A driver domain that turns against everybody else has no more access than any guest. One boot of the lab."""
import os
import secrets
import time

import evil_dma
import evil_dom0
import evil_guest
import evil_memory
import evil_memory_reuse
import evil_storm
import hostile_guest
import recovery_common as common
from evil_driver import IMAGE, Evil
from ferrylab import CheckFailed

# In `make check` the first part only, for its time; FERRY_EVIL=storm,dom0 runs those, FERRY_EVIL=all these three.
IN_CHECK_PARTS = "dma"
PARTS = {"dma": evil_dma.run, "storm": evil_storm.run, "dom0": evil_dom0.run}
# Long, so only by name.
BY_NAME = {"later": evil_dma.later, "ruin": evil_dom0.ruin, "guest": evil_guest.run, "reuse": evil_memory_reuse.run}


class Scene:
    """The attacker, which ferryd looks after; another driver domain, with a guest that pings through it all; a guest
    whose page the attacker is after, and one that grants it a page."""

    def __init__(self, lab):
        self.lab, self.failures = lab, []
        self.memory = evil_memory.Memory(lab)
        common.install(lab)
        self.ferryd = common.supervise(lab)
        common.start(lab, common.config(lab, nic="B", extra="bridge=xenbr0,uplink=nic0"))
        self.other = hostile_guest.Bystander(lab, nic="B")
        lab.dom0.run(f"ferry start {common.config(lab, name='evil', image=IMAGE, memory=16)}", timeout=60)
        lab.wait_console("evil", "hostile: ready", 20)
        self.evil = Evil(lab, made=common.Domain(lab, "evil"))
        self.evil.do("nic")
        self.granter = Evil(lab, "granter", nic=None)
        self.targets = evil_dma.targets(self)

    def canary(self, runner, directory):
        return evil_memory.Canary(self.memory, runner, directory, secrets.token_hex(8))

    def check(self, holds, text):
        """A check that does not end the run: the others are worth seeing too."""
        if not holds:
            self.failures.append(text)
        print(f"evil_domain: {'holds' if holds else 'FAILED'}: {text}", flush=True)


def run_part(scene, name):
    began = time.monotonic()
    (PARTS | BY_NAME)[name](scene)
    sent, lost, longest = scene.other.judge(name)
    print(f"evil_domain: {name}: {time.monotonic() - began:.1f} s; the other driver domain's guest: {lost} of {sent} pings "
          f"lost, longest {longest:.0f} ms", flush=True)
    scene.check(lost == 0, f"{name}: another driver domain serves its guest all the time ({lost} of {sent} pings lost)")
    scene.check(all(target.holds() for target in scene.targets), f"{name}: all canaries are as they were")


def run(lab):
    scene = Scene(lab)
    wanted = os.environ.get("FERRY_EVIL", IN_CHECK_PARTS).replace("all", ",".join(PARTS)).split(",")
    for name in [part for part in PARTS | BY_NAME if part in wanted]:
        try:
            run_part(scene, name)
        except CheckFailed as failed:  # the other parts are worth seeing too
            scene.check(False, f"{name}: {failed}")
    scene.memory.close()
    print("".join(line[:300] + "\n" for line in scene.ferryd.stdout.splitlines() if "restarted itself" not in line), flush=True)
    if scene.failures:
        raise CheckFailed(f"{len(scene.failures)} checks:\n" + "\n".join(scene.failures))
