# SPDX-License-Identifier: BSD-2-Clause
"""Rows: gatewaydev= where several bridges have addresses. lan has no wire: one bridged guest is its network."""
import re
import time

import topology_frames as raw
from topology_matrix import Row, Topology
from topology_rows_nat import static
from topology_world import ROUTER_IP, WIRE_IP, Station

LAN_IP, IN_LAN = "10.88.0.1", "10.88.0.10"
FIRST, SECOND, BY_BRIDGE, NONE = "10.77.0.40", "10.88.0.40", "10.88.0.41", "10.99.0.40"
NAT, NAT_ROUTER = "192.168.88.2", "192.168.88.129"
ONE_ROUTER = "one Linux routes between all its networks, gatewaydev= or not; with Ferry each bridge is a router"
ETH0 = "without gatewaydev= vif-route asks for eth0's address, whatever bridge= says"


def stations(guests):
    one, two = guests
    script = "script=vif-route"
    return [
        Station("in-lan", two, ["bridge=lan"],
                f"ip addr add {IN_LAN}/24 dev eth0; ip route add default via {LAN_IP}", 0x71),
        Station("first", one, [script, "gatewaydev=xenbr0", f"ip={FIRST}"], static(FIRST, ROUTER_IP), 0x72),
        Station("second", one, [script, "bridge=xenbr0", "gatewaydev=lan", f"ip={SECOND}"],
                static(SECOND, LAN_IP), 0x73),
        Station("by-bridge", two, [script, "bridge=lan", f"ip={BY_BRIDGE}"], static(BY_BRIDGE, LAN_IP), 0x74),
        Station("nat", two, ["script=vif-nat", "gatewaydev=lan", f"ip={NAT}"], static(NAT, NAT_ROUTER), 0x75),
        Station("none", one, [script, "gatewaydev=inside", f"ip={NONE}"], static(NONE, LAN_IP), 0x76),
    ]


ADDRESSES = {"wire": WIRE_IP, "router": ROUTER_IP, "first": FIRST, "lan": LAN_IP, "in-lan": IN_LAN,
             "second": SECOND}


def reaches(name):
    def ask(world):
        # The wire's end knows the way back.
        world.wire.run(f"ip route replace 10.88.0.0/24 via {ROUTER_IP}")
        return world.reaches(name, {k: v for k, v in ADDRESSES.items() if k != name})
    return ask


def expired(name, target):
    return lambda world: world.expired(name, target)


def in_lan_sees(name):
    """From which address somebody's pings come."""
    def ask(world):
        watch = world.stations["in-lan"].start("frames watch eth0 2 @12=0800 @23=01 @34=08")
        time.sleep(0.7)
        world.reaches(name, {"in-lan": IN_LAN})
        frames = [raw.Frame(bytes.fromhex(line)) for line in watch.wait(10).stdout.splitlines()
                  if re.fullmatch(r"([0-9a-f]{2})+", line)]
        return " ".join(sorted({frame.source for frame in frames})) or "nothing"
    return ask


def of_lan_on_the_wire(world):
    """Sources of lan's network that left by the NIC, in all rows so far."""
    found = {frame.source for frame in world.frames(world.since, "from_nic @12=0800 @26=0a5800")}
    return " ".join(sorted(found - {LAN_IP})) or "nothing"


def transfers(source, target, address):
    def ask(world):
        return world.transfer(source, target, address)
    return ask


ROWS = [
    Row("first (gatewaydev=xenbr0) reaches", reaches("first"), "wire router",
        "wire router lan in-lan second", ONE_ROUTER),
    Row("second (gatewaydev=lan, bridge=xenbr0) reaches", reaches("second"), "lan in-lan",
        "wire router first lan in-lan", ONE_ROUTER),
    Row("by-bridge (bridge=lan) reaches", reaches("by-bridge"), "lan in-lan second", "by-bridge is refused", ETH0),
    Row("nat (vif-nat, gatewaydev=lan) reaches", reaches("nat"), "lan in-lan second",
        "wire router first lan in-lan second", ONE_ROUTER),
    Row("in-lan reaches", reaches("in-lan"), "lan second", "wire router first lan second", ONE_ROUTER),
    Row("first's ping with TTL 1: who says so", expired("first", WIRE_IP), ROUTER_IP),
    Row("second's ping with TTL 1: who says so", expired("second", IN_LAN), LAN_IP),
    Row("in-lan's ping of second with TTL 1: who says so", expired("in-lan", SECOND), LAN_IP),
    Row("second's pings at in-lan", in_lan_sees("second"), SECOND),
    Row("nat's pings at in-lan", in_lan_sees("nat"), LAN_IP),
    Row("of lan's network on the wire", of_lan_on_the_wire, "nothing", f"{IN_LAN} {SECOND}", ONE_ROUTER),
    Row("TCP second and in-lan, both ways", transfers("second", "in-lan", IN_LAN), "sums match"),
    Row("none (gatewaydev= of a bridge without an address)", reaches("none"), "none is refused"),
]

EXTRA = ("bridge=xenbr0,uplink=nic0,address=10.77.0.2/24,gateway=10.77.0.1 bridge=lan,address=10.88.0.1/24 "
         "bridge=inside")
TOPOLOGY = Topology("gateways", EXTRA, stations, ROWS, title="gatewaydev= among several bridges")
