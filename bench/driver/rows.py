"""Results as rows: what --json writes and what the table and the report are made of."""

import json
from dataclasses import dataclass, field

from subjects import is_ours


@dataclass
class Row:
    name: str
    subject: str
    unit: str
    median: float
    min: float
    max: float
    repeats: int
    extras: dict = field(default_factory=dict)
    ratio_to: dict = field(default_factory=dict)

    def as_json(self):
        row = {"name": self.name, "subject": self.subject, "unit": self.unit, "median": self.median, "min": self.min,
               "max": self.max, "repeats": self.repeats, **self.extras}
        if is_ours(self.subject):
            row["ratio_to"] = self.ratio_to
        return row


def rounded(value):
    """Four figures are more than a measurement has."""
    return float(f"{value:.4g}")


def rows_of(name, unit, series):
    """Rows of one case, and the subjects that are missing with their reasons."""
    rows, missing = [], {}
    for subject, one in series.items():
        if not one.values:
            missing[subject] = one.missing
            continue
        extras = {key: rounded(value) for key, value in one.extras.items() if value is not None}
        if one.noisy:
            extras["noisy"] = one.noisy
        rows.append(Row(name, subject, unit, rounded(one.median), rounded(min(one.values)), rounded(max(one.values)),
                        len(one.values), extras))
    for row in rows:
        if is_ours(row.subject):
            row.ratio_to = {other.subject: rounded(row.median / other.median) for other in rows
                            if other is not row and other.median}
    return rows, missing


def write_json(path, rows):
    text = ",\n".join("  " + json.dumps(row.as_json()) for row in rows)
    path.write_text(f"[\n{text}\n]\n", encoding="utf-8")
