# SPDX-License-Identifier: BSD-2-Clause
"""`ferry` dies by SIGKILL while it moves dom0's own network (dom0_vif=): ferryd, or the next command, brings it back to dom0's card.

After each death in setup, start and stop: dom0 reaches the wire over its card, with the name, address and default route it had, and no domain,
journal or record is left. A domain behind which dom0 is comes through a restart or an upgrade that is killed, with dom0's interface.
Without FERRY_LONG=1 only at the steps after which the most is half done.
"""
import os

import recovery_common as common
import recovery_nic
import setup_nic as nic
from ferry_domnet import BUILD, expect
from ferrylab.slots import SLOTS

IN_CHECK = False  # for its time: a minute and a half, and longer with FERRY_LONG=1
RECORD = "/run/ferry/domnet.dom0"
IMAGE = "/root/images/ferry-net-faults"
LONG = "FERRY_LONG" in os.environ

SETUP = ("setup noted", "configuration written", "created", "unpaused", "plugged", "moved", "waiting", "asking") if LONG else ("asking",)
UNDO = ("undoing", "unplugged", "ended", "moved back", "laid aside", "record gone") if LONG else ("unplugged",)
ONLY_VIF = ("plugged", "moved", "unplugged")  # steps of dom0's own vif
START = ("dom0 noted", "noted whose", "taken", "created", "unpaused", "plugged", "moved") if LONG else ("plugged",)
STOP = (("dom0 noted", "noted to stop", "unplugged", "destroyed", "given back", "moved back", "record gone") if LONG
        else ("unplugged", "given back"))
GOES_ON = (("old one gone", "restart domnet --rebuild"), ("built", "restart domnet --rebuild"), ("resumed", "restart domnet"),
           ("text", f"upgrade domnet --kernel {IMAGE}"), ("kernel replaced", f"upgrade domnet --kernel {IMAGE}"))
GOES_ON = GOES_ON if LONG else GOES_ON[1:2]
CONFIRMED = 60


def killed(lab, step, words, stdin=None):
    done = lab.dom0.run(f"FERRY_DIE_AT='{step}' ferry-faults {words}", timeout=120, check=False, stdin=stdin)
    expect("dies at: " + step in done.stderr, f"ferry {words} has no step '{step}': {done}")
    expect(done.rc not in (0, 1), f"ferry {words}, {step}: was not killed: {done}")


def back_on_card(lab, interface, above, when):
    """All of it, within the time that ferryd or a command takes."""
    common.wait_for(lambda: not nic.exists(lab, RECORD), f"{when}: {RECORD} is still there", 60)
    common.wait_for(lambda: lab.dom0.run("ferry status domnet", check=False).rc == nic.NO_SUCH, f"{when}: still known", 20)
    common.wait_for(lambda: recovery_nic.interfaces(lab, SLOTS["A"].bdf) == [interface], f"{when}: dom0 has not got {interface}", 20)
    nic.wanted_as_it_was(lab, interface, above, when)
    expect(nic.driver_of(lab, interface) == "pci", f"{when}: {interface} is on a vif")
    nic.dom0_pings(lab, when)


def config_gone(lab, step, when):
    """Laid aside, if it was written."""
    expect(nic.exists(lab, f"{nic.CONFIG}.failed") == (step != "setup noted"), f"{when}: {nic.CONFIG}.failed")
    lab.dom0.run(f"rm -f {nic.CONFIG}.failed")


def setup_killed(lab, interface, above, step, words, stdin=None):
    when = f"setup {words}, killed at '{step}'"
    killed(lab, step, f"setup {interface} --yes {words}", stdin)
    if step == "record gone":  # what is left is a journal that says that it was stopped
        lab.dom0.run("ferry stop domnet", timeout=60)
    back_on_card(lab, interface, above, when)
    config_gone(lab, step, when)


def start_killed(lab, path, interface, above, step):
    killed(lab, step, f"start {path}")
    back_on_card(lab, interface, above, f"start, killed at '{step}'")


def started(lab, path, interface, above, when):
    lab.dom0.run(f"ferry start {path}", timeout=90)
    nic.moved(lab, interface, above, when)
    expect(not nic.exists(lab, RECORD), f"{when}: {RECORD} is there")


def stop_killed(lab, path, interface, above, step):
    started(lab, path, interface, above, f"before stop is killed at '{step}'")
    killed(lab, step, "stop domnet")
    if step == "record gone":
        lab.dom0.run("ferry stop domnet", timeout=60)
    back_on_card(lab, interface, above, f"stop, killed at '{step}'")


def goes_on(lab, interface, above, step, words):
    """ferryd, or the same command once more, brings the domain to where dom0 is served."""
    killed(lab, step, words)
    when = f"{words}, killed at '{step}'"
    common.wait_for(lambda: common.status(lab)["state"] == "running", f"{when}: not back", 90)
    nic.moved(lab, interface, above, when)
    lab.dom0.run(f"ferry {words}", timeout=60)
    nic.moved(lab, interface, above, f"{when}, and again")


def without_ferryd(lab, path, interface, above):
    """`ferry status` says what there is, and the next command does it."""
    killed(lab, "asking", f"setup {interface} --yes --dom0-vif --confirm {CONFIRMED} --name other")
    said = lab.dom0.output("ferry status other")
    expect("a `ferry setup` was cut short" in said and "`ferry stop other`" in said, f"ferry status: {said}")
    expect(common.status(lab, "other")["unfinished"] == "setup", "ferry status --json does not tell")
    done = lab.dom0.run(f"ferry setup {interface} --name other --dry-run", check=False)
    expect(done.rc == nic.FAILED and "has not come to its end" in done.stderr, f"--dry-run: {done}")
    done = lab.dom0.run("ferry restart other", timeout=60, check=False)
    expect(done.rc == nic.NO_SUCH and "all of it is undone" in done.stderr, f"ferry restart: {done}")
    expect(not nic.exists(lab, "/run/ferry/other.dom0"), "other: a record is there")
    back_on_card(lab, interface, above, "without ferryd: setup")
    lab.dom0.run("rm -f /etc/ferry/other.cfg.failed")

    for step, words, then in (("plugged", f"start {path}", "stop domnet"), ("plugged", f"start {path}", f"start {path}"),
                              ("unplugged", "stop domnet", "stop domnet"), ("destroyed", "stop domnet", f"start {path}")):
        if words.startswith("stop") and nic.driver_of(lab, interface) != "xen":
            lab.dom0.run(f"ferry start {path}", timeout=60)
        killed(lab, step, words)
        done = lab.dom0.run(f"ferry {then}", timeout=120)
        when = f"without ferryd: {words}, killed at '{step}', then {then}"
        expect("was cut short" in done.stderr, f"{when}: {done}")
        if then.startswith("start"):
            nic.moved(lab, interface, above, when)
            continue
        back_on_card(lab, interface, above, when)
        if not LONG:
            break
    lab.dom0.run("ferry stop domnet", check=False, timeout=60)
    back_on_card(lab, interface, above, "without ferryd: in the end")


def run(lab):
    common.install(lab)
    lab.dom0.put(BUILD / "ferry-faults", f"{common.TOOLS}/ferry-faults")
    lab.dom0.put(BUILD / "ferry-net-faults", nic.KERNEL)
    lab.dom0.put(BUILD / "ferry-net-faults", IMAGE)
    recovery_nic.dom0_drives(lab, SLOTS["A"].bdf)
    interface = recovery_nic.interfaces(lab, SLOTS["A"].bdf)[0]
    above = interface
    nic.use(lab, interface, above)
    ferryd = common.supervise(lab)
    try:
        for words, only_vif in (("--dom0-vif", ()), ("", ONLY_VIF)):
            words = f"{words} --confirm {CONFIRMED}"
            for step in (step for step in SETUP if step not in only_vif):
                setup_killed(lab, interface, above, step, words, None if step == "asking" else b"yes\n")
            for step in (step for step in UNDO if step not in only_vif):
                setup_killed(lab, interface, above, step, words, b"no\n")
        done = lab.dom0.run(f"ferry setup {interface} --yes --dom0-vif --confirm 60", timeout=120, stdin=b"yes\n")
        expect(done.rc == 0, f"setup: {done}")
        nic.moved(lab, interface, above, "set up")
        for step, words in GOES_ON:
            goes_on(lab, interface, above, step, words)
        lab.dom0.run(f"ferry stop domnet && mv {nic.CONFIG} /root/domnet.cfg", timeout=60)
        path = "/root/domnet.cfg"
        for step in STOP:
            stop_killed(lab, path, interface, above, step)
        for step in START:
            start_killed(lab, path, interface, above, step)
        common.ferryd_end(lab)
        without_ferryd(lab, path, interface, above)
    finally:
        print(ferryd.stdout, flush=True)
