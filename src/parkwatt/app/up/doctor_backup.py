"""A home's backup: what its gateway tells and what not, what the island can start, and what devices wait for by themselves.

What is told is looked at without the server only: many gateways allow one connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from parkwatt.app.live_settings import LiveSettings
from parkwatt.app.live_settings.backup import BackupSettings
from parkwatt.app.up.doctor_check import Check, Seen
from parkwatt.domain.home.circuit import CircuitReading
from parkwatt.domain.home.gateway import GatewayReading
from parkwatt.domain.site.event import SourceChanged
from parkwatt.home.grid_code import GridCode
from parkwatt.io.gateway.build import DeviceLinks
from parkwatt.io.gateway.modbus_settings import ModbusBattery, ModbusDevice, ModbusGateway
from parkwatt.io.gateway.mqtt_settings import MqttGateway
from parkwatt.io.gateway.registers import Registers, SharedLinks
from parkwatt.io.gateway.self_description import (
    EnterService,
    read_discharge_kw,
    read_enter_service,
)
from parkwatt.io.modbus.link import ModbusError

_PATIENCE_S: Final = 15.0
_US: Final = 1_000_000
_BY_ITS_WORD: Final = "is not measured: that the grid is gone, and back for good, is taken from the gateway's own word"
_MISSING: Final = {
    "bond": "is not told: nothing waits for it; the bond must follow the poles by hardware",
    "output_voltage": "is not told: whether the home is dead before re-connection is a matter of time alone",
    "grid_voltage": _BY_ITS_WORD,
    "grid_frequency": _BY_ITS_WORD,
}
# A device's own bounds that differ from the grid code's by no more are the same.
_SAME_PU: Final = 0.0015
_SAME_HZ: Final = 0.015
_SAME_S: Final = 0.5


def checks(settings: LiveSettings, seen: Seen) -> Iterator[Check]:
    """All about the backup; nothing where the home has none."""
    backup = settings.backup
    if backup is None:
        return
    yield from feedback(backup)
    yield from circuits(backup)
    yield from other_chargers(settings, backup)
    if seen.site is not None:
        yield Check("skipped", "gateway", "the running server reads it")
        return
    yield from asyncio.run(_tried(backup))


def feedback(backup: BackupSettings) -> Iterator[Check]:
    """What the gateway has feedback for, by the settings, and what it means where it has none."""
    gateway = backup.gateway
    for name in gateway.points.missing():
        if name in _MISSING:
            yield Check("skipped", f"gateway's {name}", _MISSING[name])
    if not backup.abilities.transfers_itself and gateway.lease is None:
        message = "it has no lease: where Parkwatt ends in an outage the island goes on without it"
        yield Check("warning", "gateway", message, "name lease in [backup.gateway] if it has one")
    if isinstance(gateway, MqttGateway) and gateway.presence.alive_topic is None:
        message = (
            f"it gives no sign of life: a value that is not told again within {backup.reading_age_s:g} s is unknown,"
            " and nothing is closed"
        )
        yield Check("warning", "gateway", message, "name alive_topic in [backup.gateway]")


def circuits(backup: BackupSettings) -> Iterator[Check]:
    """What the island's inverter can start and carry."""
    for one in backup.circuits:
        circuit = one.circuit
        if circuit.inrush_kw > backup.surge_kw:
            message = (
                f"takes {circuit.inrush_kw:g} kW when it starts, and the inverter gives {backup.surge_kw:g} kW:"
                " it cannot start in an island"
            )
            yield Check("warning", f"circuit {circuit.circuit_id}", message, "a soft starter helps")
    must_kw = sum(
        one.circuit.power_kw_rated for one in backup.circuits if one.circuit.tier == "must_have"
    )
    message = f"must-have circuits draw up to {must_kw:g} kW, the inverter gives {backup.continuous_kw:g} kW"
    if must_kw > backup.continuous_kw:
        yield Check("warning", "island", message, "they cannot all run at once: sort them again")
    else:
        yield Check("ok", "island", message)
    unswitched = [one.circuit.name for one in backup.circuits if not one.circuit.switchable]
    if unswitched:
        yield Check("ok", "circuits", f"always on, without a switch: {', '.join(unswitched)}")


def other_chargers(settings: LiveSettings, backup: BackupSettings) -> Iterator[Check]:
    """Chargers that would charge from the island by themselves, were Parkwatt to end in an outage."""
    source_ids = {car.charger_id for car in settings.site.cars if car.car_id == backup.car_id}
    for charger_id, charger in settings.serve.chargers.items():
        default_kw = charger.default_limit_kw
        if charger_id in source_ids or default_kw <= 0.0:
            continue
        message = (
            f"charges with up to {default_kw:g} kW when nobody tells it anything: if Parkwatt ends in an outage,"
            " that comes out of the island"
        )
        remedy = (
            f"set default_kw = 0 in [[charger]] {charger_id}, or feed it from before the gateway"
        )
        yield Check("warning", f"charger {charger_id}", message, remedy)


def gateway_check(reading: GatewayReading, backup: BackupSettings, now_unix_us: int) -> Check:
    """What a gateway tells now. Contradicting contacts come first: with these nothing is ever closed."""
    unknown = _unknown(reading, backup)
    age_s = (now_unix_us - reading.measured_unix_us) / _US
    if reading.grid_pole == "closed" and reading.island_source == "closed":
        message = "grid pole and island source both say closed: a contact lies, or both sources feed the home"
        remedy = "have the installer look at it before anything else; until then nothing is closed"
    elif reading.grid_pole == "closed" and reading.bond == "closed":
        message = "grid pole and bond both say closed: neutral is earthed twice, or a contact lies"
        remedy = "have the installer look at it before anything else"
    elif reading.fault:
        message, remedy = f"it reports a fault: {reading.fault}", "see the gateway's manual"
    elif unknown:
        message = f"told, but unknown: {', '.join(unknown)}"
        remedy = "check their topics or registers, and the words for open and closed"
    elif age_s > backup.reading_age_s:
        old = f"{age_s:.0f} s old" if reading.measured_unix_us else "of a time that nobody knows"
        message = f"what it tells is {old}: it counts as unknown"
        remedy = "let it tell more often, or name its sign of life (alive_topic, alive)"
    elif reading.grid_pole == "closed" and not _is_in_band(reading, backup.grid_code):
        message = f"{_reading_words(reading)}: outside of {backup.grid_code.name}'s band, an outage or no grid to go back to"
        remedy = "correct grid_code, nominal_voltage_v or the scale of what is measured"
    else:
        return Check("ok", "gateway", _reading_words(reading))
    return Check("error", "gateway", message, remedy)


def _is_in_band(reading: GatewayReading, code: GridCode) -> bool:
    """Whether the grid is as the code asks for, or is not measured."""
    voltages_pu, hz = reading.grid_voltage_pu, reading.grid_frequency_hz
    if voltages_pu is None or hz is None:
        return True
    in_band = all(code.voltage_pu_min <= one <= code.voltage_pu_max for one in voltages_pu)
    return in_band and code.frequency_hz_min <= hz <= code.frequency_hz_max


def enter_service_checks(own: EnterService, grid_code: GridCode, device: str) -> Iterator[Check]:
    """A device's own bounds (SunSpec 703) beside those of the site's grid code; ``device``: what it is called."""
    laxer = [words for words, by in _differences(own, grid_code) if by > 0]
    stricter = [words for words, by in _differences(own, grid_code) if by < 0]
    if own.enabled is False:
        message = "it may not enter service at all (SunSpec 703)"
        yield Check("warning", device, message, "enable it in the device, or ask the installer")
    if laxer:
        message = (
            f"it returns to the grid sooner than {grid_code.name} asks for: {'; '.join(laxer)}"
        )
        remedy = "have the installer set its enter service (SunSpec 703), or correct grid_code"
        yield Check("warning", device, message, remedy)
    elif stricter:
        message = (
            f"it returns to the grid later than {grid_code.name} asks for: {'; '.join(stricter)}"
        )
        yield Check("ok", device, message)
    else:
        yield Check("ok", device, f"it returns to the grid as {grid_code.name} asks for")


def _differences(own: EnterService, code: GridCode) -> Iterator[tuple[str, int]]:
    """Words for each number that differs; 1 where the device is the laxer one, -1 where it is the stricter."""
    table = (
        ("voltage from", own.voltage_pu_min, code.voltage_pu_min, " pu", _SAME_PU, -1),
        ("voltage to", own.voltage_pu_max, code.voltage_pu_max, " pu", _SAME_PU, 1),
        ("frequency from", own.frequency_hz_min, code.frequency_hz_min, " Hz", _SAME_HZ, -1),
        ("frequency to", own.frequency_hz_max, code.frequency_hz_max, " Hz", _SAME_HZ, 1),
        ("after", own.delay_s, code.delay_s, " s", _SAME_S, -1),
        ("ramp of", own.ramp_s, code.ramp_s, " s", _SAME_S, -1),
    )
    for name, told, asked, unit, same, laxer in table:
        if told is None:
            continue
        off = told - asked
        if abs(off) > same:
            yield f"{name} {told:g}{unit} in place of {asked:g}{unit}", laxer if off > 0 else -laxer


def _unknown(reading: GatewayReading, backup: BackupSettings) -> list[str]:
    points = backup.gateway.points
    missing = points.missing()
    told: dict[str, object] = {
        "grid_pole": reading.grid_pole,
        "island_source": reading.island_source,
        "bond": reading.bond,
        "grid_present": reading.grid_present,
        "grid_voltage": reading.grid_voltage_pu,
        "grid_frequency": reading.grid_frequency_hz,
        "output_voltage": reading.output_voltage_pu,
    }
    return [name for name, value in told.items() if value is None and name not in missing]


def _reading_words(reading: GatewayReading) -> str:
    parts = []
    if reading.grid_voltage_pu is not None:
        volts = ", ".join(f"{value:.2f}" for value in reading.grid_voltage_pu)
        parts.append(f"grid {volts} pu")
    if reading.grid_frequency_hz is not None:
        parts.append(f"{reading.grid_frequency_hz:.2f} Hz")
    if reading.grid_present is not None:
        parts.append(
            "it says that the grid is there" if reading.grid_present else "it says no grid"
        )
    if reading.grid_pole is not None:
        parts.append(f"grid pole {reading.grid_pole}")
    if reading.island_source is not None:
        parts.append(f"island source {reading.island_source}")
    return ", ".join(parts)


@dataclass(slots=True)
class _Heard:
    """What the devices told while they were tried."""

    gateway: GatewayReading | None = None
    circuit_ids: set[str] = field(default_factory=set)
    faults: dict[str, str] = field(default_factory=dict)

    def on_gateway(self, reading: GatewayReading) -> None:
        self.gateway = reading

    def on_circuit(self, reading: CircuitReading) -> None:
        if reading.on is not None or reading.power_kw is not None:
            self.circuit_ids.add(reading.circuit_id)

    def on_state(self, state: SourceChanged) -> None:
        self.faults[state.source] = "" if state.ok else state.reason


async def _tried(backup: BackupSettings) -> list[Check]:
    heard = _Heard()
    devices = [one.device for one in backup.circuits if one.device is not None]
    links = DeviceLinks(backup.broker, _now_unix_us)
    runs: list[Callable[[], Awaitable[Any]]] = [
        lambda: links.gateway(backup.gateway).run(heard.on_gateway, heard.on_state),
        *(
            lambda link=link: link.run(heard.on_circuit, heard.on_state)  # bound now
            for link in links.circuits(devices)
        ),
    ]
    wanted = {device.points.circuit_id for device in devices if any(device.points.places())}
    await _listen(runs, lambda: _is_fresh(heard.gateway, backup) and heard.circuit_ids >= wanted)
    return [
        _told_gateway(heard, backup),
        *_told_circuits(heard, wanted),
        *await _described(backup),
    ]


async def _listen(runs: list[Callable[[], Awaitable[Any]]], is_enough: Callable[[], bool]) -> None:
    tasks = [asyncio.ensure_future(run()) for run in runs]
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                while not is_enough():
                    await asyncio.sleep(0.1)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _is_fresh(reading: GatewayReading | None, backup: BackupSettings) -> bool:
    return reading is not None and gateway_check(reading, backup, _now_unix_us()).level == "ok"


def _told_gateway(heard: _Heard, backup: BackupSettings) -> Check:
    if heard.gateway is not None:
        return gateway_check(heard.gateway, backup, _now_unix_us())
    faults = [heard.faults.get(source, "") for source in ("gateway", "mqtt.gateway")]
    reason = next((one for one in faults if one), f"told nothing within {_PATIENCE_S:.0f} s")
    return Check("error", "gateway", reason, "check [backup.gateway] and the way to it")


def _told_circuits(heard: _Heard, wanted: set[str]) -> Iterator[Check]:
    if wanted and wanted <= heard.circuit_ids:
        yield Check("ok", "circuits", f"{len(wanted)} are told")
    for circuit_id in sorted(wanted - heard.circuit_ids):
        fault = heard.faults.get(f"circuit.{circuit_id}", "") or heard.faults.get(
            "mqtt.circuits", ""
        )
        reason = fault or f"told nothing within {_PATIENCE_S:.0f} s"
        remedy = "check its topics or registers; one that tells changes only may just have had none"
        yield Check("warning", f"circuit {circuit_id}", reason, remedy)


async def _described(backup: BackupSettings) -> list[Check]:
    """What the devices on Modbus say of themselves, as far as they speak SunSpec."""
    devices: dict[ModbusDevice, str] = {}
    if isinstance(backup.gateway, ModbusGateway):
        devices[backup.gateway.device] = "gateway"
    if backup.battery is not None and isinstance(backup.battery.device, ModbusBattery):
        devices.setdefault(backup.battery.device.device, "home battery")
    found: list[Check] = []
    for device, name in devices.items():
        registers = SharedLinks().registers(device)
        # One that speaks no SunSpec says nothing of itself; one that does not answer was told of before.
        with contextlib.suppress(ModbusError):
            found += await _describes_itself(registers, name, backup)
        registers.close()
    return found


async def _describes_itself(registers: Registers, name: str, backup: BackupSettings) -> list[Check]:
    found: list[Check] = []
    own = await read_enter_service(registers)
    if own is not None:
        found += enter_service_checks(own, backup.grid_code, name)
    rated_kw = await read_discharge_kw(registers)
    if rated_kw is not None and backup.car_id is None and backup.continuous_kw > rated_kw:
        message = f"it gives {rated_kw:g} kW by its own rating, and continuous_kw is {backup.continuous_kw:g}"
        found.append(Check("warning", name, message, "lower continuous_kw in [backup]"))
    return found


def _now_unix_us() -> int:
    return time.time_ns() // 1000
