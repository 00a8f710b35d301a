# SPDX-License-Identifier: BSD-2-Clause
"""Where the kernel may not restart itself, every kind of death leaves a report on the console and
SHUTDOWN_crash; a hang ends by watchdog."""
import re
import time

import ferry_domnet
from ferry_domnet import expect
from ferrylab import CheckFailed
from ferrylab.limits import deadline_in

BESIDE = True  # tests/run-system
REPORTS = {
    "null": r"page fault: write of 0000000000000008 \(null\) at fault_null\+0x",
    "jump": r"page fault: execute of 0000000000000040 \(null\)",
    "execute-data": r"page fault: execute of ",
    "write-text": r"page fault: write of [0-9a-f]+ at fault_write_text\+0x",
    "invariant": r"invariant failed: nowhere != 0 at domain/main/fault.c:\d+",
    "canary": r"stack was overwritten",
}
CALLER = r"fault_asked\+0x"


def die(lab, fault):
    name = f"die-{fault}"
    domain = ferry_domnet.start(lab, name=name, nic=None, image="ferry-net-faults",
                                extra="restarts=0")
    lab.dom0.run(f"xenstore-write /local/domain/{domain.domid}/ferry/fault {fault}")
    return domain


def wait_shut_down(lab, domain, how, limit=20):
    """Wait until `xl list` shows the domain shut down, crashed (`how` is "sc") or by watchdog ("sw")."""
    deadline = deadline_in(limit)
    while time.monotonic() < deadline:
        shown = lab.dom0.output(f"xl list {domain.name} | tail -n 1").split()[4]
        if shown[3:5] == how:
            return
        time.sleep(0.2)
    raise CheckFailed(f"{domain.name} is {shown!r} in `xl list`, not {how!r} after {limit} s:\n"
                      f"{domain.console()[-1500:]}")


def run(lab):
    for fault, pattern in REPORTS.items():
        domain = die(lab, fault)
        lab.wait_console(domain.name, "ferry: end of report", timeout=20)
        text = domain.console()
        expect(re.search(pattern, text), f"{fault}: the report lacks /{pattern}/:\n{text[-2500:]}")
        expect(re.search(CALLER, text), f"{fault}: the report does not name the caller:\n{text[-2500:]}")
        wait_shut_down(lab, domain, "sc")
        domain.destroy()
        print(f"crash_report: {fault}: reported", flush=True)
    for fault in ("stack", "loop"):
        domain = die(lab, fault)
        wait_shut_down(lab, domain, "sc" if fault == "stack" else "sw")
        domain.destroy()
        print(f"crash_report: {fault}: ended", flush=True)
    expect("Watchdog timer fired" in lab.serial(), "Xen's watchdog did not end the endless loop")
