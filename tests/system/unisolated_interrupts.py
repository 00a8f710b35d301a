# SPDX-License-Identifier: BSD-2-Clause
"""A machine with an IOMMU, but without interrupt remapping: as unisolated.py, and this alone is what is missing."""
import unisolated

MACHINE = "no-intremap"


def run(lab):
    unisolated.check(lab, ("interrupt-remapping",))
