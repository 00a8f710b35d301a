# SPDX-License-Identifier: BSD-2-Clause
"""Where the lab's files are."""
import os
from pathlib import Path

LAB = Path(__file__).resolve().parent.parent
TOP = LAB.parent
BUILD = Path(os.environ.get("FERRY_LAB_BUILD", TOP / "build" / "lab"))
RUNS = BUILD / "runs"
LOCKS = Path("/run/lock")  # of the machine: all checkouts share its processors and namespaces

# Inside dom0.
DOM0_IMAGES = "/root/images"
DOM0_TOOLS = "/usr/lib/ferry-lab"
DOM0_CONSOLES = "/var/log/xen/console"
