# SPDX-License-Identifier: BSD-2-Clause
"""One line for each step, with the time since the program started."""
import sys
import time

_start = time.monotonic()


def say(text):
    print(f"[lab {time.monotonic() - _start:6.1f}s] {text}", file=sys.stderr, flush=True)
