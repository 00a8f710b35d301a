# SPDX-License-Identifier: BSD-2-Clause
"""Draws recoveries as SVG: outages on one logarithmic axis, then each path's steps on its own scale."""
import math
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 960, 170, 90
BAR, GAP, LABEL = 22, 14, 15
COLOURS = ["#4e79a7", "#f28e2b", "#76b7b2", "#e15759", "#59a14f", "#b6992d", "#9c755f", "#b07aa1"]
SMALL = 0.035  # of a bar: steps below are named in the next line of labels only if there is room
CHAR = 6.2  # width of a letter


def number(ms):
    if ms >= 1000:
        return f"{ms / 1000:.1f} s"
    return f"{ms:.0f} ms" if ms >= 10 else f"{ms:.1f} ms"


class Drawing:
    def __init__(self):
        self.parts, self.y = [], 20

    def text(self, x, y, words, anchor="start", weight="normal", size=12):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
                          f'font-weight="{weight}">{escape(words)}</text>')

    def box(self, x, width, colour, title):
        self.parts.append(f'<rect x="{x:.1f}" y="{self.y}" width="{max(width, 0.5):.1f}" height="{BAR}" '
                          f'fill="{colour}"><title>{escape(title)}</title></rect>')

    def heading(self, words):
        self.text(10, self.y, words, weight="bold", size=14)
        self.y += 14

    def svg(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{self.y}" '
                f'viewBox="0 0 {WIDTH} {self.y}" font-family="sans-serif" fill="#222">\n'
                f'<rect width="{WIDTH}" height="{self.y}" fill="#fff"/>\n' + "\n".join(self.parts) +
                "\n</svg>\n")


def axis(drawing, low, scale, decades, height):
    for decade in range(decades + 1):
        x = LEFT + decade * scale
        drawing.parts.append(f'<line x1="{x:.1f}" y1="{drawing.y}" x2="{x:.1f}" '
                             f'y2="{drawing.y + height}" stroke="#ccc"/>')
        drawing.text(x, drawing.y + height + 13, number(10.0 ** (low + decade)), "middle")


def outages(drawing, bars):
    low = math.floor(math.log10(min(ms for _, ms in bars)))
    decades = max(1, math.ceil(math.log10(max(ms for _, ms in bars))) - low)
    scale = (WIDTH - LEFT - RIGHT) / decades
    axis(drawing, low, scale, decades, len(bars) * (BAR + 6))
    for index, (name, ms) in enumerate(bars):
        width = (math.log10(ms) - low) * scale
        drawing.text(LEFT - 8, drawing.y + 15, name, "end")
        drawing.box(LEFT, width, COLOURS[index % len(COLOURS)], f"{name}: {number(ms)}")
        drawing.text(LEFT + width + 6, drawing.y + 15, number(ms))
        drawing.y += BAR + 6
    drawing.y += 44


def labels(drawing, placed):
    """Under a bar, in as many lines as it takes that none covers another."""
    ends = []
    for x, words in placed:
        line = next((i for i, end in enumerate(ends) if x > end), len(ends))
        if line == len(ends):
            ends.append(0)
        ends[line] = x + len(words) * CHAR + 8
        drawing.text(min(x, WIDTH - len(words) * CHAR), drawing.y + (line + 1) * LABEL, words, size=11)
    drawing.y += len(ends) * LABEL


def path(drawing, title, steps):
    total = sum(ms for _, ms in steps)
    scale = (WIDTH - LEFT - RIGHT) / total
    x, placed = LEFT, []
    drawing.text(LEFT - 8, drawing.y + 15, title, "end")
    for index, (name, ms) in enumerate(steps):
        drawing.box(x, ms * scale, COLOURS[index % len(COLOURS)], f"{name}: {number(ms)}")
        if ms / total >= SMALL:
            placed.append((x, f"{name} {number(ms)}"))
        x += ms * scale
    drawing.text(x + 6, drawing.y + 15, number(total), weight="bold")
    drawing.y += BAR
    labels(drawing, placed)
    drawing.y += GAP


def draw(bars, paths):
    """
    bars   (name, ms) of each outage
    paths  (title, [(step, ms)...]) of each way to recover
    Returns the SVG's text.
    """
    drawing = Drawing()
    if bars:
        drawing.heading("Outage, median")
        outages(drawing, bars)
    drawing.heading("Steps, each path on a scale of its own")
    for title, steps in paths:
        path(drawing, title, steps)
    return drawing.svg()
