"""From metered records to series in a programme's steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from parkwatt.domain.fleet.record import EnergyMetered, EnergyPriced
from parkwatt.fleet.proof.baseline import Numbers, Readings
from parkwatt.fleet.settle.state import SettleState, differences

_ZERO: Final = Decimal(0)
Bins = dict[int, Decimal]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A meter's readings, and [N] what of them was exported, kWh."""

    readings: Readings
    export_kwh: Numbers


def series(
    state: SettleState, point: str, meter: str, step_s: int, *, export_counts: bool
) -> Series | None:
    """What a meter read, in steps of ``step_s`` on the clock; None where nothing was read.

    Of readings for the same span a measured one comes before an estimated one, then the higher revision, then a register,
    then the higher net energy (it claims less). Shorter spans add up to a step where
    they fill it without gap or overlap; a longer one cannot be taken apart, and leaves its steps unknown. Where export does
    not count, a step's net energy is at least 0.
    """
    spans = _spans(state.metered.get((point, meter), {}).values())
    net = binned({key: one - other for key, (one, other) in spans.items()}, step_s)
    export = binned({key: other for key, (_, other) in spans.items()}, step_s)
    if not net:
        return None
    first = min(net)
    count = (max(net) - first) // step_s + 1
    values = np.full(count, _ZERO, dtype=object)
    exported = np.full(count, _ZERO, dtype=object)
    known = np.zeros(count, dtype=bool)
    for at, energy in net.items():
        index = (at - first) // step_s
        values[index] = energy if export_counts else max(_ZERO, energy)
        exported[index], known[index] = export[at], True
    return Series(Readings(first, step_s, values, known), exported)


def with_schedule(
    state: SettleState, readings: Readings, programme: str, meter: str, until_unix_s: int | None
) -> Readings:
    """The readings beside the schedule that was declared for them until an instant, such as the start of an event; None: until
    each step begins.

    Of several for a step the last one declared counts, and of two at once the lower: it claims less. Only schedules in the
    readings' own steps count.
    """
    best: dict[int, tuple[int, Decimal]] = {}
    for found in state.declared.get((programme, meter), {}).values():
        if found.step_s != readings.step_s:
            continue
        for index, value in enumerate(found.net_kwh):
            at = found.from_unix_s + index * found.step_s
            if value is None or found.at_unix_s > (at if until_unix_s is None else until_unix_s):
                continue
            if at not in best or best[at] < (found.at_unix_s, -value):
                best[at] = (found.at_unix_s, -value)
    planned = np.full(len(readings.known), _ZERO, dtype=object)
    told = np.zeros(len(readings.known), dtype=bool)
    for at, (_, negated) in best.items():
        index, off = divmod(at - readings.start_unix_s, readings.step_s)
        if not off and 0 <= index < len(planned):
            planned[index], told[index] = -negated, True
    return Readings(
        readings.start_unix_s, readings.step_s, readings.net_kwh, readings.known, planned, told
    )


def binned(spans: dict[tuple[int, int], Decimal], step_s: int) -> Bins:
    """Spans (start, duration) added up to steps; a step that is not filled exactly is left out."""
    total: Bins = {}
    filled: dict[int, int] = {}
    for (start, duration_s), value in spans.items():
        at = start - start % step_s
        if start + duration_s > at + step_s:
            for step in range(at, start + duration_s, step_s):  # too long: none of these is known
                filled[step] = filled.get(step, 0) + 2 * step_s
            continue
        total[at] = total.get(at, _ZERO) + value
        filled[at] = filled.get(at, 0) + duration_s
    return {at: value for at, value in total.items() if filled[at] == step_s}


def _spans(records: Iterable[EnergyMetered]) -> dict[tuple[int, int], tuple[Decimal, Decimal]]:
    best: dict[tuple[int, int], tuple[tuple[bool, int, bool, Decimal, Decimal], Decimal]] = {}
    for found in records:
        for is_register, imported, exported in (
            (False, found.import_kwh, found.export_kwh),
            (
                True,
                differences(found.import_register_kwh),
                differences(found.export_register_kwh),
            ),
        ):
            for index, (one, other) in enumerate(zip(imported, exported, strict=True)):
                if one is None or other is None:
                    continue
                key = (found.from_unix_s + index * found.step_s, found.step_s)
                measured = found.quality == "measured"
                rank = (measured, found.revision, is_register, one - other, one)
                if key not in best or best[key][0] < rank:
                    best[key] = (rank, other)
    return {key: (rank[4], other) for key, (rank, other) in best.items()}


def prices(records: Iterable[EnergyPriced], step_s: int) -> Bins:
    """The price of each step of ``step_s``; a longer price step holds for each of its parts, a shorter one is left aside.

    The higher revision counts, of equal ones the lower price.
    """
    best: dict[int, tuple[int, Decimal]] = {}
    for found in records:
        if found.step_s % step_s or found.from_unix_s % step_s:
            continue
        for index, price in enumerate(found.price_per_kwh):
            if price is None:
                continue
            start = found.from_unix_s + index * found.step_s
            for at in range(start, start + found.step_s, step_s):
                if at not in best or best[at] < (found.revision, -price):
                    best[at] = (found.revision, -price)
    return {at: -negated for at, (_, negated) in best.items()}
