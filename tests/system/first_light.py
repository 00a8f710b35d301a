# SPDX-License-Identifier: BSD-2-Clause
"""Two unmodified Debian guests reach the wire and each other through one Ferry domain."""
import ferry_domnet
from ferrylab import measure

BESIDE = True  # tests/run-system


def run(lab):
    wire = lab.wire["A"]
    domnet = ferry_domnet.start(lab)
    one = ferry_domnet.guest(lab, 1)
    two = ferry_domnet.guest(lab, 2)
    lab.wait_console("domnet", "nic0: link up", timeout=20)
    for what, runner, address in (("guest to wire", one, wire.ip), ("wire to guest", wire, one.ip),
                                  ("guest to guest", one, two.ip)):
        figures = measure.ping(runner, address, count=20)
        print(f"{what}: {figures}", flush=True)
        ferry_domnet.expect(figures["lost"] == 0, f"{what}: {figures['lost']} of 20 pings lost")
    measure.checked_transfers(lab, wire, one)
    ferry_domnet.check_alive(lab, domnet)
