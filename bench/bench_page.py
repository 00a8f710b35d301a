# SPDX-License-Identifier: BSD-2-Clause
"""The figures of bench/bench.py as a page that needs no network, and as a Markdown table.

Results: {"figures": {GROUP: {NAME: {LABEL: [VALUE...]}}}, "titles": {LABEL: TITLE}, "date", "rounds", "short",
"seconds", "guests", "busy_before", "processors"}.
"""
import statistics
from html import escape

COLOURS = {"ferry": "#4e79a7", "linux": "#f28e2b", "dom0": "#76b7b2", "direct": "#9c755f"}
OTHER_COLOUR = "#888"
BASE = "linux"  # ratios are to this one's median
WIDTH, LEFT, RIGHT, BAR = 460, 140, 84, 18
LESS_IS_BETTER = (", s", ", ms", "lost, %", " MB", " KB", "of text")

# What the README shows, of each group the figures with these beginnings.
SHOWN = {"sizes": [""], "TCP": ["guest to wire, 1", "wire to guest, 1", "guest to wire, 8", "wire to guest, 8"],
         "UDP": ["guest to wire, 64", "wire to guest, 64"], "request and response": [""],
         "guest to guest": ["TCP", "request and response, p50"],
         "many guests": ["TCP guests to wire, {guests}"], "a flood beside TCP": ["what"],
         "processor time per GB": ["TCP guest to wire, 1 stream: driver", "TCP wire to guest, 1 stream: driver",
                                   "TCP guest to wire, 1 stream: dom0", "TCP wire to guest, 1 stream: dom0"],
         "processor time per million frames": ["UDP guest to wire, 64 bytes: driver", "UDP wire to guest, 64 bytes: driver"],
         "dom0's latency under load": ["an ordinary task, p99"]}

ABOUT = """The lab is an emulated machine: Xen 4.17 and Debian under QEMU's software emulation (TCG) on {processors} processors, so it is
several times slower than hardware, its processors and its clock are shared with all that runs beside, and figures of two runs differ by a
factor of three. <b>Only ratios within one run mean anything.</b> All backends were measured in the same boot, in turns, {rounds} round{s}
of {seconds} s each; the bars are medians, the lines reach from minimum to maximum. Behind each value stands its ratio to the Linux driver
domain's. Measured {date}{short}; the machine's load average before it began was {busy_before:.1f}."""

NOTES = {
    "TCP": "iperf3 in a Debian guest with one virtual processor; the wire's end is a Linux machine outside the emulation.",
    "UDP": "The size is the frame's on the wire, with its checksum. Guest to wire: as fast as the guest sends. Wire to guest: 5 thousand frames a "
           "second are offered. Frames are counted where they arrive.",
    "processor time per GB": "As Xen accounts for it: what Xen does for a domain's hypercalls, or in interrupts meanwhile, is in that domain's time "
                             "(bench/instructions.py tells Xen's share apart, in instructions). With netback in dom0 both are dom0's. What the lab "
                             "does in dom0 to start a measurement and to read its result is in dom0's.",
    "processor time per million frames": "Of frames that arrived.",
    "dom0's latency under load": "cyclictest in dom0: a task asks to be woken each millisecond; how late it is. Meanwhile guests send and receive by "
                                 "TCP. 'Idle' is the same with no traffic. dom0 has one virtual processor, and the machine two.",
    "sizes": "Code: bytes of executable sections of the kernel that takes guests' requests, Linux with the modules loaded at the time; neither Xen nor "
             "programs in user space are counted, and nothing of what is counted is known to be unreachable. Memory for each vif: Ferry's is a "
             "static table's share, buffers are common to all; Linux's is how much less is available after a vif came.",
    "a flood beside TCP": "Another guest sends UDP frames of 64 bytes as fast as it can.",
    "guest to guest": "Both behind the same backend.",
}


def _rounds(results):
    """How many there were: a bench that is ended early keeps what it has."""
    return max((len(values) for figures in results["figures"].values() for by_label in figures.values()
                for values in by_label.values()), default=0)


def _short(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _ratio(values, base):
    base = statistics.median(base) if base else 0
    return f"{statistics.median(values) / base:.2f}" if base else ""


def _bars(name, by_label, titles):
    """An SVG of one figure."""
    largest = max(max(values) for values in by_label.values()) or 1
    scale, parts = (WIDTH - LEFT - RIGHT) / largest, []
    for index, (label, values) in enumerate(by_label.items()):
        y, middle = 4 + index * (BAR + 5), statistics.median(values)
        low, high = LEFT + min(values) * scale, LEFT + max(values) * scale
        ratio = _ratio(values, by_label.get(BASE)) if label != BASE else ""
        parts.append(f'<text x="{LEFT - 6}" y="{y + 13}" text-anchor="end">{escape(titles.get(label, label))}</text>'
                     f'<rect x="{LEFT}" y="{y}" width="{max(middle * scale, 0.5):.1f}" height="{BAR}" '
                     f'fill="{COLOURS.get(label, OTHER_COLOUR)}"><title>{escape(", ".join(map(_short, values)))}</title></rect>'
                     f'<line x1="{low:.1f}" y1="{y + BAR / 2}" x2="{high:.1f}" y2="{y + BAR / 2}" stroke="#222"/>'
                     f'<text x="{high + 5:.1f}" y="{y + 13}">{_short(middle)}{f" ({ratio})" if ratio else ""}</text>')
    height = 6 + len(by_label) * (BAR + 5)
    better = "less" if name.endswith(LESS_IS_BETTER) else "more"
    return (f'<figure><figcaption>{escape(name)} <small>{better} is better</small></figcaption>'
            f'<svg width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">{"".join(parts)}</svg></figure>')


def page(results):
    titles, parts = {**results["titles"], "nothing": "idle"}, []
    for group, figures in results["figures"].items():
        parts.append(f"<h2>{escape(group[0].upper() + group[1:])}</h2><p>{escape(NOTES.get(group, ''))}</p><div>")
        parts += [_bars(name, by_label, titles) for name, by_label in figures.items()]
        parts.append("</div>")
    rounds = _rounds(results)
    about = ABOUT.format(**{**results, "rounds": rounds, "s": "s" if rounds > 1 else "",
                            "short": " in the short form, whose figures are rough" if results["short"] else ""})
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Ferry's bench</title>
<style>body{{font:14px sans-serif;margin:2em auto;max-width:1480px;padding:0 1em;color:#222}}
div{{display:flex;flex-wrap:wrap;gap:8px 24px}}figure{{margin:0}}figcaption{{font-weight:bold;margin:6px 0 2px}}
small{{font-weight:normal;color:#777}}svg{{font:12px sans-serif}}p{{max-width:70em;line-height:1.4}}</style>
<h1>Ferry beside other backends</h1><p>{about}</p>
{"".join(parts)}
</html>
"""


def _spread(values):
    return " / ".join(_short(value) for value in
                      (values if len(values) == 1 else (min(values), statistics.median(values), max(values))))


def table(results):
    """Markdown: min / median / max, and the ratio of medians to the Linux driver domain."""
    titles = results["titles"]
    lines = [f"| min / median / max of {_rounds(results)} (median : Linux driver domain's) | " + " | ".join(titles.values()) + " |",
             "|---|" + "---|" * len(titles)]
    for group, beginnings in SHOWN.items():
        for name, by_label in results["figures"].get(group, {}).items():
            if not name.startswith(tuple(text.format(**results) for text in beginnings)):
                continue
            cells = []
            for label in titles:
                values = by_label.get(label)
                ratio = _ratio(values, by_label.get(BASE)) if values and label != BASE else ""
                cells.append(_spread(values) + (f" ({ratio})" if ratio else "") if values else "")
            lines.append(f"| {group + ': ' if group != 'sizes' else ''}{name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
