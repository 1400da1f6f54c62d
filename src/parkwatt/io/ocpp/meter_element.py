"""One element of meter values that is not ordinary: other places than the outlet, begin and end, signatures, what is broken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import isfinite, nan
from typing import Any

from parkwatt.domain.charger.reading import MeterReading, Moment, SignedValue
from parkwatt.io.ocpp.measurand import QUANTITIES, Meaning, meaning_of
from parkwatt.io.ocpp.meter_reading import QUANTITY_COUNT, SLOT_COUNT, Slots, reading_of
from parkwatt.io.ocpp.signed import SignedRegister, read_signed


class Element:
    """One element of meter values while it is read.

    ``deviations``: the sampled value's number, None for the element's; the rule; the value. ``_begin``: a transaction's first
    values, which may stand beside later ones of the same quantity.
    """

    def __init__(self, is_2: bool, public_keys: Collection[str]) -> None:
        self.deviations: list[tuple[int | None, str, object]] = []
        self._is_2 = is_2
        self._public_keys = public_keys
        self._moment: Moment = "interval"
        self._parts: list[tuple[Meaning, float]] = []
        self._begin: list[tuple[Meaning, float]] = []
        self._signed: list[SignedValue] = []
        self._registers: list[SignedRegister] = []

    def read(self, samples: Sequence[Any]) -> None:
        """Take in the sampled values."""
        for number, sample in enumerate(samples):
            meaning = self._meaning(sample)
            if meaning is None:
                continue
            if meaning.rule is not None:
                self.deviations.append((number, meaning.rule, _attributes(sample)))
            if meaning.quantity is None:
                continue
            amount = self._amount(number, sample.value) / meaning.divisor + meaning.offset
            if not isfinite(amount):
                self.deviations.append((number, "must be a number; not used", sample.value))
                continue
            self._note_moment(meaning.moment)
            (self._begin if meaning.moment == "begin" else self._parts).append((meaning, amount))

    def readings(self, unix_us: int | None) -> list[MeterReading]:
        """What the element says: one reading, or two where a transaction's first value stands beside a later one."""
        later = {meaning.quantity for meaning, _ in self._parts}
        first = [part for part in self._begin if part[0].quantity in later]
        rest = self._parts + [part for part in self._begin if part[0].quantity not in later]
        first_slots, rest_slots = _settled(first), _settled(rest)
        first_unix_us = self._use_registers(first_slots, rest_slots, unix_us)
        broken: list[tuple[str, object]] = []
        readings = []
        if any(value is not None for value in first_slots):
            readings.append(
                reading_of(first_slots, _phased(first), first_unix_us, "begin", (), broken)
            )
            if self._moment == "begin":
                self._moment = "interval"
        readings.append(
            reading_of(
                rest_slots, _phased(rest), unix_us, self._moment, tuple(self._signed), broken
            )
        )
        self.deviations += ((None, rule, value) for rule, value in broken)
        return readings

    def _meaning(self, sample: Any) -> Meaning | None:
        """What the value means; None for one that is nothing but a signature."""
        unit, multiplier = None, None
        if self._is_2:
            signed = sample.signedMeterValue
            if signed is not None:
                self._sign(
                    signed.signedMeterData,
                    signed.encodingMethod,
                    getattr(signed, "publicKey", None),
                )
            if sample.unitOfMeasure is not None:
                unit, multiplier = sample.unitOfMeasure.unit, sample.unitOfMeasure.multiplier
        elif sample.format == "SignedData":
            self._sign(sample.value, "", None)
            return None
        else:
            unit = sample.unit
        return meaning_of(
            sample.measurand, unit, multiplier, sample.phase, sample.location, sample.context
        )

    def _sign(self, data: str, encoding: str | None, own_key: str | None) -> None:
        value, registers = read_signed(data, encoding or "", own_key or "", self._public_keys)
        self._signed.append(value)
        if value.verdict == "valid":
            self._registers += registers

    def _amount(self, number: int, value: object) -> float:
        """The number; NaN where it is none."""
        text = str(value)
        try:
            return float(text)
        except ValueError:
            pass
        try:
            amount = float(text.replace(",", "."))
        except ValueError:
            return nan
        self.deviations.append((number, "must be a decimal number; understood all the same", value))
        return amount

    def _note_moment(self, moment: Moment) -> None:
        """An end outweighs a beginning, which outweighs the rest."""
        if (
            moment == "end"
            or self._moment == "interval"
            or (moment == "begin" and self._moment != "end")
        ):
            self._moment = moment

    def _use_registers(self, first: Slots, rest: Slots, unix_us: int | None) -> int | None:
        """Put signed registers where no plain one is; the time of the first values."""
        plain = {number for number, value in enumerate(rest[:QUANTITY_COUNT]) if value is not None}
        first_unix_us = unix_us
        for register in self._registers:
            quantity = QUANTITIES.index(register.quantity)
            if quantity in plain:
                continue
            if register.moment == "begin" and len(self._registers) > 1:
                first[quantity] = register.energy_kwh
                first_unix_us = register.unix_us or unix_us
            else:
                rest[quantity] = register.energy_kwh
                self._note_moment(register.moment)
        return first_unix_us


def _attributes(sample: Any) -> str:
    """What a sampled value says of itself, for a deviation."""
    unit = getattr(sample, "unit", None) or getattr(
        getattr(sample, "unitOfMeasure", None), "unit", None
    )
    found = (sample.measurand, unit, sample.phase, sample.location)
    return " ".join(str(value) for value in found if value is not None)


def _settled(parts: list[tuple[Meaning, float]]) -> Slots:
    """The values of the best place of each quantity. Of two for the same, the later one counts."""
    best: dict[int | None, int] = {}
    for meaning, _ in parts:
        best[meaning.quantity] = min(meaning.rank, best.get(meaning.quantity, meaning.rank))
    values: Slots = [None] * SLOT_COUNT
    for meaning, amount in parts:
        if meaning.quantity is not None and meaning.rank == best[meaning.quantity]:
            values[meaning.quantity + QUANTITY_COUNT * meaning.phase] = amount
    return values


def _phased(parts: list[tuple[Meaning, float]]) -> set[int]:
    return {
        meaning.quantity for meaning, _ in parts if meaning.phase and meaning.quantity is not None
    }
