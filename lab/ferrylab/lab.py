# SPDX-License-Identifier: BSD-2-Clause
"""The lab: one emulated machine with Xen, dom0 and two NICs on wires."""
import re
import shutil
import signal
import threading
import time

from . import paths
from .domain import Domain, Guest, config_name, config_text
from .dom0 import Consoles, Dom0
from .errors import CheckFailed, LabTimeout
from .image import build
from .instructions import make_plugin
from .limits import deadline_in
from .lock import LabLock
from .machine import Machine
from .progress import say
from .slots import MACHINES, SLOTS
from .wire import TapWire, Wire

START_LIMIT_S = 60
# Guests do without a check of their page tables that takes a second here.
_QUICK = "rodata=off"
_PV = {"type": "pv", "vcpus": 1, "kernel": f"{paths.DOM0_IMAGES}/vmlinux",
       "on_poweroff": "destroy", "on_reboot": "destroy", "on_crash": "destroy"}


def _raise_exit(number, _frame):
    raise SystemExit(128 + number)


class Lab:
    """`with Lab("scenario") as lab:` - on leaving, everything started is ended."""

    def __init__(self, name, counts_instructions=False, machine="default", alone=False):
        """alone: no other lab runs meanwhile on this machine, as who counts or measures wants it."""
        self.name = name
        self._machine_name = machine
        self._counts_instructions = counts_instructions
        self.run_dir = paths.RUNS / name
        self.wire = {}
        self.built = None
        self.machine = None
        self.dom0 = None
        self.consoles = None
        self._lock = LabLock(name, alone or counts_instructions)
        self._signals = {}

    def __enter__(self):
        self._catch_signals()
        try:
            self._lock.acquire()
            self.built = build.ensure(self._machine_name)
            self._start(self.built)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_exception):
        self._stop()

    # Domains.

    def create_domain(self, config, paused=False, timeout=60):
        """`xl create` of a configuration (text or dict); returns a Domain."""
        text = config_text(config) if isinstance(config, dict) else config
        name = config_name(text)
        path = f"/root/{name}.cfg"
        self.dom0.put(text.encode(), path)
        self.dom0.run(f"xl create {'-p ' if paused else ''}{path}", timeout=timeout)
        return Domain(self, name)

    def guest(self, name, vifs=(), memory=128, connect=True, **settings):
        """A stock Debian PV guest.  `vifs`: xl's vif strings, or dicts of their keys."""
        config = {"name": name, **_PV, "ramdisk": f"{paths.DOM0_IMAGES}/guest.cpio",
                  "extra": f"console=hvc0 {_QUICK} lab.agent lab.name={name}", "memory": memory,
                  "vif": [_vif_text(vif) for vif in vifs], **settings}
        self.create_domain(config)
        guest = Guest(self, name)
        return guest.connect() if connect else guest

    def linux_domnet(self, name="domlinux", nic="B", memory=256, paused=False, topology=None,
                     **settings):
        """The Linux driver domain with a NIC slot; not connected to when paused.

        A NIC that is no e1000e comes with an image that has its driver.
        topology: what lab/rootfs/domlinux-topology sets up, in a larger image, instead of the bridge.
        """
        image, words, modules = "domlinux", "console=hvc0 lab.agent", SLOTS[nic].linux_modules
        if modules:
            image, words = "domlinux-nics", f"{words} lab.modules={modules}"
        if topology:
            image, words, memory = "domlinux-topology", f"{words} lab.topology={topology}", 448
        config = {"name": name, **_PV, "ramdisk": f"{paths.DOM0_IMAGES}/{image}.cpio",
                  "extra": words, "memory": memory, "driver_domain": 1,
                  "pci": [SLOTS[nic].bdf[5:]], **settings}
        self.create_domain(config, paused=paused)
        guest = Guest(self, name)
        return guest if paused else guest.connect(timeout=120)

    # Consoles.

    def console(self, domain):
        """What a domain's console printed so far."""
        return self.consoles.text(domain)

    def wait_console(self, domain, pattern, timeout=60):
        """Wait until a console matches a regular expression; returns the match."""
        deadline = deadline_in(timeout)
        while True:
            match = re.search(pattern, self.console(domain), re.MULTILINE)
            if match:
                return match
            if time.monotonic() > deadline:
                raise CheckFailed(f"{domain}: its console did not show /{pattern}/ within "
                                  f"{timeout} s; its end:\n{self.console(domain)[-1500:]}")
            self.machine.check_alive()
            self.consoles.wait_change(0.1)

    # The machine.

    def reboot(self, command="systemctl reboot", down_limit=120, up_limit=120):
        """Dom0 and all domains go down and the machine boots again, from its disk alone.

        A dom0 with systemd only.  Domains and guests of before are gone; consoles are read anew.
        """
        self.dom0.start(command)
        self.machine.wait_end(down_limit)
        self.dom0.close()
        self.machine.start_again([wire.netdev for wire in self.wire.values()])
        self.dom0 = Dom0(self.machine)
        self.dom0.wait_greeting(up_limit)
        self.consoles = Consoles(self.dom0, self.run_dir)

    def monitor(self, command):
        """A command to QEMU's monitor; returns its answer."""
        return self.machine.qmp.human(command)

    def xen_debug_keys(self, keys, wait=1.0):
        """Press Xen's debug keys; returns what the serial line then printed."""
        before = len(self.serial())
        self.machine.debug_key(keys)
        time.sleep(wait)
        return self.serial()[before:]

    def serial(self):
        """The serial line since this lab started: Xen's and dom0's console."""
        return self.machine.serial_log.read_text(errors="replace")

    # Start and end.

    def _start(self, built):
        shutil.rmtree(self.run_dir, ignore_errors=True)
        self.run_dir.mkdir(parents=True)
        started = time.monotonic()
        machine_kind = MACHINES[self._machine_name]
        for slot in machine_kind.slots:
            kind = TapWire if slot.is_tap else Wire
            self.wire[slot.name] = kind(slot, built.wire, self.run_dir, self.monitor,
                                        self._lock.place)
            self.wire[slot.name].start()
        self.machine = Machine(built.images, self.run_dir, built.disk, machine_kind)
        plugin = make_plugin(self.run_dir) if self._counts_instructions else None
        self.machine.start([wire.netdev for wire in self.wire.values()], built.state, plugin)
        for wire in self.wire.values():
            wire.attach()
        self.dom0 = Dom0(self.machine)
        self._wait_dom0()
        self.consoles = Consoles(self.dom0, self.run_dir)
        say(f"{self.name}: dom0 answers {time.monotonic() - started:.1f} s after start; "
            f"logs in {self.run_dir}")

    def _wait_dom0(self):
        try:
            self.dom0.run("true", timeout=START_LIMIT_S)
        except LabTimeout as late:
            raise LabTimeout(f"dom0 did not answer within {START_LIMIT_S} s after its state was "
                             f"loaded; see {self.machine.serial_log}") from late

    def _stop(self):
        if self.machine:
            self.machine.stop()
        if self.dom0:
            self.dom0.close()
        for wire in self.wire.values():
            wire.stop()
        self._lock.release()
        for number, handler in self._signals.items():
            signal.signal(number, handler)
        self._signals = {}

    def _catch_signals(self):
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                self._signals[number] = signal.signal(number, _raise_exit)


def _vif_text(vif):
    if isinstance(vif, str):
        return vif
    return ",".join(f"{key}={value}" for key, value in vif.items())
