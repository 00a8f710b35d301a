# SPDX-License-Identifier: BSD-2-Clause
"""Limits of waiting. They are for what never comes, and stand in the code as on a quiet machine; another lab may run beside this one."""
import os
import time

PATIENCE = float(os.environ.get("FERRY_LAB_PATIENCE", "3"))


def deadline_in(seconds):
    """When to give up waiting for what takes less than so many seconds on a quiet machine."""
    return time.monotonic() + seconds * PATIENCE
