"""The virtual station of the version that its settings name."""

from __future__ import annotations

from parkwatt.io.sim import v2_charging, v2_control, v2_model, v16_requests
from parkwatt.io.sim.settings import StationSettings
from parkwatt.io.sim.station import VirtualStation
from parkwatt.io.sim.station_v2 import StationV2
from parkwatt.io.sim.station_v16 import StationV16

_V201 = {**v2_charging.HANDLERS_V201, **v2_control.HANDLERS_V201, **v2_model.HANDLERS_V201}
_V21 = {**_V201, **v2_charging.HANDLERS_V21, **v2_model.HANDLERS_V21}


def virtual_station(settings: StationSettings, now_unix_us: int) -> VirtualStation:
    """A virtual station, not yet connected, whose simulated time is ``now_unix_us``."""
    if settings.protocol == "1.6":
        return StationV16(settings, now_unix_us, v16_requests.HANDLERS)
    return StationV2(settings, now_unix_us, _V21 if settings.protocol == "2.1" else _V201)
