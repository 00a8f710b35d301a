# SPDX-License-Identifier: BSD-2-Clause
"""A machine with an IOMMU, but without interrupt remapping: refused; --allow-unisolated starts it, loudly."""
import unisolated

MACHINE = "no-intremap"


def run(lab):
    unisolated.insisted(lab, unisolated.begin(lab, ("interrupt-remapping",)))
