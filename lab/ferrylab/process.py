# SPDX-License-Identifier: BSD-2-Clause
"""Child processes that cannot outlive us."""
import ctypes
import os
import shutil
import signal
import subprocess

from .errors import LabError

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def spawn(argv, **options):
    """A Popen that the kernel kills when the calling thread ends.

    It leads a process group, so that stop() reaches what a shell started; and
    Ctrl-C on the terminal reaches only us, who then end things in order.
    """
    return subprocess.Popen(argv, preexec_fn=_die_with_parent, start_new_session=True, **options)


def stop(process, patience=2.0):
    """End a process of spawn() and its group; politely first."""
    if process is None or process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run_host(argv, what, **options):
    """Run a host tool to its end; a failure is the lab's, and says what to do."""
    if not shutil.which(argv[0]):
        raise LabError(f"{what} needs `{argv[0]}`, which is not installed; "
                       f"apt-get install the packages in lab/packages.txt")
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise LabError(f"{what} failed: `{' '.join(map(str, argv))}` ended with "
                       f"{done.returncode}:\n{(done.stderr or done.stdout).strip()[-3000:]}")
    return done.stdout
