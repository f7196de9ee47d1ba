"""The table that ./dev bench prints."""

from subjects import is_ours

COLUMNS = ["subject", "median", "", "spread", "rondo ÷", "epoll ÷", "allocations", "calls", ""]


def figure(value):
    """Three significant figures, without an exponent."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def remarks(extras):
    shown = {"noisy": "{:.0f} noisy", "p50": "p50 {} µs", "p99": "p99 {} µs", "requests_per_second": "{}/s",
             "cpu": "server {} ns", "connections": "{} connections", "generator_share": "generator {:.0%} busy"}
    return ", ".join(form.format(figure(extras[key]) if "{}" in form else extras[key])
                     for key, form in shown.items() if key in extras)


def lines(rows):
    """The cells of the table of one case."""
    ratios = {row.subject: row.ratio_to for row in rows if is_ours(row.subject)}
    for row in rows:
        yield [row.subject, figure(row.median), row.unit,
               f"{(row.max - row.min) / row.median * 100:.0f} %" if row.median else "",
               *(f"{ratios[ours][row.subject]:.2f}" if row.subject in ratios.get(ours, {}) else ""
                 for ours in ("rondo", "rondo-epoll")),
               *(figure(row.extras[key]) if key in row.extras else "" for key in ("allocations", "system_calls")),
               remarks(row.extras)]


def render(title, rows, missing):
    cells = [COLUMNS, *lines(rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(COLUMNS))]
    out = [title]
    for line in cells:
        out.append("  " + "  ".join(
            cell.ljust(width) if i in (0, 2, 8) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths))).rstrip())
    out += [f"  {subject}: not measured, {reason}" for subject, reason in missing.items()]
    return "\n".join(out) + "\n"
