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
from math import isfinite
from typing import Any

from parkwatt.domain.charger.reading import MeterReading, Moment, SignedValue
from parkwatt.io.ocpp.device_time import parse_device_time
from parkwatt.io.ocpp.measurand import Meaning, meaning_of
from parkwatt.io.ocpp.messages.fault import DEVIATIONS_MAX, Deviation, shortened
from parkwatt.io.ocpp.signed import SignedRegister, read_signed
from parkwatt.io.ocpp.version import Version

_Found = dict[str, Any]
_PHASED = ("current_import_a", "current_export_a", "voltage_v")
_NEVER_NEGATIVE = frozenset(
    {
        "soc",
        "energy_import_kwh",
        "energy_export_kwh",
        "energy_import_interval_kwh",
        "energy_export_interval_kwh",
    }
)
# Import and export this near to each other with opposite signs are one flow told twice.
_TWICE_KW = 0.02
_TWICE_SHARE = 0.02
_SOC_MAX = 1.0 + 1e-9


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
    for index, meter_value in enumerate(meter_values or ()):
        path = f"{field}[{index}]"
        time = parse_device_time(meter_value.timestamp, received_unix_us)
        if time.deviation is not None:
            deviations.append(
                Deviation(f"{path}.timestamp", time.deviation, shortened(meter_value.timestamp))
            )
        element = _Element(version.is_2, public_keys)
        element.read(meter_value.sampledValue)
        element.reading_into(readings, time.unix_us)
        if element.deviations:
            deviations += (
                Deviation(f"{path}.sampledValue[{number}]", rule, shortened(value))
                for number, rule, value in element.deviations
            )
    return MeterValues(tuple(readings), tuple(deviations[:DEVIATIONS_MAX]))


class _Element:
    """One element of meter values while it is read.

    ``whole``: plain values by quantity; ``parts``: those of a phase or another place; ``begin``: the first values of a
    transaction, which may stand beside later ones; ``deviations``: number of the sampled value, rule, value.
    """

    __slots__ = (
        "begin",
        "deviations",
        "is_2",
        "keys",
        "moment",
        "parts",
        "registers",
        "signed",
        "whole",
    )

    def __init__(self, is_2: bool, keys: Collection[str]) -> None:
        self.is_2 = is_2
        self.keys = keys
        self.moment: Moment = "interval"
        self.whole: _Found = {}
        self.parts: list[tuple[Meaning, float]] = []
        self.begin: list[tuple[Meaning, float]] = []
        self.signed: list[SignedValue] = []
        self.registers: list[SignedRegister] = []
        self.deviations: list[tuple[int, str, object]] = []

    def read(self, samples: Sequence[Any]) -> None:
        """Take in the sampled values."""
        whole = self.whole
        for number, sample in enumerate(samples):
            meaning = self._meaning(sample)
            if meaning is None:
                continue
            if meaning.rule is not None:
                self.deviations.append((number, meaning.rule, _attributes(sample)))
            quantity = meaning.quantity
            if quantity is None:
                continue
            try:
                amount = float(sample.value) * meaning.factor + meaning.offset
            except (ValueError, TypeError):
                amount = self._odd_amount(number, sample.value, meaning)
            if not isfinite(amount):
                self.deviations.append((number, "must be a number; not used", sample.value))
                continue
            if meaning.moment != "interval":
                self._note_moment(meaning.moment)
            if meaning.moment == "begin":
                self.begin.append((meaning, amount))
            elif meaning.plain and quantity not in whole:
                whole[quantity] = amount
            else:
                self.parts.append((meaning, amount))

    def _meaning(self, sample: Any) -> Meaning | None:
        """What the value means; None for one that is nothing but a signature."""
        unit, multiplier = None, None
        if self.is_2:
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
        value, registers = read_signed(data, encoding or "", own_key or "", self.keys)
        self.signed.append(value)
        if value.verdict == "valid":
            self.registers += registers

    def _odd_amount(self, number: int, value: object, meaning: Meaning) -> float:
        """A number in a form that only some chargers write; NaN where it is none."""
        try:
            amount = float(str(value).strip().replace(",", "."))
        except ValueError:
            return float("nan")
        self.deviations.append((number, "must be a decimal number; understood all the same", value))
        return amount * meaning.factor + meaning.offset

    def _note_moment(self, moment: Moment) -> None:
        """An end outweighs a beginning, which outweighs the rest."""
        if (
            moment == "end"
            or self.moment == "interval"
            or (moment == "begin" and self.moment != "end")
        ):
            self.moment = moment

    def reading_into(self, readings: list[MeterReading], unix_us: int | None) -> None:
        """Add what the element says to ``readings``."""
        if self.begin or self.registers:
            self._first_into(readings, unix_us)
        if self.parts:
            _settle(self.whole, self.parts)
        readings.append(self._reading(self.whole, unix_us, self.moment, tuple(self.signed)))

    def _first_into(self, readings: list[MeterReading], unix_us: int | None) -> None:
        """A transaction's first values: a reading of their own where later ones of the same quantity stand beside them."""
        later = self.whole.keys() | {meaning.quantity for meaning, _ in self.parts}
        first: _Found = {}
        _settle(
            first,
            [(meaning, amount) for meaning, amount in self.begin if meaning.quantity in later],
        )
        self.parts += [part for part in self.begin if part[0].quantity not in later]
        first_unix_us = unix_us
        told = later | {meaning.quantity for meaning, _ in self.begin}
        for register in self.registers:
            if register.quantity in told:
                continue
            if register.moment == "begin" and len(self.registers) > 1:
                first[register.quantity] = register.energy_kwh
                first_unix_us = register.unix_us or unix_us
            else:
                self.whole[register.quantity] = register.energy_kwh
                self._note_moment(register.moment)
        if first:
            readings.append(self._reading(first, first_unix_us, "begin", ()))

    def _reading(
        self, values: _Found, unix_us: int | None, moment: Moment, signed: tuple[SignedValue, ...]
    ) -> MeterReading:
        """The reading. Keys of ``values`` that are no field of it are used up here."""
        power_kw = _net_kw(values.pop("power_import_kw", None), values.pop("power_export_kw", None))
        if "energy_net_kwh" in values:
            _use_net(values)
        current_import, current_export = (
            values.pop("current_import_a", None),
            values.pop("current_export_a", None),
        )
        if current_import is not None or current_export is not None:
            currents = _net_currents(_by_phase(current_import), _by_phase(current_export))
            values["current_a"] = tuple(currents.values())
            if power_kw is None and "voltage_v" in values:
                power_kw = _power_kw(currents, _by_phase(values["voltage_v"]))
        if "voltage_v" in values:
            values["voltage_v"] = tuple(_by_phase(values["voltage_v"]).values())
        for name in _NEVER_NEGATIVE.intersection(values):
            if values[name] < 0.0 or (name == "soc" and values[name] > _SOC_MAX):
                rule = "must be 0 to 100 percent" if name == "soc" else "must not be negative"
                self.deviations.append((0, f"{name}: {rule}; not used", values.pop(name)))
        return MeterReading(unix_us, moment, power_kw, signed=signed, **values)


def _attributes(sample: Any) -> str:
    """What a sampled value says of itself, for a deviation."""
    names = ("measurand", "unit", "unitOfMeasure", "phase", "location")
    found = (getattr(sample, name, None) for name in names)
    return " ".join(str(value) for value in found if value is not None)


def _settle(values: _Found, parts: list[tuple[Meaning, float]]) -> None:
    """Settle what counts where a quantity was given for phases, several places or twice; ``values`` are those of the whole."""
    table: dict[str, dict[int, dict[int, float]]] = {}
    for quantity, amount in values.items():
        table[quantity] = {0: {0: amount}}
    for meaning, amount in parts:
        if meaning.quantity is not None:
            table.setdefault(meaning.quantity, {}).setdefault(meaning.rank, {})[meaning.phase] = (
                amount
            )
    for quantity, by_rank in table.items():
        by_phase = by_rank[min(by_rank)]
        phases = {phase: by_phase[phase] for phase in sorted(by_phase) if phase}
        if quantity in _PHASED:
            values[quantity] = phases or by_phase
        elif 0 in by_phase:
            values[quantity] = by_phase[0]
        else:
            values[quantity] = sum(phases.values())


def _by_phase(value: dict[int, float] | float | None) -> dict[int, float]:
    if value is None:
        return {}
    return value if isinstance(value, dict) else {0: value}


def _net_kw(import_kw: float | None, export_kw: float | None) -> float | None:
    if export_kw is None:
        return import_kw
    if import_kw is None:
        return -export_kw
    if import_kw * export_kw < 0.0 and abs(import_kw + export_kw) <= max(
        _TWICE_KW, _TWICE_SHARE * abs(import_kw)
    ):
        return import_kw
    return import_kw - export_kw


def _use_net(values: _Found) -> None:
    """Work out the register that was left out from the net and the other; a net alone says nothing of either."""
    net_kwh = values.pop("energy_net_kwh")
    import_kwh, export_kwh = values.get("energy_import_kwh"), values.get("energy_export_kwh")
    if import_kwh is not None and export_kwh is None:
        values["energy_export_kwh"] = import_kwh - net_kwh
    elif export_kwh is not None and import_kwh is None:
        values["energy_import_kwh"] = export_kwh + net_kwh


def _net_currents(imports: dict[int, float], exports: dict[int, float]) -> dict[int, float]:
    phases = sorted(imports.keys() | exports.keys())
    return {phase: imports.get(phase, 0.0) - exports.get(phase, 0.0) for phase in phases}


def _power_kw(currents: dict[int, float], voltages: dict[int, float]) -> float | None:
    """Power from current and voltage of the same named phases; None where a phase is not named or has no voltage."""
    if 0 in currents or not currents.keys() <= voltages.keys():
        return None
    return sum(current * voltages[phase] for phase, current in currents.items()) / 1000.0
