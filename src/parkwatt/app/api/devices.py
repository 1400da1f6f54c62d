"""All that a site hears and speaks with, each with when it was last seen and what to do where something is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from parkwatt.app.api.live import LiveSnapshot
from parkwatt.app.api.live_backup import BackupSnapshot
from parkwatt.app.api.site import Site
from parkwatt.app.api.views import at

_US: Final = 1_000_000
_FRESH_US: Final = 60 * _US
_CHARGERS_MAX: Final = 200
# What stands before a source's name: its kind, and what to do where it gives nothing.
_SOURCES: Final = (
    ("prices", "prices", "check the network and the keys of this source in [tariff]"),
    ("calendar", "calendar", "check trips of this car: a file, or its address"),
    ("meter", "meter", "check its address, and that it is switched on"),
    ("broker", "broker", "check that it runs, and the table [mqtt]"),
)
State = Literal["ok", "silent", "never", "refused"]


class DeviceView(BaseModel):
    """A device or a source."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(
        description="charger, meter, gateway, circuit, prices, calendar, broker or source"
    )
    name: str
    state: State = Field(description="ok; silent now; never seen; refused at the door")
    seen_at: datetime | None = Field(description="null where it is not told, or never was")
    message: str
    to_do: str = Field(description="empty where nothing is to be done")


def devices(site: Site) -> list[DeviceView]:
    """All of them: chargers that are in, chargers that were refused, meters, what backs up the home, sources."""
    found = [*_chargers(site), *_refused(site)]
    if site.live is None:
        return found
    snapshot = site.live.snapshot()
    found += [*_meters(snapshot), *_sources(snapshot)]
    if site.live.backup is not None:
        found += _backup(site.live.backup.snapshot())
    return found


def _chargers(site: Site) -> Iterator[DeviceView]:
    wanted = {car.charger_id for car in site.live.snapshot().settings.cars} if site.live else set()
    heard = site.backend.charger_ids[:_CHARGERS_MAX]
    for charger_id in sorted({*wanted, *heard}):
        station = site.backend.station(charger_id)
        state = None if station is None else station.state
        if state is None or state.seen_unix_us is None:
            to_do = "give it a credential, and type the site's address into it"
            yield _device("charger", charger_id, "never", None, "was never seen", to_do)
        elif state.connected:
            boot = state.boot
            about = "" if boot is None else f"{boot.vendor} {boot.model}".strip()
            yield _device("charger", charger_id, "ok", state.seen_unix_us, about or "is connected")
        else:
            why = state.disconnect_reason or "is not connected"
            to_do = "check its power and network; it connects again by itself"
            yield _device("charger", charger_id, "silent", state.seen_unix_us, why, to_do)


def _refused(site: Site) -> Iterator[DeviceView]:
    for one in site.tried.latest():
        station = site.backend.station(one.charger_id)
        if station is not None and station.state.connected:
            continue
        message = f"tried to connect from {one.peer}: {one.reason}"
        to_do = "if it is yours, make it a credential (parkwatt charger add) and type it in"
        yield _device("charger", one.charger_id, "refused", one.seen_unix_us, message, to_do)


def _meters(snapshot: LiveSnapshot) -> Iterator[DeviceView]:
    reading, now_unix_us = snapshot.reading, snapshot.now_unix_us
    told = (
        ("grid", reading.grid_kw, reading.grid_unix_us),
        ("solar", reading.solar_kw, reading.solar_unix_us),
        ("load", reading.load_kw, reading.load_unix_us),
        ("battery", reading.battery_kw, reading.battery_unix_us),
    )
    for name, power_kw, measured_unix_us in told:
        if not measured_unix_us or power_kw is None:
            continue
        fresh = now_unix_us - measured_unix_us <= _FRESH_US
        to_do = "" if fresh else "check the meter and the way to it"
        state: State = "ok" if fresh else "silent"
        yield _device("meter", name, state, measured_unix_us, f"{power_kw:.2f} kW", to_do)
    has_grid = bool(reading.grid_unix_us or reading.load_unix_us)
    if snapshot.settings.has_meter and not has_grid:
        to_do = "check its address in [meter.grid]"
        yield _device("meter", "grid", "never", None, "told nothing yet", to_do)
    elif not snapshot.settings.has_meter:
        to_do = "set [meter.grid]: without one no car is discharged"
        yield _device("meter", "grid", "never", None, "there is no meter at the grid", to_do)


def _sources(snapshot: LiveSnapshot) -> Iterator[DeviceView]:
    for source in sorted(snapshot.sources.values(), key=lambda one: one.source):
        kind, remedy = next(
            ((kind, to_do) for begin, kind, to_do in _SOURCES if source.source.startswith(begin)),
            ("source", "check its settings; it is tried again by itself"),
        )
        if source.ok:
            yield _device(kind, source.source, "ok", None, "gives what it should")
        else:
            why = source.reason or "gives nothing"
            yield _device(kind, source.source, "silent", None, why, remedy)


def _backup(snapshot: BackupSnapshot) -> Iterator[DeviceView]:
    controller = snapshot.controller
    gateway = controller.observation.gateway
    if gateway is None:
        to_do = "check the table [backup.gateway], and the way to it"
        yield _device("gateway", "gateway", "never", None, "told nothing yet", to_do)
    else:
        age_us = snapshot.now_unix_us - gateway.measured_unix_us
        fresh = age_us <= controller.settings.island.reading_age_s * _US
        why = gateway.fault or ("tells where its poles are" if fresh else "tells nothing now")
        well = fresh and not gateway.fault
        state: State = "ok" if fresh else "silent"
        to_do = "" if well else "look at the gateway before you rely on it"
        yield _device("gateway", "gateway", state, gateway.measured_unix_us, why, to_do)
    for circuit in controller.settings.circuits:
        reading = controller.observation.circuits.get(circuit.circuit_id)
        if reading is None:
            # One without a device is switched by hand and tells nothing: nothing is to be done.
            to_do = "check its device in [[backup.circuit]]" if circuit.switchable else ""
            never: State = "never" if circuit.switchable else "ok"
            message = "told nothing yet" if circuit.switchable else "has no switch of its own"
            yield _device("circuit", circuit.name, never, None, message, to_do)
            continue
        power = "" if reading.power_kw is None else f", {reading.power_kw:.2f} kW"
        on = {True: "on", False: "off", None: "told"}[reading.on]
        yield _device("circuit", circuit.name, "ok", reading.measured_unix_us, on + power)


def _device(
    kind: str, name: str, state: State, seen_unix_us: int | None, message: str, to_do: str = ""
) -> DeviceView:
    return DeviceView(
        kind=kind, name=name, state=state, seen_at=at(seen_unix_us), message=message, to_do=to_do
    )
