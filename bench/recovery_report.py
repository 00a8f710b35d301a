# SPDX-License-Identifier: BSD-2-Clause
"""Tables and a drawing of the figures that bench/recovery.py keeps.

The figures, as JSON: {"load": {FAULT: [FIGURES...]}, "light": the same under nothing but pings, "peer":
[FIGURES...], "rounds", "date", "busy_before", "processors", "failures"}. FAULT is a name of
tests/system/recovery_matrix.py, or "nothing"; FIGURES are those of recovery_measure.py, with
extra.deaths as `ferry status --json` has them, or extra.steps for the peer.
"""
import statistics
from pathlib import Path

import recovery_timeline

QUIET = 0.3
BESIDE = ": other work ran beside it, and takes its share of each figure"
DOCS = Path(__file__).resolve().parents[1] / "docs"

# depth, NIC, whether a hang had to be found; in the order of the tables -> (name, what copper makes of it)
PATHS = {
    (1, "kept", False): ("1, NIC kept", "The same on copper gigabit: the NIC is not touched and its link stays up."),
    (1, "reset", False): ("1, NIC reset", "On copper gigabit the link is negotiated anew, which adds 2 to 3 s; the lab's link "
                                   "is back after half a second."),
    (2, "kept", False): ("2, NIC kept", "The same on copper gigabit: bus mastering pauses, the link stays up."),
    (2, "kept", True): ("2, NIC kept, a hang", "The same on copper gigabit."),
    (2, "reset", True): ("2, NIC reset, a hang", "On copper gigabit 2 to 3 s more for the link."),
    (3, "", False): ("3, rebuilt", "On copper gigabit 2 to 3 s more for the link."),
}
PEER_COPPER = ("On copper gigabit its link adds the same 2 to 3 s; the person who replugs the guest's "
               "interface takes longer than all the rest.")


def quantile(values, share):
    """The nearest rank: an observed value."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


def short(ms):
    return f"{ms:.1f}" if ms < 10 else f"{ms:.0f}"


def spread(values):
    if not values:
        return "-"
    found = min(values), statistics.median(values), quantile(values, 99), max(values)
    return " / ".join(short(value) for value in found)


def path_of(figures):
    """The key of PATHS; None where more than one way was tried."""
    deaths = figures["extra"]["deaths"]
    if len({death["reason"] for death in deaths}) != 1 or len({d["depth"] for d in deaths}) != 1:
        return None
    last = deaths[-1]
    nic = "" if last["depth"] == 3 else last["nic"].split(":")[0]
    return (last["depth"], nic, last["cause"] == "hang")


def all_figures(by_fault):
    return [figures for fault, rounds in by_fault.items() if fault != "nothing" for figures in rounds]


def of_path(by_fault, path):
    return [figures for figures in all_figures(by_fault) if path_of(figures) == path]


def outages(rounds):
    return [figures["outage"] for figures in rounds]


def own_times(rounds):
    """As ferryd or the kernel has it: from the fault at depth 1, from its notice at the others."""
    return [figures["extra"]["deaths"][-1]["back_us"] / 1000 for figures in rounds]


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def paths_table(found):
    rows = []
    for path, (name, _) in PATHS.items():
        light, load = of_path(found["light"], path), of_path(found["load"], path)
        rows.append([name, spread(own_times(light + load)), f"{spread(outages(light))} ({len(light)})",
                     f"{spread(outages(load))} ({len(load)})"])
    rows.append(["nothing happens", "-"] + [
        f"{spread(outages(found[way].get('nothing', [])))} ({len(found[way].get('nothing', []))})"
        for way in ("light", "load")])
    peer = found["peer"]
    rows.append(["Linux driver domain", "-", "-", f"{spread(outages(peer))} ({len(peer)})"])
    return table(["depth", "repair by its own clock, ms", "outage, pings only, ms (n)",
                  "outage, full load, ms (n)"], rows)


def faults_table(found):
    rows = []
    for fault, rounds in found["load"].items():
        if fault == "nothing":
            continue
        depths = sorted({"-".join(str(d["depth"]) for d in figures["extra"]["deaths"])
                         for figures in rounds})
        nics = sorted({figures["extra"]["deaths"][-1]["nic"] for figures in rounds})
        rows.append([fault, ", ".join(depths), ", ".join(nics) or "new", spread(outages(rounds)),
                     spread([figures["tcp"] for figures in rounds]),
                     *(f"{min(numbers)} to {max(numbers)}" for numbers in (
                         [f["lost_to_wire"] + f["lost_to_guest"] for f in rounds],
                         [f["duplicated"] for f in rounds]))])
    return table(["fault", "depths", "NIC", "outage, ms", "TCP, ms", "pings lost", "twice"], rows)


def steps_of(rounds):
    """(step, its end in ms) by medians, of steps that most of them took."""
    ends = {}
    for figures in rounds:
        for step in figures["extra"]["deaths"][-1]["steps"]:
            ends.setdefault(step["step"], []).append(step["us"] / 1000)
    return sorted(((name, statistics.median(values)) for name, values in ends.items()
                   if 2 * len(values) > len(rounds)), key=lambda step: step[1])


def peer_steps(rounds):
    ends = {}
    for figures in rounds:
        for name, ms in figures["extra"]["steps"]:
            ends.setdefault(name, []).append(ms)
    return sorted(((name, statistics.median(values)) for name, values in ends.items()),
                  key=lambda step: step[1])


def durations(steps):
    """(step, its own ms)."""
    return [(name, end - start) for (name, end), start in
            zip(steps, [0] + [end for _, end in steps])]


def timelines(found):
    """(title, steps) of each path that was gone."""
    made = [(f"depth {name}", steps_of(of_path(found["light"], path) or of_path(found["load"], path)))
            for path, (name, _) in PATHS.items()]
    if found["peer"]:
        made.append(("Linux driver domain, by xl", peer_steps(found["peer"])))
    return [(title, steps) for title, steps in made if steps]


def steps_text(found):
    return "\n".join(f"* **{title}**: " + ", ".join(f"{name} {short(ms)}" for name, ms in
                                                    durations(steps)) + f"; {short(steps[-1][1])} ms"
                     for title, steps in timelines(found)) + "\n"


def hang_text(found):
    """Outage less repair: what it took to find out."""
    rounds = found["light"].get("loop", [])
    if not rounds:
        return ""
    notice = [outage - own for outage, own in zip(outages(rounds), own_times(rounds))]
    return (f"\nA hang (`loop`) has to be found first: outage less repair is {spread(notice)} ms "
            "under pings only.\n")


def peer_text(found):
    rounds = found["peer"]
    if not rounds:
        return ""
    survived = sum(figures["extra"]["survived"] for figures in rounds)
    return (f"\nThe peer lost {spread([f['lost_to_wire'] + f['lost_to_guest'] for f in rounds])} pings; "
            f"both TCP connections lived on in {survived} of {len(rounds)} deaths. Its guest saw its interface "
            "go and another one come, without an address until one was set.\n")


def copper_text():
    return "\n".join(f"* **{name}**: {text}" for name, text in PATHS.values()) + \
        f"\n* **Linux driver domain**: {PEER_COPPER}\n"


TEXT = """# Figures of recovery

Measured by `bench/recovery.py {rounds} {peers}` on {date}: Xen in QEMU's software emulation, {processors} processors. The
machine's load average before it began was {busy:.1f}{beside}.
The line "nothing happens" is the same measurement without any fault: the machine's own noise. Everywhere: min / median /
p99 / max; with less than a hundred values p99 is the largest.

**Outage** is the longest time without any frame from the guest on the wire, from the request of the fault until all is
over. Under full load TCP runs both ways as fast as it goes, and a ping leaves every {ping_ms} ms; the guest's one
processor and the emulated machine are busy all the time, which the guest's frames wait for too. With pings only the outage is what
the recovery itself takes, plus the time to the next ping; xenstored keeps no log then, which under full load it does and which
makes a rebuild slower.
**Repair** is by the clock of who repairs: from the fault at depth 1 (the kernel's), from its notice at the others
(ferryd's).

## By path

{paths}{hang}
## By fault, under full load

{faults}
## The peer

A Linux driver domain in the same boot: `xl destroy`, `xl create`, then `xl network-detach` and `network-attach` and the
address by a script, without a person's time to notice and to type. Same load, same measurements.
{peer}
## Where the time goes

Medians, in ms, each step's own; at the end the sum. `bench/recovery.py` draws them:

![Timeline of each path](recovery-timeline.svg)

{steps}
## On copper gigabit

A link that is negotiated anew takes 2 to 3 s there. Keeping the NIC running is what avoids that.

{copper}"""


def write(found):
    """Both files in docs/. Returns an exit code."""
    text = TEXT.format(rounds=found["rounds"], peers=len(found["peer"]), date=found["date"],
                       processors=found["processors"], busy=found["busy_before"], ping_ms=2,
                       beside="" if found["busy_before"] < QUIET else BESIDE,
                       paths=paths_table(found), hang=hang_text(found), faults=faults_table(found),
                       peer=peer_text(found), steps=steps_text(found), copper=copper_text())
    (DOCS / "recovery-figures.md").write_text(text)
    bars = [(name, outages(of_path(found["light"], path) or of_path(found["load"], path)))
            for path, (name, _) in PATHS.items()] + [("Linux driver domain", outages(found["peer"]))]
    (DOCS / "recovery-timeline.svg").write_text(
        recovery_timeline.draw([(name, statistics.median(values)) for name, values in bars if values],
                               [(title, durations(steps)) for title, steps in timelines(found)]))
    print(paths_table(found) + faults_table(found) + steps_text(found))
    return 0
