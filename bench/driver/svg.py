"""Plots: bars of one case, and lines of cost over size. SVG by hand, readable on light and dark pages."""

import math
from html import escape

INK, PALE, OURS, OTHERS, FLOOR = "#1f2328", "#d0d7de", "#0a7f5a", "#8c96a3", "#b08800"
LINES = ("#0a7f5a", "#1f6feb", "#b08800", "#a40e26")
FONT = 'font-family="system-ui, sans-serif" font-size="12"'


def document(width, height, parts):
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" {size} {FONT}>\n'
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n")


def text(x, y, content, anchor="start", colour=INK, weight="normal"):
    style = f'text-anchor="{anchor}" fill="{colour}" font-weight="{weight}"'
    return f'<text x="{x:.0f}" y="{y:.0f}" {style}>{escape(content)}</text>'


def decades(low, high):
    """The powers of ten that hold both."""
    return math.floor(math.log10(low)), math.ceil(math.log10(high) + 1e-9)


def bars(title, unit, figures, figure):
    """`figures`: (name, kind, median, least, most), kind being ours, floor or peer; logarithmic when they differ much."""
    left, width, row = 150, 720, 22
    plot = width - left - 90
    values = [value for _, _, value, _, _ in figures if value > 0] or [1]
    logarithmic = max(values) / min(values) > 30
    first, last = decades(min(values) / 1.5, max(values))

    def place(value):
        if value <= 0:
            return 0.0
        share = (math.log10(value) - first) / max(last - first, 1) if logarithmic else value / max(values)
        return max(0.0, share) * plot

    scale = unit + (", logarithmic" if logarithmic else "")
    parts = [text(10, 20, title, weight="bold"), text(width - 10, 20, scale, "end")]
    for i, (name, kind, value, least, most) in enumerate(figures):
        y = 34 + i * row
        colour = {"ours": OURS, "floor": FLOOR}.get(kind, OTHERS)
        parts.append(text(left - 8, y + 13, name, "end", weight="bold" if kind == "ours" else "normal"))
        parts.append(f'<rect x="{left}" y="{y}" width="{place(value):.1f}" height="{row - 6}" fill="{colour}"/>')
        parts.append(f'<line x1="{left + place(least):.1f}" x2="{left + place(most):.1f}" y1="{y + 8}" y2="{y + 8}" '
                     f'stroke="{INK}" stroke-width="1.5"/>')
        parts.append(text(left + place(max(value, most)) + 6, y + 13, figure(value)))
    return document(width, 44 + len(figures) * row, parts)


def lines(title, unit, across, series, figure):
    """`series`: {name: [(x, y)]}, x logarithmic, y from 0."""
    width, height, left, top, bottom = 720, 320, 70, 40, 50
    points = [point for line in series.values() for point in line]
    first, last = decades(min(x for x, _ in points), max(x for x, _ in points))
    most = max(y for _, y in points) * 1.1

    def at(x, y):
        return (left + (math.log10(x) - first) / max(last - first, 1) * (width - left - 160),
                height - bottom - y / most * (height - top - bottom))

    parts = [text(10, 20, title, weight="bold"), text(left, height - 10, across)]
    for power in range(first, last + 1):
        x, y = at(10.0**power, 0)
        parts.append(f'<line x1="{x:.0f}" x2="{x:.0f}" y1="{top}" y2="{y:.0f}" stroke="{PALE}"/>')
        parts.append(text(x, y + 16, f"{10**power:,}", "middle"))
    for step in range(5):
        value = most * step / 4
        _, y = at(10.0**first, value)
        parts.append(f'<line x1="{left}" x2="{width - 160}" y1="{y:.0f}" y2="{y:.0f}" stroke="{PALE}"/>')
        parts.append(text(left - 6, y + 4, figure(value), "end"))
    parts.append(text(left - 6, top - 8, unit, "end"))
    for i, (name, line) in enumerate(series.items()):
        colour = LINES[i % len(LINES)]
        path = " ".join("{:.1f},{:.1f}".format(*at(x, y)) for x, y in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y in line:
            parts.append('<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="{}"/>'.format(*at(x, y), colour))
        parts.append(text(width - 145, top + 16 * i + 10, name, colour=colour, weight="bold"))
    return document(width, height, parts)
