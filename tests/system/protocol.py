# SPDX-License-Identifier: BSD-2-Clause
"""What an unmodified Linux frontend makes of the protocol's features (docs/netif.md)."""
import subprocess
from pathlib import Path
from types import SimpleNamespace

import ferry_domnet
from ferry_domnet import expect
from ferrylab import measure

BESIDE = True  # tests/run-system
WIRE_IP6 = "fd00:77::1"
PORT = "5377"
FOR_SEVERAL = 2000  # bytes a frame in the mean, more than any frame of the wire has


def bytes_a_frame(guest, way, command):
    """The mean length of what crosses the guest's ring in one direction while a command runs."""
    files = " ".join(f"/sys/class/net/eth0/statistics/{way}_{what}" for what in ("bytes", "packets"))
    before, after = (list(map(int, guest.output(f"{then} cat {files}").split()))
                     for then in ("", f"{command} > /dev/null &&"))
    return (after[0] - before[0]) / (after[1] - before[1])


def tso_over_ipv6(lab, wire, guest):
    """TCP over IPv6 crosses the ring in frames that stand for several, both ways, and arrives whole."""
    features = guest.output("ethtool -k eth0")
    expect("tx-tcp6-segmentation: on" in features, f"no TSO over IPv6 in the guest:\n{features}")
    wire.run(f"ip addr replace {WIRE_IP6}/64 dev wire0 nodad")
    guest.run("ip addr add fd00:77::2/64 dev eth0 nodad")
    end = SimpleNamespace(ip=WIRE_IP6, popen=wire.popen)
    print(f"TCP over IPv6: {measure.checked_transfers(lab, end, guest)}", flush=True)
    for way, option in (("tx", ""), ("rx", "-R")):
        server = wire.popen(["iperf3", "-s", "-1", "-p", PORT], stdout=subprocess.DEVNULL)
        mean = bytes_a_frame(guest, way, f"until iperf3 -6 -c {WIRE_IP6} -p {PORT} -n 16M {option}; "
                             "do usleep 50000; done")
        server.wait(10)
        print(f"TCP over IPv6: {way} of the guest: {mean:.0f} bytes a frame", flush=True)
        expect(mean > FOR_SEVERAL, f"{way}: {mean:.0f} bytes a frame over IPv6")


def wait_carrier(lab, domnet, guest, value, seconds=10):
    """The node says what is expected, in the end."""
    node = f"/local/domain/{domnet.domid}/backend/vif/{guest.domid}/0/carrier"
    lab.dom0.run(f"timeout {seconds} sh -c 'until [ \"$(xenstore-read {node})\" = {value} ]; "
                 "do usleep 20000 2> /dev/null || sleep 0.02; done'", timeout=seconds + 5)


def carrier(lab, wire, domnet, guest):
    """The carrier node follows the wire's link. Linux' frontend does not look at it."""
    wait_carrier(lab, domnet, guest, 1)
    wire.link(False)
    wait_carrier(lab, domnet, guest, 0)
    expect(guest.output("cat /sys/class/net/eth0/carrier") == "1", "Linux' netfront knows carrier now")
    wire.link(True)
    wait_carrier(lab, domnet, guest, 1)
    guest.run(f"ping -c 1 -w 10 {wire.ip}", timeout=15)


def xdp(lab, wire, domnet, guest):
    """A program in the guest's frontend finds frames where it asked for them, loaded while the vif is in use."""
    source = Path(__file__).with_name("xdp_known.c")
    program = lab.run_dir / "xdp_known.o"
    subprocess.run(["clang", "-O2", "-target", "bpf", "-c", str(source), "-o", str(program)], check=True)
    guest.run("cat > /xdp_known.o", stdin=program.read_bytes())
    guest.run("ip link set dev eth0 xdp object /xdp_known.o section xdp", timeout=20)
    node = f"/local/domain/{guest.domid}/device/vif/0/xdp-headroom"
    expect(lab.dom0.output(f"xenstore-read {node}") == "256", "the frontend asks for no headroom")
    guest.run(f"ping -c 5 -i 0.2 -w 10 {wire.ip}", timeout=15)
    lost = guest.run(f"ping -6 -c 2 -i 0.2 -w 3 {WIRE_IP6}", timeout=15, check=False)
    expect(lost.rc != 0, "IPv6 passes a program that drops it")
    print(f"TCP with an XDP program: {measure.checked_transfers(lab, wire, guest, 4 << 20)}", flush=True)
    guest.run("ip link set dev eth0 xdp off", timeout=20)
    expect(lab.dom0.output(f"xenstore-read {node}") == "0", "the frontend still asks for headroom")
    guest.run(f"ping -6 -c 2 -i 0.2 -w 10 {WIRE_IP6}", timeout=15)
    measure.checked_transfers(lab, wire, guest, 4 << 20)


def run(lab):
    wire = lab.wire["A"]
    domnet = ferry_domnet.start(lab)
    guest = ferry_domnet.guest(lab, 1)
    lab.wait_console("domnet", "nic0: link up", timeout=20)
    tso_over_ipv6(lab, wire, guest)
    xdp(lab, wire, domnet, guest)
    carrier(lab, wire, domnet, guest)
    ferry_domnet.check_alive(lab, domnet)
