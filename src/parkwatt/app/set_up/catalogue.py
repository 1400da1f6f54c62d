"""The catalogue of cars: `cars.toml` beside this file, where each figure has its source."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Final, Literal

import msgspec

V2x = Literal["chademo", "dc", "ac"]
DEFAULT_CELL: Final = "nmc622-denso"


class CatalogueCar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One car. ``v2x``: how it gives energy back to a house, None: it does not. ``least_soc``: below it gives nothing back.

    ``sources``: where the figures come from, by their name in the catalogue. Unknown figures are None.
    """

    id: str
    name: str
    battery_kwh: float
    ac_kw: float
    ac_phases: int
    dc_kw: float | None = None
    kwh_per_100_km: float | None = None
    v2x: V2x | None = None
    least_soc: float | None = None
    cell: str = DEFAULT_CELL
    sources: tuple[str, ...]


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All cars by name, and what each source is."""

    sources: dict[str, str]
    car: tuple[CatalogueCar, ...]

    def find(self, car_id: str) -> CatalogueCar | None:
        """A car; None where there is none of that id."""
        return next((car for car in self.car if car.id == car_id), None)


@cache
def catalogue() -> Catalogue:
    """The catalogue."""
    text = resources.files(__package__).joinpath("cars.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Catalogue)
