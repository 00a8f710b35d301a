# SPDX-License-Identifier: BSD-2-Clause
"""The same vif lines behind Linux with Xen's stock scripts and behind Ferry: vif-nat; with FERRY_LONG=1 vif-route and gatewaydev=
too, which topology_recovery has in part.
"""
import os

import topology_matrix
import topology_rows_gateway
import topology_rows_nat
import topology_rows_route


def run(lab):
    others = [topology_rows_route.TOPOLOGY, topology_rows_gateway.TOPOLOGY]
    all_wanted = "FERRY_LONG" in os.environ or "FERRY_TOPOLOGY" in os.environ
    topology_matrix.run(lab, [topology_rows_nat.TOPOLOGY, *(others if all_wanted else [])])
