"""What a site's meters show at one moment. None is unknown, never 0."""

from __future__ import annotations

import msgspec


class SiteReading(msgspec.Struct, frozen=True, omit_defaults=True):
    """Powers in kW at the grid connection and behind it, as last told by whatever measures them.

    ``grid_kw``: import positive. ``solar_kw`` ≥ 0. ``load_kw``: the household without chargers, where a meter tells
    it; else it
    follows from the others. ``battery_kw``: a stationary battery, charging positive. ``phase_current_a``: of the grid
    connection, signed by the power's direction where the meter tells it. ``*_unix_us``: when each was measured, by
    our clock.
    """

    grid_kw: float | None = None
    grid_unix_us: int = 0
    phase_current_a: tuple[float, ...] | None = None
    voltage_v: tuple[float, ...] | None = None
    solar_kw: float | None = None
    solar_unix_us: int = 0
    load_kw: float | None = None
    load_unix_us: int = 0
    battery_kw: float | None = None
    battery_unix_us: int = 0
    import_kwh: float | None = None
    export_kwh: float | None = None
