"""SunSpec information models that measure alternating current: where they hold what, and what it means.

Each model is read from its header to the last value that is used, in one request: a device may change a scale factor between
two reads, and a value with another moment's scale is wrong by powers of ten. Offsets are counted from the model's own header
(SunSpec information models 101-103, 111-113, 201-204, 211-214 and 701).

Storage has no model here that tells its power at the grid: 124 holds limits, 802 the direct current.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from parkwatt.io.meter_reading import MeterValues, Role, Sign, factor
from parkwatt.io.modbus.registers import SIZES, PointType, decode, scale

Family = Literal["meter", "inverter", "resource"]

# Families in which a role's power is looked for, the first that the device has.
FAMILIES: Final[dict[Role, tuple[Family, ...]]] = {
    "grid": ("meter",),
    "load": ("meter",),
    "solar": ("inverter", "resource", "meter"),
    "battery": ("resource", "meter", "inverter"),
}
# States in which a device produces nothing, also where it then shows no power.
_INVERTER_RESTS: Final = frozenset({1.0, 2.0, 8.0})  # off, sleeping, standby
_RESOURCE_RESTS: Final = frozenset(
    {0.0, 1.0, 7.0}
)  # off, sleeping, standby, as model 701 counts them


class Point(NamedTuple):
    """A value within a model. ``scale_at``: where its scale factor is, None where it has none."""

    at: int
    kind: PointType
    scale_at: int | None = None

    def read(self, registers: Sequence[int]) -> float | None:
        """The value; None where the device does not tell it, or not its scale."""
        value = decode(registers, self.at, self.kind)
        if value is None or self.scale_at is None:
            return value
        by = scale(registers, self.scale_at)
        return None if by is None else value * by


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A kind of model: W, A and V of the phases, Wh, and the state where it has one. ``rests``: states without power."""

    family: Family
    power: Point
    phase_powers: tuple[Point, ...] = ()
    currents: tuple[Point, ...] = ()
    voltages: tuple[Point, ...] = ()
    export_energy: Point | None = None
    import_energy: Point | None = None
    state: Point | None = None
    rests: frozenset[float] = frozenset()

    @property
    def count(self) -> int:
        """How many registers to read, from the header on."""
        points = [self.power, *self.phase_powers, *self.currents, *self.voltages]
        points += [point for point in (self.export_energy, self.import_energy, self.state) if point]
        last_values = [point.at + SIZES[point.kind] for point in points]
        last_scales = [point.scale_at + 1 for point in points if point.scale_at is not None]
        return max(last_values + last_scales)


def _phases(first: int, count: int, kind: PointType, scale_at: int | None) -> tuple[Point, ...]:
    size = SIZES[kind]
    return tuple(Point(first + phase * size, kind, scale_at) for phase in range(count))


def _meter(phase_count: int) -> Layout:
    """201 to 204."""
    return Layout(
        family="meter",
        power=Point(18, "int16", 22),
        phase_powers=_phases(19, phase_count, "int16", 22),
        currents=_phases(3, phase_count, "int16", 6),
        voltages=_phases(8, phase_count, "int16", 15),
        export_energy=Point(38, "acc32", 54),
        import_energy=Point(46, "acc32", 54),
    )


def _float_meter(phase_count: int) -> Layout:
    """211 to 214."""
    return Layout(
        family="meter",
        power=Point(28, "float32"),
        phase_powers=_phases(30, phase_count, "float32", None),
        currents=_phases(4, phase_count, "float32", None),
        voltages=_phases(12, phase_count, "float32", None),
        export_energy=Point(60, "float32"),
        import_energy=Point(68, "float32"),
    )


_INVERTER: Final = Layout(
    family="inverter",
    power=Point(14, "int16", 15),
    state=Point(38, "uint16"),
    rests=_INVERTER_RESTS,
)
_FLOAT_INVERTER: Final = Layout(
    family="inverter",
    power=Point(22, "float32"),
    state=Point(48, "uint16"),
    rests=_INVERTER_RESTS,
)
_RESOURCE: Final = Layout(
    family="resource",
    power=Point(10, "int16", 116),
    state=Point(4, "uint16"),
    rests=_RESOURCE_RESTS,
)

COMMON_MODEL: Final = 1
LAYOUTS: Final[dict[int, Layout]] = {
    101: _INVERTER,
    102: _INVERTER,
    103: _INVERTER,
    111: _FLOAT_INVERTER,
    112: _FLOAT_INVERTER,
    113: _FLOAT_INVERTER,
    201: _meter(1),
    202: _meter(2),
    203: _meter(3),
    204: _meter(3),
    211: _float_meter(1),
    212: _float_meter(2),
    213: _float_meter(3),
    214: _float_meter(3),
    701: _RESOURCE,
}


def usual_sign(layout: Layout, role: Role, makers: Sequence[str]) -> Sign:
    """What a positive power means where the settings do not say.

    Inverters and other resources count what they give (103, 701); meters what is drawn from the grid, but SolarEdge's what is
    fed into it. A meter of the sun is taken to count what is produced.
    """
    if role == "solar" or layout.family != "meter":
        return "export_positive"
    reversed_maker = any(maker.lower().startswith("solaredge") for maker in makers)
    return "export_positive" if reversed_maker else "import_positive"


def measured(
    layout: Layout, registers: Sequence[int], sign: Sign, phase_order: Sequence[int]
) -> MeterValues:
    """What the registers of a model, from its header on, say. ``phase_order``: as `ModbusMeter`.

    Currents are magnitudes in many devices: they take the direction of their phase's power, where it is told. Registers of
    energy have their direction in their name, so ``sign`` does not turn them.
    """
    direction = factor(sign)
    power_w = layout.power.read(registers)
    if power_w is None and layout.state is not None:
        power_w = 0.0 if layout.state.read(registers) in layout.rests else None
    currents_a = [
        _directed(current.read(registers), power.read(registers), direction)
        for current, power in zip(layout.currents, layout.phase_powers, strict=True)
    ]
    voltages_v = [point.read(registers) for point in layout.voltages]
    return MeterValues(
        power_kw=None if power_w is None else direction * power_w / 1000.0,
        phase_current_a=in_order(currents_a, phase_order),
        voltage_v=in_order(voltages_v, phase_order),
        import_kwh=_kwh(layout.import_energy, registers),
        export_kwh=_kwh(layout.export_energy, registers),
    )


def _directed(current_a: float | None, power_w: float | None, direction: float) -> float | None:
    """A phase's current, import positive. Without a direction it counts as import, which no limit can be broken by."""
    if current_a is None:
        return None
    if power_w is None or power_w == 0.0:
        return abs(current_a)
    return abs(current_a) if direction * power_w > 0 else -abs(current_a)


def in_order(
    values: Sequence[float | None], phase_order: Sequence[int]
) -> tuple[float | None, ...]:
    """Values of the meter's phases, by the phases of the connection. Fewer than three have no order."""
    if len(values) != len(phase_order):
        return tuple(values)
    by_phase = dict(zip(phase_order, values, strict=True))
    return tuple(by_phase[phase] for phase in sorted(by_phase))


def _kwh(point: Point | None, registers: Sequence[int]) -> float | None:
    wh = None if point is None else point.read(registers)
    return None if wh is None or wh <= 0 else wh / 1000.0
