# SPDX-License-Identifier: BSD-2-Clause
"""What can go wrong, in two kinds that must never be mixed up."""


class LabError(Exception):
    """The lab itself did not come up or broke: says nothing about Ferry."""


class LabTimeout(LabError):
    """Something of the lab did not answer; the text names what was awaited."""


class CheckFailed(Exception):
    """The system under test did not do what it should."""


class CommandFailed(CheckFailed):
    """A command in dom0, a guest or the wire's network namespace failed."""

    def __init__(self, where, command, result):
        self.result = result
        text = (result.stderr or result.stdout).strip()[-2000:]
        super().__init__(f"{where}: `{command}` ended with {result.rc}:\n{text}")
