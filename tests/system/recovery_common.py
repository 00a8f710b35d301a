# SPDX-License-Identifier: BSD-2-Clause
"""What the recovery scenarios share: the tools in dom0, a supervised driver domain, a watched guest."""
import json
import re
import subprocess
import time

import ferry_domnet
from ferry_domnet import BUILD, expect
from ferrylab import CheckFailed
from ferrylab.domain import Domain, config_text
from ferrylab.limits import deadline_in
from ferrylab.slots import SLOTS
from recovery_zeros import Capture

TOOLS = "/usr/local/sbin"
PORT = 5301


def install(lab):
    for name in ("ferry", "ferryd"):
        lab.dom0.put(BUILD / name, f"{TOOLS}/{name}")


def prefer_dom0(lab):
    """Dom0 first whatever the guests do, as an admin sets it where dom0 shares its processors."""
    lab.dom0.run("xl sched-credit -d Domain-0 -w 65535")


def config(lab, name="domnet", image="ferry-net", nic="A", **settings):
    """Put an image and a configuration into dom0; returns the configuration's path."""
    target = f"/root/images/{image}"
    lab.dom0.put(BUILD / image, target)
    text = config_text({"name": name, "type": "pv", "kernel": target, "memory": 32,
                        "driver_domain": 1, "pci": [SLOTS[nic].bdf[5:]], **settings})
    path = f"/root/{name}.cfg"
    lab.dom0.put(text.encode(), path)
    return path


def supervise(lab, options=""):
    """ferryd in the foreground, its messages in the session's output."""
    session = lab.dom0.start(f"exec ferryd -f {options} 2>&1")
    wait_for(lambda: lab.dom0.run("test -S /run/ferry/ferryd.sock", check=False).rc == 0,
             "ferryd does not listen on its socket", 10)
    return session


def ferryd_end(lab, names=("ferryd",)):
    """Ends ferryd, or one of these names; returns once it is gone."""
    lab.dom0.run("".join(f"pkill -x {name}; " for name in names), check=False)
    wait_for(lambda: lab.dom0.run(f"pidof {' '.join(names)}", check=False).rc, "ferryd does not end", 10)


def start(lab, path, name="domnet"):
    lab.dom0.run(f"ferry start {path}", timeout=60)
    lab.wait_console(name, ferry_domnet.READY, timeout=30)
    return Domain(lab, name)


def status(lab, name="domnet"):
    return json.loads(lab.dom0.output(f"ferry status {name} --json"))[0]


def wait_for(holds, what, limit):
    deadline = deadline_in(limit)
    while not holds():
        if time.monotonic() > deadline:
            raise CheckFailed(f"{what} within {limit} s")
        time.sleep(0.1)


def is_over(lab, deaths, name="domnet"):
    """It has died once more than so many times, and is back."""
    now = status(lab, name)
    return (now["nr_deaths"] > deaths and now["deaths"][-1]["back_ms"] >= 0 and
            now["state"] == "running")


def death(lab, begin, what, name="domnet", limit=90):
    """Calls begin(), which ends in a death; returns it, as `ferry status --json` has it, once the domain is back."""
    before = status(lab, name)["nr_deaths"]
    begin()
    wait_for(lambda: is_over(lab, before, name), f"{what}: not back", limit)
    return status(lab, name)["deaths"][-1]


def ping_works(lab, guest, limit=10):
    """The guest reaches the wire's end, once its link is up."""
    wait_for(lambda: guest.run(f"ping -c 1 -W 1 {lab.wire['A'].ip}", check=False).rc == 0,
             f"{guest.name} does not reach the wire", limit)


class StateLog:
    """Every change of a node in xenstore, as dom0 sees it."""

    def __init__(self, lab, path):
        self._lab, self._path = lab, path
        self._session = lab.dom0.start(
            f"xenstore-watch {path} | while read -r path; do "
            f"echo \"$path $(xenstore-read {path} 2>/dev/null || echo none)\"; done")

    def values(self):
        """What it held, one for each change, the first at the start of the watch."""
        return [line.split()[-1] for line in self._session.stdout.splitlines() if line.strip()]

    def end(self):
        self._session.kill()


def domid_front(guest):
    return f"/local/domain/{guest.domid}/device/vif/0"


def transfer(lab, guest, megabytes, during, refused=False):
    """A transfer to the wire's end; calls during() in the middle of it.

    Returns whether the data arrived unchanged. refused: it may be changed by refused reads of the emulated NIC, if the wire
    shows that nothing else did it (recovery_zeros.py): CheckFailed if it does not.
    """
    wire = lab.wire["A"]
    captured = wire.capture("refused") if refused else None
    server = wire.popen([str(tcpsum(lab)), "serve", str(PORT), "1"], stdout=-1, stderr=-2)
    begin = wire.counts()["from_nic"]["bytes"]
    sender = guest.start(f"tcpsum send {wire.ip} {PORT} {megabytes << 20}")
    wait_for(lambda: wire.counts()["from_nic"]["bytes"] - begin > 1 << 20, "the transfer does not begin", 10)
    before, asked_ns = wire.counts()["from_nic"]["bytes"], time.time_ns()
    during()
    sent = sender.wait(60)
    expect(wire.counts()["from_nic"]["bytes"] - before > 1 << 20,
           "the transfer was over before the driver domain died")
    received, _ = server.communicate(timeout=30)
    expect(sent.rc == 0, f"the transfer did not survive: {sent.stdout} {sent.stderr}")
    sums = [re.search(r"([0-9a-f]{64}) (\d+)", text) for text in (sent.stdout, received)]
    expect(all(sums), f"no checksums: {sent.stdout!r} {received!r}")
    same = sums[0][0] == sums[1][0]
    if captured:
        wire.capture_stop()
        if not same:
            holds, text = Capture(captured).explains(received, PORT, asked_ns)
            expect(holds, f"the data changed on its way, and not by refused reads alone: {text}")
            print(f"refused reads went out as zeros: {text}", flush=True)
        captured.unlink()
    return same


class CheckedStreams:
    """TCP with checksums from a guest, one to each of ends: [(wire, port)], until they are ended."""

    def __init__(self, lab, guest, ends):
        self._guest, self._wires, tool = guest, {wire for wire, _ in ends}, str(tcpsum(lab))
        self._servers = [wire.popen([tool, "serve", str(port), "1"], stdout=subprocess.PIPE) for wire, port in ends]
        for server in self._servers:
            expect(server.stdout.readline() == "listening\n", "tcpsum does not listen")
        self._clients = [guest.start(f"exec tcpsum send {wire.ip} {port} {10 ** 12}") for wire, port in ends]

    def go_on(self, when, nr_bytes=1 << 20, limit=20):
        """Each wire gets more than so many bytes from now on."""
        before = {wire: wire.counts()["from_nic"]["bytes"] for wire in self._wires}
        for wire, nr in before.items():
            wait_for(lambda w=wire, n=nr: w.counts()["from_nic"]["bytes"] > n + nr_bytes,
                     f"{when}: TCP to {wire.ip} does not go on", limit)

    def stop(self):
        """Returns [(the guest's result, what the wire's end said)]."""
        self._guest.run("killall -INT tcpsum")
        return [(client.wait(30), server.communicate(timeout=30)[0])
                for client, server in zip(self._clients, self._servers)]

    def end(self, when):
        """The same bytes at both ends."""
        for ours, theirs in self.stop():
            expect(ours.rc == 0 and ours.stdout.split() == theirs.split(),
                   f"{when}: not the same bytes: {ours.stdout!r} {ours.stderr!r} {theirs!r}")


def tcpsum(lab):
    return lab.built.images / "tools" / "tcpsum"
