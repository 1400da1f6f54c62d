"""A small physical world for a site's control, without sockets: a house, a sun, a car behind a charger, a meter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.domain.charger.command import SetPower
from parkwatt.domain.charger.rung import Rung
from parkwatt.domain.problem import Storage
from parkwatt.domain.series import IntervalSeries
from parkwatt.domain.site.event import SiteEvent
from parkwatt.domain.site.observation import ChargerSeen, GridSeen, Observation
from parkwatt.domain.site.reading import SiteReading
from parkwatt.domain.site.wish import Wishes
from parkwatt.domain.tariff import FlatPrice, Price, SeriesPrice, Tariff
from parkwatt.site.live.controller import SiteController
from parkwatt.site.live.planning import make_plan
from parkwatt.site.live.settings import CarSettings, SiteSettings
from parkwatt.site.live.state import SiteState

US = 1_000_000
ZONE = ZoneInfo("Europe/Amsterdam")
# 2024-01-10 17:00 UTC
BEGIN_UNIX_S = 1_704_906_000


def storage(capacity_kwh: float = 60.0, kw_max: float = 11.0, kw_min: float = 0.0) -> Storage:
    """A car's battery behind an 11 kW charger."""
    return Storage(
        id="car",
        energy_kwh_min=0.0,
        energy_kwh_max=capacity_kwh,
        charge_kw_max=kw_max,
        discharge_kw_max=kw_max,
        charge_kw_min=kw_min,
        discharge_kw_min=kw_min,
        charge_efficiency=0.93,
        discharge_efficiency=0.93,
        wear_price_per_kwh=0.03,
    )


def flat_tariff(buy: float = 0.30, sell: float = 0.05) -> Tariff:
    """The same prices at all times."""
    return Tariff("EUR", ZONE, Price((FlatPrice(buy),)), Price((FlatPrice(sell),)))


def evening_tariff(dear: float = 0.40, cheap: float = 0.10) -> Tariff:
    """Dear until 22 UTC on each day from 15 UTC on, else cheap; nothing is paid for export."""
    starts, prices = [], []
    for day in range(-2, 9):
        midnight = BEGIN_UNIX_S - BEGIN_UNIX_S % 86_400 + day * 86_400
        starts += [midnight, midnight + 15 * 3600, midnight + 22 * 3600]
        prices += [cheap, dear, cheap]
    start = np.array(starts, dtype=np.int64)
    end = np.append(start[1:], start[-1] + 2 * 3600)
    series = IntervalSeries(start, end, np.array(prices))
    return Tariff("EUR", ZONE, Price((SeriesPrice(series),)), Price((FlatPrice(0.0),)))


def site_settings(wishes: Wishes, tariff: Tariff | None = None, **changes: object) -> SiteSettings:
    """A home with one car."""
    car = CarSettings(storage=storage(), charger_id="CP-1", wishes=wishes, charger_discharges=True)
    settings: dict[str, object] = {
        "name": "home",
        "time_zone": ZONE,
        "tariff": tariff or flat_tariff(),
        "cars": (car,),
        "import_limit_kw": 17.25,
        "has_solar": False,
    }
    return SiteSettings(**(settings | changes))  # type: ignore[arg-type]


@dataclass
class Car:
    """A car and its charger, in the flesh. A set-point takes ``delay_s`` and a ramp."""

    energy_kwh: float
    capacity_kwh: float = 60.0
    plugged_in: bool = True
    linked: bool = True
    delay_s: float = 0.3
    ramp_kw_per_s: float = 5.0
    power_kw: float = 0.0
    default_kw: float = 11.0
    import_kwh: float = 0.0
    export_kwh: float = 0.0
    told: list[tuple[float, float, float]] = field(default_factory=list)
    transaction: int = 1

    def tell(self, at_s: float, power_kw: float, lease_s: float) -> None:
        """A set-point is on its way."""
        self.told.append((at_s + self.delay_s, power_kw, at_s + lease_s))

    def wanted_kw(self, now_s: float) -> float:
        """What the charger aims at: the newest set-point whose lease lasts, else its default."""
        arrived = [told for told in self.told if told[0] <= now_s]
        if arrived and now_s < arrived[-1][2]:
            return arrived[-1][1]
        return self.default_kw if self.energy_kwh < self.capacity_kwh else 0.0

    def move(self, now_s: float, step_s: float) -> None:
        """Let time pass."""
        wanted_kw = self.wanted_kw(now_s) if self.plugged_in else 0.0
        if self.energy_kwh >= self.capacity_kwh:
            wanted_kw = min(wanted_kw, 0.0)
        reach_kw = self.ramp_kw_per_s * step_s
        self.power_kw += min(max(wanted_kw - self.power_kw, -reach_kw), reach_kw)
        energy_kwh = self.power_kw * step_s / 3600.0
        if energy_kwh > 0:
            self.energy_kwh = min(self.energy_kwh + energy_kwh * 0.93, self.capacity_kwh)
            self.import_kwh += energy_kwh
        else:
            self.energy_kwh += energy_kwh / 0.93
            self.export_kwh -= energy_kwh


@dataclass
class World:
    """The whole: ``load_kw`` and ``sun_kw`` by seconds since the beginning."""

    settings: SiteSettings
    car: Car
    load_kw: Callable[[float], float]
    sun_kw: Callable[[float], float] = lambda _: 0.0
    step_s: float = 0.2
    meter_s: float = 1.0
    charger_meter_s: float = 10.0
    now_s: float = 0.0
    controller: SiteController = field(init=False)
    events: list[SiteEvent] = field(default_factory=list)
    event_times: list[int] = field(default_factory=list)
    meter_fails: bool = False
    grid_kw: list[float] = field(default_factory=list)
    grid: GridSeen = field(default_factory=GridSeen)
    requests: int = 0
    _reading: SiteReading = field(default_factory=SiteReading)
    _seen: ChargerSeen = field(default_factory=lambda: ChargerSeen("CP-1", 1, True, False))

    def __post_init__(self) -> None:
        self.controller = SiteController(self.settings, SiteState())

    @property
    def now_unix_us(self) -> int:
        """The clock."""
        return BEGIN_UNIX_S * US + round(self.now_s * US)

    def run(self, duration_s: float) -> None:
        """Let time pass; `grid_kw` gets a value for each step."""
        end_s = self.now_s + duration_s
        while self.now_s < end_s - 1e-9:
            self.car.move(self.now_s, self.step_s)
            grid_kw = self.load_kw(self.now_s) - self.sun_kw(self.now_s) + self.car.power_kw
            self.grid_kw.append(grid_kw)
            self.now_s += self.step_s
            if self._due(self.charger_meter_s):
                self._read_charger()
            if self._due(self.meter_s):
                if not self.meter_fails:
                    self._reading = SiteReading(grid_kw=grid_kw, grid_unix_us=self.now_unix_us)
                self._control()

    def _due(self, every_s: float) -> bool:
        steps = round(every_s / self.step_s)
        return round(self.now_s / self.step_s) % steps == 0

    def _read_charger(self) -> None:
        car = self.car
        self._seen = ChargerSeen(
            "CP-1",
            1,
            connected=car.linked,
            plugged_in=car.plugged_in,
            transaction_id=f"T-{car.transaction}" if car.plugged_in else None,
            soc=round(car.energy_kwh / car.capacity_kwh, 2),
            soc_unix_us=self.now_unix_us,
            moved_since_soc_kwh=0.0,
            power_kw=car.power_kw,
            power_unix_us=self.now_unix_us,
            import_kwh=car.import_kwh,
            export_kwh=car.export_kwh,
            rung=Rung.DYNAMIC_SETPOINT,
        )

    def _control(self) -> None:
        if not self.car.linked:
            self._seen = replace(self._seen, connected=False)
        step = self.controller.step(
            Observation((self._seen,), self._reading, self.grid), self.now_unix_us
        )
        self._happened(step.events)
        for verdict in step.commands:
            assert verdict.approved is not None
            command = verdict.approved.command
            if isinstance(command, SetPower) and self.car.linked:
                self.car.tell(self.now_s, command.power_kw, command.lease_s)
        if step.request is not None:
            self.requests += 1
            planned = make_plan(step.request)
            self._happened(self.controller.planned(planned, self.now_unix_us))

    def _happened(self, happened: list[SiteEvent]) -> None:
        self.events += happened
        self.event_times += [self.now_unix_us] * len(happened)

    def take(self, event: SiteEvent) -> None:
        """Something from outside."""
        self._happened([event])
        self.controller.take(event, self.now_unix_us)
