# SPDX-License-Identifier: BSD-2-Clause
"""The hostile guest (tests/hostile) as a scenario's tool, and the bystander it must not harm."""
import os
import re
import time
from dataclasses import dataclass

import ferry_domnet
from ferrylab import CheckFailed
from ferrylab.limits import deadline_in

IP_NUMBER = 66
MAC = ferry_domnet.mac(IP_NUMBER)
_VERDICT = re.compile(r"hostile: (\w+): (PASS|FAIL) \((\d+) ms\) ?(.*)")
_TARGET = "/root/images/hostile-guest"
PING_INTERVAL_S = 0.1
SILENCE_S = 5
# What the random attacks do depends on it alone.
SEED = int(os.environ.get("HOSTILE_SEED", "1"))


@dataclass
class Verdict:
    attack: str
    passed: bool
    ms: int
    text: str


def install(lab):
    lab.dom0.put(ferry_domnet.BUILD / "hostile-guest", _TARGET)


def start(lab, name, attacks, backend="domnet", nic="A", vcpus=1, number=IP_NUMBER):
    """`xl create` of a hostile guest; it ends by itself. Attacks of the groups two* want two vCPUs."""
    network = ferry_domnet.SLOTS[nic].network
    return lab.create_domain({
        "name": name, "type": "pv", "kernel": _TARGET, "memory": 16, "vcpus": vcpus,
        "vif": [f"mac={ferry_domnet.mac(number)},bridge=xenbr0,backend={backend}"],
        "extra": f"attack={attacks} wire={network}.1 ip={network}.{number} seed={SEED}",
        "on_poweroff": "destroy", "on_crash": "destroy"})


def verdicts(lab, name):
    return [Verdict(attack, word == "PASS", int(ms), text)
            for attack, word, ms, text in _VERDICT.findall(lab.console(name))]


def finish(lab, name, timeout):
    """Wait for the last line; returns the verdicts. A guest that stops half-way is a failed check."""
    lab.wait_console(name, r"hostile: (done: |gave up)|ferry: crash", timeout=timeout)
    found = verdicts(lab, name)
    done = re.search(r"hostile: done: (\d+) passed, (\d+) failed", lab.console(name))
    if not done or int(done[1]) + int(done[2]) != len(found) or not found:
        raise CheckFailed(f"{name}: the hostile guest did not get through; the end of its console:\n"
                          f"{lab.console(name)[-1500:]}")
    return found


def wait_gone(lab, name, timeout=10):
    """The domain has left nothing: a zombie would show pages that somebody still has mapped."""
    deadline = deadline_in(timeout)
    while True:
        listed = lab.dom0.output("xl list")
        if name not in listed and "(null)" not in listed:
            return
        if time.monotonic() > deadline:
            raise CheckFailed(f"{name} is not gone {timeout} s after its end:\n{listed}")
        time.sleep(0.1)


class Pings:
    """Pings of the wire from a guest, all the time; each lost answer is known by its number.

    silence_s: how long no answer at all may come; late_s: how late one may be, and is not lost.
    """

    def __init__(self, lab, guest, nic="A", silence_s=SILENCE_S, late_s=0.5):
        self.guest, self._silence_s, self._late_s = guest, silence_s, late_s
        self._session = guest.start(f"ping -n -i {PING_INTERVAL_S} {lab.wire[nic].ip}")
        self._judged = 0
        self._wait_after(0, "before any attack")

    def _answers(self):
        text = self._session.stdout
        return {int(seq): float(ms) for seq, ms in
                re.findall(r"icmp_seq=(\d+) .*?time=([\d.]+) ms", text)}

    def _wait_after(self, seq, what):
        deadline = time.monotonic() + self._silence_s
        while max(self._answers(), default=0) <= seq:
            if time.monotonic() > deadline:
                raise CheckFailed(f"{what}: {self.guest.name}'s ping got no answer for {self._silence_s} s")
            time.sleep(0.05)

    def times(self, what):
        """Of each ping since the last call the round trip in ms, None where it was lost."""
        # More answers, so that a late one is not taken for a lost one.
        self._wait_after(max(self._answers(), default=0) + round(2 * self._late_s / PING_INTERVAL_S), what)
        answers = self._answers()
        first, last = self._judged + 1, max(answers) - round(self._late_s / PING_INTERVAL_S)
        self._judged = last
        return [answers.get(seq) for seq in range(first, last + 1)]

    def lost(self, what):
        """(how many were lost since the last call, of how many)."""
        window = self.times(what)
        return window.count(None), len(window)


class Bystander(Pings):
    """A stock guest that pings the wire all the time."""

    def __init__(self, lab, number=1, nic="A"):
        self.lab = lab
        super().__init__(lab, ferry_domnet.guest(lab, number, nic=nic), nic)

    def judge(self, what):
        """(pings since the last call, how many of them were lost, the longest round trip in ms)."""
        window = self.times(what)
        got = [ms for ms in window if ms is not None]
        return len(window), len(window) - len(got), max(got, default=0.0)
