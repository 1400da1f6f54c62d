"""What one reading says: whether it counts, whether the grid is there, whether feedback contradicts itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

from parkwatt.domain.home.event import GridCondition
from parkwatt.domain.home.gateway import Contact, GatewayReading
from parkwatt.home.island.settings import IslandSettings

# A reading from further ahead than this was stamped by a clock that is not ours.
_AHEAD_US = 1_000_000
DEAD_PU = 0.1


@dataclass(frozen=True, slots=True)
class Facts:
    """A reading that counts (``known``: fresh, and complete by the gateway's abilities), and what follows from it.

    Contacts and voltages are None where they do not count. ``output_dead``: None where it is not reported.
    """

    known: bool
    fresh: bool
    measured_unix_us: int
    grid: GridCondition
    pole: Contact | None
    source: Contact | None
    bond: Contact | None
    output_dead: bool | None
    gateway_fault: str
    missing: str
    contradiction: str


def facts_of(reading: GatewayReading | None, settings: IslandSettings, now_unix_us: int) -> Facts:
    """Judge a reading at ``now_unix_us``."""
    if reading is None:
        return _unknown("nothing was heard from the gateway yet", 0)
    age_us = now_unix_us - reading.measured_unix_us
    if not -_AHEAD_US <= age_us <= settings.reading_age_s * 1_000_000:
        words = f"the gateway's last reading is {age_us / 1e6:.0f} s old"
        return _unknown(words, reading.measured_unix_us)
    missing = _missing(reading, settings)
    volts_pu = reading.output_voltage_pu if settings.abilities.reports_output_voltage else None
    output_dead = None if volts_pu is None else volts_pu < DEAD_PU
    grid = _grid(reading, settings, output_dead)
    return Facts(
        known=not missing,
        fresh=True,
        measured_unix_us=reading.measured_unix_us,
        grid=grid,
        pole=reading.grid_pole,
        source=reading.island_source,
        bond=reading.bond if settings.abilities.reports_bond else None,
        output_dead=output_dead,
        gateway_fault=reading.fault,
        missing=missing,
        contradiction=_contradiction(reading, settings, grid, output_dead),
    )


def _unknown(missing: str, measured_unix_us: int) -> Facts:
    return Facts(
        known=False,
        fresh=False,
        measured_unix_us=measured_unix_us,
        grid="unknown",
        pole=None,
        source=None,
        bond=None,
        output_dead=None,
        gateway_fault="",
        missing=missing,
        contradiction="",
    )


def _missing(reading: GatewayReading, settings: IslandSettings) -> str:
    """What the gateway should tell and does not."""
    absent = []
    if reading.grid_pole is None:
        absent.append("the grid pole")
    if reading.island_source is None:
        absent.append("the island's source")
    if settings.abilities.reports_bond and reading.bond is None:
        absent.append("the bond")
    if settings.abilities.reports_output_voltage and reading.output_voltage_pu is None:
        absent.append("the output's voltage")
    return f"the gateway does not tell {', '.join(absent)}" if absent else ""


def _grid(
    reading: GatewayReading, settings: IslandSettings, output_dead: bool | None
) -> GridCondition:
    """By voltage and frequency on the utility's side; where it tells neither, by the gateway's own word; never by power."""
    volts, hertz = reading.grid_voltage_pu, reading.grid_frequency_hz
    nominal_hz = settings.grid_code.nominal_hz
    if volts and not any(math.isnan(one) for one in volts):
        low, high = min(volts), max(volts)
        if low < settings.voltage_pu_lost or high > settings.voltage_pu_most:
            return "absent"
        astray = hertz is not None and abs(hertz - nominal_hz) > settings.frequency_hz_span
        return "absent" if astray else "present"
    if reading.grid_present is not None:
        return "present" if reading.grid_present else "absent"
    # Behind its closed pole the grid's voltage is the output's.
    if reading.grid_pole == "closed" and reading.island_source == "open" and output_dead:
        return "absent"
    return "unknown"


def _contradiction(
    reading: GatewayReading,
    settings: IslandSettings,
    grid: GridCondition,
    output_dead: bool | None,
) -> str:
    """What cannot be true at once, where it lasts."""
    pole, source = reading.grid_pole, reading.island_source
    if pole == source == "open" and output_dead is False:
        return "both poles are said to be open and the home's side is live"
    if pole == "closed" and source == "open" and grid == "present" and output_dead:
        return "the grid is there, its pole is said to be closed and the home's side is dead"
    if source == "closed" and settings.abilities.reports_bond and reading.bond == "open":
        return "the island's source is closed and the bond is open"
    return ""


def in_words(reading: GatewayReading | None) -> str:
    """A reading for a person."""
    if reading is None:
        return "no reading"
    words = []
    if reading.grid_voltage_pu:
        words.append(
            "grid " + "/".join(f"{volts:.2f}" for volts in reading.grid_voltage_pu) + " pu"
        )
    if reading.grid_frequency_hz is not None:
        words.append(f"{reading.grid_frequency_hz:.2f} Hz")
    if not words and reading.grid_present is not None:
        words.append(f"grid {'there' if reading.grid_present else 'gone'} by the gateway's word")
    words.append(f"grid pole {reading.grid_pole or 'unknown'}")
    words.append(f"island source {reading.island_source or 'unknown'}")
    if reading.bond is not None:
        words.append(f"bond {reading.bond}")
    if reading.output_voltage_pu is not None:
        words.append(f"home {reading.output_voltage_pu:.2f} pu")
    if reading.fault:
        words.append(f"gateway says: {reading.fault}")
    return ", ".join(words)
