# SPDX-License-Identifier: BSD-2-Clause
"""An unmodified Linux guest with two vCPUs uses two queues, and keeps both over recoveries of each depth."""
import re
import subprocess
import time

import ferry_domnet
import recovery_common as common
from ferry_domnet import expect

QUEUES = 2
STREAMS = 6
PORT = 5302
CHECKED_PORT = 5310  # and those after it


def queue_nodes(lab, guest):
    front = common.domid_front(guest)
    return lab.dom0.output(f"xenstore-ls {front} | grep -c '^queue-'")


def interrupts(guest):
    """How often each channel of each queue rang in the guest: {'q0-tx': 17, ...}"""
    text = guest.output("grep -e -q[0-9]-[rt]x /proc/interrupts")
    return {name: sum(int(n) for n in counts.split())
            for counts, name in re.findall(r"\d+:((?: +\d+)+) .*-(q\d-[rt]x)", text)}


def streams(lab, guest, to_guest):
    """Several TCP connections at once, so that each queue gets some."""
    wire = lab.wire["A"]
    server = wire.popen(f"iperf3 -s -1 --forceflush -p {PORT}", stdout=subprocess.PIPE)
    for line in server.stdout:
        if "Server listening" in line:
            break
    guest.run(f"iperf3 -c {wire.ip} -p {PORT} -P {STREAMS} -n 1M {'-R' if to_guest else ''}",
              timeout=60)
    server.communicate(timeout=20)


def both_queues_work(lab, guest, when):
    before = interrupts(guest)
    streams(lab, guest, to_guest=False)
    streams(lab, guest, to_guest=True)
    after = interrupts(guest)
    grown = {name: after[name] - before[name] for name in after}
    print(f"queues: {when}: interrupts {grown}", flush=True)
    expect(len(grown) == 2 * QUEUES, f"{when}: the guest has other channels: {grown}")
    expect(all(n > 0 for n in grown.values()), f"{when}: a queue stands still: {grown}")


def recover(lab, domnet, guest, kind, way, depth):
    """A death while every queue is in use."""
    when = f"{kind}: {way}"
    states = common.StateLog(lab, common.domid_front(guest) + "/state")
    checked = common.CheckedStreams(lab, guest, [(lab.wire["A"], CHECKED_PORT + i) for i in range(STREAMS)])
    checked.go_on(f"before {when}")
    fault = f"xenstore-write /local/domain/{domnet.domid}/ferry/fault {kind}"
    death = common.death(lab, lambda: lab.dom0.run(fault), when)
    expect((death["way"], death["depth"]) == (way, depth), f"{kind}: {death['way']} at depth {death['depth']}")
    expect(depth == 3 or death["nic"] == "kept", f"{kind}: the NIC was {death['nic']}")
    checked.go_on(f"after {when}")
    checked.end(when)
    both_queues_work(lab, guest, f"after {when}")
    seen = states.values()
    states.end()
    expect(seen and set(seen) == {"4"}, f"{when}: the frontend's state went {seen}")


def run(lab):
    common.install(lab)
    path = common.config(lab, image="ferry-net-faults", extra="restarts=60")
    ferryd = common.supervise(lab, "--max-deaths 15 --window 1")
    try:
        domnet = common.start(lab, path)
        guest = ferry_domnet.guest(lab, 1, vcpus=QUEUES)
        lab.wait_console("domnet", "nic0: link up", timeout=20)
        expect(queue_nodes(lab, guest) == str(QUEUES), "the frontend did not ask for two queues")
        lab.wait_console("domnet", rf"connected: .*, {QUEUES} queues", timeout=10)
        common.ping_works(lab, guest)
        both_queues_work(lab, guest, "at first")
        started = time.monotonic()
        recover(lab, domnet, guest, "null", "restarted", 1)
        recover(lab, domnet, guest, "loop", "reloaded", 2)
        recover(lab, domnet, guest, "recovery-all", "rebuilt", 3)
        print(f"queues: the recoveries took {time.monotonic() - started:.0f} s", flush=True)
    finally:
        print(ferryd.stdout, flush=True)
