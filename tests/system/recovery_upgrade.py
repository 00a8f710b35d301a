# SPDX-License-Identifier: BSD-2-Clause
"""`ferry upgrade` goes on with another kernel under load; what does not fit is rebuilt, what does not
come up is taken back. `ferry restart` in place."""
import ferry_domnet
import recovery_common as common
from ferry_domnet import BUILD, expect

NEXT = "/root/images/next"
MEGABYTES = 16


def next_image(lab, name, change=None):
    """An image beside the running one, perhaps changed."""
    data = (BUILD / name).read_bytes()
    lab.dom0.put(change(data) if change else data, NEXT)


def another_version(data):
    """Not the same file any more, but one that goes on in place: a word of a message."""
    changed = data.replace(b"go on where they stood", b"GO ON WHERE THEY STOOD")
    expect(changed != data, "the image has no such message")
    return changed


def note_at(data):
    """Where struct ferry_image is in the file."""
    name = b"\1\0\0\0Ferry\0\0\0"  # with the note's type
    return data.index(name) + len(name)


def another_recovery(data):
    at = note_at(data) + 8
    return data[:at] + bytes([data[at] ^ 0xff]) + data[at + 1:]


def stillborn(data):
    """Everything fits, but the first instruction of a restart is an invalid one."""
    note = note_at(data)
    entry = int.from_bytes(data[note + 16:note + 24], "little")
    text = int.from_bytes(data[note + 40:note + 48], "little")
    header = data.index(text.to_bytes(8, "little") * 2) - 8  # p_vaddr and p_paddr of the text
    at = int.from_bytes(data[header:header + 8], "little") + entry - text
    return data[:at] + b"\x0f\x0b" * 8 + data[at + 16:]


def upgrade(lab, expected_rc=0):
    done = lab.dom0.run(f"ferry upgrade domnet --kernel {NEXT}", timeout=60, check=False)
    print(f"recovery_upgrade: {done.stdout}{done.stderr}", flush=True)
    expect(done.rc == expected_rc, f"exit code {done.rc}: {done.stderr}")
    return done


def in_place(lab, guest):
    next_image(lab, "ferry-net", another_version)
    states = common.StateLog(lab, common.domid_front(guest) + "/state")
    same = common.transfer(lab, guest, MEGABYTES, lambda: upgrade(lab))
    expect(same, "the data changed on its way")
    seen = set(states.values())
    states.end()
    expect(seen == {"4"}, f"the frontend's state went {seen}")
    now = common.status(lab)
    death = now["deaths"][-1]
    expect((death["cause"], death["way"], death["depth"]) == ("upgrade", "upgraded", 2), death)
    expect(death["nic"] == "kept", f"the NIC was {death['nic']}: {now['nic_why']}")
    expect(now["kernel"] == NEXT, f"recoveries use {now['kernel']}")
    lab.wait_console("domnet", "GO ON WHERE THEY STOOD", timeout=5)


def restarted(lab, guest):
    lab.dom0.run("ferry restart domnet", timeout=60)
    now = common.status(lab)
    death = now["deaths"][-1]
    expect((death["cause"], death["way"], death["nic"]) == ("restart", "reloaded", "reset"), death)
    lab.dom0.run("rm " + NEXT)
    common.ping_works(lab, guest)


def does_not_come_up(lab, guest):
    before = common.status(lab)["kernel"]
    next_image(lab, "ferry-net", stillborn)
    done = upgrade(lab, expected_rc=1)
    expect("back to the one before" in done.stderr, done.stderr)
    expect(common.status(lab)["kernel"] == before, "the kernel that did not come up was kept")
    common.ping_works(lab, guest)


def does_not_fit(lab, guest):
    next_image(lab, "ferry-net", lambda data: data[:1000])
    done = upgrade(lab, expected_rc=1)
    expect("is not an image" in done.stderr, done.stderr)
    next_image(lab, "ferry-net", another_recovery)
    done = upgrade(lab)
    expect("does not know what the running kernel leaves" in done.stderr, done.stderr)
    death = common.status(lab)["deaths"][-1]
    expect((death["cause"], death["way"], death["depth"]) == ("upgrade", "rebuilt", 3), death)
    common.ping_works(lab, guest)


def run(lab):
    common.install(lab)
    common.prefer_dom0(lab)
    path = common.config(lab)
    ferryd = common.supervise(lab)
    try:
        domnet = common.start(lab, path)
        domid = domnet.domid
        guest = ferry_domnet.guest(lab, 1)
        lab.wait_console("domnet", "nic0: link up", timeout=20)
        in_place(lab, guest)
        restarted(lab, guest)
        does_not_come_up(lab, guest)
        does_not_fit(lab, guest)
        expect(domnet.domid == domid, "it has another id")
        expect("died" not in ferryd.stdout, "ferryd took an upgrade for a death")
    finally:
        print(ferryd.stdout, flush=True)
