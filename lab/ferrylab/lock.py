# SPDX-License-Identifier: BSD-2-Clause
"""As many labs at a time on a machine as it has processors: each keeps little more than one busy.

All checkouts share the places. Who measures takes them all.
"""
import fcntl
import os
import time

from . import paths
from .errors import LabTimeout
from .progress import say

WAIT_LIMIT_S = float(os.environ.get("FERRY_LAB_LOCK_WAIT", "3600"))
PLACES_MAX = 4
PLACES = min(int(os.environ.get("FERRY_LABS", os.cpu_count() or 1)), PLACES_MAX)


class FileLock:
    """An flock(): the kernel lets go of it even if we are killed. The file says who holds it."""

    def __init__(self, path):
        self._path = path
        self._file = None

    def take(self, who):
        """Whether it is ours now."""
        if not self._file:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(self._path, "a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self._file.seek(0)
        self._file.truncate()
        self._file.write(f"{who} (pid {os.getpid()}, since {time.strftime('%H:%M:%S')})\n")
        self._file.flush()
        return True

    def holder(self):
        self._file.seek(0)
        return self._file.read().strip() or "someone"

    def release(self):
        if self._file:
            self._file.close()
            self._file = None


class LabLock:
    """One place for a lab of this name, or every place; and the name's run directory in this checkout."""

    def __init__(self, name, alone=False):
        self._who = f"scenario {name}"
        self._run = FileLock(paths.RUNS / f"{name}.lock")
        self._places = [FileLock(paths.LOCKS / f"ferry-lab-{number}") for number in range(PLACES_MAX if alone else PLACES)]
        self._alone = alone
        self.place = 0  # the number of ours, once we have it

    def acquire(self):
        deadline = time.monotonic() + WAIT_LIMIT_S
        _wait([self._run], self._who, deadline)
        if self._alone:
            for place in self._places:
                _wait([place], self._who, deadline)
        else:
            self.place = _wait(self._places, self._who, deadline)

    def release(self):
        for lock in [self._run, *self._places]:
            lock.release()


def _wait(locks, who, deadline):
    """Wait for one of the locks; returns its index."""
    told = None
    while True:
        for index, lock in enumerate(locks):
            if lock.take(who):
                return index
        holders = " and ".join(lock.holder() for lock in locks)
        if holders != told:
            say(f"waiting for the lab, held by {holders}")
            told = holders
        if time.monotonic() > deadline:
            raise LabTimeout(f"the lab is still held by {holders} after {WAIT_LIMIT_S:.0f} s; "
                             f"wait for it or end that process")
        time.sleep(0.2)


def build_lock():
    """The lock of who builds in this checkout, held; release() it."""
    lock = FileLock(paths.BUILD / "build.lock")
    _wait([lock], "lab/build", time.monotonic() + WAIT_LIMIT_S)
    return lock
