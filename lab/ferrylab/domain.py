# SPDX-License-Identifier: BSD-2-Clause
"""Domains: created from dom0, spoken to over their PV consoles."""
import re
import time

from .channel import Channel
from .dom0 import Runner
from .errors import CheckFailed, LabError
from .limits import deadline_in


class Domain:
    """A domain under xl's care."""

    def __init__(self, lab, name):
        self.lab = lab
        self.name = name

    @property
    def domid(self):
        return int(self.lab.dom0.output(f"xl domid {self.name}"))

    def exists(self):
        return self.lab.dom0.run(f"xl domid {self.name}", check=False).rc == 0

    def cpu_seconds(self):
        """CPU time used so far, of `xl list` (resolution 0.1 s)."""
        return float(self._listed()[-1])

    def memory_mb(self):
        return int(self._listed()[-4])

    def _listed(self):
        """name, id, memory, vcpus, state, time"""
        for line in self.lab.dom0.output("xl list").splitlines():
            words = line.split()
            if words[0] == self.name:
                return words
        raise CheckFailed(f"`xl list` does not show {self.name}")

    def console(self):
        return self.lab.console(self.name)

    def wait_console(self, pattern, timeout=60):
        return self.lab.wait_console(self.name, pattern, timeout)

    def unpause(self):
        self.lab.dom0.run(f"xl unpause {self.name}")

    def destroy(self):
        self.lab.dom0.run(f"xl destroy {self.name}")


class Guest(Domain, Runner):
    """A domain with the lab's agent on its console: `run()` works in it."""

    def __init__(self, lab, name):
        super().__init__(lab, name)
        self.channel = Channel(name, self._write, lab.machine.check_alive)
        self._pty = None
        self._listening = False

    def connect(self, timeout=60):
        """Wait until the agent inside answers."""
        if not self._listening:
            self._listening = True
            self.lab.consoles.listen(self.name, self.channel.receive)
        self._open_pty()
        deadline = deadline_in(timeout)
        with self.channel.news:
            while not self.channel.greeted:
                if time.monotonic() > deadline:
                    raise CheckFailed(f"{self.name}: no agent on its console within {timeout} s; "
                                      f"it printed:\n{self.console()[-1500:]}")
                self.channel.check()
                self.channel.news.wait(0.5)
        return self

    def reconnect(self):
        """Another domain of this name took its place, and its agent is up: speak to that one's console."""
        if self._pty:
            self._pty.kill()
        self._open_pty()
        return self

    def disconnect(self):
        if self._listening:
            self.lab.consoles.unlisten(self.name, self.channel.receive)
            self._listening = False
        if self._pty:
            self._pty.kill()
            self._pty = None

    def start(self, command, on_output=None):
        return self.channel.run(command, on_output)

    def _open_pty(self):
        # xenconsoled's log is where answers are read; the pty is for requests only.
        path = self.lab.dom0.output(f"xenstore-read /local/domain/{self.domid}/console/tty")
        self._pty = self.lab.dom0.channel.open(path, lambda kind, data: None)

    def _write(self, data):
        if self._pty is None:
            raise LabError(f"{self.name}: not connected; call connect() first")
        self._pty.feed(data)


def config_text(settings):
    """xl's configuration syntax of a dict."""
    lines = []
    for key, value in settings.items():
        if isinstance(value, (list, tuple)):
            items = ", ".join(f'"{item}"' for item in value)
            lines.append(f"{key} = [ {items} ]")
        elif isinstance(value, (int, float)):
            lines.append(f"{key} = {int(value)}")
        else:
            lines.append(f'{key} = "{value}"')
    return "\n".join(lines) + "\n"


def config_name(text):
    match = re.search(r"""^\s*name\s*=\s*["']([^"']+)["']""", text, re.MULTILINE)
    if not match:
        raise LabError(f"this domain configuration has no name:\n{text}")
    return match[1]
