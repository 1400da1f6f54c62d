"""What a charger's meter said at one moment."""

from __future__ import annotations

from typing import Literal

import msgspec

Moment = Literal["begin", "end", "interval", "triggered", "other"]
Verdict = Literal["valid", "invalid", "no_key", "unreadable"]


class SignedValue(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A meter value signed by the meter. ``verdict``: what checking the signature showed; ``data``: as it came."""

    verdict: Verdict
    data: str
    encoding: str = ""
    public_key: str = ""


class MeterReading(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """All values of one moment. None means not reported, never 0.

    ``measured_unix_us``: the charger's clock, None where it gave no usable time. ``moment``: why it was read.
    ``power_kw``: positive charges, negative discharges, the sum of the phases. ``energy_import_kwh``,
    ``energy_export_kwh``: registers that only grow; the ``*_interval_kwh`` are energy since the reading before.
    ``soc``: fraction 0 to 1 as reported, which may be stale or false. ``current_a``, ``voltage_v``: by phase.
    ``setpoint_kw``, ``power_offered_kw``: what the charger says it aims at and offers.
    """

    measured_unix_us: int | None = None
    moment: Moment = "interval"
    power_kw: float | None = None
    energy_import_kwh: float | None = None
    energy_export_kwh: float | None = None
    energy_import_interval_kwh: float | None = None
    energy_export_interval_kwh: float | None = None
    soc: float | None = None
    current_a: tuple[float, ...] | None = None
    voltage_v: tuple[float, ...] | None = None
    setpoint_kw: float | None = None
    power_offered_kw: float | None = None
    frequency_hz: float | None = None
    temperature_c: float | None = None
    signed: tuple[SignedValue, ...] = ()
