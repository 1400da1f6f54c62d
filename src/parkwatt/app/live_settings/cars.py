"""The cars of a running site: battery, wishes, and the charger that each hangs on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from parkwatt.app.car_settings import CarSettings as BatterySettings
from parkwatt.app.car_settings import car_storage, read_car
from parkwatt.app.live_settings.week import read_week
from parkwatt.domain.problem import Storage
from parkwatt.domain.record import Record
from parkwatt.domain.site.wish import Mode, Wishes
from parkwatt.io.mqtt.settings import SocTopic, check_topic, soc_topic
from parkwatt.io.ocpp.session.settings import ChargerSettings

MODES: Final[tuple[Mode, ...]] = ("now", "smart", "home", "grid", "off")
_EVSE_MAX: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class CarTable:
    """One car as the file tells it. ``phases``: of the grid that it charges on, from 0; None: as its charger.

    ``soc``: a topic of MQTT that tells its state of charge. ``trips``: an iCalendar file or address,
    ``trips_match``: what its trips hold in their text. ``cell_id``, ``temperature_c``: of its battery, for the wear model.
    """

    field: str
    storage: Storage
    charger_id: str
    evse_id: int
    wishes: Wishes
    phases: tuple[int, ...] | None
    soc: SocTopic | None
    trips: str | None
    trips_match: str | None
    consumption_kwh_per_km: float
    public_price_per_kwh: float
    cell_id: str
    temperature_c: float

    @property
    def car_id(self) -> str:
        """The car's name."""
        return self.storage.id


def read_cars(
    records: list[Record], chargers: Mapping[str, ChargerSettings], announced: set[str] | None
) -> tuple[CarTable, ...]:
    """All cars. ``chargers``: those with a table of their own.

    ``announced``: those with a credential; None: any may connect.
    """
    found: list[CarTable] = []
    names: set[str] = set()
    places: set[tuple[str, int]] = set()
    only = next(iter(chargers)) if len(chargers) == 1 and len(records) == 1 else None
    for record in records:
        car = _read_car(record, only)
        if car.car_id in names:
            record.fault("name", "must be given once: each car has a name of its own", car.car_id)
        names.add(car.car_id)
        known = announced is None or car.charger_id in chargers or car.charger_id in announced
        if car.charger_id and not known:
            rule = "must be a charger with a table [[charger]] or with a credential (parkwatt charger add)"
            record.fault("charger", rule, car.charger_id)
        place = (car.charger_id, car.evse_id)
        if car.charger_id and place in places:
            rule = f"must be of one car only: another is at connection point {car.evse_id} already"
            record.fault("charger", rule, car.charger_id)
        places.add(place)
        found.append(car)
    return tuple(found)


def _read_car(record: Record, only_charger: str | None) -> CarTable:
    faults_before = len(record.faults.found)
    battery = read_car(record)
    wishes = _read_wishes(record, battery)
    charger_id = record.text("charger", only_charger)
    evse_id = record.integer("evse", 1, minimum=1, maximum=_EVSE_MAX)
    phases = _read_phases(record)
    soc = _read_soc(record, battery.name)
    trips, trips_match = record.optional_text("trips"), record.optional_text("trips_match")
    if trips_match is not None and trips is None:
        record.fault("trips_match", "needs trips")
    consumption = record.number("consumption_kwh_per_km", 0.18, above=0.0, maximum=5.0)
    record.finish()
    sound = len(record.faults.found) == faults_before
    return CarTable(
        field=record.path,
        storage=_whole_battery(battery, sound),
        charger_id=charger_id,
        evse_id=evse_id,
        wishes=wishes,
        phases=phases,
        soc=soc,
        trips=trips,
        trips_match=trips_match,
        consumption_kwh_per_km=consumption,
        public_price_per_kwh=battery.public_price_per_kwh,
        cell_id=battery.cell,
        temperature_c=battery.temperature_c,
    )


def _whole_battery(battery: BatterySettings, sound: bool) -> Storage:
    """From empty to full: floor and target are wishes, which change. After a fault a stand-in that bears the car's name."""
    if not sound:
        return Storage(
            id=battery.name,
            energy_kwh_min=0.0,
            energy_kwh_max=1.0,
            charge_kw_max=1.0,
            discharge_kw_max=1.0,
            charge_efficiency=1.0,
            discharge_efficiency=1.0,
        )
    storage = car_storage(battery, battery.temperature_c)
    return replace(storage, energy_kwh_min=0.0, energy_kwh_max=battery.battery_kwh)


def _read_wishes(record: Record, battery: BatterySettings) -> Wishes:
    consents = record.boolean("discharge", False)
    name = record.text("mode", "smart", choices=MODES)
    mode: Mode = next((one for one in MODES if one == name), "smart")
    if mode in ("home", "grid") and not consents:
        rule = "must be now, smart or off without discharge = true: the driver has to agree to it"
        record.fault("mode", rule, mode)
    if battery.ready_soc < battery.floor_soc:
        rule = f"must be at least floor_soc, {battery.floor_soc:g}"
        record.fault("ready_soc", rule, battery.ready_soc)
    return Wishes(
        mode=mode,
        floor_soc=battery.floor_soc,
        target_soc=battery.ready_soc,
        highest_soc=battery.highest_soc,
        ready_by_s=read_week(record.record("ready_by", required=False)),
        consents=consents,
    )


def _read_soc(record: Record, car_id: str) -> SocTopic | None:
    topic, path = record.optional_text("soc_topic"), record.optional_text("soc_path")
    unit = record.text("soc_unit", "percent", choices=("percent", "fraction"))
    if topic is None:
        for name in ("soc_path", "soc_unit"):
            if record.has(name):
                record.fault(name, "needs soc_topic")
        return None
    check_topic(record, "soc_topic", topic)
    return soc_topic(car_id, topic, path, "fraction" if unit == "fraction" else "percent")


def _read_phases(record: Record) -> tuple[int, ...] | None:
    if not record.has("phases"):
        return None
    told = record.numbers("phases").tolist()
    if not told or sorted(set(told)) != told or not set(told) <= {1.0, 2.0, 3.0}:
        rule = "must list the phases that the car charges on, as in [1] or [1, 2, 3]"
        record.fault("phases", rule, record.value("phases"))
        return None
    return tuple(int(phase) - 1 for phase in told)
