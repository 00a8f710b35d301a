# SPDX-License-Identifier: BSD-2-Clause
"""The examples of docs/topology.md, run as they are printed there."""
import re
import time
from pathlib import Path

import ferry_domnet
from ferry_domnet import BUILD, expect
from ferrylab.domain import Domain, Guest

IN_CHECK = False  # for its time; topology and topology_routed have the same wirings
PAGE = Path(__file__).resolve().parents[2] / "docs" / "topology.md"
WIRE_IP, WIRE_IP6 = "10.77.0.1", "fd00:77::1"
PING = "ping -c 3 -i 0.2 -W 2"
DHCP = "udhcpc -i eth0 -q -n -t 10 -T 1 -s /usr/share/udhcpc/default.script"


def examples():
    """Title -> {name: text of /etc/xen/name.cfg}, in the order of the page."""
    found = {}
    for title, body in re.findall(r"^### (.+?)\n(.*?)(?=^### |\Z)", PAGE.read_text(), re.M | re.S):
        files = {}
        for block in re.findall(r"(?:^    .*\n)+", body, re.M):
            text = re.sub(r"^    ", "", block, flags=re.M)
            head = re.match(r"# /etc/xen/(\w+)\.cfg\n", text)
            if head:
                files[head[1]] = text
        if files:
            found[title] = files
    return found


class Example:
    def __init__(self, lab, files):
        self.lab, self.files, self.guests = lab, files, {}
        for name, text in files.items():
            lab.dom0.put(text.encode(), f"/etc/xen/{name}.cfg")
        lab.dom0.run("xl create /etc/xen/domnet.cfg", timeout=60)
        self.domnet = Domain(lab, "domnet")
        lab.wait_console("domnet", ferry_domnet.READY, timeout=30)
        lab.wait_console("domnet", "nic0: link up", timeout=20)

    def guest(self, name, setup):
        """As printed; the words after it only open the lab's channel to the guest."""
        words = f"console=hvc0 lab.agent lab.name={name}"
        self.lab.dom0.run(f"xl create /etc/xen/{name}.cfg 'extra=\"{words}\"'", timeout=60)
        guest = Guest(self.lab, name).connect()
        guest.run("ip link set eth0 up")
        guest.run(setup)
        self.guests[name] = guest
        return guest

    def end(self):
        for guest in self.guests.values():
            guest.destroy()
        ferry_domnet.check_alive(self.lab, self.domnet)
        self.domnet.destroy()


def reaches(guest, address, want=True):
    result = guest.run(f"{PING} {address}", check=False)
    expect((result.rc == 0) == want,
           f"{guest.name} {'does not reach' if want else 'reaches'} {address}:\n{result.stdout}")


def flat(example):
    wire = example.lab.wire["A"]
    web = example.guest("web", "ip addr add 10.77.0.41/24 dev eth0")
    db = example.guest("db", "ip addr add 10.77.0.42/24 dev eth0")
    reaches(web, WIRE_IP)
    reaches(db, WIRE_IP)
    reaches(web, "10.77.0.42")
    db.run("ip addr del 10.77.0.42/24 dev eth0 && ip addr add 10.77.0.43/24 dev eth0")
    reaches(db, WIRE_IP, want=False)
    expect(wire.run(f"{PING} 10.77.0.43", check=False).rc != 0, "db answers for 10.77.0.43")


def tenants(example):
    wire = example.lab.wire["A"]
    for vid in (10, 20):
        wire.vlan(vid, f"10.77.{vid}.1/24")
    red = example.guest("red", "ip addr add 10.77.10.2/24 dev eth0")
    blue = example.guest("blue", "ip addr add 10.77.20.2/24 dev eth0; "
                                 "ip addr add 10.77.10.3/24 dev eth0")
    load = "for module in $(cat /modules-extra.list); do insmod $module; done; "
    firewall = example.guest("firewall", load + "".join(
        f"ip link add link eth0 name eth0.{vid} type vlan id {vid}; ip link set eth0.{vid} up; "
        f"ip addr add 10.77.{vid}.9/24 dev eth0.{vid}; " for vid in (10, 20)))
    reaches(red, "10.77.10.1")
    reaches(blue, "10.77.20.1")
    reaches(red, "10.77.10.3", want=False)
    for address in ("10.77.10.1", "10.77.20.1", "10.77.10.2", "10.77.20.2"):
        reaches(firewall, address)


def laptop(example):
    wire = example.lab.wire["A"]
    work = example.guest("work", DHCP)
    play = example.guest("play", DHCP)
    expect("10.5.0.1/24" in work.output("ip -4 addr show dev eth0"), "work has another address")
    reaches(work, WIRE_IP)
    reaches(play, WIRE_IP)
    expect("198.51.100.7" in work.run("nslookup answer.test", check=False).stdout, "names are not found")
    work.start("nc -l -p 80 -e echo hello")
    time.sleep(0.5)
    told = wire.run("python3 -c \"import socket; print(socket.create_connection(('10.77.0.2', 8080), "
                    "5).recv(100))\"", check=False)
    expect("hello" in told.stdout, f"port 8080 does not lead to work: {told.stdout} {told.stderr}")


def routed(example):
    wire = example.lab.wire["A"]
    web = example.guest("web", "ip addr add 10.77.0.40/32 dev eth0; ip route add 10.77.0.2 dev eth0; "
                               "ip route add default via 10.77.0.2; "
                               "ip addr add fd00:77::40/128 dev eth0 nodad; "
                               "ip route add default via fe80::fcff:ffff:feff:ffff dev eth0")
    db = example.guest("db", "ip addr add fd00:77::41/128 dev eth0 nodad; "
                             "ip route add default via fe80::fcff:ffff:feff:ffff dev eth0")
    reaches(web, WIRE_IP)
    reaches(web, WIRE_IP6)
    reaches(db, WIRE_IP6)
    reaches(db, "fd00:77::40")
    for address in ("10.77.0.40", "fd00:77::41"):
        expect(wire.run(f"{PING} {address}", check=False).rc == 0,
               f"the wire does not reach {address}")


CHECKS = {"A flat bridge": flat, "Two tenants on VLANs over one wire": tenants,
          "A laptop: everything behind one address": laptop, "Routed IPv6": routed}


def prepare(lab):
    """Files where the examples say, and what stands on the wire in them."""
    lab.dom0.put(BUILD / "ferry-net", "/root/images/ferry-net")
    lab.dom0.run("mkdir -p /usr/lib/ferry /var/lib/xen/images && "
                 "ln -sf /root/images/ferry-net /usr/lib/ferry/ferry-net && "
                 "ln -sf /root/images/vmlinux /var/lib/xen/images/vmlinux && "
                 "ln -sf /root/images/guest.cpio /var/lib/xen/images/initrd")
    wire = lab.wire["A"]
    wire.run(f"ip addr add {WIRE_IP6}/64 dev wire0 nodad; ethtool -K wire0 tx off > /dev/null 2>&1; true")
    wire.popen("exec dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --pid-file= "
               "--interface=wire0 --bind-interfaces --no-hosts --no-resolv --no-ping "
               f"--dhcp-range=10.77.0.100,10.77.0.120,255.255.255.0,1h "
               f"--dhcp-leasefile={lab.run_dir}/leases --dhcp-authoritative "
               f"--dhcp-host={wire.slot.mac},10.77.0.2 --address=/answer.test/198.51.100.7 "
               f"--log-facility={lab.run_dir}/dnsmasq.log")


def run(lab):
    prepare(lab)
    found = examples()
    expect(list(found) == list(CHECKS), f"the page has other examples: {list(found)}")
    for title, files in found.items():
        print(f"topology_examples: {title}", flush=True)
        example = Example(lab, files)
        CHECKS[title](example)
        example.end()
