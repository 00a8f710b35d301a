# SPDX-License-Identifier: BSD-2-Clause
"""The wire's end of tunnels, without modules of this machine's kernel.

    topology_tunnel_end.py LOCAL REMOTE DEVICE=ADDRESS/LENGTH...

DEVICE is vxlan, gre or gretap. Its frames travel between LOCAL and REMOTE: VXLAN with the network 8, GRE
with IPv4 inside, GRE with Ethernet inside. Prints "ready"; runs until it is killed.
"""
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys

TUNSETIFF, IFF_TUN, IFF_TAP, IFF_NO_PI = 0x400454CA, 1, 2, 0x1000
GRE = 47
VXLAN_PORT, VXLAN_HEAD = 4789, struct.pack(">II", 8 << 24, 8 << 8)
GRE_HEADS = {"gre": struct.pack(">HH", 0, 0x0800), "gretap": struct.pack(">HH", 0, 0x6558)}
MTU = {"vxlan": 1450, "gre": 1476, "gretap": 1462}
READ_MAX = 2048


def device_make(name, address):
    fd = os.open("/dev/net/tun", os.O_RDWR)
    flags = (IFF_TUN if name == "gre" else IFF_TAP) | IFF_NO_PI
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", f"{name}-end".encode(), flags))
    for line in (f"addr add {address} dev {name}-end", f"link set {name}-end up mtu {MTU[name]}"):
        subprocess.run(["ip", *line.split()], check=True)
    return fd


def send(link, data, to):
    """A peer that is not there is no reason to end: TCP sees to what is lost."""
    try:
        link.sendto(data, to)
    except OSError:
        pass


def unpacked(data, head):
    return data[len(head):] if data.startswith(head) else None


def main():
    local, remote = sys.argv[1:3]
    devices = {name: device_make(name, address)
               for name, address in (word.split("=") for word in sys.argv[3:])}
    gre = socket.socket(socket.AF_INET, socket.SOCK_RAW, GRE)
    gre.bind((local, 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((local, VXLAN_PORT))
    print("ready", flush=True)
    while True:
        for ready in select.select([gre, udp, *devices.values()], [], [])[0]:
            if ready is udp:
                inner = unpacked(udp.recv(READ_MAX), VXLAN_HEAD)
                if inner:
                    os.write(devices["vxlan"], inner)
            elif ready is gre:
                packet = gre.recv(READ_MAX)
                packet = packet[4 * (packet[0] & 15):]
                for name, head in GRE_HEADS.items():
                    inner = unpacked(packet, head)
                    if inner:
                        os.write(devices[name], inner)
            else:
                name = next(name for name, fd in devices.items() if fd == ready)
                data = os.read(ready, READ_MAX)
                if name == "vxlan":
                    send(udp, VXLAN_HEAD + data, (remote, VXLAN_PORT))
                else:
                    send(gre, GRE_HEADS[name] + data, (remote, 0))


main()
