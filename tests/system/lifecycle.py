# SPDX-License-Identifier: BSD-2-Clause
"""Vifs and guests come and go while others run; an idle driver domain uses no processor."""
import time

import ferry_domnet
from ferry_domnet import expect
from ferrylab import CheckFailed, measure
from ferrylab.limits import deadline_in

BESIDE = True  # tests/run-system
IDLE_S = 10


def wait_gone(lab, domnet, node, limit=10):
    """Wait until a guest's nodes below the backend's directory are gone."""
    path = f"/local/domain/{domnet.domid}/backend/vif/{node}"
    deadline = deadline_in(limit)
    while time.monotonic() < deadline:
        if lab.dom0.run(f"xenstore-exists {path}", check=False).rc:
            return
        time.sleep(0.2)
    raise CheckFailed(f"{path} is still there after {limit} s:\n"
                      f"{lab.dom0.output(f'xenstore-ls {path}')}")


def hot_plug(lab, domnet, stayer, mover):
    ping = stayer.start(f"ping -n -i 0.05 -c 200 {lab.wire['A'].ip}")
    for _ in range(3):
        lab.dom0.run(f"xl network-attach {mover.name} mac={ferry_domnet.mac(77)} bridge=xenbr0 "
                     "backend=domnet", timeout=30)
        mover.run("for i in $(seq 50); do [ -e /sys/class/net/eth1 ] && break; sleep 0.1; done; "
                  "ip link set eth1 up")
        lab.dom0.run(f"xl network-detach {mover.name} 1", timeout=30)
    text = ping.wait(60).stdout
    expect(" 0% packet loss" in text, f"another guest lost packets meanwhile:\n{text[-300:]}")
    wait_gone(lab, domnet, f"{mover.domid}/1")


def destroyed_under_load(lab, domnet, stayer):
    victim = ferry_domnet.guest(lab, 5)
    server = lab.wire["A"].popen("iperf3 -s -1 -p 5205")
    victim.start(f"iperf3 -c {lab.wire['A'].ip} -p 5205 -t 30")
    time.sleep(2)
    domid = victim.domid
    victim.destroy()
    server.kill()
    server.wait()
    figures = measure.ping(stayer, lab.wire["A"].ip, count=20)
    expect(figures["lost"] == 0, f"a guest destroyed under load cost another one packets: {figures}")
    wait_gone(lab, domnet, domid)


def eight_vifs(lab, domnet):
    """32 MB serve eight more interfaces at once, each with traffic."""
    vifs = [f"mac={ferry_domnet.mac(0x80 + i)},bridge=xenbr0,backend=domnet" for i in range(8)]
    many = lab.guest("many", vifs=vifs)
    for i in range(8):
        lab.wait_console("domnet", rf"vif{many.domid}\.{i}: connected", timeout=20)
        many.run(f"ip addr add 10.77.0.{128 + i}/24 dev eth{i} && ip link set eth{i} up && "
                 f"ping -c 2 -i 0.1 -I eth{i} {lab.wire['A'].ip} && ip link set eth{i} down")
    expect(domnet.memory_mb() == 32, f"the driver domain has {domnet.memory_mb()} MB, not 32")
    domid = many.domid
    many.destroy()
    wait_gone(lab, domnet, domid)


def idle(lab, domnet):
    before = domnet.cpu_seconds()
    time.sleep(IDLE_S)
    used = domnet.cpu_seconds() - before
    print(f"lifecycle: idle for {IDLE_S} s: {used:.1f} s of processor", flush=True)
    expect(used <= 0.2, f"an idle driver domain used {used:.1f} s of processor in {IDLE_S} s")


def recreated(lab, domnet):
    """`xl shutdown` ends it by itself; a new one of the same configuration serves again."""
    lab.dom0.run(f"xl shutdown -w {domnet.name}", timeout=60)
    lab.wait_console(domnet.name, "poweroff asked for by dom0", timeout=5)
    deadline = deadline_in(20)
    while domnet.exists():  # xl's monitor destroys it, as on_poweroff says
        expect(time.monotonic() < deadline, "the driver domain is there 20 s after xl shutdown")
        time.sleep(0.2)
    again = ferry_domnet.start(lab, name="domnet2")
    lab.wait_console("domnet2", "nic0: link up", timeout=20)
    guest = ferry_domnet.guest(lab, 7, backend="domnet2")
    guest.run(f"ping -c 3 -i 0.1 {lab.wire['A'].ip}")
    ferry_domnet.check_alive(lab, again)


def run(lab):
    domnet = ferry_domnet.start(lab)
    stayer, mover = ferry_domnet.guest(lab, 1), ferry_domnet.guest(lab, 2)
    lab.wait_console("domnet", "nic0: link up", timeout=20)
    hot_plug(lab, domnet, stayer, mover)
    destroyed_under_load(lab, domnet, stayer)
    eight_vifs(lab, domnet)
    idle(lab, domnet)
    ferry_domnet.check_alive(lab, domnet)
    recreated(lab, domnet)
