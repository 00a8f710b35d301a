# SPDX-License-Identifier: BSD-2-Clause
"""Rows of topology_rows_guests: tunnels between guests and with the wire, and who finishes checksums."""
import struct
import sys
import time
from pathlib import Path

import recovery_common as common
import topology_frames as raw
import topology_sums as sums
from ferry_domnet import expect
from topology_matrix import Row
from topology_world import WIRE_IP

END = Path(__file__).with_name("topology_tunnel_end.py")
NR_BYTES = 512 << 10
# The networks of the tunnels: to the other guest, and to the wire.
NETWORKS = {"vxlan": ("10.91.0", "10.92.0"), "gre": ("10.93.0", "10.94.0"),
            "gretap": ("10.95.0", "10.96.0")}
PORT = 9  # discard


def tunnel_setup(own, other, number):
    """Of a guest: own is the last number of its addresses in them."""
    lines = []
    for kind, (to_other, to_wire) in NETWORKS.items():
        for name, remote, network in (("o", other, to_other), ("w", WIRE_IP, to_wire)):
            words = f"id {7 if name == 'o' else 8} dstport 4789 dev eth0" if kind == "vxlan" else ""
            checked = "udpcsum" if kind == "vxlan" and name == "w" else ""
            lines += [f"ip link add {kind}-{name} type {kind} local {own} remote {remote} {words} {checked}",
                      f"ip addr add {network}.{number}/24 dev {kind}-{name}",
                      f"ip link set {kind}-{name} up"]
    return "; ".join(lines)


def tunnel_end(world):
    """The wire's end of the tunnels of `by`, which has the number 1."""
    if getattr(world, "tunnel_end", None):
        return
    own = address_of(world.stations["by"])
    words = [f"{kind}={to_wire}.9/24" for kind, (_, to_wire) in NETWORKS.items()]
    world.tunnel_end = world.wire.popen([sys.executable, str(END), WIRE_IP, own, *words], stdout=-1)
    expect(world.tunnel_end.stdout.readline() == "ready\n", "the tunnels' end does not start")


def tunnel(kind):
    """TCP to the other guest, and to the wire, where the checksums are looked at, too."""
    def ask(world):
        tunnel_end(world)
        to_other, to_wire = NETWORKS[kind]
        # The tunnel's other end is to be known: Linux answers a connection before that with "No route to host" at times.
        world.stations["by"].run(f"ping -c 1 -w 5 {to_other}.2", check=False, timeout=10)
        guests = world.transfer("by", "other", f"{to_other}.2", NR_BYTES)
        path = world.wire.capture(f"frames-{world.kind}")
        wire = world.transfer("by", "wire", f"{to_wire}.9", NR_BYTES)
        world.wire.capture_stop()
        verdict = sums.verdict(sums.captured(path), [world.stations["by"].mac])
        return f"{guests}; wire: {wire}, {verdict}"
    return ask


def tcp_blank(source, target, payload):
    """A TCP segment whose checksum is that of the pseudo header alone."""
    head = struct.pack(">HHIIBBHHH", 1000, PORT, 1, 0, 5 << 4, 0x10, 1000, 0, 0)
    pseudo = raw.ipv4(source, target, b"")[12:20] + struct.pack(">II", len(head + payload), sums.TCP)
    return head[:16] + struct.pack(">H", ~raw.checksum(pseudo) & 0xFFFF) + head[18:] + payload


def blank(world):
    """Raw frames with blank checksums: of their own TCP, of one in GRE, and at last of one in VXLAN."""
    by = world.stations["by"]
    source, gateway = "10.77.0.80", world.wire.run("cat /sys/class/net/wire0/address").stdout.strip()
    inner = raw.ipv4("10.99.0.1", "10.99.0.2", tcp_blank("10.99.0.1", "10.99.0.2", b"inner" * 20), sums.TCP)
    vxlan = struct.pack(">II", 8 << 24, 99 << 8) + raw.eth(gateway, by.mac, raw.IPV4, inner)
    packets = {"TCP": (34, raw.ipv4(source, WIRE_IP, tcp_blank(source, WIRE_IP, b"plain" * 20), sums.TCP)),
               "GRE": (58, raw.ipv4(source, WIRE_IP, struct.pack(">HH", 0, raw.IPV4) + inner, sums.GRE)),
               "VXLAN": (84, raw.ipv4(source, WIRE_IP, raw.udp(1000, sums.VXLAN_PORT, vxlan)))}
    frames = {name: (start, raw.eth(gateway, by.mac, raw.IPV4, packet))
              for name, (start, packet) in packets.items()}
    lines = "".join(f"1 {start} 16 0 0 {frame.hex()}\n" for start, frame in frames.values())
    path, since = world.wire.capture(f"frames-{world.kind}"), time.monotonic_ns()
    by.run("frames send-offload eth0", stdin=lines.encode(), check=True)
    last, deadline = f"from_nic @12=0800 @23=11 @34={1000:04x}{sums.VXLAN_PORT:04x}", time.monotonic() + 5
    while not world.wire.gap(last, after=since)["frames"] and time.monotonic() < deadline:
        time.sleep(0.05)
    world.wire.capture_stop()
    answers = []
    for name, (_, frame) in frames.items():
        came = [data for data in sums.captured(path) if data[6:24] == frame[6:24]]
        wrong = " ".join(what.replace(name, "inner") for data in came for what in sums.ethernet(data))
        answers.append(f"{name}: {f'{wrong} wrong' if wrong else 'right' if came else 'nothing'}")
    return ", ".join(answers)


def address_of(station, version=4):
    scope = "" if version == 4 else "scope global"
    return station.output(f"ip -{version} -o addr show dev eth0 {scope}").split()[3].split("/")[0]


def as_it_comes(world):
    """TCP frames of `by` as `other` gets them."""
    return ", ".join(f"IPv{version} {one_as_it_comes(world, version)}" for version in (4, 6))


def one_as_it_comes(world, version):
    """The checksum is "blank", "finished" or "wrong"."""
    other = world.stations["other"]
    words, l4_at = {4: ("@12=0800 @23=06 @36", 34), 6: ("@12=86dd @20=06 @56", 54)}[version]
    watch = other.start(f"frames watch eth0 10 {words}={PORT:04x}")
    deadline = time.monotonic() + 15
    while "watching" not in watch.stdout:
        expect(time.monotonic() < deadline, "frames watch does not start")
        time.sleep(0.02)
    world.stations["by"].run(f"timeout 2 nc {address_of(other, version)} {PORT}")
    while watch.stdout.count("\n") < 2:
        expect(time.monotonic() < deadline, "no TCP frame came")
        time.sleep(0.02)
    watch.kill()
    frame = bytes.fromhex(watch.stdout.splitlines()[1])
    if not sums.ethernet(frame):
        return "finished"
    l4 = frame[l4_at:]
    addresses = frame[26:34] if version == 4 else frame[22:54]
    partial = ~raw.checksum(addresses + struct.pack(">II", len(l4), sums.TCP)) & 0xFFFF
    return "blank" if l4[16:18] == struct.pack(">H", partial) else "wrong"


def to_other(world):
    return f"TCP: {world.transfer('by', 'other', address_of(world.stations['other']), NR_BYTES)}"


def tx_off(world):
    """For IPv4 Linux' netfront has no such switch: tx-checksum-ipv4 is "on [fixed]" there."""
    by = world.stations["by"]
    by.run("ethtool -K eth0 tx off", check=True)
    path = world.wire.capture(f"frames-{world.kind}")
    wire = world.transfer("by", "wire", WIRE_IP, NR_BYTES)
    world.wire.capture_stop()
    verdict = sums.verdict(sums.captured(path), [by.mac])
    answer = f"{as_it_comes(world)}; {to_other(world)}, wire: {wire}, {verdict}"
    by.run("ethtool -K eth0 tx on sg on tso on")
    return answer


def tx_off_of_vif(world):
    """What dom0's admin says of one guest's vif: ethtool in the driver domain, or the guest's policy."""
    other = world.stations["other"]
    if world.kind == "linux":
        world.domain.run(f"ethtool -K vif{other.guest.domid}.{other.devid} tx off")
    else:
        policy_load(world, f"[{other.mac}]\ntx-checksum off\n")
    answer = f"{as_it_comes(world)}; {to_other(world)}"
    if world.kind == "linux":
        world.domain.run(f"ethtool -K vif{other.guest.domid}.{other.devid} tx on sg on tso on")
    else:
        policy_load(world, "")
    return f"{answer}; afterwards {as_it_comes(world)}"


def policy_load(world, text):
    if world.lab.dom0.run(f"ferry status {world.name}", check=False).rc:
        common.install(world.lab)
        world.lab.dom0.run(f"mkdir -p /etc/ferry; ferry adopt {world.name}")
    world.lab.dom0.put(text.encode(), f"/etc/ferry/{world.name}.policy")
    world.lab.dom0.run(f"ferry policy {world.name}")


def node_no_csum(world):
    """The frontend's node, which its driver leaves alone, is read when it connects: once more, here."""
    other = world.stations["other"]
    world.lab.dom0.run(f"xenstore-write {other.frontend_path}/feature-no-csum-offload 1")
    addresses = [f"{address_of(other)}/24", f"{address_of(other, 6)}/64 nodad"]
    driver = "/sys/bus/xen/drivers/vif"
    other.guest.run(f"echo vif-{other.devid} > {driver}/unbind; echo vif-{other.devid} > {driver}/bind",
                    timeout=40)
    deadline = time.monotonic() + 30
    while world.lab.dom0.output(f"xenstore-read {other.backend_path}/state") != "4":
        expect(time.monotonic() < deadline, "the vif does not connect again")
        time.sleep(0.1)
    other.guest.run(f"ip netns del {other.name}", check=False)
    other.setup = "; ".join(f"ip addr add {address} dev eth0" for address in addresses)
    world._settle(other.guest, [other])
    return f"{as_it_comes(world)}; {to_other(world)}"


ROWS = [
    Row("TCP through VXLAN, to other and the wire", tunnel("vxlan"), "sums match; wire: sums match, right"),
    Row("TCP through GRE", tunnel("gre"), "sums match; wire: sums match, right"),
    Row("TCP through GRE with Ethernet inside", tunnel("gretap"), "sums match; wire: sums match, right"),
    Row("raw frames with a blank checksum, on the wire", blank,
        "TCP: right, GRE: nothing, VXLAN: inner TCP wrong"),
    Row("TCP frames of by, as other gets them", as_it_comes, "IPv4 blank, IPv6 blank"),
    Row("ethtool -K eth0 tx off in by", tx_off,
        "IPv4 blank, IPv6 finished; TCP: sums match, wire: sums match, right"),
    Row("tx off of the vif of other, and on again", tx_off_of_vif,
        "IPv4 finished, IPv6 finished; TCP: sums match; afterwards IPv4 blank, IPv6 blank"),
    Row("feature-no-csum-offload of other", node_no_csum,
        "IPv4 finished, IPv6 blank; TCP: sums match"),
]
