# SPDX-License-Identifier: BSD-2-Clause
"""A driver domain that dies under load is rebuilt with its id; its guests keep their connections."""
import statistics
import time

import ferry_domnet
import recovery_common as common
from ferry_domnet import expect
from ferrylab import wire as wires
from ferrylab.wire import now_ns

ROUNDS = 1
MEGABYTES = 32
CONNECTED = "4"


def destroy(lab, domnet):
    lab.dom0.run("xl destroy domnet", timeout=60)


def fault(kind):
    def die(lab, domnet):
        lab.dom0.run(f"xenstore-write /local/domain/{domnet.domid}/ferry/fault {kind}")
    return die


# How to kill, the cause that ferryd must see, a limit, and whether the NIC's reads may be refused while it sends, as `xl destroy`
# does (docs/recovery.md): then a change of the data passes if the wire shows that it came of that.
KINDS = {"destroyed": (destroy, "vanished", 90, True),
         "crashed": (fault("null"), "crash", 90, False),
         "hung": (fault("loop"), "hang", 90, False)}


def back_again(lab, deaths):
    """Died so many times, and every vif is served again."""
    now = common.status(lab)
    return (now["nr_deaths"] == deaths and now["state"] == "running" and
            now["vifs"] == now["vifs_serving"] and now["deaths"][-1]["back_ms"] >= 0)


def one_death(lab, domnet, guest, kind):
    """Returns the outage as the wire saw it: (of pings, of the transfer), in seconds."""
    die, cause, limit, refused = KINDS[kind]
    domid, deaths = domnet.domid, common.status(lab)["nr_deaths"]
    states = common.StateLog(lab, common.domid_front(guest) + "/state")
    ping = guest.start(f"ping -n -q -i 0.02 -W 1 {lab.wire['A'].ip}")
    began = now_ns()

    def during():
        die(lab, domnet)
        common.wait_for(lambda: back_again(lab, deaths + 1), f"{kind}: not back", limit)

    same = common.transfer(lab, guest, MEGABYTES, during, refused)
    expect(same or refused, f"{kind}: the data changed on its way")
    time.sleep(0.5)
    ping.kill()
    ended = now_ns()
    gaps = [lab.wire["A"].gap(f"from_nic {words}", after=began, before=ended)["gap"] / 1e9
            for words in (wires.ICMP_REQUEST, wires.TCP)]
    death = common.status(lab)["deaths"][-1]
    expect(domnet.domid == domid, f"{kind}: it came back with another id")
    expect(death["cause"] == cause, f"{kind}: taken for {death['cause']}")
    expect(death["way"] == "rebuilt", f"{kind}: {death['way']}")
    seen = states.values()
    states.end()
    expect(seen and set(seen) == {CONNECTED}, f"{kind}: the frontend's state went {seen}")
    print(f"recovery_rebuild: {kind}: outage {gaps[0]:.2f} s of pings, {gaps[1]:.2f} s of TCP; "
          f"ferryd took {death['back_ms']} ms", flush=True)
    return gaps


def report(figures):
    for kind, rounds in figures.items():
        for name, values in zip(("pings", "TCP"), zip(*rounds)):
            print(f"recovery_rebuild: {kind}, {name}: min {min(values):.2f} median "
                  f"{statistics.median(values):.2f} max {max(values):.2f} s", flush=True)


def run(lab):
    common.install(lab)
    path = common.config(lab, image="ferry-net-faults", extra="restarts=0")
    ferryd = common.supervise(lab, "--max-deaths 15 --window 1 --min-depth 3")
    try:
        domnet = common.start(lab, path)
        guest = ferry_domnet.guest(lab, 1)
        lab.wait_console("domnet", "nic0: link up", timeout=20)
        guest.run(f"ping -c 3 -i 0.2 {lab.wire['A'].ip}")
        report({kind: [one_death(lab, domnet, guest, kind) for _ in range(ROUNDS)]
                for kind in KINDS})
    finally:
        print(ferryd.stdout, flush=True)
    ferry_domnet.expect(lab.dom0.run("ferry logs --report domnet | grep -q 'ferry:'",
                                     check=False).rc == 0, "no crash report was kept")
    lab.dom0.run("ferry stop domnet", timeout=60)
    expect(not domnet.exists(), "ferryd brought back what was stopped")
