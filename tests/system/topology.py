# SPDX-License-Identifier: BSD-2-Clause
"""The same vif lines behind Linux with Xen's stock scripts and behind Ferry: bridges, VLANs, filters."""
import topology_matrix
import topology_rows_bridge
import topology_rows_filter
import topology_rows_vlan
import topology_rows_words

BESIDE = True  # tests/run-system


def run(lab):
    topology_matrix.run(lab, [topology_rows_bridge.TOPOLOGY, topology_rows_vlan.TOPOLOGY,
                             topology_rows_filter.TOPOLOGY, topology_rows_words.TOPOLOGY])
