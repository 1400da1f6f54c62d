"""What one sampled value means: its quantity in Parkwatt's units, and how it ranks among others of the same quantity.

Source: OCPP 1.6 section 7 (Measurand, UnitOfMeasure, Phase, Location); OCPP 2.0.1 and 2.1 Part 2, MeterValues, and the
appendix of units. An absent measurand is the import register, an absent unit the plain one of the quantity (Wh, W, A, V, …).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from parkwatt.domain.charger.reading import MeterReading, Moment

# What a value in a unit is divided by: dividing by 1000 keeps the decimals that were sent, a factor of 0.001 does not.
_ENERGY = {"Wh": 1e3, "kWh": 1.0, "MWh": 1e-3}
_POWER = {"W": 1e3, "kW": 1.0, "MW": 1e-3}
_CURRENT = {"A": 1.0, "mA": 1e3}
_VOLTAGE = {"V": 1.0, "kV": 1e-3, "mV": 1e3}
_FREQUENCY = {"Hz": 1.0, "Hertz": 1.0, "mHz": 1e3}
_TEMPERATURE = {"Celsius": 1.0, "Celcius": 1.0, "K": 1.0, "Fahrenheit": 9.0 / 5.0}
_TEMPERATURE_OFFSETS = {"K": -273.15, "Fahrenheit": -32.0 * 5.0 / 9.0}
_SHARE = {"Percent": 100.0, "%": 100.0}
# Units that no version of the standard has for these quantities: understood, and told.
_BEYOND_THE_STANDARD = frozenset({"MWh", "MW", "mA", "kV", "mV", "%"})

# A stand-in for a quantity ranks below every location of the quantity itself.
_STAND_IN = 8

# What a reading is made of: its own quantities in its own order, then those that others are worked out from.
QUANTITIES = (
    *MeterReading.__struct_fields__[3:-1],
    "power_import_kw",
    "power_export_kw",
    "energy_net_kwh",
    "current_import_a",
    "current_export_a",
)

# Measurand: number of its quantity, units, rank.
_MEASURANDS: dict[str, tuple[int, Mapping[str, float], int]] = {
    "Energy.Active.Import.Register": (QUANTITIES.index("energy_import_kwh"), _ENERGY, 0),
    "Energy.Active.Export.Register": (QUANTITIES.index("energy_export_kwh"), _ENERGY, 0),
    "Energy.Active.Import.Interval": (QUANTITIES.index("energy_import_interval_kwh"), _ENERGY, 0),
    "Energy.Active.Export.Interval": (QUANTITIES.index("energy_export_interval_kwh"), _ENERGY, 0),
    "Energy.Active.Net": (QUANTITIES.index("energy_net_kwh"), _ENERGY, 0),
    "Power.Active.Import": (QUANTITIES.index("power_import_kw"), _POWER, 0),
    "Power.Active.Export": (QUANTITIES.index("power_export_kw"), _POWER, 0),
    "Power.Active.Setpoint": (QUANTITIES.index("setpoint_kw"), _POWER, 0),
    "Power.Import.Offered": (QUANTITIES.index("power_offered_kw"), _POWER, 0),
    "Power.Offered": (QUANTITIES.index("power_offered_kw"), _POWER, _STAND_IN),
    "Current.Import": (QUANTITIES.index("current_import_a"), _CURRENT, 0),
    "Current.Export": (QUANTITIES.index("current_export_a"), _CURRENT, 0),
    "Voltage": (QUANTITIES.index("voltage_v"), _VOLTAGE, 0),
    "SoC": (QUANTITIES.index("soc"), _SHARE, 0),
    "Display.PresentSOC": (QUANTITIES.index("soc"), _SHARE, _STAND_IN),
    "Frequency": (QUANTITIES.index("frequency_hz"), _FREQUENCY, 0),
    "Temperature": (QUANTITIES.index("temperature_c"), _TEMPERATURE, 0),
}
# Measurands of the standard that nothing here makes use of.
_UNUSED = frozenset(
    {
        "Current.Offered",
        "Current.Export.Offered",
        "Current.Export.Minimum",
        "Current.Import.Offered",
        "Current.Import.Minimum",
        "Display.MinimumSOC",
        "Display.TargetSOC",
        "Display.MaximumSOC",
        "Display.RemainingTimeToMinimumSOC",
        "Display.RemainingTimeToTargetSOC",
        "Display.RemainingTimeToMaximumSOC",
        "Display.ChargingComplete",
        "Display.BatteryEnergyCapacity",
        "Display.InletHot",
        "Energy.Active.Import.CableLoss",
        "Energy.Active.Import.LocalGeneration.Register",
        "Energy.Active.Setpoint.Interval",
        "Energy.Apparent.Export",
        "Energy.Apparent.Import",
        "Energy.Apparent.Net",
        "Energy.Reactive.Export.Interval",
        "Energy.Reactive.Export.Register",
        "Energy.Reactive.Import.Interval",
        "Energy.Reactive.Import.Register",
        "Energy.Reactive.Net",
        "EnergyRequest.Target",
        "EnergyRequest.Minimum",
        "EnergyRequest.Maximum",
        "EnergyRequest.Minimum.V2X",
        "EnergyRequest.Maximum.V2X",
        "EnergyRequest.Bulk",
        "Power.Active.Residual",
        "Power.Export.Minimum",
        "Power.Export.Offered",
        "Power.Factor",
        "Power.Import.Minimum",
        "Power.Reactive.Export",
        "Power.Reactive.Import",
        "RPM",
        "Voltage.Minimum",
        "Voltage.Maximum",
    }
)
_DEFAULT_MEASURAND = "Energy.Active.Import.Register"

# The outlet is the car's side. The inlet may feed several outlets: it counts only where a charger names nothing else.
_LOCATIONS = {None: 0, "Outlet": 0, "Inlet": 1, "EV": 2, "Cable": 3, "Body": 4}
_PHASES = {None: 0, "L1": 1, "L2": 2, "L3": 3, "L1-N": 1, "L2-N": 2, "L3-N": 3}
_OTHER_PHASES = frozenset({"N", "L1-L2", "L2-L3", "L3-L1"})
# The same in every place and phase.
_EVERYWHERE = frozenset({QUANTITIES.index("soc"), QUANTITIES.index("frequency_hz")})
_MOMENTS: dict[str | None, Moment] = {
    None: "interval",
    "Sample.Periodic": "interval",
    "Sample.Clock": "interval",
    "Transaction.Begin": "begin",
    "Transaction.End": "end",
    "Trigger": "triggered",
}
_MULTIPLIER_MAX = 12


class Meaning(NamedTuple):
    """What a sampled value means: `value / divisor + offset` is the quantity of this number.

    ``ordinary``: nothing is to be noted, so that the rest need not be looked at. ``quantity``: its index in `QUANTITIES`, None
    for what is not used. ``phase``: 1 to 3, 0 for the whole. ``rank``: the smallest is used. ``rule``: what is broken, or None.
    """

    ordinary: bool
    quantity: int | None
    phase: int
    divisor: float
    offset: float
    rank: int
    moment: Moment
    rule: str | None


@lru_cache(maxsize=1024)
def meaning_of(
    measurand: str | None,
    unit: str | None,
    multiplier: int | None,
    phase: str | None,
    location: str | None,
    context: str | None,
) -> Meaning:
    """What a sampled value with these attributes means; all may be absent, and none has to be of the standard."""
    moment = _MOMENTS.get(context, "other")
    known = _MEASURANDS.get(measurand or _DEFAULT_MEASURAND)
    if known is None:
        rule = None if measurand in _UNUSED else "must be a measurand of OCPP; not used"
        return _unused(moment, rule)
    quantity, units, rank = known
    if location == "Upstream" or phase in _OTHER_PHASES:
        return _unused(moment, None)
    name, rule = _unit(unit, units)
    if name is None or abs(multiplier or 0) > _MULTIPLIER_MAX:
        return _unused(moment, f"must be in {' or '.join(units)}, times a power of 10; not used")
    if phase not in _PHASES:
        return _unused(moment, "must be of a phase of OCPP; not used")
    if location not in _LOCATIONS:
        rule = "must be of a location of OCPP; taken as the outlet"
    if quantity not in _EVERYWHERE:
        rank += _LOCATIONS.get(location, 0)
    divisor = units[name] / 10.0 ** (multiplier or 0)
    offset = _TEMPERATURE_OFFSETS.get(name, 0.0)
    number = 0 if quantity in _EVERYWHERE else _PHASES[phase]
    ordinary = not rank and not offset and moment == "interval" and rule is None
    return Meaning(ordinary, quantity, number, divisor, offset, rank, moment, rule)


def _unused(moment: Moment, rule: str | None) -> Meaning:
    return Meaning(rule is None and moment == "interval", None, 0, 1.0, 0.0, 0, moment, rule)


def _unit(unit: str | None, units: Mapping[str, float]) -> tuple[str | None, str | None]:
    """The unit among those of the quantity, and the rule that its spelling breaks."""
    if unit is None or unit == "":
        return next(iter(units)), None
    if unit in units:
        odd = unit in _BEYOND_THE_STANDARD
        return unit, "must have a unit of OCPP; understood all the same" if odd else None
    if units is _SHARE:
        return "Percent", "must be in Percent; taken as percent"
    alike = [name for name in units if name.lower() == unit.strip().lower()]
    if len(alike) == 1:
        return alike[0], "must have a unit of OCPP; understood all the same"
    return None, None
