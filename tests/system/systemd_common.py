# SPDX-License-Identifier: BSD-2-Clause
"""What the scenarios in the dom0 with systemd share: units, the journal, a driver domain as in docs/install.md."""
import subprocess
from pathlib import Path

import ferry_domnet
import recovery_common as common
from ferry_domnet import BUILD, expect
from ferrylab.domain import Domain

ROOT = Path(__file__).resolve().parents[2]
DEBS = ROOT / "build" / "deb"
CONFIG = "/etc/ferry/domnet.cfg"
NIC = "enp0s4"  # dom0's name for slot A


def unit(lab, name, what):
    """A property of a unit."""
    return lab.dom0.output(f"systemctl show -P {what} {name}")


def journal(lab, name="ferryd"):
    """What a unit wrote since this boot."""
    return lab.dom0.output(f"journalctl -b -u {name} -o cat --no-pager")


def expect_started(lab):
    """Active means that ferryd itself said so (Type=notify)."""
    seen = set(lab.dom0.output("systemctl show -p Type -p ActiveState -p SubState ferryd").split())
    expect(seen == {"Type=notify", "ActiveState=active", "SubState=running"},
           f"ferryd.service: {seen}:\n{lab.dom0.output('systemctl status ferryd --no-pager || true')}")


def is_dom0s(lab):
    """Dom0 has the card of slot A, with its own driver."""
    return lab.dom0.run(f"test -e /sys/class/net/{NIC}", check=False).rc == 0


def configure(lab, examples, name="domnet", extra="bridge=xenbr0,uplink=nic0"):
    """The example, with the card put in."""
    lab.dom0.run(f"sed -e 's/\"03:00.0\"/\"{NIC}\"/' -e 's/^extra .*/extra = \"{extra}\"/' "
                 f"{examples}/domnet.cfg > {CONFIG} && grep -q {NIC} {CONFIG}")


def start(lab):
    """A driver domain that took its card from dom0."""
    expect(is_dom0s(lab), "dom0 does not have the card to begin with")
    lab.dom0.run(f"ferry start {CONFIG}", timeout=60)
    expect(not is_dom0s(lab), "dom0 still has the card")
    lab.wait_console("domnet", ferry_domnet.READY, timeout=30)
    return Domain(lab, "domnet")


def stop(lab):
    lab.dom0.run("ferry stop domnet", timeout=60)
    common.wait_for(lambda: is_dom0s(lab), "the card is not back with dom0", 20)


def dies(lab, guest, how, depth):
    """A death that ferryd, under its unit's restrictions, brings it back from; the journal tells."""
    death = common.death(lab, lambda: lab.dom0.run(how, timeout=60), how)
    expect(death["depth"] == depth, f"{how}: {death['way']} at depth {death['depth']}")
    common.ping_works(lab, guest)
    expect("domnet: died:" in journal(lab), f"journalctl -u ferryd tells nothing:\n{journal(lab)}")


class Undisturbed:
    """A domain that must go on as it is, with its guest: `with Undisturbed(...):`."""

    def __init__(self, lab, domnet, guest, what):
        self._lab, self._domnet, self._guest, self._what = lab, domnet, guest, what

    def _seen(self):
        now = common.status(self._lab)
        return (self._domnet.domid, now["nr_deaths"], now.get("generation"))

    def __enter__(self):
        self._before = self._seen()

    def __exit__(self, kind, *_rest):
        if kind:
            return
        expect(self._seen() == self._before, f"{self._what}: {self._before} became {self._seen()}")
        common.ping_works(self._lab, self._guest)


def install_tools(lab, prefix="/usr/local"):
    """`make install-control` and one kernel, unpacked in dom0."""
    tree = lab.run_dir / "installed"
    subprocess.run(["make", "--no-print-directory", "install-control", f"PREFIX={prefix}", f"DESTDIR={tree}"],
                   cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    packed = subprocess.run(["tar", "-C", tree, "-cf", "-", "."], check=True, capture_output=True).stdout
    lab.dom0.run("tar -C / --no-overwrite-dir -xf -", stdin=packed, timeout=60)
    lab.dom0.put(BUILD / "ferry-net-faults", f"{prefix}/lib/ferry/ferry-net")


def _later_make(deb, target):
    """The same package but for its version, which is a later one, and its kernel, which does as it is told: it has faults."""
    unpacked = target / deb.stem
    subprocess.run(["dpkg-deb", "-R", deb, unpacked], check=True)
    control = unpacked / "DEBIAN/control"
    version = subprocess.check_output(["dpkg-deb", "-f", deb, "Version"], text=True).strip()
    control.write_text(control.read_text().replace(f"Version: {version}\n", f"Version: {version}+1\n")
                       .replace(f"(= {version})", f"(= {version}+1)"))
    for place, source in (("usr/lib/ferry/ferry-net", "ferry-net-faults"),
                          ("usr/lib/debug/usr/lib/ferry/ferry-net.debug", "kernel-faults/second")):
        if (unpacked / place).exists():
            (unpacked / place).write_bytes((BUILD / source).read_bytes())
    made = target / deb.name
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", unpacked, made], check=True,
                   stdout=subprocess.DEVNULL)
    return made


def install_packages(lab, names=("ferry", "ferry-net"), later=False):
    """Those that `make deb` made, by apt; or a later version of them."""
    debs = [next(DEBS.glob(f"{name}_*.deb"), None) for name in names]
    expect(all(debs), f"no packages in {DEBS}: `make deb`, as `make check-systemd` does")
    if later:
        target = lab.run_dir / "later"
        target.mkdir(exist_ok=True)
        debs = [_later_make(deb, target) for deb in debs]
    for deb in debs:
        lab.dom0.put(deb, f"/root/debs/{deb.name}")
    files = " ".join(f"./{deb.name}" for deb in debs)
    lab.dom0.run(f"cd /root/debs && apt-get -q -y install {files}", timeout=240)
