# SPDX-License-Identifier: BSD-2-Clause
"""Jumbo frames through each NIC of nics.py: its domain goes on with mtu=9000 under its guest.

Without mtu= in its vif line the guest's interface has what the bridge has. Packets of 9000 bytes then pass
whole both ways, TCP between stations that have 9000 bytes comes out as it went in, and all of it again after
a death that the NIC was kept running over. Where a NIC cannot, its domain does not start, and says why.
"""
import recovery_common as common
from ferry_domnet import expect
from ferrylab import measure

MTU = 9000
PING = 8900  # bytes of an echo's data
ECHO = PING + 8 + 20 + 14  # of its frame
NR_ECHOES = 3
TCP_BYTES = 2 << 20
REFUSED = {"X": "cannot have mtu=9000: it does not receive a frame in several buffers; accepted: up to 1500"}


def _echoes(scene, station, address):
    """Echoes that nobody may cut; both sides' frames are as long as they are."""
    before = scene.wire.counts()
    station.run(f"ping -q -M do -s {PING} -c {NR_ECHOES} -i 0.1 -W 2 {address}")
    after = scene.wire.counts()
    for way in ("from_nic", "to_nic"):
        frames, length = (after[way][key] - before[way][key] for key in ("frames", "bytes"))
        expect(NR_ECHOES <= frames < 3 * NR_ECHOES and length >= NR_ECHOES * ECHO,
               f"{scene.name}: {way}: {NR_ECHOES} echoes of {ECHO} bytes are {frames} frames, {length} bytes")


def _traffic(scene, when):
    _echoes(scene, scene.guest, scene.wire.ip)
    _echoes(scene, scene.wire, scene.ip)
    before = scene.wire.counts()
    took = measure.checked_transfers(scene.lab, scene.wire, scene.guest, TCP_BYTES)
    after = scene.wire.counts()
    mean = {}
    for way in ("from_nic", "to_nic"):
        frames, length = (after[way][key] - before[way][key] for key in ("frames", "bytes"))
        mean[way] = length // frames
    scene.say(f"jumbo, {when}: checked TCP {took}; bytes a frame: {mean}")


def _config(scene):
    return common.config(scene.lab, name=scene.name, image=scene.image, nic=scene.nic.slot,
                         extra=f"{scene.extra} bridge=xenbr0,uplink=nic0,mtu={MTU}")


def _refused(scene, reason):
    scene.lab.dom0.run(f"ferry stop {scene.name}", timeout=60)
    seen = len(scene.domain.console())
    started = scene.lab.dom0.run(f"ferry start --allow-unisolated {_config(scene)}", timeout=60, check=False)
    common.wait_for(lambda: "shutting down" in scene.domain.console()[seen:],
                    f"{scene.name}: starts with mtu={MTU}: {started}", 20)
    text = scene.domain.console()[seen:]
    expect(f"nic0: {scene.nic.driver} at 0000:00:00.0 {reason}" in text, f"{scene.name}: other words:\n{text}")
    expect("crash" not in text, f"{scene.name}: crashes:\n{text}")
    scene.say("jumbo: refused")


def _carried(scene, restart, seen):
    ended = restart.wait(60)
    expect(ended.rc == 0, f"{scene.name}: ferry restart: {ended}")
    common.wait_for(lambda: "nic0: link up" in scene.domain.console()[seen:],
                    f"{scene.name}: no link with mtu={MTU}", 20)
    text = scene.domain.console()[seen:]
    expect(f"nic0: MTU {MTU}" in text, f"{scene.name}: the NIC has no MTU of {MTU}:\n{text}")
    expect(f", mtu {MTU}," in text, f"{scene.name}: the vif has no MTU of {MTU}:\n{text}")
    scene.wire.run(f"ip link set wire0 mtu {MTU}")
    scene.guest.run(f"ip link set {scene.device} mtu {MTU}; ping -q -c 1 -w 10 {scene.wire.ip}")
    _traffic(scene, "restarted")
    death = common.death(scene.lab, lambda: scene.fault("null"), f"{scene.name}: jumbo", scene.name, 10)
    expect(death["depth"] == 1 and death["nic"] == "kept", f"{scene.name}: jumbo: {death}")
    _traffic(scene, "the NIC kept")
    scene.guest.run(f"ip link set {scene.device} mtu 1500")
    scene.wire.run("ip link set wire0 mtu 1500")


def check(scenes):
    """The domains have mtu= from here on. `ferry restart` builds them anew with the same id, beside ferryd."""
    begun = [(scene, scene.lab.dom0.start(f"exec ferry restart {scene.name} {_config(scene)} 2>&1"),
              len(scene.domain.console())) for scene in scenes if scene.nic.slot not in REFUSED]
    for scene, restart, seen in begun:
        _carried(scene, restart, seen)
    for scene in scenes:
        if scene.nic.slot in REFUSED:
            _refused(scene, REFUSED[scene.nic.slot])
