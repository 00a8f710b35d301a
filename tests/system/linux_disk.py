# SPDX-License-Identifier: BSD-2-Clause
"""A Linux driver domain with a storage controller serves disks, dies again and again under a load that verifies what it wrote.

Each death is `xl destroy`. The guest must see no error, and every block must hold what was last answered for. At the end the disk is
another one than before (it has grown): then the guest must not get at that disk, and see errors. FERRY_DISK_DEATHS: how many deaths, 3 unless said;
FERRY_LINUX_IMAGE: a directory with an image that is made already (vmlinux, initrd).
"""
import os
import re
import statistics
import subprocess
import time
from pathlib import Path

import recovery_common as common
from ferry_domnet import BUILD, expect
from ferrylab.domain import config_text
from ferrylab.image.cpio import Initramfs
from ferrylab.slots import DISK_SLOTS
from linux_image import make, words

IN_CHECK = False  # it takes minutes
MACHINE = "disks"
NAME, WHERE = "domblk", "/root/linux"
DEATHS = int(os.environ.get("FERRY_DISK_DEATHS", "3"))
MEMORY_MB, BOOT_LIMIT_S, BACK_LIMIT_S = 128, 120, 120
LOAD_MB, LOAD_THREADS = 64, 6
READY, TAKEN = "ferry: ready after", r"vbd(\d+)\.(\d+): is taken over after \d+ ms: (\d+) requests are done again, (\d+) were done"


def image_put(lab):
    image = os.environ.get("FERRY_LINUX_IMAGE")
    if not image:
        image = lab.run_dir / "image"
        print(make(image, "--drivers", "virtio_pci,virtio_blk", "--disks"), end="")
    for name in ("vmlinux", "initrd"):
        lab.dom0.put(Path(image) / name, f"{WHERE}/{name}")


def load_put(lab):
    """The guest's ramdisk with the load program behind it."""
    tool = BUILD / "disk_load"
    subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-pthread", "-o", tool,
                    Path(__file__).with_name("disk_load.c")], check=True)
    more = Initramfs()
    more.add_file("bin/disk_load", tool)
    more.write(lab.run_dir / "more.cpio")
    lab.dom0.put(lab.run_dir / "more.cpio", "/root/more.cpio")
    lab.dom0.run("cat /root/images/guest.cpio /root/more.cpio > /root/images/guest-disk.cpio")


def config():
    return config_text({"name": NAME, "type": "pv", "kernel": f"{WHERE}/vmlinux", "ramdisk": f"{WHERE}/initrd",
                        "extra": words("ferry.disks"), "memory": MEMORY_MB, "vcpus": 1, "driver_domain": 1,
                        "pci": [slot.bdf[5:] for slot in DISK_SLOTS.values()]})


def disk(vdev, slot, access="w"):
    return f"backend={NAME},vdev={vdev},access={access},target=/dev/disk/by-serial/{DISK_SLOTS[slot].serial}"


def status(lab):
    return common.status(lab, NAME)


def is_back(lab, deaths, disks):
    now = status(lab)
    return (now["nr_deaths"] == deaths and now["state"] == "running" and now["deaths"][-1]["back_ms"] >= 0 and
            now["disks"] == now["disks_serving"] == disks)


def first_look(lab, guest):
    """A disk is read and written, flushed, and is the one that was meant; one for reading refuses to be written."""
    sectors = DISK_SLOTS["S"].size_mb << 11
    expect(guest.output("cat /sys/block/xvda/size") == str(sectors), "xvda has another size than its disk")
    guest.run("dd if=/dev/urandom of=/tmp/data bs=64k count=40 && dd if=/tmp/data of=/dev/xvda bs=64k conv=fsync seek=16 && "
              "echo 3 > /proc/sys/vm/drop_caches && dd if=/dev/xvda of=/tmp/back bs=64k skip=16 count=40 && cmp /tmp/data /tmp/back")
    told = guest.output("md5sum < /tmp/back").split()[0]
    with open(lab.machine.disk_file(DISK_SLOTS["S"]), "rb") as raw:
        raw.seek(16 << 16)
        found = subprocess.run(["md5sum"], input=raw.read(40 << 16), capture_output=True, check=True).stdout.decode()
    expect(found.split()[0] == told, "the disk behind the controller does not hold what the guest wrote")
    expect(guest.output("cat /sys/block/xvdb/ro") == "1", "xvdb can be written to")
    guest.run("dd if=/dev/xvdb of=/dev/null bs=64k count=4")


def written(load):
    found = re.findall(r"written (\d+)", load.stdout)
    return int(found[-1]) if found else 0


def goes_on(load, why, limit):
    expect("WRONG" not in load.stdout, f"{why}:\n{load.stdout[-600:]}")
    now = written(load)
    common.wait_for(lambda: written(load) > now + 50 or "WRONG" in load.stdout, f"{why}: the load does not go on", limit)
    expect("WRONG" not in load.stdout, f"{why}:\n{load.stdout[-600:]}")


def deaths_under_load(lab, guest):
    load = guest.start(f"exec disk_load /dev/xvda {LOAD_MB} 1000000 {LOAD_THREADS}")
    backs = []
    for number in range(1, DEATHS + 1):
        goes_on(load, f"before death {number}", 60)
        died = time.monotonic()
        lab.dom0.run(f"xl destroy {NAME}", timeout=60)
        common.wait_for(lambda n=number: is_back(lab, n, 2), f"death {number}: not back", BACK_LIMIT_S)
        backs.append(time.monotonic() - died)
        goes_on(load, f"after death {number}", 60)
        print(f"linux_disk: death {number} of {DEATHS}: served again after {backs[-1]:.1f} s", flush=True)
    load.feed(b"\n")
    ended = load.wait(300)
    expect(ended.rc == 0 and "RIGHT" in ended.stdout, f"the load found:\n{ended.stdout[-600:]}")
    print("linux_disk:", ended.stdout.splitlines()[-2], flush=True)
    print("linux_disk:", ended.stdout.splitlines()[-1], flush=True)
    return backs


def no_errors(guest):
    log = guest.output("dmesg")
    expect(not re.search(r"I/O error|blkfront.*(error|denied)|blk_update_request", log),
           f"the guest's kernel has seen errors:\n{log[-1500:]}")


def loud(lab, guest):
    """The disk comes back as another one: the guest must not get that, and must hear of it."""
    slot = DISK_SLOTS["S"]
    lab.dom0.run(f"xl pause {guest.name}")
    lab.monitor(f"block_resize disk{slot.name} {slot.size_mb + 1}M")
    lab.dom0.run(f"xl destroy {NAME}; xl unpause {guest.name}", timeout=60)
    common.wait_for(lambda: lab.console(NAME).count("the disk is another one than before") == 1,
                    "the backend does not say that the disk is another one", BACK_LIMIT_S)
    # Linux' blkfront makes a disk that is gone one without blocks: nothing is read, and a write fails.
    common.wait_for(lambda: guest.output("dd if=/dev/xvda bs=4k skip=100 count=1 2>/dev/null | wc -c").strip() == "0",
                    "the guest can still read its disk", 20)
    expect(guest.run("dd if=/dev/zero of=/dev/xvda bs=4k count=1 conv=fsync", check=False).rc, "the guest can still write to its disk")
    told = guest.output("echo 3 > /proc/sys/vm/drop_caches; dd if=/dev/xvdb bs=4k skip=5000 count=4 2>/dev/null | wc -c")
    expect(told.strip() == str(4 * 4096), f"the other disk is not served: {told}")


def run(lab):
    common.prefer_dom0(lab)
    common.install(lab)
    image_put(lab)
    load_put(lab)
    ferryd = common.supervise(lab, f"--max-deaths {DEATHS + 10} --window 1")
    try:
        lab.dom0.put(config().encode(), f"/root/{NAME}.cfg")
        # The controllers' interrupt lines are shared, as in nics.py: a matter of this machine's wiring.
        lab.dom0.run(f"ferry start --allow-unisolated /root/{NAME}.cfg", timeout=120)
        lab.wait_console(NAME, READY, BOOT_LIMIT_S)
        guest = lab.guest("guest1", ramdisk="/root/images/guest-disk.cpio",
                          disk=[disk("xvda", "S"), disk("xvdb", "T", "r")])
        first_look(lab, guest)
        backs = deaths_under_load(lab, guest)
        no_errors(guest)
        taken = re.findall(TAKEN, lab.console(NAME))
        expect(len(taken) == 2 * DEATHS, f"{len(taken)} disks were taken over in {DEATHS} deaths")
        again = [int(one[2]) for one in taken]
        print(f"linux_disk: {DEATHS} deaths, no error, no block lost; served again after min / median / max "
              f"{min(backs):.1f} / {statistics.median(backs):.1f} / {max(backs):.1f} s (n = {len(backs)}); requests done again: "
              f"{sum(again)}, at most {max(again)} at a death; answers that were left unpublished: "
              f"{sum(int(one[3]) for one in taken)}", flush=True)
        loud(lab, guest)
        print("linux_disk: a disk that is another one than before is refused, and the guest sees errors", flush=True)
        guest.destroy()
        common.wait_for(lambda: not lab.dom0.output(f"xenstore-list /local/domain/{status(lab)['domid']}/backend/vbd || true"),
                        "the backend's directories are left behind", 20)
        lab.dom0.run(f"ferry stop {NAME}", timeout=60)
    finally:
        print(ferryd.stdout, flush=True)
        print(lab.console(NAME)[-4000:], flush=True)
        print(lab.dom0.run("xl list; for kind in backend device; do xenstore-ls -fp /local/domain | grep $kind/vbd; done",
                           check=False).stdout, flush=True)
    ferryd.kill()
