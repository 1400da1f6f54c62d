"""What a running site is, as far as its control needs to know: facts that stay while the program runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from parkwatt.domain.problem import Storage
from parkwatt.domain.site.wish import Wishes
from parkwatt.domain.tariff import Tariff
from parkwatt.forecast.power import PowerForecaster
from parkwatt.site.guard.facts import Circuit, Interconnection
from parkwatt.site.guard.settings import GuardSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class CarSettings:
    """One car and the connection point that it hangs on.

    ``storage``: the battery with the powers at the charger, efficiencies and prices for wear; its ``energy_kwh_min`` and
    ``energy_kwh_max`` are 0 and the usable capacity: floors and targets are wishes. ``wishes``: those of the site's file.
    ``charger_discharges``: the charger's settings allow it. ``phases``: of the grid that the charger uses, 0 to 2.
    ``default_kw``: what the charger charges with when nobody tells it anything. ``cell_id``, ``temperature_c``: of the
    battery, for the wear model; None: the cell is not known.
    """

    storage: Storage
    charger_id: str
    evse_id: int = 1
    wishes: Wishes = field(default_factory=Wishes)
    charger_discharges: bool = False
    phases: tuple[int, ...] = (0, 1, 2)
    voltage_v: float = 230.0
    circuit: str | None = None
    default_kw: float = 0.0
    consumption_kwh_per_km: float = 0.18
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
class ControlSettings:
    """``step_s``: of the fast loop. ``replan_s``: a new plan at the latest then. ``keep_plan_gain``: the running plan is kept
    unless a new one is better by this, in the tariff's currency. ``meter_age_s``: older readings are not fresh.
    ``soc_age_s``: an older state of charge is no longer counted on from. ``forecast_band_kw``: a new plan where load or
    sun stay that far off for five minutes. ``zero_export_margin_kw``: imported while the house
    runs from a car that must not export.
    """

    step_s: float = 2.0
    replan_s: int = 900
    keep_plan_gain: float = 0.02
    meter_age_s: float = 15.0
    soc_age_s: float = 24 * 3600.0
    forecast_band_kw: float = 1.0
    zero_export_margin_kw: float = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    """One site. ``tariff``: its feeds are filled with the prices that arrive. ``has_meter``: something measures the grid
    connection or the load. ``household_kw_max``: the most that the house draws without its chargers, as its owner says;
    0: not said.
    ``has_solar``: something measures the sun. ``load_prior_kw``: taken for the load before
    anything is known, ``load_guess`` and ``solar_guess`` in its place where the owner said more.
    """

    name: str
    time_zone: ZoneInfo
    tariff: Tariff
    cars: tuple[CarSettings, ...]
    control: ControlSettings = field(default_factory=ControlSettings)
    guard: GuardSettings = field(default_factory=GuardSettings)
    import_limit_kw: float | None = None
    export_limit_kw: float | None = None
    fuse_a: float | None = None
    phase_count: int = 3
    interconnection: Interconnection = "no_export"
    circuits: tuple[Circuit, ...] = ()
    has_meter: bool = True
    household_kw_max: float = 0.0
    has_solar: bool = True
    load_prior_kw: float = 0.4
    load_guess: PowerForecaster | None = None
    solar_guess: PowerForecaster | None = None
    solar_curtailable: bool = True
    public_price_per_kwh: float = 0.6
    early_probability: float = 0.02
    horizon_h: float = 168.0
    holidays: frozenset[date] = frozenset()

    def car(self, car_id: str) -> CarSettings | None:
        """A car; None where the site has none of that name."""
        return next((car for car in self.cars if car.car_id == car_id), None)
