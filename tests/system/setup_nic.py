# SPDX-License-Identifier: BSD-2-Clause
"""`ferry setup` makes a driver domain of a NIC of dom0's, and undoes all of it if there is no link, or if nobody confirms it.

Dom0 has its address on a bridge over the NIC; with FERRY_LONG=1 once on the NIC itself, too, and more ways to leave it. Where its network moves behind
the driver domain, the other way round.
"""
import os

import ferry_domnet
import recovery_common as common
import recovery_nic
from ferry_domnet import BUILD, expect
from ferrylab.slots import SLOTS

FAILED, REFUSED, NO_SUCH = 1, 3, 5
KERNEL = "/usr/local/lib/ferry/ferry-net"  # where tools of PREFIX=/usr/local look
CONFIG = "/etc/ferry/domnet.cfg"
NO_NIC = "0000:00:03.0"  # dom0's serial line to the lab: no image has a driver for it
ADDRESS, ROUTE = f"{SLOTS['A'].network}.9/24", f"default via {SLOTS['A'].wire_ip}"


def setup(lab, words, code, *said):
    """Runs it; it must end with this code and have said all of that."""
    done = lab.dom0.run(f"ferry setup {words}", timeout=120, check=False)
    text = done.stdout + done.stderr
    expect(done.rc == code, f"ferry setup {words}: exit code {done.rc}, not {code}: {text}")
    for part in said:
        expect(part in text, f"ferry setup {words} does not say '{part}': {text}")
    return text


def exists(lab, path):
    return lab.dom0.run(f"test -e {path}", check=False).rc == 0


def use(lab, interface, above):
    """Dom0 has an address and its default route by the NIC, perhaps over a bridge."""
    if above != interface:
        lab.dom0.run(f"modprobe bridge; ip link add {above} type bridge && ip link set {interface} master {above} && "
                     f"ip link set {above} up")
    lab.dom0.run(f"ip link set {interface} up && ip addr add {ADDRESS} dev {above} && ip route add {ROUTE} dev {above}")
    dom0_pings(lab, "before anything")


def unuse(lab, interface, above):
    lab.dom0.run(f"ip link del {above}" if above != interface else f"ip addr flush dev {interface}")


def dom0_pings(lab, when):
    common.wait_for(lambda: lab.dom0.run(f"ping -c 1 -W 1 {lab.wire['A'].ip}", check=False).rc == 0,
                    f"{when}: dom0 does not reach the wire", 15)


def untouched(lab, interface, when):
    expect(recovery_nic.interfaces(lab, SLOTS["A"].bdf) == [interface], f"{when}: dom0 has not got {interface}")
    expect(not exists(lab, CONFIG), f"{when}: {CONFIG} is there")
    expect(lab.dom0.run("xl domid domnet", check=False).rc, f"{when}: the domain is there")
    code = lab.dom0.run("ferry status domnet", check=False).rc
    expect(code == NO_SUCH, f"{when}: `ferry status domnet` ends with {code}: the journal is still there")


def wanted_as_it_was(lab, interface, above, when):
    untouched(lab, interface, when)
    shown = lab.dom0.output(f"ip -o -4 addr show dev {above}")
    expect(ADDRESS in shown, f"{when}: {above} has not got its address: {shown}")
    shown = lab.dom0.output("ip -4 route show default")
    expect(shown.startswith(f"{ROUTE} dev {above}"), f"{when}: not the default route that it was: {shown}")
    if above != interface:
        shown = lab.dom0.output(f"ip -o link show dev {interface}")
        expect(f"master {above}" in shown, f"{when}: {interface} is no port of {above}: {shown}")


def asks_first(lab, interface, above):
    """dom0 uses it: no terminal, no --yes, nothing done."""
    setup(lab, interface, FAILED, f"{above} has the address {ADDRESS}", f"default route goes by {above}", "--yes")
    wanted_as_it_was(lab, interface, above, "refused without --yes")
    text = setup(lab, f"{interface} --dry-run", 0, f'pci           = [ "{SLOTS["A"].bdf}" ]', CONFIG, "--yes")
    expect(f'kernel        = "{KERNEL}"' in text, f"not the installed image: {text}")
    wanted_as_it_was(lab, interface, above, "after --dry-run")


def undone_without_link(lab, interface, above):
    before = lab.dom0.output(f"cat /sys/class/net/{interface}/ifindex")
    lab.wire["A"].link(False)
    setup(lab, f"{interface} --yes --timeout 5", FAILED, "there is no link", f"{interface} is dom0's again")
    lab.wire["A"].link(True)
    wanted_as_it_was(lab, interface, above, "undone")
    expect(lab.dom0.output(f"cat /sys/class/net/{interface}/ifindex") != before, "the NIC was never taken from dom0")
    expect(exists(lab, f"{CONFIG}.failed"), "the configuration is not laid aside")
    dom0_pings(lab, "undone")


def undone_without_terminal(lab, interface, above):
    """The reader of its output ends, and SIGHUP comes, while it waits for a link."""
    lab.wire["A"].link(False)
    session = lab.dom0.start(f"ferry setup {interface} --yes --timeout 10 2>&1 | sed '/waiting up to/q'")
    common.wait_for(lambda: "waiting up to" in session.stdout, "it does not come to wait for a link", 30)
    lab.dom0.run("kill -HUP $(pidof ferry)")
    session.wait(60)  # the shell waits for both
    lab.wire["A"].link(True)
    wanted_as_it_was(lab, interface, above, "undone without a terminal")
    dom0_pings(lab, "undone without a terminal")


def undone_unconfirmed(lab, interface, above):
    """There is a link, but nobody says that it is to stay: silence, "no", the end of the input, SIGHUP."""
    asked = "Press Enter within"
    for words, said, why in (("--confirm 5", None, "not confirmed in time"), ("--confirm 60", b"no\n", "not to stay"),
                             ("--confirm 60", b"\x04", "at its end"), ("", b"hup", "interrupted")):
        session = lab.dom0.channel.tty(f"ferry setup {interface} --yes {words}")
        common.wait_for(lambda: asked in session.stdout, f"'{words}': it does not ask", 60)
        expect(f"{asked} {words.split()[-1] if words else 120} s" in session.stdout, f"another time: {session.stdout}")
        expect(not recovery_nic.interfaces(lab, SLOTS["A"].bdf), "dom0 still has the interface")
        if said == b"hup":
            lab.dom0.run("kill -HUP $(pidof ferry)")
        elif said:
            session.feed(said)
        done = session.wait(60)
        expect(done.rc == FAILED, f"'{words}', {said}: exit code {done.rc}: {done.stdout}")
        expect(why in done.stdout, f"'{words}', {said}: not '{why}': {done.stdout}")
        expect(f"{interface} is dom0's again, up" in done.stdout, f"'{words}', {said}: {done.stdout}")
        wanted_as_it_was(lab, interface, above, f"unconfirmed, {said}")
        dom0_pings(lab, f"unconfirmed, {said}")
        if "FERRY_LONG" not in os.environ:
            break
    setup(lab, f"{interface} --yes --confirm 60", FAILED, "at its end")  # no terminal: of an input that ends
    wanted_as_it_was(lab, interface, above, "no input")


def driver_of(lab, interface):
    """The bus that dom0's interface is on: "pci" or "xen"."""
    return lab.dom0.output(f"basename $(readlink -f /sys/class/net/{interface}/device/subsystem)").strip()


def moved(lab, interface, above, when):
    expect(driver_of(lab, interface) == "xen", f"{when}: {interface} is no vif")
    shown = lab.dom0.output(f"ip -o -4 addr show dev {above}")
    expect(ADDRESS in shown, f"{when}: {above} has not got its address: {shown}")
    shown = lab.dom0.output("ip -4 route show default")
    expect(shown.startswith(f"{ROUTE} dev {above}"), f"{when}: not the default route that it was: {shown}")
    dom0_pings(lab, when)


def dom0_moves(lab, interface, above):
    """dom0's network goes on behind the driver domain, over its deaths, and back."""
    lab.wire["A"].link(False)
    setup(lab, f"{interface} --yes --dom0-vif --timeout 5", FAILED, "there is no link", "dom0 has an interface",
          f"{interface} is dom0's again, up")
    lab.wire["A"].link(True)
    wanted_as_it_was(lab, interface, above, "moved and undone")
    expect(driver_of(lab, interface) == "pci", "undone, and yet on a vif")
    dom0_pings(lab, "moved and undone")
    mac = lab.dom0.output(f"cat /sys/class/net/{interface}/address").strip()

    done = lab.dom0.run(f"ferry setup {interface} --yes --dom0-vif --confirm 60", timeout=120, check=False, stdin=b"yes\n")
    text = done.stdout + done.stderr
    expect(done.rc == 0 and "moves to an interface of the same name behind domnet" in text, f"{done.rc}: {text}")
    moved(lab, interface, above, "moved")
    expect(lab.dom0.output(f"cat /sys/class/net/{interface}/address").strip() == mac, "another MAC address")
    index = lab.dom0.output(f"cat /sys/class/net/{interface}/ifindex")
    guest = ferry_domnet.guest(lab, 1)
    common.ping_works(lab, guest)
    guest.run(f"ping -c 2 -i 0.2 -W 2 {ADDRESS.split('/')[0]}")
    for kill in ("ferry restart domnet", "xl destroy domnet"):
        if kill.startswith("xl"):
            common.death(lab, lambda: lab.dom0.run(kill, timeout=60), kill)
        else:
            lab.dom0.run(kill, timeout=60)
        moved(lab, interface, above, f"after {kill}")
        expect(lab.dom0.output(f"cat /sys/class/net/{interface}/ifindex") == index, f"{kill}: another interface")
        common.ping_works(lab, guest)
    guest.destroy()
    lab.dom0.run("ferry stop domnet", timeout=60)
    expect(driver_of(lab, interface) == "pci", "stopped, and yet on a vif")
    dom0_pings(lab, "stopped")
    # As at boot: the configuration that was written, started anew.
    lab.dom0.run(f"ferry start {CONFIG}", timeout=60)
    moved(lab, interface, above, "started anew")
    lab.dom0.run("ferry stop domnet", timeout=60)
    dom0_pings(lab, "stopped again")
    lab.dom0.run(f"rm {CONFIG}")
    wanted_as_it_was(lab, interface, above, "moved back")


def stays_when_confirmed(lab, interface):
    """dom0 uses it no more, but was told to ask."""
    done = lab.dom0.run(f"ferry setup {interface} --confirm 60", timeout=120, check=False, stdin=b"yes\n")
    text = done.stdout + done.stderr
    expect(done.rc == 0 and "Press Enter within 60 s" in text, f"confirmed: exit code {done.rc}: {text}")
    expect(common.status(lab)["state"] == "running", "confirmed, but it does not run")
    lab.dom0.run("ferry stop domnet", timeout=60)
    common.wait_for(lambda: recovery_nic.interfaces(lab, SLOTS["A"].bdf) == [interface],
                    "dom0 has not got its interface back", 10)
    lab.dom0.run(f"rm {CONFIG}")


def refused_by_row(lab):
    done = setup(lab, f"{NO_NIC} --kernel {KERNEL}", REFUSED, "refused by ", "do: ")
    expect("driver" in done.split("refused by ")[1].split(";")[0], f"the row is not named: {done}")
    setup(lab, NO_NIC, FAILED, "drives 0000:00:03.0")
    expect(not exists(lab, CONFIG), "refused, but the configuration is there")


def not_overwritten(lab, interface):
    lab.dom0.put(b"# somebody's own\n", CONFIG)
    setup(lab, f"{interface} --yes", FAILED, f"{CONFIG} is there already and is not overwritten")
    expect(lab.dom0.get(CONFIG) == b"# somebody's own\n", "overwritten")
    lab.dom0.run(f"rm {CONFIG}")
    untouched(lab, interface, "with a file of that name")


def wrong_values_named(lab):
    """A value of another type than its name wants is not the same as none."""
    good = f'name = "wrong"\nkernel = "{KERNEL}"\npci = [ "{SLOTS["A"].bdf}" ]\n'
    for line, said in (('memory = "much"', "memory"), ('vcpus = [ "1" ]', "vcpus"), ('extra = [ "bridge=xenbr0" ]', "extra"),
                       ('pci = [ [ "a" ] ]', "pci= wants strings"), ('dom0_vif = [ "bridge=xenbr0" ]', "dom0_vif"),
                       ('dom0_vif = "bridge=xenbr0"', "dom0_vif= says no mac="), ('vif = [ "" ]', "does not act on: vif")):
        lab.dom0.put(f"{good}{line}\n".encode(), "/root/wrong.cfg")
        done = lab.dom0.run("ferry start /root/wrong.cfg", check=False)
        text = done.stdout + done.stderr
        expect(done.rc == FAILED and said in text, f"{line}: exit code {done.rc}: {text}")
    expect(lab.dom0.run("xl domid wrong", check=False).rc, "refused, and yet there")


def works(lab, interface):
    """dom0 does not use it: nobody is asked."""
    setup(lab, f"{interface} --no-start", 0, f"{CONFIG} is written", f"ferry start {CONFIG}")
    expect(lab.dom0.run("xl domid domnet", check=False).rc, "--no-start, and yet a domain")
    lab.dom0.run(f"rm {CONFIG}")
    setup(lab, f"{interface} --memory 40", 0, f"{CONFIG} is written", "with a link", "backend=domnet", "ferry status")
    expect(not recovery_nic.interfaces(lab, SLOTS["A"].bdf), "dom0 still has the interface")
    expect(common.status(lab)["state"] == "running", "it does not run")
    guest = ferry_domnet.guest(lab, 1)
    common.ping_works(lab, guest)
    setup(lab, f"{SLOTS['A'].bdf} --name other", FAILED, "belongs to the driver domain domnet")
    setup(lab, f"{SLOTS['A'].bdf}", FAILED, "is not overwritten")
    common.ping_works(lab, guest)
    lab.dom0.run("ferry stop domnet", timeout=60)
    common.wait_for(lambda: recovery_nic.interfaces(lab, SLOTS["A"].bdf) == [interface],
                    "dom0 has not got its interface back", 10)


def run(lab):
    common.install(lab)
    lab.dom0.put(BUILD / "ferry-net", KERNEL)
    bdf = SLOTS["A"].bdf
    recovery_nic.dom0_drives(lab, bdf)
    names = recovery_nic.interfaces(lab, bdf)
    expect(len(names) == 1, f"dom0's own driver shows no interface on {bdf}: {names}")
    ferryd = common.supervise(lab)
    refused_by_row(lab)
    not_overwritten(lab, names[0])
    wrong_values_named(lab)
    for above in (names[0], "br0") if "FERRY_LONG" in os.environ else ("br0",):
        use(lab, names[0], above)
        asks_first(lab, names[0], above)
        undone_without_link(lab, names[0], above)
        if "FERRY_LONG" in os.environ:
            undone_without_terminal(lab, names[0], above)
        undone_unconfirmed(lab, names[0], above)
        unuse(lab, names[0], above)
    for above in (names[0], "br0") if "FERRY_LONG" in os.environ else (names[0],):
        use(lab, names[0], above)
        dom0_moves(lab, names[0], above)
        unuse(lab, names[0], above)
    stays_when_confirmed(lab, names[0])
    works(lab, names[0])
    ferryd.kill()
