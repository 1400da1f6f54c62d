"""What a person or a test may do to a virtual charger while it runs, one line each."""

from __future__ import annotations

from collections.abc import Callable

from parkwatt.domain.errors import InputError, InputFault
from parkwatt.io.sim.faults import set_fault
from parkwatt.io.sim.station import VirtualStation
from parkwatt.io.sim.station_v2 import ALARMS, StationV2

HELP = (
    "tick, plug, unplug, start, stop, reboot, link SECONDS, soc FRACTION, frequency HZ, signal NUMBER, "
    "alarm FAULT [ended], fault NAME=VALUE, status"
)


def apply_control(station: VirtualStation, line: str, now_unix_us: int) -> list[str]:
    """Do what a line says at a time; returns the frames to send. Raises InputError where it cannot be read."""
    frames = station.tick(now_unix_us)
    name, _, value = line.strip().partition(" ")
    if name == "fault":
        set_fault(station.faults, value)
        station.power.changed()
        station.note("fault", f"fault {value}")
    elif name == "status":
        station.note("status", _status(station))
    elif name == "alarm":
        _alarm(station, value)
    elif name in _PLAIN:
        _PLAIN[name](station)
    elif name in _WITH_NUMBER:
        _WITH_NUMBER[name](station, _number(name, value))
    else:
        raise InputError([InputFault("control", f"must be one of {HELP}", line)])
    return frames + station.tick(now_unix_us)


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise InputError([InputFault(f"control {name}", "must be a number", value)]) from None


def _status(station: VirtualStation) -> str:
    running = "charging" if station.transaction is not None else "no transaction"
    return (
        f"{running}, {station.power_kw:.2f} kW, SoC {station.car.soc:.1%}, "
        f"{station.meter.import_wh:.0f} Wh in, {station.meter.export_wh:.0f} Wh out"
    )


def _alarm(station: VirtualStation, text: str) -> None:
    fault, _, ended = text.strip().partition(" ")
    faults = []
    if fault not in ALARMS:
        faults.append(InputFault("control alarm", f"must be one of {', '.join(ALARMS)}", fault))
    if ended.strip() not in {"", "ended"}:
        faults.append(InputFault("control alarm", "may be followed by ended alone", ended))
    if not isinstance(station, StationV2) or not station.is_v21:
        faults.append(
            InputFault("control alarm", "needs a charger of 2.1", station.settings.protocol)
        )
    if faults or not isinstance(station, StationV2):
        raise InputError(faults)
    station.tell_grid_alarm(fault, ended=bool(ended.strip()))


def _set_soc(station: VirtualStation, soc: float) -> None:
    station.car.soc = soc


def _set_frequency(station: VirtualStation, frequency_hz: float) -> None:
    station.power.frequency_hz = frequency_hz


def _set_signal(station: VirtualStation, signal: float) -> None:
    station.power.signal = signal


def _nothing(_: VirtualStation) -> None:
    """Let time pass, and send what is due."""


_PLAIN: dict[str, Callable[[VirtualStation], None]] = {
    "tick": _nothing,
    "plug": VirtualStation.plug_in,
    "unplug": VirtualStation.unplug,
    "start": VirtualStation.authorize_and_start,
    "stop": lambda station: station.end_transaction("Local", "StopAuthorized"),
    "reboot": VirtualStation.reboot,
}
_WITH_NUMBER: dict[str, Callable[[VirtualStation, float], None]] = {
    "link": VirtualStation.drop_link,
    "soc": _set_soc,
    "frequency": _set_frequency,
    "signal": _set_signal,
}
