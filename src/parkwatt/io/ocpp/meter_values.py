"""Meter values of OCPP 1.6, 2.0.1 and 2.1 as readings: signed by direction, summed over phases, of one place.

- Power and current are import less export; one flow that is told twice (import −5, export 5) counts once.
- The value of the whole counts; where there is none, the sum of the phases.
- Values of the best place count, by quantity: outlet before inlet before the rest; values of different places are never added.
- Power is not worked out from currents unless the charger gives current, its direction and voltage for the same phases.
- What was signed by the meter stands in for an energy register that was not sent plainly, if the signature is valid.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from parkwatt.domain.charger.reading import MeterReading
from parkwatt.io.ocpp.device_time import parse_device_time
from parkwatt.io.ocpp.measurand import meaning_of
from parkwatt.io.ocpp.messages.fault import DEVIATIONS_MAX, Deviation, shortened
from parkwatt.io.ocpp.meter_element import Element
from parkwatt.io.ocpp.meter_reading import QUANTITY_COUNT, SLOT_COUNT, Slots, reading_of
from parkwatt.io.ocpp.version import Version

_NOTHING: Slots = [None] * SLOT_COUNT


@dataclass(frozen=True, slots=True)
class MeterValues:
    """What meter values say. ``readings``: one for each element, in the order they came, and a further one before it where
    an element holds a transaction's first value beside later ones; ``deviations``: what broke the standard.
    """

    readings: tuple[MeterReading, ...]
    deviations: tuple[Deviation, ...]


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
    for sample in samples:
        if not is_2:
            unit, multiplier = sample.unit, None
            if sample.format == "SignedData":
                return None
        elif sample.signedMeterValue is not None:
            return None
        elif (measure := sample.unitOfMeasure) is not None:
            unit, multiplier = measure.unit, measure.multiplier
        else:
            unit, multiplier = None, None
        ordinary, quantity, phase, divisor, *_ = meaning_of(
            sample.measurand, unit, multiplier, sample.phase, sample.location, sample.context
        )
        if not ordinary:
            return None
        if quantity is None:
            continue
        try:
            amount = float(sample.value) / divisor
        except (ValueError, TypeError):
            return None
        if phase:
            phased.add(quantity)
            quantity += QUANTITY_COUNT * phase
        if amount - amount != 0.0 or values[quantity] is not None:
            return None  # no finite number, or the second of its kind
        values[quantity] = amount
    broken: list[tuple[str, object]] = []
    reading = reading_of(values, phased, unix_us, "interval", (), broken)
    return None if broken else reading
