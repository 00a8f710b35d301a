# SPDX-License-Identifier: BSD-2-Clause
"""Hostile guests with two vCPUs: one sends, the other changes slots, headers, indices, grants and control requests at the
same moment. They harm themselves only, and what was refused is counted."""
import json
import re
import secrets
import time

import evil_memory
import hostile
import hostile_guest
import recovery_common as common
from ferrylab import CheckFailed

BESIDE = True  # tests/run-system
VCPUS = 2
LIMIT_S = 150  # bounds waiting only: half the time of a busy machine's two processors is somebody else's
LOSS = 50  # of a thousand pings, beside a guest that has two processors of two busy, and floods
COUNTED = re.compile(r"okay=(\d+) refused=(\d+) received=(\d+) not_received=(\d+)")


def canaries(scenario):
    """Pages of dom0 and of the bystander, looked at as QEMU has them."""
    memory = evil_memory.Memory(scenario.lab)
    return memory, [evil_memory.Canary(memory, runner, directory, secrets.token_hex(8)) for runner, directory in
                    ((scenario.lab.dom0, "/dev/shm"), (scenario.bystander.guest, "/tmp"))]


def counted(scenario):
    """What the guest saw refused, frame by frame, is what the driver domain has counted for its vif."""
    lab, name = scenario.lab, "counted"
    guest = hostile_guest.start(lab, name, "two_counted", vcpus=VCPUS)
    lab.wait_console(name, "hostile: holding|hostile: (done|gave up)", timeout=LIMIT_S)
    vif = f"vif{guest.domid}.0"
    time.sleep(2)  # the domain writes its counters four times a second
    ports = {port["port"]: port for port in json.loads(lab.dom0.output("ferry vifs domnet --json"))[0]["ports"]}
    lab.dom0.run(f"xenstore-write /local/domain/{guest.domid}/data/counted 1")
    verdict, = hostile_guest.finish(lab, name, LIMIT_S)
    print(f"hostile: {verdict.attack}: {'pass' if verdict.passed else 'FAIL'}, {verdict.ms} ms {verdict.text}; "
          f"{vif}: {ports.get(vif, {}).get('drops')}", flush=True)
    scenario.check(verdict.passed, f"{verdict.attack}: {verdict.text}")
    seen = COUNTED.search(verdict.text)
    if seen and vif in ports:
        refused, not_received = int(seen[2]), int(seen[4])
        drops = ports[vif]["drops"]
        scenario.check(drops["bad"] == refused, f"counted: the guest saw {refused} packets refused, {drops['bad']} are counted")
        scenario.check(drops["full"] >= not_received,
                       f"counted: {not_received} packets did not get into the guest, {drops['full']} are counted")
    else:
        scenario.check(False, f"counted: no figures: {verdict.text!r}, {sorted(ports)}")
    scenario.settle(name, name, LOSS)


def vanished(scenario):
    """Gone while the second vCPU goes on changing things."""
    hostile_guest.start(scenario.lab, "vanished", "two_vanish", vcpus=VCPUS)
    scenario.lab.wait_console("vanished", "leaving with traffic in flight", timeout=20)
    scenario.settle("vanished", "two_vanish", LOSS)


def run(lab):
    common.install(lab)
    print(f"hostile_two_vcpus: HOSTILE_SEED={hostile_guest.SEED}", flush=True)
    domnet = common.start(lab, common.config(lab, extra=hostile.EXTRA))
    scenario = hostile.Scenario(lab, domnet, VCPUS)
    memory, pages = canaries(scenario)
    usage, nodes = scenario.usage(), scenario.nodes()
    scenario.attack("two", "two", LIMIT_S, LOSS)
    counted(scenario)
    vanished(scenario)
    time.sleep(1)
    hostile.same_as_before(scenario, usage, nodes)
    for page in pages:
        scenario.check(page.holds(), f"the canary of {page.name} was changed")
    memory.close()
    if scenario.failures:
        raise CheckFailed(f"{len(scenario.failures)} checks:\n" + "\n".join(scenario.failures))
