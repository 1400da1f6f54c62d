"""Meter values of OCPP 1.6, 2.0.1 and 2.1 as readings: signed by direction, summed over phases, of one place.

- Power and current are import less export; one flow that is told twice (import −5, export 5) counts once.
- The value of the whole counts; where there is none, the sum of the phases.
- Values of the best place count, by quantity: outlet before inlet before the rest; values of different places are never added.
- Power is not worked out from currents unless the charger gives current, its direction and voltage for the same phases.
- What was signed by the meter stands in for an energy register that was not sent plainly, if the signature is valid.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from math import isfinite
from typing import Any

import msgspec

from parkwatt.domain.charger.reading import MeterReading
from parkwatt.io.ocpp.device_time import parse_device_time
from parkwatt.io.ocpp.measurand import meaning_of
from parkwatt.io.ocpp.messages.fault import DEVIATIONS_MAX, Deviation, shortened
from parkwatt.io.ocpp.meter_element import Element
from parkwatt.io.ocpp.meter_reading import QUANTITY_COUNT, SLOT_COUNT, Slots, reading_of
from parkwatt.io.ocpp.version import Version

_NOTHING: Slots = [None] * SLOT_COUNT


class MeterValues(msgspec.Struct, frozen=True, gc=False):
    """What meter values say. ``readings``: one for each element, in the order they came, and a further one before it where
    an element holds a transaction's first value beside later ones; ``deviations``: what broke the standard.
    """

    readings: tuple[MeterReading, ...]
    deviations: tuple[Deviation, ...] = ()


def read_meter_values(
    version: Version,
    meter_values: Sequence[Any] | None,
    received_unix_us: int,
    *,
    public_keys: Collection[str] = (),
    field: str = "meterValue",
) -> MeterValues:
    """The readings in a message's meter values.

    ``meter_values``: structs of the version's messages, None for none. ``public_keys``: of the meters whose signatures are
    trusted, hex or base64. ``field``: the message's name for the list, for deviations. Nothing raises.
    """
    readings: list[MeterReading] = []
    deviations: list[Deviation] = []
    is_2 = version.is_2
    for index, meter_value in enumerate(meter_values or ()):
        time = parse_device_time(meter_value.timestamp, received_unix_us)
        if time.deviation is not None:
            stamp = shortened(meter_value.timestamp)
            deviations.append(Deviation(f"{field}[{index}].timestamp", time.deviation, stamp))
        reading = _ordinary(is_2, meter_value.sampledValue, time.unix_us)
        if reading is not None:
            readings.append(reading)
            continue
        element = Element(is_2, public_keys)
        element.read(meter_value.sampledValue)
        readings += element.readings(time.unix_us)
        for number, rule, value in element.deviations[:DEVIATIONS_MAX]:
            path = f"{field}[{index}]" + ("" if number is None else f".sampledValue[{number}]")
            deviations.append(Deviation(path, rule, shortened(value)))
    return MeterValues(tuple(readings), tuple(deviations[:DEVIATIONS_MAX]))


def _ordinary(is_2: bool, samples: Sequence[Any], unix_us: int | None) -> MeterReading | None:
    """The reading of an element of which nothing is to be noted: nearly all are such. None for one that is not."""
    values = _NOTHING.copy()
    phased: set[int] = set()
    total = 0.0
    for sample in samples:
        if is_2:
            if sample.signedMeterValue is not None:
                return None
            measure = sample.unitOfMeasure
            if measure is None:
                unit, multiplier = None, None
            else:
                unit, multiplier = measure.unit, measure.multiplier
        elif sample.format == "SignedData":
            return None
        else:
            unit, multiplier = sample.unit, None
        plain = _plain(
            sample.measurand, unit, multiplier, sample.phase, sample.location, sample.context
        )
        if plain is None:
            return None
        slot, divisor = plain
        if slot is None:
            continue
        try:
            amount = (sample.value if is_2 else float(sample.value)) / divisor
        except (ValueError, TypeError):
            return None
        if values[slot] is not None:
            return None  # the second of its kind
        values[slot] = amount
        total += amount
        if slot >= QUANTITY_COUNT:
            phased.add(slot % QUANTITY_COUNT)
    if not isfinite(total):
        return None  # one of them is no finite number
    broken: list[tuple[str, object]] = []
    reading = reading_of(values, phased, unix_us, "interval", (), broken)
    return None if broken else reading


@lru_cache(maxsize=1024)
def _plain(
    measurand: str | None,
    unit: str | None,
    multiplier: int | None,
    phase: str | None,
    location: str | None,
    context: str | None,
) -> tuple[int | None, float] | None:
    """The slot (None: not used) and the divisor of a value of which nothing is to be noted; None for any other."""
    meaning = meaning_of(measurand, unit, multiplier, phase, location, context)
    if not meaning.ordinary:
        return None
    if meaning.quantity is None:
        return None, 1.0
    return meaning.quantity + QUANTITY_COUNT * meaning.phase, meaning.divisor
