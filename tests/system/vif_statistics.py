# SPDX-License-Identifier: BSD-2-Clause
"""What dom0 reads of a driver domain's statistics is what went through it, over deaths too; as metrics as well."""
import json
import re
import subprocess
from pathlib import Path

import ferry_domnet
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
FRAME = "ffffffffffff" + ferry_domnet.mac(1).replace(":", "") + "88b5" + "00" * 46


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
    began = vifs(lab)["began_ns"]
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
    expect(after[vif]["drops"]["storm"] >= before[vif]["drops"]["storm"] > 0, f"{fault}: drops went backwards")
    print(f"vif_statistics: {fault}: depth {depth}: counters go on", flush=True)


def times_are_taken(lab):
    found = vifs(lab)
    for stage, times in found["stages"].items():
        expect(times["timed_turns"] > 0 and times["timed_turns"] == sum(times["buckets"]), f"{stage}: {times}")
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
    for line, (cause, depth) in zip(lab.dom0.output(f"cat {TOLD}").splitlines(), wanted, strict=True):
        expect(re.fullmatch(rf"{NAME} {cause} {depth},{NAME},{depth},\d+", line), f"told: {line}; {cause}, {depth}")
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
    guest = ferry_domnet.guest(lab, 1)
    lab.wait_console(NAME, "nic0: link up", timeout=20)
    common.ping_works(lab, guest)
    vif = f"vif{guest.domid}.0"
    pings_are_counted(lab, guest, vif)
    drops_have_a_reason(lab, guest, vif)
    stations_are_where_they_are(lab, guest, vif)
    times_are_taken(lab)
    top_has_rates(lab, guest, vif)
    for fault, depth in (("null", 1), ("nic-fault", 1), ("loop", 2), ("xl destroy", 3)):
        counters_only_grow(lab, guest, vif, fault, depth)
    hooks_were_told(lab, ferryd)
    metrics_are_served(lab, vif)
    report_tells(lab)
    lab.dom0.run(f"ferry stop {NAME}", timeout=60)
    done = lab.dom0.run(f"ferry vifs {NAME}", check=False)
    expect(done.rc == 5, f"ferry vifs of a domain that was stopped ends with {done.rc}")
    ferryd.kill()
