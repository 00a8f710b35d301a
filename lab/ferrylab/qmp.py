# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's machine protocol, as far as the lab needs it."""
import json
import socket
import threading
import time

from .errors import LabError, LabTimeout


class Qmp:
    def __init__(self, path, process, timeout=20):
        self._lock = threading.Lock()
        self._socket = _connect(path, process, timeout)
        self._lines = self._socket.makefile("r", encoding="utf-8")
        self._receive()
        self.execute("qmp_capabilities")

    def execute(self, command, **arguments):
        with self._lock:
            request = {"execute": command, "arguments": arguments}
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            while True:
                answer = self._receive()
                if "error" in answer:
                    raise LabError(f"QEMU refused {command}: {answer['error']['desc']}")
                if "return" in answer:
                    return answer["return"]

    def human(self, line):
        return self.execute("human-monitor-command", **{"command-line": line})

    def wait_status(self, wanted, command, limit):
        """Repeat a query until its `status` is the wanted one."""
        deadline = time.monotonic() + limit
        while True:
            status = self.execute(command).get("status")
            if status == wanted:
                return
            if status == "failed":
                raise LabError(f"QEMU's {command} says failed; see qemu.log in the run directory")
            if time.monotonic() > deadline:
                raise LabTimeout(f"QEMU's {command} still says {status} after {limit} s, "
                                 f"not {wanted}")
            time.sleep(0.02)

    def close(self):
        self._socket.close()

    def _receive(self):
        line = self._lines.readline()
        if not line:
            raise LabError("QEMU closed its monitor; see qemu.log in the run directory")
        return json.loads(line)


def _connect(path, process, timeout):
    deadline = time.monotonic() + timeout
    while True:
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(str(path))
            link.settimeout(120)
            return link
        except OSError:
            link.close()
        if process.poll() is not None:
            raise LabError(f"QEMU ended at once with {process.returncode}; "
                           f"see qemu.log beside {path}")
        if time.monotonic() > deadline:
            raise LabTimeout(f"QEMU did not open {path} within {timeout} s")
        time.sleep(0.02)
