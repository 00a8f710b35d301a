# SPDX-License-Identifier: BSD-2-Clause
"""What dom0 reads of a driver domain's statistics is what went through it, over deaths too; as metrics as well."""
import json
import re
import subprocess
import time
from pathlib import Path

import ferry_domnet
import queues
import recovery_common as common
from ferry_domnet import expect

PINGS = 20
BROADCASTS, STORM = 200, 10
NAME = "domnet"
METRICS = "127.0.0.1:9101"
TERMINAL = Path("/lib/terminfo/l/linux")
HOOKS, TOLD = "/etc/ferry/hooks.d", "/run/ferry-told"
PROMTOOL = Path(__file__).resolve().parents[2] / "tools" / "promtool"
EXAMPLES = PROMTOOL.parents[1] / "docs" / "examples" / "prometheus"
QUEUES = 2
WRITTEN_S = 0.25  # how often the domain writes its pages
RAW = 100  # frames that are sent to be counted exactly
NOISE = 20  # that a guest and the wire may say besides meanwhile: neighbours, routers


def raw(to, source=ferry_domnet.mac(1)):
    return (to + source).replace(":", "") + "88b5" + "00" * 46


FRAME = raw("ffffffffffff")
FRAME_LEN = len(FRAME) // 2
OF_QUEUES = ("copies", "notifications", "events")  # of an interface without a control ring


def vifs(lab):
    return json.loads(lab.dom0.output(f"ferry vifs {NAME} --json"))[0]


def ports(lab):
    return {port["port"]: port for port in vifs(lab)["ports"]}


def settled(lab, name, key, least, what):
    """The port once that counter is at least so much: pages are written four times a second."""
    common.wait_for(lambda: ports(lab)[name][key] >= least, f"{what}: {name}: {key} stays below {least}", 5)
    return ports(lab)


def pings_are_counted(lab, guest, vif):
    before = ports(lab)
    guest.run(f"ping -q -c {PINGS} -i 0.05 {lab.wire['A'].ip}")
    after = settled(lab, vif, "out_frames", before[vif]["out_frames"] + PINGS, "pings")
    for name, key in ((vif, "in_frames"), ("nic0", "in_frames"), ("nic0", "out_frames")):
        grown = after[name][key] - before[name][key]
        expect(PINGS <= grown < 3 * PINGS, f"{name}: {key} grew by {grown} with {PINGS} pings")
    grown = after[vif]["in_bytes"] - before[vif]["in_bytes"]
    expect(PINGS * 98 <= grown < 3 * PINGS * 98, f"{vif}: {grown} bytes of {PINGS} pings of 98 bytes")


def drops_have_a_reason(lab, guest, vif):
    before = ports(lab)[vif]["drops"]
    guest.run(f"for i in $(seq {BROADCASTS}); do echo {FRAME}; done | frames send eth0", timeout=30)
    common.wait_for(lambda: ports(lab)[vif]["drops"]["storm"] - before["storm"] >= BROADCASTS // 2,
                    f"{vif}: {BROADCASTS} broadcasts at once, {STORM} a second may pass, and few are dropped", 5)
    drops = ports(lab)[vif]["drops"]
    others = {reason: nr - before[reason] for reason, nr in drops.items() if reason != "storm" and nr != before[reason]}
    expect(not others, f"{vif}: also dropped: {others}")
    text = lab.dom0.output(f"ferry vifs {NAME}")
    expect(f"storm {drops['storm']}" in text and "guest1" in text, f"ferry vifs does not say so:\n{text}")


def send(guest, frame, number=RAW):
    guest.run(f"for i in $(seq {number}); do echo {frame}; done | frames send eth0", timeout=30)


def bridge_of(found, name="xenbr0"):
    bridge, = (one for one in found["bridges"] if one["bridge"] == name)
    return bridge


def sums_agree(found, vif, when):
    """The parts of one reading: what the queues have is what the interface has, and so on."""
    shown = {port["port"]: port for port in found["ports"]}
    each = shown[vif]["each_queue"]
    expect([one["queue"] for one in each] == list(range(QUEUES)), f"{when}: other queues: {each}")
    for key in ("in_frames", "in_bytes", "out_frames", "out_bytes", "waiting", *OF_QUEUES):
        total = sum(one[key] for one in each)
        expect(total == shown[vif][key], f"{when}: {vif}: {key} of the queues is {total}: {shown[vif]}")
    for reason in ("bad", "full"):
        total = sum(one["drops"][reason] for one in each)
        expect(total <= shown[vif]["drops"][reason], f"{when}: {vif}: the queues dropped {total}, {reason}: {shown[vif]}")
    expect(shown[vif]["copies"] == found["copies"], f"{when}: one interface, but other copies: {shown[vif]} {found}")
    expect(0 < shown[vif]["notifications"] <= found["notifications"] and shown[vif]["events"] > 0,
           f"{when}: events: {shown[vif]}")
    bridge = bridge_of(found)
    total = bridge["forwarded"] + bridge["flooded"] + sum(bridge["drops"].values())
    came = sum(port["in_frames"] for port in found["ports"])
    expect(bridge["ports"] == len(shown) and total == came, f"{when}: {came} frames came in, of the bridge's {total}: {bridge}")
    total = bridge["forwarded_bytes"] + bridge["flooded_bytes"] + sum(bridge["drop_bytes"].values())
    came = sum(port["in_bytes"] for port in found["ports"])
    expect(total == came, f"{when}: {came} bytes came in, of the bridge's {total}: {bridge}")
    for reason in ("storm", "vlan", "pinned", "isolated", "policy-in"):
        dropped = sum(port["drops"][reason] for port in found["ports"])
        expect(bridge["drops"][reason] == dropped, f"{when}: {reason}: ports {dropped}, bridge {bridge}")


def bridge_grows(lab, guest, vif, frame, grown, what):
    """RAW such frames: grown() of the bridge tells how many of them it counted."""
    before = grown(bridge_of(vifs(lab)))
    send(guest, frame)
    common.wait_for(lambda: grown(bridge_of(vifs(lab))) >= before + RAW, f"{what}: {RAW} frames are not counted", 5)
    time.sleep(2 * WRITTEN_S)  # nothing more comes
    after = vifs(lab)
    sums_agree(after, vif, what)
    return grown(bridge_of(after)) - before


def frames_are_counted_exactly(lab, guest, vif):
    """Before any TCP: what comes from the wire merged is one frame for the bridge."""
    sums_agree(vifs(lab), vif, "at first")
    wire = re.search(r"lladdr ([0-9a-f:]{17})", guest.output(f"ip neigh show {lab.wire['A'].ip}"))
    expect(wire, "the guest does not know the wire's address")
    before = bridge_of(vifs(lab))["drop_bytes"]["reserved"]
    nr = bridge_grows(lab, guest, vif, raw("01:80:c2:00:00:0e"), lambda b: b["drops"]["reserved"], "reserved")
    expect(nr == RAW, f"{RAW} frames for bridges alone, {nr} counted")
    nr = bridge_of(vifs(lab))["drop_bytes"]["reserved"] - before
    expect(nr == RAW * FRAME_LEN, f"{RAW} frames of {FRAME_LEN} bytes for bridges alone, {nr} bytes counted")
    behind = "02:00:00:00:77:01"
    send(guest, raw(wire[1], source=behind), 1)
    nr = bridge_grows(lab, guest, vif, raw(behind), lambda b: b["drops"]["same-port"], "same port")
    expect(nr == RAW, f"{RAW} frames to a station behind the same port, {nr} counted")
    before = bridge_of(vifs(lab))["forwarded_bytes"]
    nr = bridge_grows(lab, guest, vif, raw(wire[1]), lambda b: b["forwarded"], "forwarded")
    expect(RAW <= nr <= RAW + NOISE, f"{RAW} frames to the wire, {nr} forwarded")
    nr = bridge_of(vifs(lab))["forwarded_bytes"] - before
    expect(RAW * FRAME_LEN <= nr <= RAW * FRAME_LEN + NOISE * 1514, f"{RAW} frames of {FRAME_LEN} bytes to the wire, {nr} bytes forwarded")
    bridge = bridge_of(vifs(lab))
    expect(bridge["stations"] >= 3, f"the guest, one behind it and the wire: {bridge}")


def queues_have_frames(lab, guest, vif):
    before = ports(lab)[vif]
    queues.streams(lab, guest, to_guest=False)
    queues.streams(lab, guest, to_guest=True)
    time.sleep(2 * WRITTEN_S)
    after = ports(lab)[vif]
    for was, now in zip(before["each_queue"], after["each_queue"], strict=True):
        expect(now["in_frames"] > was["in_frames"] and now["out_frames"] > was["out_frames"],
               f"a queue stands still: {was}, {now}")
        expect(all(now[key] > was[key] for key in OF_QUEUES), f"a queue moves frames without any of {OF_QUEUES}: {was}, {now}")
    for key in ("in_frames", "in_bytes", "out_frames", "out_bytes", *OF_QUEUES):
        expect(sum(one[key] for one in after["each_queue"]) == after[key], f"sums of {key}: {after}")
    text = lab.dom0.output(f"ferry vifs {NAME} --queues")
    expect(len([line for line in text.splitlines() if line.startswith(f"{vif} ") and "guest1" in line]) == QUEUES,
           f"ferry vifs --queues:\n{text}")
    expect(re.search(r"copies +notified +events +dropped", text), f"ferry vifs --queues:\n{text}")
    text = lab.dom0.output(f"ferry vifs {NAME} --bridges")
    expect("xenbr0" in text and "storm" in text and "same-port" in text, f"ferry vifs --bridges:\n{text}")


def waiting_frames_are_shown(lab, guest, vif):
    """A guest that takes nothing: its ring is full, and then its queue, until that is given up."""
    def waits():
        port = ports(lab)[vif]
        total = sum(one["waiting"] for one in port["each_queue"])
        expect(total == port["waiting"], f"the queues have {total} frames: {port}")
        return total > 0
    lab.dom0.run(f"xl pause {guest.name}")
    try:
        flood = lab.wire["A"].popen(f"ping -q -n -i 0.001 -c 3000 {guest.ip}", stdout=subprocess.DEVNULL)
        common.wait_for(waits, f"{vif}: no frames wait for a guest that is paused", 5)
    finally:
        lab.dom0.run(f"xl unpause {guest.name}")
    flood.wait(30)
    common.wait_for(lambda: ports(lab)[vif]["waiting"] == 0, f"{vif}: frames wait still", 5)
    common.ping_works(lab, guest)


def nic_tells(lab):
    common.wait_for(lambda: "missed" in ports(lab)["nic0"], "the NIC tells no errors", 8)
    nic = ports(lab)["nic0"]
    for ring, key in (("in_ring", "filled"), ("out_ring", "used")):
        expect(0 <= nic[ring][key] <= nic[ring]["descriptors"] and nic[ring]["descriptors"] >= 64, f"{ring}: {nic}")
    expect(nic["out_errors"] == 0 and nic["in_errors"] + nic["missed"] < nic["in_frames"], f"errors without end: {nic}")


def counters(found, vif):
    """All that is only to grow, by a name for each."""
    shown = {port["port"]: port for port in found["ports"]}
    all_of = {key: shown[vif][key] for key in ("copies", "notifications", "events")}
    for one in shown[vif]["each_queue"]:
        all_of |= {(one["queue"], key): one[key] for key in ("in_frames", "in_bytes", "out_frames", "out_bytes", *OF_QUEUES)}
        all_of |= {(one["queue"], "dropped", reason): nr for reason, nr in one["drops"].items()}
    bridge = bridge_of(found)
    all_of |= {("bridge", key): bridge[key] for key in ("forwarded", "flooded", "forwarded_bytes", "flooded_bytes")}
    all_of |= bridge["drops"] | {("bytes", reason): nr for reason, nr in bridge["drop_bytes"].items()}
    all_of |= {key: shown["nic0"][key] for key in ("missed", "no_buffers", "in_errors", "out_errors")}
    return all_of | {key: times["timed"] for key, times in found["latencies"].items()}


def stations_are_where_they_are(lab, guest, vif):
    guest.run(f"ping -q -c 2 -i 0.2 {lab.wire['A'].ip}")

    def found():
        shown, = json.loads(lab.dom0.output(f"ferry stations {NAME} --json"))
        return {station["mac"]: station for station in shown["stations"]}
    common.wait_for(lambda: ferry_domnet.mac(1) in found(), "the guest's address is at no port", 5)
    mine = found()[ferry_domnet.mac(1)]
    expect(mine["port"] == vif and mine["guest"] == "guest1" and mine["bridge"] == "xenbr0", f"it is elsewhere: {mine}")
    expect(any(station["port"] == "nic0" for station in found().values()), f"nobody is on the wire: {found()}")


def counters_only_grow(lab, guest, vif, fault, depth):
    guest.run(f"ping -q -c {PINGS} -i 0.05 {lab.wire['A'].ip}")
    before = settled(lab, vif, "in_frames", PINGS, fault)
    first = vifs(lab)
    began = first["began_ns"]
    domid = lab.dom0.output(f"xl domid {NAME}")
    command = (f"xl destroy {NAME}" if fault == "xl destroy" else
               f"xenstore-write /local/domain/{domid}/ferry/fault '{fault} {depth}'")
    death = common.death(lab, lambda: lab.dom0.run(command, timeout=60), fault)
    expect(death["depth"] == depth, f"{fault}: depth {death['depth']}")
    common.ping_works(lab, guest)
    common.wait_for(lambda: vif in ports(lab), f"{fault}: {vif} is not shown any more", 5)
    after, now = ports(lab), vifs(lab)
    if depth == 3:
        expect(now["began_ns"] > began and now["generation"] == 1, f"{fault}: it does not say that counters began anew")
        return
    expect(now["began_ns"] == began, f"{fault}: counters are said to have begun anew")
    for name, keys in ((vif, ("in_frames", "in_bytes", "out_frames", "out_bytes")),
                       ("nic0", ("in_frames", "in_bytes", "out_frames", "out_bytes"))):
        fallen = {key: (before[name][key], after[name][key]) for key in keys if after[name][key] < before[name][key]}
        expect(not fallen, f"{fault}: {name}: counters went backwards: {fallen}")
    was, grown = counters(first, vif), counters(now, vif)
    fallen = {key: (nr, grown[key]) for key, nr in was.items() if grown[key] < nr}
    expect(not fallen, f"{fault}: counters went backwards: {fallen}")
    expect(after[vif]["drops"]["storm"] >= before[vif]["drops"]["storm"] > 0, f"{fault}: drops went backwards")
    print(f"vif_statistics: {fault}: depth {depth}: counters go on", flush=True)


def times_are_taken(lab):
    found = vifs(lab)
    for stage, times in found["stages"].items():
        expect(times["timed_turns"] > 0 and times["timed_turns"] == sum(times["buckets"]), f"{stage}: {times}")
    for what, times in found["latencies"].items():
        expect(times["timed"] > 0 and times["timed"] == sum(times["buckets"]) and times["ns"] > 0, f"{what}: {times}")
    expect(found["copies"] >= found["copy_hypercalls"] > 0 and found["notifications"] > 0 and found["sleeps"] > 0,
           f"no work is counted: {found}")


def scraped(lab, accept="text/plain"):
    return lab.dom0.output(f"busybox wget -q -O - --header 'Accept: {accept}' http://{METRICS}/metrics", timeout=20)


def sample(text, name, **labels):
    """The sum of the samples of that name with these labels."""
    found = [line.rsplit(" ", 1) for line in text.splitlines() if re.match(rf"{name}[{{ ]", line)]
    return sum(float(value) for labelled, value in found
               if all(f'{label}="{wanted}"' in labelled for label, wanted in labels.items()))


def metrics_are_served(lab, vif):
    """As promtool wants them, with the numbers that `ferry vifs` shows; a client that says nothing holds up nobody."""
    silent = lab.dom0.start(f"exec busybox nc {METRICS.replace(':', ' ')}")
    text, openmetrics = scraped(lab), scraped(lab, "application/openmetrics-text")
    checked = subprocess.run([PROMTOOL, "check", "metrics"], input=text + "\n", text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, timeout=120, check=False)
    expect(checked.returncode == 0, f"promtool: {checked.stdout}\n{text}")
    checked = subprocess.run([PROMTOOL, "check", "rules", EXAMPLES / "ferry.rules.yml"], text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, timeout=120, check=False)
    expect(checked.returncode == 0, f"promtool: {checked.stdout}")
    named = set(re.findall(r"ferry_[a-z_]+", (EXAMPLES / "ferry.rules.yml").read_text() +
                           (EXAMPLES / "ferry-dashboard.json").read_text()))
    absent = {name for name in named if name not in text}
    expect(not absent, f"rules or dashboard ask for what is not served: {absent}")
    expect(openmetrics.endswith("# EOF") or openmetrics.endswith("# EOF\n"), f"no end: {openmetrics[-200:]}")
    expect(sample(text, "ferry_domain_up", domain=NAME) == 1, f"it is not up:\n{text}")
    expect(sample(text, "ferry_domain_info", domain=NAME) == 1, f"no version and image:\n{text}")
    expect(sample(text, "ferry_domain_degraded", domain=NAME) == 0, f"it is degraded:\n{text}")
    expect(f'ferry_domain_heartbeat_age_seconds{{domain="{NAME}"}}' in text and
           sample(text, "ferry_domain_heartbeat_age_seconds", domain=NAME) < 10, f"its heart does not beat:\n{text}")
    for depth in (1, 2, 3):
        expect(sample(text, "ferry_recoveries_total", domain=NAME, depth=depth) >= 1, f"no recovery at depth {depth}:\n{text}")
        expect(sample(text, "ferry_recovery_seconds_count", domain=NAME, depth=depth) >= 1, f"no time at depth {depth}")
    shown = ports(lab)[vif]["in_frames"]
    counted = sample(text, "ferry_port_frames_total", domain=NAME, port=vif, guest="guest1", direction="in")
    expect(0 < counted <= shown, f"{vif}: {counted} frames in, ferry vifs shows {shown}")
    for queue in range(QUEUES):
        expect(f'ferry_queue_frames_total{{domain="{NAME}",port="{vif}",guest="guest1",queue="{queue}",direction="in"}}' in text,
               f"nothing of queue {queue}:\n{text}")
    counted = sample(text, "ferry_queue_frames_total", domain=NAME, port=vif, direction="in")
    expect(0 < counted <= shown, f"{vif}: the queues have {counted} frames in, ferry vifs shows {shown}")
    bridge = bridge_of(vifs(lab))
    for way in ("forwarded", "flooded"):
        counted = sample(text, "ferry_bridge_frames_total", domain=NAME, bridge="xenbr0", way=way)
        expect(0 < counted <= bridge[way], f"{counted} frames {way}, ferry vifs shows {bridge}")
        counted = sample(text, "ferry_bridge_bytes_total", domain=NAME, bridge="xenbr0", way=way)
        expect(0 < counted <= bridge[f"{way}_bytes"], f"{counted} bytes {way}, ferry vifs shows {bridge}")
    for name, label, value in (("ferry_queue_drops_total", "reason", "full"), ("ferry_bridge_dropped_bytes_total", "reason", "storm")):
        expect(re.search(rf'^{name}{{.*{label}="{value}"}}', text, re.MULTILINE), f"no {name} with {label} {value}:\n{text}")
    for name in ("ferry_vif_grant_copies_total", "ferry_vif_notifications_total", "ferry_vif_events_total",
                 "ferry_queue_grant_copies_total", "ferry_queue_notifications_total", "ferry_queue_events_total",
                 "ferry_nic_ring_descriptors", "ferry_bridge_stations"):
        expect(sample(text, name, domain=NAME) > 0, f"{name} is 0, or not there:\n{text}")
    for name in ("ferry_vif_service_seconds", "ferry_vif_queue_seconds"):
        expect(f'{name}_count{{domain="{NAME}"}}' in text, f"{name} is not there:\n{text}")
    other = lab.dom0.run(f"busybox wget -q -O - http://{METRICS}/other", check=False)
    expect(other.rc != 0, "another page than /metrics is served")
    silent.kill()
    refused = lab.dom0.run("ferryd -f --metrics 0.0.0.0:9102 2>&1", check=False)
    expect(refused.rc != 0, "metrics are served to everybody")


def hooks_install(lab):
    lab.dom0.run(f"""mkdir -p {HOOKS} && cd {HOOKS} && rm -f * &&
        printf '#!/bin/sh\\necho "$*,$FERRY_DOMAIN,$FERRY_DEPTH,$FERRY_OUTAGE_MS" >> {TOLD}\\n' > 10-tell &&
        printf '#!/bin/sh\\necho of others >> {TOLD}\\n' > 20-others && cp 20-others 30-backup~ &&
        chmod 755 10-tell 30-backup~ && chmod 777 20-others && rm -f {TOLD}""")


def hooks_were_told(lab, ferryd):
    wanted = [(cause, depth) for cause, depth in (("crash", 1), ("crash", 1), ("hang", 2), ("vanished", 3))]
    common.wait_for(lambda: len(lab.dom0.run(f"cat {TOLD}", check=False).stdout.splitlines()) >= len(wanted),
                    "the hook was not told of every death", 5)
    told = lab.dom0.output(f"cat {TOLD}")
    expect(len(told.splitlines()) == len(wanted), f"told of {told}\nnot of {wanted}")
    for line, (cause, depth) in zip(told.splitlines(), wanted):
        expect(re.fullmatch(rf"{NAME} {cause} {depth},{NAME},{depth},\d+", line), f"told of {told}\nnot of {wanted}")
    expect("20-others is not run" in ferryd.stdout, f"nothing is said of a hook that others can write:\n{ferryd.stdout}")


def top_has_rates(lab, guest, vif):
    ping = guest.start(f"ping -q -c 80 -i 0.05 {lab.wire['A'].ip}")
    text = lab.dom0.output("ferry top --batch --delay 1.5 --iterations 1 --sort in", timeout=20)
    row = next((line.split() for line in text.splitlines() if f" {vif} " in line), [])
    expect(row and row[2] == "guest1" and 5 <= float(row[5]) <= 40, f"20 pings a second:\n{text}")
    lab.dom0.run("mkdir -p /root/terminfo/l")  # the lab's dom0 knows no terminals
    lab.dom0.put(TERMINAL, "/root/terminfo/l/linux")
    drawn = lab.dom0.run("TERMINFO=/root/terminfo TERM=linux timeout 10 script -qc 'ferry top --iterations 1 --delay 0.5' /dev/null < /dev/null",
                         check=False)
    expect(vif in drawn.stdout and "ferry top - " in drawn.stdout, f"no screen: {drawn.stdout!r} {drawn.stderr!r}")
    ping.wait(20)


def status_has_rates(lab, guest, vif):
    ping = guest.start(f"ping -q -c 80 -i 0.05 {lab.wire['A'].ip}")
    time.sleep(1)
    text = lab.dom0.output(f"ferry status {NAME}", timeout=20)
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line.startswith("  ")}
    expect(vif in rows and rows[vif][1:3] == ["guest1", "xenbr0"] and "nic0" in rows, f"no line of each port:\n{text}")
    for name in (vif, "nic0"):
        expect(all(5 <= float(rows[name][at]) <= 80 for at in (3, 5)), f"{name}: 20 pings a second, there and back:\n{text}")
        expect(all(rows[name][at][-1] == "k" for at in (4, 6)), f"{name}: pings of 98 bytes are some kbit/s:\n{text}")
    expect(f"dropped\n  `ferry vifs {NAME}` shows for which reason" in text, f"what was dropped is not said:\n{text}")
    ping.wait(20)


def status_has_the_last_deaths(lab, nr):
    for words, shown in (("", 3), ("--deaths", nr)):
        text = lab.dom0.output(f"ferry status {NAME} {words}", timeout=20)
        found = re.findall(r" at depth (\d) after ", text)
        expect(len(found) == shown and found[-1] == "3", f"ferry status {words}: not the last {shown} of {nr} deaths:\n{text}")
        expect((f"{nr} deaths ever" in text) == (shown < nr), f"ferry status {words}: of {nr} deaths:\n{text}")


def report_tells(lab):
    text = lab.dom0.output(f"ferry report {NAME} -o /run/report.html && cat /run/report.html", timeout=20)
    for words in ("restarted at depth 1", "reloaded at depth 2", "rebuilt at depth 3", "guest1", "<svg", "</html>"):
        expect(words in text, f"the report lacks {words}:\n{text[:3000]}")
    expect("http" not in text, "the report needs a network")


def run(lab):
    common.install(lab)
    hooks_install(lab)
    ferryd = common.supervise(lab, f"--metrics {METRICS}")
    path = common.config(lab, name=NAME, image="ferry-net-faults",
                         extra=f"restarts=60 bridge=xenbr0,uplink=nic0,storm={STORM}")
    common.start(lab, path, NAME)
    guest = ferry_domnet.guest(lab, 1, vcpus=QUEUES)
    lab.wait_console(NAME, "nic0: link up", timeout=20)
    common.ping_works(lab, guest)
    vif = f"vif{guest.domid}.0"
    pings_are_counted(lab, guest, vif)
    frames_are_counted_exactly(lab, guest, vif)
    drops_have_a_reason(lab, guest, vif)
    stations_are_where_they_are(lab, guest, vif)
    queues_have_frames(lab, guest, vif)
    waiting_frames_are_shown(lab, guest, vif)
    nic_tells(lab)
    times_are_taken(lab)
    top_has_rates(lab, guest, vif)
    status_has_rates(lab, guest, vif)
    for fault, depth in (("null", 1), ("nic-fault", 1), ("loop", 2), ("xl destroy", 3)):
        counters_only_grow(lab, guest, vif, fault, depth)
    hooks_were_told(lab, ferryd)
    metrics_are_served(lab, vif)
    status_has_the_last_deaths(lab, 4)
    report_tells(lab)
    lab.dom0.run(f"ferry stop {NAME}", timeout=60)
    done = lab.dom0.run(f"ferry vifs {NAME}", check=False)
    expect(done.rc == 5, f"ferry vifs of a domain that was stopped ends with {done.rc}")
    ferryd.kill()
