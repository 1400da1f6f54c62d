"""The demo home's settings: the file a user would write for a home of their own."""

from __future__ import annotations

from pathlib import Path

_TEMPLATE = """\
# A generated home: load, sun, trips and prices by the formulas of docs/concepts/demo-home.md.
# Change a value and run the study again.

name = "Demo home"
time_zone = "{time_zone}"
currency = "EUR"

[files]
prices = "{prices}"      # day-ahead, EUR/MWh
load = "{load}"        # kW, mean of 15 minutes
solar = "{solar}"      # kW, mean of 15 minutes
sessions = "{sessions}"  # when the car is plugged in, and what it drove before
"""


def site_toml(prices: Path, load: Path, solar: Path, sessions: Path, time_zone: str) -> str:
    """The text of `site.toml`; the files are named relative to it."""
    return _TEMPLATE.format(
        prices=prices.name,
        load=load.name,
        solar=solar.name,
        sessions=sessions.name,
        time_zone=time_zone,
    )
