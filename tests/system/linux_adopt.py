# SPDX-License-Identifier: BSD-2-Clause
"""A Linux driver domain that `xl create` made is adopted, also without Ferry's agent, and brought back under its guest."""
import linux_life as life
import recovery_common as common
from ferry_domnet import expect

IN_CHECK = False  # not run yet: run it, then take this line out


class Scene(life.Scene):
    """The lab's own Linux, which has no agent of Ferry's."""

    def start(self):
        self.lab.dom0.run(f"xl create {self.path}", timeout=60)
        self.is_up()
        done = self.lab.dom0.run(f"ferry adopt {life.NAME}", timeout=60)
        expect("runs Linux: a death means a rebuild" in done.stderr, f"ferry adopt: {done}")

    @staticmethod
    def config(**settings):
        return life.config(on_crash="preserve", on_reboot="preserve", on_poweroff="preserve", **settings)


def run(lab):
    common.prefer_dom0(lab)
    common.install(lab)
    ferryd = common.supervise(lab, "--max-deaths 15 --window 1")
    try:
        scene = Scene(lab)
        now = scene.status()
        expect(now["adopted"] and now["linux"] and not now["heartbeat"], now)
        life.one_death(scene, "panicked")
    finally:
        print(ferryd.stdout, flush=True)
    ferryd.kill()
