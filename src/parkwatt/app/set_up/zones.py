"""The bidding zones that set-up offers: `zones.toml` beside this file."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

import msgspec


class Zone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A zone's name in words, and the clock of its people."""

    name: str
    time_zone: str


@cache
def zones() -> dict[str, Zone]:
    """All zones, by what price sources call them."""
    text = resources.files(__package__).joinpath("zones.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text)["zone"], dict[str, Zone])
