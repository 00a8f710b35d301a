# SPDX-License-Identifier: BSD-2-Clause
"""The same vif lines behind Linux with Xen's stock scripts and behind Ferry: vif-route, vif-nat, gatewaydev=."""
import topology_matrix
import topology_rows_gateway
import topology_rows_nat
import topology_rows_route


def run(lab):
    topology_matrix.run(lab, [topology_rows_route.TOPOLOGY, topology_rows_nat.TOPOLOGY,
                             topology_rows_gateway.TOPOLOGY])
