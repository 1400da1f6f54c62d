"""A pool's answer to the frequency as one HTML page that needs no network."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy as np

from parkwatt.app.atomic_file import replacing
from parkwatt.app.fleet.frequency_words import FrequencyShown, told
from parkwatt.app.report import embed
from parkwatt.app.report.number_text import number_text

_PACKAGE: Final = "parkwatt.app.fleet"
_MARKER: Final = re.compile(r"\{\{(\w+)\}\}")
_POINTS_MAX: Final = 4000
_HOUR_S: Final = 3600.0


def write_report(shown: FrequencyShown, path: Path) -> None:
    """Write the page, whole or not at all. Raises InputError where ``path`` cannot be written."""
    with replacing(path) as stream:
        stream.write(page(shown))


def page(shown: FrequencyShown) -> str:
    """The page's text."""
    options, score = shown.options, shown.score
    source = "a generated frequency" if options.record is None else "a recorded frequency"
    parts = {
        "span": f"{options.hours} hours of {source}, seed {options.seed}",
        "headline": f"{number_text(shown.reserve_kw, 0)} kW of {options.cars:,} parked cars answer the grid: score "
        f"{score.score:.3f}",
        "lead": escape(options.programme.title)
        + ": both ways, second by second, within every driver's floor and departure.",
        "cards": _cards(shown),
        "words": "".join(f"<li>{escape(line)}</li>" for line in told(shown)),
        "style": embed.style(),
        "plotly": embed.plotly_script(),
        "data": embed.script_json(_figures(shown)),
        "script": embed.asset(_PACKAGE, "fleet.js"),
    }
    return _MARKER.sub(lambda match: parts[match.group(1)], embed.asset(_PACKAGE, "frequency.html"))


def _cards(shown: FrequencyShown) -> str:
    full = [one.full_s for one in shown.steps]
    slowest = "never" if None in full else f"{max(one for one in full if one is not None):.0f} s"
    held = min(one.held_s for one in shown.energies) / 60.0
    cards = (
        ("Score", f"{shown.score.score:.3f}", "mean of the hours, at most 1"),
        ("All of it", slowest, f"asked: {shown.options.programme.full_activation_s or 30} s"),
        ("Held", f"{held:.0f} min", f"asked: {shown.options.programme.reserve_minutes or 15} min"),
        ("Floors and departures", f"{shown.played.below_floor + shown.played.not_ready}", "broken"),
    )
    return "".join(
        f'<div class="card stat"><span class="muted">{title}</span>'
        f'<span class="big">{value}</span><span class="muted">{escape(rest)}</span></div>'
        for title, value, rest in cards
    )


def _figures(shown: FrequencyShown) -> dict[str, Any]:
    played = shown.played
    each = max(1, len(played.share) // _POINTS_MAX)
    hours = (np.arange(len(played.share))[::each] / _HOUR_S).round(4).tolist()

    def line(name: str, values: np.ndarray, color: str, width: float = 1.5) -> dict[str, Any]:
        return {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": hours,
            "y": values[::each].round(3).tolist(),
            "line": {"color": color, "width": width},
        }

    time = {"title": {"text": "hours"}}
    answer = played.response(shown.reserve_kw) * 100.0
    return {
        "frequency": {
            "data": [line("Hz", shown.record.frequency_hz, "--soft")],
            "xaxis": time,
            "yaxis": {"title": {"text": "frequency, Hz"}},
        },
        "answer": {
            "data": [
                line("asked", played.share * 100.0, "--soft", 3.0),
                line("given", answer, "--car", 1.2),
            ],
            "xaxis": time,
            "yaxis": {"title": {"text": "% of the reserve"}},
        },
        "energy": {
            "data": [line("kWh", played.energy_kwh, "--car")],
            "xaxis": time,
            "yaxis": {"title": {"text": "in batteries, kWh"}},
        },
    }
