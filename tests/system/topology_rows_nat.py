# SPDX-License-Identifier: BSD-2-Clause
"""Rows: vif-nat. Guests behind the driver domain's own address, which a DHCP server on the wire gives."""
import re
import time

import topology_frames as raw
from topology_matrix import Row, Topology
from topology_world import (DNS_ANSWER, DNS_NAME, INTERNET_IP, ROUTER_IP, WIRE_IP, Station, seen)

# vif-nat's rule: the router's address toward a guest is the guest's, its last number 127 higher.
N1, N1_ROUTER = "192.168.77.2", "192.168.77.129"
N2, N2_ROUTER = "192.168.77.3", "192.168.77.130"
NO_DHCPD = "vif-nat's DHCP needs a dhcpd in the driver domain"
NO_DNS = "no DNS server there"
NO_FILTER = "MASQUERADE alone keeps nobody out who knows the way"
PORT_OUTSIDE = 8080


def static(address, router):
    return (f"ip addr add {address}/32 dev eth0; ip route add {router} dev eth0; "
            f"ip route add default via {router}")


def stations(guests):
    one, two = guests
    script = "script=vif-nat"
    return [
        Station("n1", one, [script, f"ip={N1}"], static(N1, N1_ROUTER), 0x41),
        Station("n2", two, [script, f"ip={N2}"], static(N2, N2_ROUTER), 0x42),
        Station("auto", two, [script], "", 0x43),
    ]


def by_rule(world):
    """(address, router) of a vif without ip=: 10.D.D.N of its domain and number."""
    station = world.stations["auto"]
    domid, number = station.guest.domid, int(station.devid) + 1
    net = f"10.{domid // 256}.{domid % 256}"
    return f"{net}.{number}", f"{net}.{number + 127}"


def auto_static(world):
    address, router = by_rule(world)
    world.stations["auto"].run(f"ip addr flush dev eth0; {static(address, router)}")
    return world.reaches("auto", {"router": router, "wire": WIRE_IP, "internet": INTERNET_IP})


def reaches(name, addresses):
    def ask(world):
        return world.reaches(name, addresses)
    return ask


def on_the_wire(name):
    def ask(world):
        since = time.monotonic_ns()
        world.reaches(name, {"internet": INTERNET_IP})
        found = {(f.source, "the NIC's" if f.src == world.nic_mac else f.src, f.ttl)
                 for f in world.frames(since, "from_nic @12=0800 @23=01") if f.target == INTERNET_IP}
        return "; ".join(f"{source}, MAC {mac}, TTL {ttl}" for source, mac, ttl in sorted(found)) or \
            "nothing"
    return ask


def from_outside(world):
    """Somebody on the wire who knows the way to the guest's own address."""
    world.wire.run(f"ip route replace 192.168.77.0/24 via {ROUTER_IP}")
    answer = world.reaches("wire", {"n1": N1})
    world.wire.run("ip route del 192.168.77.0/24")
    return answer


def unsolicited(world):
    """UDP and TCP to the driver domain's own address, where no flow is."""
    mac, stranger = world.nic_mac, "02:00:00:00:00:7c"
    frames = {f"udp{port}": lambda m, port=port: raw.eth(mac, stranger, raw.IPV4, raw.ipv4(
        INTERNET_IP, ROUTER_IP, raw.udp(53, port, m))) for port in (53, 1024, 40000)}
    return seen(world.volley("wire", frames, ["n1"])["n1"])


def lookup(server):
    def ask(world):
        target = server(world) if callable(server) else server
        said = world.stations["n1"].run(f"timeout 5 nslookup {DNS_NAME} {target}").stdout
        return "answered" if DNS_ANSWER in said else "no answer"
    return ask


def refused_port(world):
    """ICMP errors of outside come back: a connection to a closed UDP port of the wire is refused."""
    said = world.stations["n1"].run(f"timeout 5 nslookup {DNS_NAME} 198.51.100.1; traceroute -n -q 1 "
                                    f"-w 2 -m 2 -f 2 {WIRE_IP}").stdout
    match = re.search(r"^ *2 +(\S+)", said, re.MULTILINE)
    return match[1] if match else "no answer"


def dhcp(world):
    """The address is that of the rule; so are router and DNS server."""
    address, router = by_rule(world)
    said = world.stations["auto"].run(
        "ip addr flush dev eth0; udhcpc -i eth0 -n -q -t 10 -T 1 -s /usr/share/udhcpc/default.script"
    ).stdout
    match = re.search(r"bound ip=(\S+) mask=\S* router=(\S*) dns=(\S*)", said)
    if not match:
        return "no lease"
    values = ["address" if match[1] == address else match[1],
              "router" if match[2] == router else match[2],
              "dns" if match[3] in (router, WIRE_IP) else f"dns {match[3]}"]
    reached = world.reaches("auto", {"internet": INTERNET_IP})
    return f"{' '.join(values)}; reaches {reached}"


def same_port(world):
    """Two guests talk to one server from the same port of theirs."""
    server = world.wire.popen(
        ["python3", "-c", "import socket\n"
         "s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
         "s.bind(('', 5350)); s.listen(); print('up', flush=True)\n"
         "both = [s.accept()[0] for _ in range(2)]\n"
         "for c in both:\n"
         "    c.send(c.recv(64)); c.close()\n"], stdout=-1)
    server.stdout.readline()
    clients = [world.stations[name].start(f"sh -c '(echo {name}; sleep 2) | timeout 4 nc -p 4000 "
                                          f"{WIRE_IP} 5350'") for name in ("n1", "n2")]
    said = [client.wait(10).stdout.strip() for client in clients]
    server.kill()
    return " ".join(text or "nothing" for text in said)


def forwarded(world):
    """tcp:8080 of the driver domain's address leads to n1's port 80."""
    station = world.stations["n1"]
    server = station.start("sh -c 'echo from-n1 | timeout 60 nc -l -p 80'")
    station.run("for i in $(seq 100); do grep -q ':0050 .* 0A ' /proc/net/tcp /proc/net/tcp6 && exit 0; sleep 0.1; done; exit 1")
    said = world.wire.run(f"timeout 10 bash -c 'exec 3<> /dev/tcp/{ROUTER_IP}/{PORT_OUTSIDE} && "
                          "cat <&3'", check=False).stdout
    server.kill()
    return said.strip() or "nothing"


def spoofed(world):
    """Sources that are not the guest's do not leave, translated or not."""
    n1 = world.stations["n1"]
    said = n1.output(f"ping -c 1 -W 1 {N1_ROUTER} > /dev/null; ip neigh show {N1_ROUTER}")
    match = re.search(r"lladdr (\S+)", said)
    mac = match[1] if match else "fe:ff:ff:ff:ff:ff"
    frames = {source: lambda m, s=source: raw.eth(mac, n1.mac, raw.IPV4, raw.ipv4(
        s, INTERNET_IP, raw.udp(1000, 1001, m))) for source in (N1, N2, "192.0.2.1")}
    return seen(world.volley("n1", frames)["nic"])


def transfers(source, target, address):
    def ask(world):
        return world.transfer(source, target, address)
    return ask


ROWS = [
    Row("n1 (ip=) reaches", reaches("n1", {"router": N1_ROUTER, "wire": WIRE_IP,
                                           "internet": INTERNET_IP, "n2": N2}),
        "router wire internet n2"),
    Row("a vif without ip= reaches, by the rule's addresses", auto_static, "router wire internet"),
    Row("n1's pings on the wire", on_the_wire("n1"), f"{ROUTER_IP}, MAC the NIC's, TTL 63"),
    Row("who knows the way reaches n1", from_outside, "nobody", "n1", NO_FILTER),
    Row("UDP to the driver domain, of no flow, at n1", unsolicited, "nothing"),
    Row("n1's ping with TTL 1: who says so", lambda world: world.expired("n1", INTERNET_IP), N1_ROUTER),
    Row("n1's traceroute: the error from behind", refused_port, WIRE_IP),
    Row("1500 bytes, DF, n1 to internet", lambda world: world.reaches(
        "n1", {"1472": INTERNET_IP}, "-M do -s 1472"), "1472"),
    Row("4000 bytes in fragments, n1 to internet", lambda world: world.reaches(
        "n1", {"4000": INTERNET_IP}, "-s 4000"), "4000"),
    Row("TCP n1 and internet, both ways", transfers("n1", "wire", INTERNET_IP), "sums match"),
    Row("TCP n1 and n2, both ways", transfers("n1", "n2", N2), "sums match"),
    Row("n1 and n2 from one port to one server", same_port, "n1 n2"),
    Row("port 8080 outside leads to n1", forwarded, "from-n1"),
    Row("n1's sources that leave", spoofed, N1, f"{N1} {N2} 192.0.2.1",
        "nothing keeps to ip=; all are masqueraded"),
    Row("DNS at the wire's server", lookup(WIRE_IP), "answered"),
    Row("DNS at the router", lookup(N1_ROUTER), "answered", ferry_only=NO_DNS),
    Row("DHCP of a vif without ip=", dhcp, "address router dns; reaches internet",
        ferry_only=NO_DHCPD),
]

TOPOLOGY = Topology("nat", "bridge=xenbr0,uplink=nic0,address=dhcp,"
                    f"forward=tcp:{PORT_OUTSIDE}:{N1}:80", stations, ROWS, title="vif-nat",
                    linux_words="dhcp")
