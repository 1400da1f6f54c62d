"""The island's source as SunSpec tells of it: models 701, 703 and 713, laid out by the SunSpec Alliance's model definitions."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from parkwatt.io.sim.backup.home import BackupHome
from parkwatt.io.sim.backup.words import UNKNOWN, signed, split, unsigned

_STATES: Final = {"off": 0, "starting": 2, "forming": 3, "tripped": 6, "empty": 7, "dead": 6}
_FOLLOWING, _FORMING = 1, 2
_TENTHS, _HUNDREDTHS = 0xFFFF, 0xFFFE  # powers of ten, -1 and -2


@dataclass(frozen=True, slots=True)
class EnterService:
    """What model 703 says: voltage in pu and frequency in Hz that must hold for the delay, then a ramp. By IEEE 1547-2018."""

    voltage_pu: tuple[float, float] = (0.917, 1.05)
    frequency_hz: tuple[float, float] = (59.5, 60.1)
    delay_s: int = 300
    ramp_s: int = 300

    @classmethod
    def around(cls, nominal_hz: float) -> EnterService:
        """The same distances from another nominal frequency; at 50 Hz that is no country's code."""
        return cls(frequency_hz=(nominal_hz - 0.5, nominal_hz + 0.1))


def models(home: BackupHome, enter_service: EnterService, nominal_v: float) -> list[int]:
    """Models 701, 703 and 713, one behind the other."""
    return [*_measured(home, nominal_v), *_enter_service(enter_service), *_storage(home)]


def _measured(home: BackupHome, nominal_v: float) -> list[int]:
    """Model 701: powers in W, giving positive."""
    source, totals = home.source, home.truth.totals
    block = [0] * 155
    block[0:6] = [
        701,
        153,
        2 if home.grid.phases == 3 else 0,
        int(source.is_forming),
        _STATES[source.state],
        int(home.gateway.is_closed("island_source")),
    ]
    block[8:10] = split(_FORMING if source.is_forming else _FOLLOWING)
    block[10:12] = [signed(1000.0 * source.power_kw)] * 2
    volts = 10.0 * home.voltage_pu * nominal_v
    block[15:17] = [unsigned(volts * 3.0**0.5), unsigned(volts)]
    block[17:19] = split(round(100.0 * home.frequency_hz))
    block[19:23] = _uint64(1000.0 * totals.source_given_kwh)
    block[23:27] = _uint64(1000.0 * totals.source_taken_kwh)
    block[114:116] = [_TENTHS, _HUNDREDTHS]
    return block


def _enter_service(settings: EnterService) -> list[int]:
    """Model 703."""
    (low_pu, high_pu), (low_hz, high_hz) = settings.voltage_pu, settings.frequency_hz
    return [
        *(703, 17, 1, unsigned(1000.0 * high_pu), unsigned(1000.0 * low_pu)),
        *(*split(round(100.0 * high_hz)), *split(round(100.0 * low_hz))),
        *(*split(settings.delay_s), *split(0), *split(settings.ramp_s), *split(0)),
        *(_TENTHS, _HUNDREDTHS),
    ]


def _storage(home: BackupHome) -> list[int]:
    """Model 713: of the car, or of the stationary battery where no car is there."""
    source = home.source
    battery = source.car if source.car is not None and source.is_plugged else source.battery
    if battery is None:
        return [713, 7, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, 1, _TENTHS]
    amounts = (battery.settings.capacity_kwh, battery.energy_kwh)
    status = 2 if source.state in ("tripped", "dead") else 0
    return [
        *(713, 7, *(unsigned(100.0 * energy_kwh) for energy_kwh in amounts)),
        *(unsigned(1000.0 * battery.soc), 1000, status, 1, _TENTHS),
    ]


def _uint64(value: float) -> list[int]:
    return list(struct.unpack(">4H", struct.pack(">Q", round(value))))
