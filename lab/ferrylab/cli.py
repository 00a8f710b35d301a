# SPDX-License-Identifier: BSD-2-Clause
"""The `lab/lab` command."""
import argparse
import importlib.util
import sys
from pathlib import Path

from . import paths, shell
from .errors import CheckFailed, LabError
from .image import build
from .lab import Lab
from .progress import say
from .slots import MACHINES

EXIT_CHECK_FAILED, EXIT_LAB_BROKEN = 1, 3


def _build(args):
    build.ensure(machine_name=args.machine)
    say("the lab is built and up to date")


def _shell(args):
    with Lab("shell", machine=args.machine) as lab:
        shell.interact(lab)


def _exec(args):
    with Lab("exec", machine=args.machine) as lab:
        result = lab.dom0.run(args.command, timeout=args.timeout, check=False)
        sys.stdout.write(result.stdout)
        sys.stderr.write(result.stderr)
        return result.rc


def _run(args):
    path = Path(args.scenario)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or not path.exists():
        raise LabError(f"{path} is not a Python file; scenarios are in tests/system/")
    scenario = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    spec.loader.exec_module(scenario)
    with Lab(path.stem, machine=getattr(scenario, "MACHINE", "default"),
             alone=getattr(scenario, "ALONE", False)) as lab:
        scenario.run(lab)
    say(f"{path.stem}: passed")


def _add_machine(parser):
    parser.add_argument("--machine", choices=MACHINES, default="default",
                        help="which NICs and which dom0 (ferrylab/slots.py)")


def _parser():
    parser = argparse.ArgumentParser(prog="lab", description="Real Xen in QEMU for Ferry's tests.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("build", help="build what is missing or out of date")
    _add_machine(one)
    one.set_defaults(do=_build)
    one = commands.add_parser("shell", help="an interactive shell in dom0")
    _add_machine(one)
    one.set_defaults(do=_shell)
    one = commands.add_parser("exec", help="run one command in a fresh dom0")
    one.add_argument("command")
    one.add_argument("--timeout", type=float, default=300, help="seconds (300)")
    _add_machine(one)
    one.set_defaults(do=_exec)
    one = commands.add_parser("run", help="run a scenario: a Python file with run(lab)")
    one.add_argument("scenario")
    one.set_defaults(do=_run)
    return parser


def exit_code(do, *args):
    """Do it: 0, or what it returns, if it passed; 1 a check failed, 3 the lab itself broke, both said."""
    try:
        return do(*args) or 0
    except CheckFailed as failed:
        print(f"FAILED: {failed}", file=sys.stderr)
        return EXIT_CHECK_FAILED
    except LabError as broken:
        print(f"the lab did not work (this says nothing about Ferry): {broken}\n"
              f"logs: {paths.RUNS}", file=sys.stderr)
        return EXIT_LAB_BROKEN


def main(argv=None):
    args = _parser().parse_args(argv)
    try:
        return exit_code(args.do, args)
    except KeyboardInterrupt:
        return 130
