"""What a site's accounts need to know that is not in its journal."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from parkwatt.domain.problem import Storage
from parkwatt.domain.tariff import Tariff


@dataclass(frozen=True, slots=True, kw_only=True)
class CarAccountSettings:
    """One car and the connection point that it hangs on.

    ``storage``: from empty to the usable capacity, with powers at the charger, efficiencies and the prices of wear.
    ``floor_soc``: that of the site's file, until a wish changes it. ``cell_id``: one of `parkwatt.plan.wear.CELLS`, at
    ``temperature_c``; None: not known.
    """

    charger_id: str
    storage: Storage
    evse_id: int = 1
    floor_soc: float = 0.0
    cell_id: str | None = None
    temperature_c: float = 20.0

    @property
    def car_id(self) -> str:
        """The car's name."""
        return self.storage.id

    @property
    def capacity_kwh(self) -> float:
        """What the battery holds."""
        return self.storage.energy_kwh_max


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """One site. ``tariff``: tells the prices of times at which the program did not run. Limits in kW, None = none."""

    site_name: str
    time_zone: ZoneInfo
    tariff: Tariff
    cars: tuple[CarAccountSettings, ...]
    import_limit_kw: float | None = None
    export_limit_kw: float | None = None

    @property
    def currency(self) -> str:
        """The code of the currency of all money."""
        return self.tariff.currency

    def car(self, car_id: str) -> CarAccountSettings | None:
        """A car; None where the site's file names none of that name (any more)."""
        return next((car for car in self.cars if car.car_id == car_id), None)

    def car_at(self, charger_id: str, evse_id: int) -> CarAccountSettings | None:
        """The car that hangs on a connection point."""
        for car in self.cars:
            if (car.charger_id, car.evse_id) == (charger_id, evse_id):
                return car
        return None
