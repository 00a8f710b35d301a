# SPDX-License-Identifier: BSD-2-Clause
"""`ferry capture`: what it writes is what passed, filters hold, a reader that is gone is noticed, deaths are survived."""
import base64
import re
import struct
import time

import ferry_domnet
import recovery_common as common
from ferry_domnet import expect

NAME = "domnet"
PINGS = 12
FILE = "/run/captured.pcapng"
ECHO = "icmp[icmptype] = icmp-echo"


def decoded(lab, path=FILE):
    return lab.dom0.output(f"tcpdump -n -e -r {path} 2>/dev/null || true").splitlines()


def start(lab, words, path=FILE):
    """A capture that has begun: its file has a head then."""
    lab.dom0.run(f"rm -f {path}")
    session = lab.dom0.start(f"exec ferry capture {NAME} {words} -w {path}")
    common.wait_for(lambda: lab.dom0.run(f"test -s {path}", check=False).rc == 0 or session.rc is not None,
                    f"ferry capture {words} does not begin: {session.stderr}", 15)
    expect(session.rc is None, f"ferry capture {words} ended: {session.stderr}")
    return session


def stop(lab, session):
    lab.dom0.run("pkill -INT -x ferry")
    expect(session.wait(15).rc == 0, f"ferry capture ends with {session.rc}: {session.stderr}")
    return session.stderr


def exact(lab, guest, vif):
    """So many echo requests pass the vif inwards and the NIC outwards, no answer and nothing else among them."""
    mac, wire = ferry_domnet.mac(1), lab.wire["A"].ip
    for port in (vif, "nic0"):
        session = start(lab, f"{port} '{ECHO}'")
        guest.run(f"ping -q -c {PINGS} -i 0.05 {wire}")
        said = stop(lab, session)
        lines = decoded(lab)
        expect(len(lines) == PINGS, f"{port}: {len(lines)} of {PINGS} echo requests:\n" + "\n".join(lines))
        expect(all(f"{mac} > " in line and f"> {wire}: ICMP echo request" in line for line in lines), f"{port}: {lines[0]}")
        expect(f"{PINGS} frames written, 0 missed" in said, f"{port}: {said}")
    session = start(lab, f"bridge:xenbr0 --count {4 * PINGS} --snaplen 64 icmp")
    guest.run(f"ping -q -c {PINGS} -i 0.05 {wire}")
    expect(session.wait(15).rc == 0, f"--count does not end it: {session.stderr}")
    lines = decoded(lab)
    expect(len(lines) == 4 * PINGS, f"bridge: {len(lines)} of {4 * PINGS}: in and out, there and back")


def live(lab, guest, vif):
    """A pipe into tcpdump has each frame while the capture still runs."""
    session = lab.dom0.start(f"ferry capture {NAME} {vif} '{ECHO}' -w - | tcpdump -l -n -e -r -")
    common.wait_for(lambda: "reading from file" in session.stderr or session.rc is not None, "tcpdump reads nothing", 15)
    for shown in (1, 2, 3):
        guest.run(f"ping -q -c 1 -s {100 + shown} {lab.wire['A'].ip}")
        common.wait_for(lambda n=shown: f"length {108 + n}" in session.stdout,
                        f"echo request {shown} is not shown while the capture runs: {session.stdout}", 5)
        expect(session.rc is None and session.stdout.count("ICMP echo request") == shown,
               f"{session.rc}, {shown} requests: {session.stdout}")
    said = stop(lab, session)
    expect("3 frames written, 0 missed" in said, f"live: {said}")


def counts(lab):
    """What the blocks of statistics in the file say until now: (passed the filter, missed) of each."""
    data = base64.b64decode(lab.dom0.output(f"base64 -w0 {FILE}"))
    found, at = [], 0
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 5 and at + size <= len(data):
            found.append((struct.unpack_from("<Q", data, at + 24)[0], struct.unpack_from("<Q", data, at + 36)[0]))
        at += size
    return found


def counted_meanwhile(lab, guest, vif):
    """How many frames were captured and missed stands in the file before the capture ends; once more only after more frames."""
    session = start(lab, f"{vif} '{ECHO}'")
    time.sleep(3)
    expect(not counts(lab), f"nothing passed: {counts(lab)}")
    for passed in (PINGS, 2 * PINGS):
        guest.run(f"ping -q -c {PINGS} -i 0.05 {lab.wire['A'].ip}")
        common.wait_for(lambda p=passed: counts(lab)[-1:] == [(p, 0)], f"{passed} frames are not told in the file", 10)
        told = len(counts(lab))
        time.sleep(5)
        expect(len(counts(lab)) == told and session.rc is None, f"nothing more passed: {counts(lab)}")
    stop(lab, session)
    expect(counts(lab)[-1] == (2 * PINGS, 0), f"at the end: {counts(lab)}")


def refused(lab, vif):
    for words, code, said in ((f"{vif} 'icmp and nonsense'", 2, "filter 'icmp and nonsense':"),
                              ("vif99.0", 1, "has no port vif99.0"), ("bridge:nobr", 1, "has no port bridge:nobr")):
        done = lab.dom0.run(f"ferry capture {NAME} {words} -w {FILE} 2>&1", check=False)
        expect(done.rc == code and said in done.stdout, f"{words}: {done.rc}: {done.stdout}")


def reader_gone(lab, vif):
    start(lab, vif)
    other = lab.dom0.run(f"ferry capture {NAME} {vif} -w {FILE}.2 2>&1", check=False)
    pid = lab.dom0.output("pgrep -x ferry").split()[0]
    expect(other.rc == 1 and f"a capture of {vif} runs already, pid {pid}, since " in other.stdout and
           "one at a time" in other.stdout, f"two at once: {other.stdout}")
    lab.dom0.run("pkill -KILL -x ferry")
    lab.wait_console(NAME, "its reader is gone", timeout=15)


def reader_stopped(lab, guest, vif):
    """What finds no room while nobody reads is counted and told; the capture goes on once somebody reads again."""
    session = start(lab, f"{vif} icmp")
    lab.dom0.run("pkill -STOP -x ferry")
    guest.run(f"ping -q -c 200 -i 0.01 -s 1400 {lab.wire['A'].ip}", timeout=60)
    time.sleep(5)
    lab.dom0.run("pkill -CONT -x ferry")
    time.sleep(3)
    guest.run(f"ping -q -c {PINGS} -i 0.05 -s 99 {lab.wire['A'].ip}")
    said = stop(lab, session)
    found = re.search(r"nobody read for a while: (\d+) frames were missed until then", said)
    expect(found and int(found[1]) > 0, f"what was missed is not told: {said}")
    expect(f"written, {found[1]} missed, besides what passed" in said, f"it is another number at the end: {said}")
    lines = [line for line in decoded(lab) if "length 107" in line]
    expect(len(lines) == 2 * PINGS, f"it does not go on: {len(lines)} of {2 * PINGS}")


def over_deaths(lab, guest, vif):
    """The same capture goes on over a death at each depth, and does not keep a dead domain from going."""
    ping = guest.start(f"ping -q -i 0.1 {lab.wire['A'].ip}")
    for fault, depth in (("null", 1), ("loop", 2), ("xl destroy", 3)):
        session = start(lab, f"{vif} '{ECHO}'", f"{FILE}.{depth}")
        time.sleep(1)
        domid = lab.dom0.output(f"xl domid {NAME}")
        command = (f"xl destroy {NAME}" if depth == 3 else
                   f"xenstore-write /local/domain/{domid}/ferry/fault '{fault} {depth}'")
        death = common.death(lab, lambda c=command: lab.dom0.run(c, timeout=60), fault)
        expect(death["depth"] == depth, f"{fault}: depth {death['depth']}")
        before = len(decoded(lab, f"{FILE}.{depth}"))
        common.wait_for(lambda d=depth, b=before: len(decoded(lab, f"{FILE}.{d}")) >= b + 5,
                        f"{fault}: no frame is captured after the death", 15)
        stop(lab, session)
        print(f"capture: {fault}: goes on at depth {depth}, {death['back_ms']} ms", flush=True)
    ping.kill()


def run(lab):
    common.install(lab)
    ferryd = common.supervise(lab)
    path = common.config(lab, name=NAME, image="ferry-net-faults", extra="restarts=60")
    common.start(lab, path, NAME)
    guest = ferry_domnet.guest(lab, 1)
    lab.wait_console(NAME, "nic0: link up", timeout=20)
    common.ping_works(lab, guest)
    vif = f"vif{guest.domid}.0"
    refused(lab, vif)
    exact(lab, guest, vif)
    live(lab, guest, vif)
    counted_meanwhile(lab, guest, vif)
    reader_gone(lab, vif)
    reader_stopped(lab, guest, vif)
    over_deaths(lab, guest, vif)
    ferryd.kill()
