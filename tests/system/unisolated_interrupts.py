# SPDX-License-Identifier: BSD-2-Clause
"""A machine with an IOMMU, but without interrupt remapping: refused; --allow-unisolated starts it, loudly."""
import unisolated

MACHINE = "no-intremap"
IN_CHECK = False  # for its time: it boots a machine of its own; recovery_check has refusals


def run(lab):
    unisolated.insisted(lab, unisolated.begin(lab, ("interrupt-remapping",)))
