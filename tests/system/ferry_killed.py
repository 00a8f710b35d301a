# SPDX-License-Identifier: BSD-2-Clause
"""`ferry` dies by SIGKILL at each step of start, stop, restart, upgrade, adopt and policy: the commands that follow put all right.

After each: no domain is left over, the guest of a restart sees nothing, and dom0 has its interface back in the end. Where it moves dom0's own
network: dom0_network_killed.py.
Without FERRY_LONG=1 only at the steps after which the most is half done.
"""
import os

import ferry_domnet
import recovery_common as common
import recovery_nic
from ferry_domnet import BUILD, expect
from ferrylab.slots import SLOTS

if "FERRY_LONG" in os.environ:
    START = ("kept", "noted whose", "taken", "created", "noted to run", "unpaused")
    STOP = ("noted to stop", "destroyed", "given back")
    RESTART = ("kernel prepared", "configuration replaced", "kernel replaced", "old one gone", "built", "unpaused")
    UPGRADE = ("kernel prepared", "paused", "text", "resumed", "kernel replaced")
    ADOPT, POLICY = ("configuration kept", "kernel kept", "adopted"), ("policy kept", "policy noted", "policy put")
else:
    START, STOP, RESTART, UPGRADE = ("taken", "created", "noted to run"), ("destroyed",), ("built",), ("text",)
    ADOPT, POLICY = ("kernel kept",), ("policy noted",)
POLICY_FILE, STATEMENT = "/root/domnet.policy", "isolated"


def killed(lab, step, words):
    done = lab.dom0.run(f"FERRY_DIE_AT='{step}' ferry-faults {words}", timeout=60, check=False)
    expect("dies at: " + step in done.stderr, f"ferry {words} has no step '{step}': {done}")
    expect(done.rc not in (0, 1), f"ferry {words}, {step}: was not killed: {done}")


def is_there(lab):
    return lab.dom0.run("xl domid domnet", check=False).rc == 0


def all_as_before(lab, names, what):
    expect(not is_there(lab), f"{what}: a domain is left over")
    common.wait_for(lambda: recovery_nic.interfaces(lab, SLOTS["A"].bdf) == names,
                    f"{what}: dom0 has not got its interface back", 10)
    expect(lab.dom0.run("ferry status domnet", check=False).rc == 5, f"{what}: still known")


def start_killed(lab, path, names, step):
    """`ferry stop` undoes what was done; where nothing is to be undone, `ferry start` just works."""
    killed(lab, step, f"start {path}")
    again = lab.dom0.run(f"ferry start {path}", timeout=60, check=False)
    expect((again.rc == 0) == (step in ("kept", "noted whose", "taken")), f"start again, killed when '{step}': {again}")
    expect(again.rc == 0 or "`ferry stop domnet`" in again.stderr or "`ferry restart domnet`" in again.stderr,
           f"start again, killed when '{step}': it is not said what to do: {again.stderr}")
    lab.dom0.run("ferry stop domnet", timeout=60)
    all_as_before(lab, names, f"start, killed when '{step}'")


def stop_killed(lab, path, names, step):
    lab.dom0.run(f"ferry start {path}", timeout=60)
    killed(lab, step, "stop domnet")
    lab.dom0.run("ferry stop domnet", timeout=60)
    all_as_before(lab, names, f"stop, killed when '{step}'")


def replaced(lab, guest, step, words):
    """With ferryd: it, or the same command once more, brings the domain to where the guest is served."""
    killed(lab, step, words)
    common.wait_for(lambda: common.status(lab)["state"] == "running", f"{words}, killed when '{step}': not back", 90)
    common.ping_works(lab, guest, 20)
    lab.dom0.run(f"ferry {words}", timeout=60)
    common.ping_works(lab, guest, 20)


def adopt_killed(lab, step):
    """The domain goes on; the same command once more, and it is looked after."""
    killed(lab, step, "adopt domnet")
    again = lab.dom0.run("ferry adopt domnet", timeout=60, check=False)
    expect((again.rc == 0) == (step != "adopted"), f"adopt again, killed when '{step}': {again}")
    expect(again.rc == 0 or "looked after already" in again.stderr, f"adopt again, killed when '{step}': {again}")
    now = common.status(lab)
    expect(now["adopted"] and now["state"] == "running", f"adopted, killed when '{step}': {now}")


def adopted(lab):
    for step in ADOPT:
        domnet = ferry_domnet.start(lab)
        adopt_killed(lab, step)
        lab.dom0.run("ferry stop domnet", timeout=60)
        expect(not domnet.exists(), f"adopt, killed when '{step}': not stopped")


def policy_killed(lab, guest, step):
    """The guest is served; the same command once more, and the policy holds, also for a successor."""
    lab.dom0.put(f"[default]\n{STATEMENT if step != POLICY[-1] else 'guard dhcp'}\n".encode(), POLICY_FILE)
    killed(lab, step, f"policy domnet --file {POLICY_FILE}")
    common.ping_works(lab, guest, 20)
    lab.dom0.run(f"ferry policy domnet --file {POLICY_FILE}", timeout=60)
    wanted = lab.dom0.output(f"sed 1d {POLICY_FILE}").strip()
    lab.dom0.run("ferry restart domnet --rebuild", timeout=60)
    shown = lab.dom0.output("ferry policy domnet --show")
    expect(wanted in shown, f"policy, killed when '{step}': not '{wanted}': {shown}")
    common.ping_works(lab, guest, 20)


def run(lab):
    common.install(lab)
    common.prefer_dom0(lab)
    lab.dom0.put(BUILD / "ferry-faults", f"{common.TOOLS}/ferry-faults")
    adopted(lab)
    recovery_nic.dom0_drives(lab, SLOTS["A"].bdf)
    names = recovery_nic.interfaces(lab, SLOTS["A"].bdf)
    path = common.config(lab, image="ferry-net-faults", extra="restarts=0")
    for step in START:
        start_killed(lab, path, names, step)
    for step in STOP:
        stop_killed(lab, path, names, step)
    ferryd = common.supervise(lab, "--max-deaths 15 --window 1")
    domnet = common.start(lab, path)
    guest = ferry_domnet.guest(lab, 1)
    lab.wait_console("domnet", "nic0: link up", timeout=20)
    domid, states = domnet.domid, common.StateLog(lab, common.domid_front(guest) + "/state")
    try:
        for step in RESTART:
            replaced(lab, guest, step, f"restart domnet {path}")
        for step in UPGRADE:
            replaced(lab, guest, step, "upgrade domnet --kernel /root/images/ferry-net-faults")
        for step in POLICY:
            policy_killed(lab, guest, step)
    finally:
        print(ferryd.stdout, flush=True)
    expect(domnet.domid == domid, "it has another id")
    expect(set(states.values()) == {"4"}, f"the frontend's state went {states.values()}")
    lab.dom0.run("ferry stop domnet", timeout=60)
    all_as_before(lab, names, "in the end")
