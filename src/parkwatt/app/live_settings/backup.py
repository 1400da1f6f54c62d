"""A home's backup: the table [backup] with its gateway, circuits, battery, generator and alerts.

What they say is checked against itself and against the cars. What is not safe is a fault: an outage that nothing tells of, a
gateway that is commanded and does not tell where its poles are, or cannot be told to open them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from parkwatt.domain.errors import InputError
from parkwatt.domain.home.circuit import Circuit, Tier
from parkwatt.domain.home.gateway import GatewayAbilities, TransferAction
from parkwatt.domain.record import Record
from parkwatt.home.generator import GENERATOR_ID
from parkwatt.home.grid_code import GRID_CODES, GridCode, custom_grid_code
from parkwatt.io.alerts import AlertSettings, read_alerts
from parkwatt.io.gateway.modbus_settings import (
    ModbusBattery,
    ModbusCircuit,
    ModbusDevice,
    ModbusGateway,
    read_modbus_battery,
    read_modbus_circuit,
    read_modbus_gateway,
)
from parkwatt.io.gateway.mqtt_settings import (
    MqttBattery,
    MqttCircuit,
    MqttGateway,
    read_mqtt_battery,
    read_mqtt_circuit,
    read_mqtt_gateway,
)
from parkwatt.io.mqtt.settings import MqttSettings

GatewayDevice = MqttGateway | ModbusGateway
CircuitDevice = MqttCircuit | ModbusCircuit
BatteryDevice = MqttBattery | ModbusBattery

TIERS: Final[tuple[Tier, ...]] = ("must_have", "nice_to_have", "not_needed")
_KW_MAX: Final = 1000.0
_KWH_MAX: Final = 10_000.0
# As stationary systems wait for the sun after they ran empty (research: Enphase's self-recovery).
_RESTART_WAITS_S: Final = (600.0, 1200.0, 2400.0, 7200.0)
_GRID_CODE_NUMBERS: Final = (
    "voltage_pu_min",
    "voltage_pu_max",
    "frequency_hz_min",
    "frequency_hz_max",
    "nominal_hz",
    "delay_s",
    "ramp_s",
)
_NEEDED: Final[tuple[TransferAction, ...]] = (
    "open_grid_pole",
    "close_grid_pole",
    "close_island_source",
    "open_island_source",
)


@dataclass(frozen=True, slots=True)
class BackupCircuit:
    """A circuit, and the device that tells and switches it; None where there is none."""

    circuit: Circuit
    device: CircuitDevice | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupBattery:
    """A stationary battery that joins the island. ``device``: where its state of charge is told."""

    battery_id: str
    capacity_kwh: float
    floor_soc: float
    discharge_kw_max: float
    discharge_efficiency: float
    device: BatteryDevice


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupGenerator:
    """A generator. ``fuel_kwh``: what its fuel gives; None: as long as anybody asks. ``device``: its switch, if any."""

    power_kw_max: float
    fuel_kwh: float | None
    warm_up_s: int
    cool_down_s: int
    device: CircuitDevice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSettings:
    """All that a home's backup needs.

    ``car_id``: the car whose charger forms the island; None: the stationary battery does. ``floor_soc``: how low that car may
    be discharged in an outage; None: its own floor. ``continuous_kw``, ``surge_kw``: what the inverter gives steadily, and for
    a second. ``standby_kw``: what gateway and inverter use themselves. ``restart_kwh``: what they need to start again.
    ``answer_s``, ``source_answer_s``: how long a pole, and the island's source, may take to follow.
    ``reading_age_s``: an older reading of the gateway is unknown. ``lease_s``: how long a closed island source and a circuit
    that was switched off hold without a new command, where the device can do so. ``broker``: None where nothing speaks MQTT.
    ``forecast_s``: how often it is reckoned anew how long the home lasts.
    """

    grid_code: GridCode
    car_id: str | None
    floor_soc: float | None
    continuous_kw: float
    surge_kw: float
    standby_kw: float
    restart_kwh: float
    gateway: GatewayDevice
    abilities: GatewayAbilities
    circuits: tuple[BackupCircuit, ...] = ()
    battery: BackupBattery | None = None
    generator: BackupGenerator | None = None
    alerts: AlertSettings | None = None
    broker: MqttSettings | None = None
    confirm_s: float = 2.0
    dead_s: float = 1.0
    answer_s: float = 5.0
    source_answer_s: float = 60.0
    reading_age_s: float = 5.0
    lease_s: int = 15
    spacing_s: float = 10.0
    restart_waits_s: tuple[float, ...] = _RESTART_WAITS_S
    test_minutes_max: int = 30
    forecast_s: float = 60.0


def read_backup(
    record: Record,
    *,
    car_ids: Collection[str],
    nominal_voltage_v: float,
    phase_count: int,
    broker: MqttSettings | None,
) -> BackupSettings:
    """The table [backup]. ``nominal_voltage_v``, ``phase_count``: of the connection. After faults it must not be used."""
    gateway, abilities = _read_gateway(record.record("gateway"), nominal_voltage_v, phase_count)
    at = gateway.device if isinstance(gateway, ModbusGateway) else None
    circuits = _read_circuits(record.records("circuit"), at)
    battery = _read_battery(record.record("battery")) if record.has("battery") else None
    generator = None
    if record.has("generator"):
        generator = _read_generator(record.record("generator"), at, circuits)
    devices = [
        gateway,
        *(one.device for one in circuits),
        battery and battery.device,
        generator and generator.device,
    ]
    speaks_mqtt = any(isinstance(one, MqttGateway | MqttCircuit | MqttBattery) for one in devices)
    if speaks_mqtt and broker is None:
        record.fault("gateway", "needs [mqtt], as all that speaks MQTT: name the broker's host")
    continuous_kw = record.number("continuous_kw", above=0.0, maximum=_KW_MAX)
    surge_kw = record.number("surge_kw", continuous_kw, above=0.0, maximum=_KW_MAX)
    if surge_kw < continuous_kw:
        record.fault("surge_kw", f"must be at least continuous_kw, {continuous_kw:g}", surge_kw)
    settings = BackupSettings(
        grid_code=_read_grid_code(record),
        car_id=_read_source(record, car_ids, battery),
        floor_soc=record.optional_number("floor_soc", minimum=0.0, maximum=1.0),
        continuous_kw=continuous_kw,
        surge_kw=surge_kw,
        standby_kw=record.number("standby_w", 100.0, minimum=0.0, maximum=5000.0) / 1000.0,
        restart_kwh=record.number("restart_kwh", 0.5, minimum=0.0, maximum=100.0),
        gateway=gateway,
        abilities=abilities,
        circuits=circuits,
        battery=battery,
        generator=generator,
        alerts=read_alerts(record.record("alerts")) if record.has("alerts") else None,
        broker=broker if speaks_mqtt else None,
        confirm_s=record.number("confirm_s", 2.0, minimum=1.0, maximum=60.0),
        dead_s=record.number("dead_s", 1.0, minimum=0.1, maximum=60.0),
        answer_s=record.number("answer_s", 5.0, minimum=1.0, maximum=120.0),
        source_answer_s=record.number("source_answer_s", 60.0, minimum=1.0, maximum=600.0),
        reading_age_s=record.number("reading_age_s", 5.0, minimum=1.0, maximum=60.0),
        lease_s=record.integer("lease_s", 15, minimum=5, maximum=900),
        spacing_s=record.number("spacing_s", 10.0, minimum=1.0, maximum=600.0),
        restart_waits_s=_read_waits(record),
        test_minutes_max=record.integer("test_minutes_max", 30, minimum=1, maximum=240),
        forecast_s=record.number("forecast_s", 60.0, minimum=60.0, maximum=600.0),
    )
    record.finish()
    return settings


def _read_grid_code(record: Record) -> GridCode:
    """``grid_code``: a profile's name, or a table with the user's own numbers."""
    stand_in = next(iter(GRID_CODES.values()))
    if not isinstance(record.value("grid_code"), dict):
        return GRID_CODES.get(record.text("grid_code", choices=tuple(GRID_CODES)), stand_in)
    table = record.record("grid_code")
    found_before = len(record.faults.found)
    numbers = {name: table.number(name) for name in _GRID_CODE_NUMBERS}
    name, source = table.text("name", "own"), table.text("source")
    table.finish()
    if len(record.faults.found) > found_before:
        return stand_in
    try:
        return custom_grid_code(name=name, source=source, field=table.path, **numbers)
    except InputError as error:
        record.faults.found.extend(error.faults)
    return stand_in


def _read_source(
    record: Record, car_ids: Collection[str], battery: BackupBattery | None
) -> str | None:
    """The car that forms the island; None for the battery."""
    source = record.text("source")
    kind, _, car_id = source.partition(":")
    if source == "battery":
        if battery is None:
            record.fault("source", "needs the table [backup.battery]", source)
        return None
    if source and (kind != "car" or not car_id):
        record.fault("source", 'must be "battery", or "car:" with a car\'s name', source)
    elif source and car_id not in car_ids:
        known = ", ".join(sorted(car_ids))
        record.fault("source", f"must be a car of this site (known: {known})", source)
    return car_id


def _read_gateway(
    record: Record, nominal_voltage_v: float, phase_count: int
) -> tuple[GatewayDevice, GatewayAbilities]:
    kind = record.text("source", choices=("mqtt", "modbus"))
    nominal_v = record.number("nominal_voltage_v", nominal_voltage_v, minimum=50.0, maximum=1500.0)
    gateway: GatewayDevice = (
        read_modbus_gateway(record, nominal_v)
        if kind == "modbus"
        else read_mqtt_gateway(record, nominal_v, phase_count)
    )
    points = gateway.points
    abilities = GatewayAbilities(
        reports_bond=record.boolean("reports_bond", "bond" in points.flags),
        reports_output_voltage=record.boolean(
            "reports_output_voltage", points.output_voltage is not None
        ),
        transfers_itself=record.boolean("transfers_itself", False),
    )
    if abilities.reports_bond != ("bond" in points.flags):
        record.fault("reports_bond", "must be true where bond is told, and only there")
    if abilities.reports_output_voltage != (points.output_voltage is not None):
        record.fault(
            "reports_output_voltage", "must be true where output_voltage is told, and only there"
        )
    if kind:
        record.finish()
        _check_gateway(record, gateway, abilities)
    return gateway, abilities


def _check_gateway(record: Record, gateway: GatewayDevice, abilities: GatewayAbilities) -> None:
    """What an island cannot be run without."""
    points = gateway.points
    told_by_measuring = bool(points.grid_voltage) and points.grid_frequency is not None
    if not told_by_measuring and "grid_present" not in points.flags:
        rule = "is required with grid_frequency, or grid_present in their place: power never tells an outage"
        record.fault("grid_voltage", rule)
    if abilities.transfers_itself:
        if gateway.commands:
            record.fault("commands", "must be empty where the gateway transfers itself")
        return
    for name in ("grid_pole", "island_source"):
        if name not in points.flags:
            record.fault(
                name,
                "is required: without its feedback nothing is closed, unless it transfers itself",
            )
    for action in _NEEDED:
        if action not in gateway.commands:
            record.fault(f"commands.{action}", "is required, unless the gateway transfers itself")


def _read_circuits(
    records: list[Record], gateway: ModbusDevice | None
) -> tuple[BackupCircuit, ...]:
    circuits: list[BackupCircuit] = []
    names: set[str] = set()
    for record in records:
        one = _read_circuit(record, gateway)
        if one.circuit.circuit_id in names:
            record.fault("id", "must be given once", one.circuit.circuit_id)
        names.add(one.circuit.circuit_id)
        circuits.append(one)
    return tuple(circuits)


def _read_circuit(record: Record, gateway: ModbusDevice | None) -> BackupCircuit:
    circuit_id = record.text("id")
    device = _read_circuit_device(record, circuit_id, gateway)
    tier = record.text("tier", choices=TIERS)
    medical = record.boolean("medical", False)
    power_kw_rated = record.number("power_kw_rated", above=0.0, maximum=_KW_MAX)
    inrush_kw = record.number("inrush_kw", power_kw_rated, above=0.0, maximum=_KW_MAX)
    if inrush_kw < power_kw_rated:
        record.fault("inrush_kw", f"must be at least power_kw_rated, {power_kw_rated:g}", inrush_kw)
    if medical and tier != "must_have":
        record.fault("tier", "must be must_have for a medical circuit", tier)
    circuit = Circuit(
        circuit_id=circuit_id,
        name=record.text("name", circuit_id or None),
        tier=next((one for one in TIERS if one == tier), "must_have"),
        power_kw_rated=power_kw_rated,
        inrush_kw=inrush_kw,
        on_s_min=record.integer("on_s_min", 60, minimum=0, maximum=86_400),
        off_s_min=record.integer("off_s_min", 300, minimum=0, maximum=86_400),
        medical=medical,
        switchable=device is not None and device.points.switch_off is not None,
    )
    record.finish()
    return BackupCircuit(circuit, device)


def _read_circuit_device(
    record: Record, circuit_id: str, gateway: ModbusDevice | None
) -> CircuitDevice | None:
    kind = record.text("source", "none", choices=("mqtt", "modbus", "none"))
    if kind == "none":
        return None
    device: CircuitDevice = (
        read_modbus_circuit(record, circuit_id, gateway)
        if kind == "modbus"
        else read_mqtt_circuit(record, circuit_id)
    )
    points = device.points
    if points.state is None and points.power is None and points.switch_off is None:
        record.fault("source", "needs state, power or a switch; none for a circuit without", kind)
    return device


def _read_battery(record: Record) -> BackupBattery:
    kind = record.text("source", choices=("mqtt", "modbus"))
    device: BatteryDevice = (
        read_modbus_battery(record) if kind == "modbus" else read_mqtt_battery(record)
    )
    battery = BackupBattery(
        battery_id=record.text("name", "battery"),
        capacity_kwh=record.number("capacity_kwh", above=0.0, maximum=_KWH_MAX),
        floor_soc=record.number("floor_soc", 0.1, minimum=0.0, maximum=1.0),
        discharge_kw_max=record.number("discharge_kw_max", above=0.0, maximum=_KW_MAX),
        discharge_efficiency=record.number("discharge_efficiency", 0.95, above=0.0, maximum=1.0),
        device=device,
    )
    if kind:
        record.finish()
    return battery


def _read_generator(
    record: Record, gateway: ModbusDevice | None, circuits: tuple[BackupCircuit, ...]
) -> BackupGenerator:
    device = _read_circuit_device(record, GENERATOR_ID, gateway)
    if device is not None and device.points.switch_on is None:
        record.fault("source", "needs what starts and stops it: command_topic, or switch on Modbus")
    if device is not None and any(one.circuit.circuit_id == GENERATOR_ID for one in circuits):
        rule = f"needs that no circuit is called {GENERATOR_ID}: that is the generator's switch"
        record.fault("source", rule)
    generator = BackupGenerator(
        power_kw_max=record.number("power_kw_max", above=0.0, maximum=_KW_MAX),
        fuel_kwh=record.optional_number("fuel_kwh", minimum=0.0, maximum=_KWH_MAX),
        warm_up_s=record.integer("warm_up_s", 30, minimum=0, maximum=3600),
        cool_down_s=record.integer("cool_down_s", 60, minimum=0, maximum=3600),
        device=device,
    )
    record.finish()
    return generator


def _read_waits(record: Record) -> tuple[float, ...]:
    if not record.has("restart_waits_s"):
        return _RESTART_WAITS_S
    waits_s = record.numbers("restart_waits_s", minimum=1.0).tolist()
    if not waits_s or waits_s != sorted(waits_s):
        rule = "must hold at least one wait, each as long as the one before it or longer"
        record.fault("restart_waits_s", rule)
    return tuple(waits_s)
