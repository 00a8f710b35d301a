# SPDX-License-Identifier: BSD-2-Clause
"""A machine with an IOMMU, but without interrupt remapping: refused; --allow-unisolated starts it, loudly."""
import unisolated

MACHINE = "no-intremap"
IN_CHECK = False  # not all of it was seen to pass yet


def run(lab):
    unisolated.insisted(lab, unisolated.begin(lab, ("interrupt-remapping",)))
