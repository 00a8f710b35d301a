# SPDX-License-Identifier: BSD-2-Clause
"""The interactive shell in dom0."""
import os
import select
import shutil
import sys
import termios
import tty

from . import paths

_SHELL = "cd; exec bash --login"
FERRY_IMAGE = paths.TOP / "build" / "ferry-net"

_WELCOME = """\
You are in dom0 (Debian, Xen 4.17).  Ctrl-d leaves, and the machine is gone.
  xl create guest.cfg; xl console guest      a stock Debian guest
  xl create domlinux.cfg                     the Linux driver domain, NIC 00:05.0
{ferry}  logs of all consoles are on your machine in {run_dir}
"""


def _offer_ferry(lab):
    if not FERRY_IMAGE.exists():
        return ""
    lab.dom0.put(FERRY_IMAGE, f"{paths.DOM0_IMAGES}/ferry-net")
    return "  /root/images/ferry-net                     Ferry's kernel, for NIC 00:04.0\n"


def interact(lab):
    sys.stdout.write(_WELCOME.format(ferry=_offer_ferry(lab), run_dir=lab.run_dir))
    sys.stdout.flush()
    terminal = sys.stdin.isatty()
    session = _start_on_terminal(lab) if terminal else lab.dom0.start(_SHELL, _print)
    saved = termios.tcgetattr(sys.stdin) if terminal else None
    try:
        if terminal:
            tty.setraw(sys.stdin)
        _pump(session)
    finally:
        if terminal:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, saved)


def _start_on_terminal(lab):
    columns, rows = shutil.get_terminal_size()
    prepare = f"stty rows {rows} cols {columns}; export TERM={os.environ.get('TERM', 'vt100')}; "
    return lab.dom0.channel.tty(prepare + _SHELL, _print)


def _print(_kind, data):
    os.write(1, data)


def _pump(session):
    """Keys to dom0 until its shell ends (or our input does)."""
    while session.rc is None:
        session.channel.check()
        readable, _, _ = select.select([sys.stdin], [], [], 0.2)
        if not readable:
            continue
        data = os.read(0, 4096)
        if not data:
            session.feed_eof()
            while session.rc is None:
                session.channel.check()
                select.select([], [], [], 0.1)
            return
        session.feed(data)
