"""A generated home: circuits with habits that go together, by the hour."""

from __future__ import annotations

import numpy as np

from parkwatt.domain.home.circuit import Circuit
from parkwatt.domain.home.event import CircuitHour
from parkwatt.domain.record import FloatArray
from parkwatt.forecast.local_time import DAY_S, HOUR_S, LocalClock, weekday
from parkwatt.home.learning import CircuitHistory, LearnedUse

ZONE = "Europe/London"
START_UNIX_S = 1_704_067_200  # 2024-01-01 00:00, winter time in London
FRIDGE = Circuit("fridge", "fridge", "must_have", 0.15, 1.0)
HEATING = Circuit("heating", "heat pump", "must_have", 2.5, 6.0)
OVEN = Circuit("oven", "oven", "nice_to_have", 2.2, 2.2)
DRYER = Circuit("dryer", "dryer", "not_needed", 2.5, 5.0)
CIRCUITS = (FRIDGE, HEATING, OVEN, DRYER)


def hourly_kw(days: int, seed: int, circuit_count: int = 4) -> FloatArray:
    """[H, C] of `CIRCUITS` from `START_UNIX_S` on. People who are at home cook, heat and dry: all follow one factor a day.

    More than four circuits: further ones like the oven's, each with days of its own.
    """
    random = np.random.default_rng(seed)
    starts = START_UNIX_S + HOUR_S * np.arange(24 * days, dtype=np.int64)
    local = LocalClock.of(ZONE).local_s(starts)
    hour, day = local % DAY_S // HOUR_S, local // DAY_S - START_UNIX_S // DAY_S
    cold = 0.5 + 0.5 * np.cos(2 * np.pi * day / 365.25)
    spell = np.zeros(days + 2)
    for number in range(1, days + 2):
        spell[number] = 0.8 * spell[number - 1] + 0.25 * random.standard_normal()
    lively = np.exp(spell[day] + 0.2 * random.standard_normal(days + 2)[day])
    on_weekday = weekday(local // DAY_S) < 5
    result = np.zeros((len(starts), circuit_count))
    result[:, 0] = 0.045 + 0.01 * random.random(len(starts))
    result[:, 1] = (0.2 + 1.2 * cold) * lively * np.where((hour > 5) & (hour < 23), 1.0, 0.4)
    cooks = (
        (hour >= 17) & (hour < 19) & (random.random(days + 2)[day] < np.where(on_weekday, 0.9, 0.5))
    )
    result[:, 2] = np.where(cooks, 0.9 * lively, 0.0)
    dries = (hour >= 10) & (hour < 12) & ~on_weekday
    result[:, 3] = np.where(dries, 1.5 * lively, 0.0)
    for circuit in range(4, circuit_count):
        often = random.random(days + 2)[day] < 0.6
        result[:, circuit] = np.where((hour == circuit) & often, 0.8 * lively, 0.02)
    return result


def history(power_kw: FloatArray, circuits: tuple[Circuit, ...] = CIRCUITS) -> CircuitHistory:
    """Of hours from `START_UNIX_S` on; NaN is an hour that was not measured."""
    return CircuitHistory.of(
        CircuitHour(circuit.circuit_id, START_UNIX_S + HOUR_S * number, float(row[place]))
        for number, row in enumerate(power_kw)
        for place, circuit in enumerate(circuits)
        if np.isfinite(row[place])
    )


def learned(days: int, seed: int = 1) -> LearnedUse:
    """What is known of the home after some days."""
    now = START_UNIX_S + days * DAY_S
    return LearnedUse.of(history(hourly_kw(days, seed)), CIRCUITS, ZONE, now)
