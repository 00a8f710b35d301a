# SPDX-License-Identifier: BSD-2-Clause
"""`xl` goes on working while the driver domain dies: network-attach, -list, -detach, create, reboot, save, restore, migrate.

Each command begins while nobody serves (depths 2 and 3: ferryd is held), or has deaths in its middle (depth 1).
Meanwhile another guest has checksummed TCP and notices nothing but pauses. At depth 3 there may be no
backend domain to ask for a device: then xl says so, and the same command works once it is back, or has done its work although xl
says that it failed.
Without FERRY_LONG=1 each command but reboot has one kind of death.
"""
import contextlib
import time

import ferry_domnet
import recovery_common as common
import recovery_matrix as matrix
from ferry_domnet import expect
from ferrylab import CheckFailed

IN_CHECK = False  # for its time; recovery_matrix has guests that come and go meanwhile

SAVED = "/root/mover.save"
STREAM_PORT = 5340
# Of domain/main/fault.c; None: nothing happens meanwhile.
KINDS = (None, "null", "text", "recovery-all")
LIMIT_S = 60


class Mover:
    """The guest that xl does things with."""

    def __init__(self, scene):
        self.scene, self.lab = scene, scene.lab
        self.make()

    def migrated(self):
        """Of a guest that was received, xenconsoled's log has the name that it had then, each time the same."""
        if not self.is_received:
            self.lab.consoles.listen("mover--incoming", self.guest.channel.receive)
        self.is_received = True
        self.guest.reconnect()

    def make(self, **settings):
        self.is_received = False
        self.is_pvh = settings.get("type") == "pvh"
        self.guest = ferry_domnet.guest(self.lab, 6, name="mover", on_reboot="restart", **settings)
        self.works("at first")

    def works(self, when, device="eth0"):
        """It reaches the wire by that interface, and the interface is of this driver domain."""
        common.wait_for(lambda: self.guest.run(f"ping -n -c 1 -W 1 -I {device} {self.scene.wire.ip}",
                                               check=False).rc == 0, f"mover, {when}: does not reach the wire by {device}", 20)

    def again(self):
        """The agent in it, after its id has changed."""
        self.guest.disconnect()
        self.guest.connect()

    def starts_anew(self):
        """After a reboot: another agent, and no address."""
        self.guest.disconnect()
        self.guest = type(self.guest)(self.lab, "mover")
        common.wait_for(lambda: self.lab.dom0.run("xenstore-exists /local/domain/$(xl domid mover)/console/tty",
                                                  check=False).rc == 0, "the guest that rebooted has no console", 20)
        self.guest.ip = f"{self.scene.wire.ip.rsplit('.', 1)[0]}.7"
        self.guest.connect()
        self.guest.run(f"ip addr add {self.guest.ip}/24 dev eth0 && ip link set eth0 up")


def left_over(scene, mover, devid):
    """Nodes of a vif that is not there any more."""
    path = f"/local/domain/{scene.domid}/backend/vif/{mover.guest.domid}/{devid}"
    return scene.lab.dom0.run(f"xenstore-exists {path}", check=False).rc == 0


def meanwhile(scene, kind, command):
    """Run a command of dom0's with deaths in it. Returns its result, once the driver domain serves again."""
    before = scene.status()
    with matrix.Held(scene) if kind in ("text", "recovery-all") else contextlib.nullcontext():
        if kind in ("text", "recovery-all"):
            scene.fault(kind)
            time.sleep(0.3)
        session = scene.lab.dom0.start(f"{{ {command}; }} 2>&1")
        for _ in range(3):
            time.sleep(0.4)
            if kind == "null":
                scene.fault(kind)
    done = session.wait(LIMIT_S)
    if kind:
        common.wait_for(lambda: is_back(scene, before), f"{command}, {kind}: not back", LIMIT_S)
    return done


def is_back(scene, before):
    now = scene.status()
    return (now["nr_deaths"] > before["nr_deaths"] and now["state"] == "running" and
            now["deaths"][-1]["back_ms"] >= 0)


def done_or_again(scene, kind, command):
    """xl may refuse only where there was no domain to ask; then it works now. Returns how it went, as text."""
    done = meanwhile(scene, kind, command)
    if done.rc == 0:
        return "done at once"
    expect(kind == "recovery-all", f"{command}, {kind}: {done.stdout}")
    scene.lab.dom0.run(command, timeout=LIMIT_S)
    return "refused by xl, and done the second time"


def attach(scene, mover, kind):
    """Refused by xl, the vif may be there all the same: noted before the domain died, it is served by the next one."""
    command = f"xl network-attach mover mac={ferry_domnet.mac(0x66)} bridge=xenbr0 backend={scene.name}"
    done = meanwhile(scene, kind, command)
    went = "done at once"
    if done.rc:
        expect(kind == "recovery-all", f"{command}, {kind}: {done.stdout}")
        is_there = scene.lab.dom0.run("xenstore-exists /libxl/$(xl domid mover)/device/vif/1", check=False).rc == 0
        went = "refused by xl, and there all the same" if is_there else "refused by xl, and done the second time"
        print(f"xl_beside_recovery: {went}: xl said: {done.stdout.strip().splitlines()[-1:]}", flush=True)
        if not is_there:
            scene.lab.dom0.run(command, timeout=LIMIT_S)
    common.wait_for(lambda: mover.guest.run("test -e /sys/class/net/eth1", check=False).rc == 0, "attach: no eth1", 20)
    shown = scene.lab.dom0.output("xl network-list mover")
    expect(ferry_domnet.mac(0x66) in shown, f"attach: xl network-list does not show it: {shown}")
    mover.guest.run("ip link set eth1 up && ip addr add 10.77.0.66/24 dev eth1")
    mover.works(f"attach, {kind}", "eth1")
    return went


def detach(scene, mover, kind):
    went = done_or_again(scene, kind, "xl network-detach mover 1")
    common.wait_for(lambda: mover.guest.run("test -e /sys/class/net/eth1", check=False).rc, "detach: eth1 is there", 20)
    common.wait_for(lambda: not left_over(scene, mover, 1), "detach: its nodes are there", 20)
    mover.works(f"detach, {kind}")
    return went


def plug(scene, mover, kind):
    return f"attached: {attach(scene, mover, kind)}; detached: {detach(scene, mover, kind)}"


def reboot(scene, mover, kind):
    """xl's own process makes the guest anew, and gives up if there is no backend domain at that moment."""
    domid = mover.guest.domid
    done = meanwhile(scene, kind, "xl reboot mover")
    expect(done.rc == 0, f"reboot, {kind}: {done.stdout}")
    went = "done at once"
    try:
        common.wait_for(lambda: is_another(scene, domid), "reboot: no new domain", 30)
    except CheckFailed:
        if kind != "recovery-all":
            raise
        scene.lab.dom0.run("xl create /root/mover.cfg", timeout=LIMIT_S)
        went = "ended; xl had no backend domain to make it anew with, and `xl create` worked"
    mover.starts_anew()
    mover.works(f"reboot, {kind}")
    return went


def create(scene, mover, kind):
    scene.lab.dom0.run("xl destroy mover", timeout=LIMIT_S)
    went = done_or_again(scene, kind, "xl create /root/mover.cfg")
    mover.starts_anew()
    mover.works(f"create, {kind}")
    return went


def is_another(scene, domid):
    now = scene.lab.dom0.run("xl domid mover", check=False).stdout.strip()
    return now.isdigit() and int(now) != domid


def nodes_gone(scene, domid, what):
    path = f"/local/domain/{scene.domid}/backend/vif/{domid}"
    common.wait_for(lambda: scene.lab.dom0.run(f"xenstore-exists {path}", check=False).rc, f"{what}: {path} is there", 20)


def save(scene, mover, kind):
    domid = mover.guest.domid
    went = done_or_again(scene, kind, f"xl save mover {SAVED}")
    expect(not mover.guest.exists(), "saved, and yet there")
    nodes_gone(scene, domid, "save")
    return went


def restore(scene, mover, kind):
    went = done_or_again(scene, kind, f"xl restore {SAVED}")
    mover.again()
    mover.works(f"restore, {kind}")
    return went


def save_restore(scene, mover, kind):
    return f"saved: {save(scene, mover, kind)}; restored: {restore(scene, mover, kind)}"


def migrate(scene, mover, kind):
    """To this very host, without ssh, a PV guest. Debian's Xen is built without shadow page tables, and so without a log of a
    PV guest's dirty pages: it migrates none. Then the guest must go on where it was."""
    domid = mover.guest.domid
    done = meanwhile(scene, kind, "xl migrate -s '' mover 'xl migrate-receive'")
    if done.rc:
        without_log = "enable logdirty" in done.stdout and not mover.is_pvh
        expect(without_log or kind == "recovery-all", f"migrate, {kind}: {done.stdout}")
        expect(mover.guest.domid == domid, f"a migration that failed left another domain: {done.stdout}")
        mover.works(f"a migration that failed, {kind}")
        return f"{'not to be had with this Xen' if without_log else 'refused by xl'}; the guest went on where it was"
    mover.migrated()
    expect(mover.guest.domid != domid, f"migrate: still domain {domid}: {done.stdout}")
    mover.works(f"migrate, {kind}")
    nodes_gone(scene, domid, "migrate")
    return "done at once"


def migrate_pvh(scene, mover, kind):
    """The same of a PVH guest, which Xen migrates: to the end, or, where there is no backend domain to ask, not at all."""
    if not mover.is_pvh:
        domid = mover.guest.domid
        scene.lab.dom0.run("xl destroy mover", timeout=LIMIT_S)
        nodes_gone(scene, domid, "xl destroy")
        mover.make(type="pvh")
    return migrate(scene, mover, kind)


# The deaths that a command has where there is not time for all of them.
COMMANDS = [(plug, ("null",)), (save_restore, ("recovery-all",)), (migrate, ("text",)), (reboot, ()), (create, ("recovery-all",)),
            (migrate_pvh, ("null", "text"))]


def run(lab):
    common.install(lab)
    common.prefer_dom0(lab)
    ferryd = common.supervise(lab, matrix.FERRYD)
    failures = []
    try:
        scene = matrix.Scene(lab, extra=matrix.RESTARTS)
        scene.store.listen(False)
        mover = Mover(scene)
        streams = common.CheckedStreams(lab, scene.guest, [(scene.wire, STREAM_PORT)])
        for command, kinds in COMMANDS:
            for kind in KINDS if matrix.IS_LONG else kinds:
                began = time.monotonic()
                what = f"{command.__name__}, {kind or 'no death'}"
                try:
                    went = command(scene, mover, kind)
                except CheckFailed as failed:
                    failures.append(f"{what}: {failed}")
                    print(f"xl_beside_recovery: FAILED: {failures[-1]}", flush=True)
                    break
                print(f"xl_beside_recovery: {what}: {went}; {time.monotonic() - began:.1f} s", flush=True)
                streams.go_on(what)
        streams.end("at the end")
        status = scene.status()
        expect(status["vifs"] == status["vifs_serving"] == 2, f"vifs at the end: {status}")
    finally:
        print(ferryd.stdout, flush=True)
    expect(not failures, "\n".join(failures))
