"""What each circuit used in each hour, from its readings: the only thing that learning is told.

Energy is a register's difference where the circuit has one, else power held until the next reading, for at most
`HOLD_S`: what was not measured is left out and counted in ``coverage``, never filled in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from parkwatt.domain.home.circuit import CircuitReading
from parkwatt.domain.home.event import CircuitHour

_US: Final = 1_000_000
HOUR_S: Final = 3600
# A power is believed to last this long without a new reading.
HOLD_S: Final = 120.0
# An hour of which less was measured is not told.
COVERAGE_LEAST: Final = 0.05
# What ran in the last hour is told where so much of it was measured.
_RUNNING_LEAST_S: Final = HOUR_S / 2


class _Running(msgspec.Struct, omit_defaults=True):
    """The hour that runs for one circuit. ``last_unix_us``: up to where it is counted.

    ``before_kwh``, ``before_s``: energy and known time of the hour before; 0 where the circuit could not run in it.
    """

    start_unix_s: int
    last_unix_us: int
    power_kw: float | None = None
    register_kwh: float | None = None
    energy_kwh: float = 0.0
    known_s: float = 0.0
    could_run: bool = True
    before_kwh: float = 0.0
    before_s: float = 0.0


class CircuitHours(msgspec.Struct):
    """The hours that run. May be lost: then the hour is told with less coverage."""

    running: dict[str, _Running] = msgspec.field(default_factory=dict)

    def add(
        self, readings: Iterable[CircuitReading], shed: frozenset[str], now_unix_us: int
    ) -> list[CircuitHour]:
        """Take in what circuits tell now; returns the hours that ended.

        ``shed``: circuits that were switched off for the backup: such an hour teaches nothing about their use.
        """
        ended = []
        for reading in readings:
            running = self.running.get(reading.circuit_id)
            if running is None or now_unix_us < running.last_unix_us:
                running = self.running[reading.circuit_id] = _begun(now_unix_us, now_unix_us)
            while now_unix_us >= (running.start_unix_s + HOUR_S) * _US:
                end_unix_us = (running.start_unix_s + HOUR_S) * _US
                _count(running, None, end_unix_us)
                ended += _told(reading.circuit_id, running)
                following = _begun(end_unix_us, end_unix_us)
                following.power_kw, following.register_kwh = running.power_kw, running.register_kwh
                if running.could_run:
                    following.before_kwh = running.energy_kwh
                    following.before_s = running.known_s
                if now_unix_us - end_unix_us > HOUR_S * _US:
                    following = _begun(now_unix_us, now_unix_us)
                running = self.running[reading.circuit_id] = following
            if reading.circuit_id in shed or reading.on is False:
                running.could_run = False
            _count(running, reading, now_unix_us)
        return ended

    def running_kw(self, now_unix_us: int) -> dict[str, float]:
        """By circuit, its mean power over the last hour.

        Left out: a circuit that could not run, or of which less than half an hour is known, or nothing now. Of the hour before
        as much counts as the one that runs has left to go.
        """
        found = {}
        for circuit_id, running in self.running.items():
            silent_s = (now_unix_us - running.last_unix_us) / _US
            if not running.could_run or silent_s > HOLD_S:
                continue
            passed_s = running.last_unix_us / _US - running.start_unix_s
            share = 1.0 - min(passed_s / HOUR_S, 1.0)
            known_s = running.known_s + share * running.before_s
            if known_s >= _RUNNING_LEAST_S:
                energy_kwh = running.energy_kwh + share * running.before_kwh
                found[circuit_id] = energy_kwh * HOUR_S / known_s
        return found


def _begun(at_unix_us: int, last_unix_us: int) -> _Running:
    at_unix_s = at_unix_us // _US
    return _Running(at_unix_s - at_unix_s % HOUR_S, last_unix_us)


def _count(running: _Running, reading: CircuitReading | None, until_unix_us: int) -> None:
    """Count up to a time, with the power that held since the last reading, or the register's difference."""
    if reading is None and running.register_kwh is not None:
        return  # the difference that the next reading shows counts for the hour in which it comes
    passed_s = (until_unix_us - running.last_unix_us) / _US
    fresh = reading is not None and until_unix_us - reading.measured_unix_us <= HOLD_S * _US
    register_kwh = reading.energy_kwh if reading is not None and fresh else None
    if register_kwh is not None and running.register_kwh is not None:
        moved_kwh = register_kwh - running.register_kwh
        if moved_kwh >= 0:
            running.energy_kwh += moved_kwh
            running.known_s += passed_s
    elif running.power_kw is not None and passed_s <= HOLD_S:
        running.energy_kwh += max(running.power_kw, 0.0) * passed_s / HOUR_S
        running.known_s += passed_s
    running.last_unix_us = until_unix_us
    if reading is not None:
        running.power_kw = reading.power_kw if fresh else None
        running.register_kwh = register_kwh


def _told(circuit_id: str, running: _Running) -> list[CircuitHour]:
    coverage = min(running.known_s / HOUR_S, 1.0)
    if coverage < COVERAGE_LEAST:
        return []
    return [
        CircuitHour(
            circuit_id=circuit_id,
            start_unix_s=running.start_unix_s,
            energy_kwh=round(running.energy_kwh, 5),
            coverage=round(coverage, 3),
            could_run=running.could_run,
        )
    ]
