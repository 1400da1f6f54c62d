"""Power by the energy registers of a charger whose meter reports no power: the mean between two readings of them.

A register moves in steps: over a short time one of 1 Wh is as much as a kilowatt. So the time between the two readings grows
until a step weighs less than 0.2 kW, or a tenth of the power that was found or asked for. For the ladder's eyes only.
"""

from __future__ import annotations

from parkwatt.domain.charger.reading import MeterReading
from parkwatt.io.ocpp.ladder.memory import EvseMemory, RegisterMark

_SPAN_S_MIN = 5.0
# What moved over a longer time says little of now.
_SPAN_S_MAX = 120.0
_ERROR_KW = 0.2
_ERROR_SHARE = 0.1
# Clocks of chargers have whole seconds: where they agree so far with the time of receipt, that is the finer one.
_CLOCK_S = 1.5
# A register is told to this many decimals of 1 kWh at most; what is finer is noise of arithmetic.
_DECIMALS_MAX = 6


def mean_power_kw(
    evse: EvseMemory, reading: MeterReading, since_unix_us: int, now_unix_us: int
) -> float | None:
    """The mean power since an earlier reading, kW; None as long as it is not known well enough.

    ``since_unix_us``: when the charger was told something else: readings from before do not count.
    """
    energies_kwh = (reading.energy_import_kwh, reading.energy_export_kwh)
    registers = (energies_kwh[0] is not None, energies_kwh[1] is not None)
    if not any(registers):
        return None
    for energy_kwh in energies_kwh:
        if energy_kwh:
            step_kwh = _step_kwh(energy_kwh)
            evse.step_kwh = min(evse.step_kwh or step_kwh, step_kwh)
    net_kwh = (energies_kwh[0] or 0.0) - (energies_kwh[1] or 0.0)
    newest = RegisterMark(net_kwh, registers, reading.measured_unix_us, now_unix_us)
    mark = evse.mark
    if mark is None or mark.registers != registers or mark.received_unix_us < since_unix_us:
        evse.mark = newest
        return None
    span_s = _span_s(mark, newest)
    if span_s > _SPAN_S_MAX:
        evse.mark = newest
        return None
    if span_s < _SPAN_S_MIN:
        return None
    power_kw = (net_kwh - mark.energy_kwh) * 3600.0 / span_s
    asked_kw = 0.0 if evse.wanted is None else evse.wanted.power_kw
    error_kw = evse.step_kwh * 3600.0 / span_s
    if error_kw > max(_ERROR_KW, _ERROR_SHARE * max(abs(power_kw), abs(asked_kw))):
        return None
    evse.mark = newest
    return power_kw


def _span_s(earlier: RegisterMark, later: RegisterMark) -> float:
    """Between two readings; not positive where the later one is none."""
    received_s = (later.received_unix_us - earlier.received_unix_us) / 1e6
    if earlier.measured_unix_us is None or later.measured_unix_us is None:
        return received_s
    measured_s = (later.measured_unix_us - earlier.measured_unix_us) / 1e6
    if measured_s <= 0.0 or abs(measured_s - received_s) > _CLOCK_S:
        return measured_s
    return received_s


def _step_kwh(energy_kwh: float) -> float:
    """The last decimal that a register was told with: a zero there makes the step look coarser, never finer."""
    decimals = f"{energy_kwh:.{_DECIMALS_MAX}f}".rstrip("0").partition(".")[2]
    return 10.0 ** -len(decimals)
