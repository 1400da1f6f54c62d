"""The chargers that a site's file calls virtual: played in this process, each with a car in it, to try a site."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, Final, NoReturn

import structlog

from parkwatt.app.live_settings import LiveSettings
from parkwatt.io.sim.link import LinkSettings
from parkwatt.io.sim.run import run_station
from parkwatt.io.sim.settings import CarSettings, StationSettings

_AGAIN_S: Final = 5.0
_METER_S: Final = 10
# With what the car came home.
_SOC: Final = 0.4


def virtual_chargers(settings: LiveSettings) -> Iterator[Coroutine[Any, Any, object]]:
    """One endless task for each."""
    host, port = settings.serve.ocpp.address.host, settings.serve.ocpp.address.port
    where = "127.0.0.1" if settings.serve.ocpp.address.is_anywhere else host
    url = f"ws://{f'[{where}]' if ':' in where else where}:{port}"
    for charger_id in settings.serve.virtual:
        yield _play(url, _station(charger_id, settings))


def _station(charger_id: str, settings: LiveSettings) -> StationSettings:
    charger = settings.serve.charger(charger_id)
    car = next((one for one in settings.site.cars if one.charger_id == charger_id), None)
    power_kw = charger.power_kw_max
    if car is None:
        played = CarSettings(charge_kw_max=power_kw, soc=_SOC)
    else:
        played = CarSettings(
            capacity_kwh=car.capacity_kwh,
            soc=_SOC,
            charge_kw_max=min(power_kw, car.storage.charge_kw_max),
            discharge_kw_max=min(power_kw, car.storage.discharge_kw_max),
        )
    return StationSettings(
        id=charger_id,
        car=played,
        power_kw_max=power_kw,
        discharge_kw_max=power_kw,
        phases=charger.phase_count,
        is_dc=charger.discharge,
        meter_interval_s=_METER_S,
    )


async def _play(url: str, station: StationSettings) -> NoReturn:
    """Whatever a virtual charger does, it never ends the site."""
    while True:
        try:
            await run_station(LinkSettings(url), station, stop=asyncio.Event())
        except Exception as error:  # noqa: BLE001 see above
            structlog.get_logger().error("virtual charger ended", id=station.id, reason=str(error))
        await asyncio.sleep(_AGAIN_S)
