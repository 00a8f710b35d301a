# SPDX-License-Identifier: BSD-2-Clause
"""One lab at a time on a machine: its processors are too few for two."""
import fcntl
import os
import time

from . import paths
from .errors import LabTimeout
from .progress import say

WAIT_LIMIT_S = float(os.environ.get("FERRY_LAB_LOCK_WAIT", "3600"))


class LabLock:
    """An flock(): the kernel lets go of it even if we are killed."""

    def __init__(self, who):
        self.who = who
        self.file = None

    def acquire(self):
        paths.BUILD.mkdir(parents=True, exist_ok=True)
        self.file = open(paths.LOCK, "a+", encoding="utf-8")
        deadline = time.monotonic() + WAIT_LIMIT_S
        told = None
        while not self._try():
            holder = self._holder()
            if holder != told:
                say(f"waiting for the lab, held by {holder}")
                told = holder
            if time.monotonic() > deadline:
                raise LabTimeout(f"the lab is still held by {holder} after {WAIT_LIMIT_S:.0f} s; "
                                 f"wait for it or end that process")
            time.sleep(0.2)
        self._sign()

    def release(self):
        if self.file:
            self.file.close()
            self.file = None

    def _try(self):
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False

    def _holder(self):
        self.file.seek(0)
        return self.file.read().strip() or "someone"

    def _sign(self):
        self.file.seek(0)
        self.file.truncate()
        self.file.write(f"{self.who} (pid {os.getpid()}, since {time.strftime('%H:%M:%S')})\n")
        self.file.flush()
