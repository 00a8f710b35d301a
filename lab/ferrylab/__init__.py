# SPDX-License-Identifier: BSD-2-Clause
"""Ferry's lab: real Xen in QEMU, driven from Python.  See lab/README.md."""
from .errors import CheckFailed, CommandFailed, LabError, LabTimeout
from .lab import Lab
from .slots import SLOTS

__all__ = ["Lab", "SLOTS", "LabError", "LabTimeout", "CheckFailed", "CommandFailed"]
