# SPDX-License-Identifier: BSD-2-Clause
"""Guests that bridge, route, tunnel or take the gateway's address, behind Linux and behind Ferry."""
import topology_matrix
import topology_rows_guests

IN_CHECK = False  # two minutes; topology.py and topology_routed.py ask most of it of other guests


def run(lab):
    gateway = lab.wire["A"].run("cat /sys/class/net/wire0/address").stdout.strip()
    topology_matrix.run(lab, [topology_rows_guests.TOPOLOGY, topology_rows_guests.guarded(gateway)])
