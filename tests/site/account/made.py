"""Journals made by hand, and by a small simulator of a home: prices, load, sun, a car that comes, charges, gives and leaves."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.domain.charger import event as charger_event
from parkwatt.domain.charger.event import ChargerEvent, MeterRead, TransactionReported
from parkwatt.domain.charger.reading import MeterReading
from parkwatt.domain.journal import Entry
from parkwatt.domain.problem import Storage
from parkwatt.domain.series import IntervalSeries
from parkwatt.domain.site import event as site_event
from parkwatt.domain.site.event import (
    CarInterval,
    IntervalClosed,
    SiteEvent,
    StayBegan,
    StayEnded,
)
from parkwatt.domain.site.wish import Departure
from parkwatt.domain.tariff import Tariff
from parkwatt.domain.tariff.price import FlatPrice, Price, SeriesPrice
from parkwatt.site.account import Accounts, AccountSettings, CarAccountSettings

US = 1_000_000
QUARTER_S = 900
BERLIN = ZoneInfo("Europe/Berlin")
# A Monday: 2026-11-23 00:00 in Berlin.
MONDAY_UNIX_S = 1_795_388_400


def feed_tariff(time_zone: ZoneInfo = BERLIN) -> Tariff:
    """Import by a feed, export for a flat price."""
    nothing = IntervalSeries(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
    return Tariff(
        currency="EUR",
        time_zone=time_zone,
        import_price=Price((SeriesPrice(nothing, feed="import.day_ahead"), FlatPrice(0.0))),
        export_price=Price((FlatPrice(0.08),)),
    )


def storage(car_id: str = "car", **changes: float) -> Storage:
    """A battery of 60 kWh with easy efficiencies."""
    values = {
        "energy_kwh_min": 0.0,
        "energy_kwh_max": 60.0,
        "charge_kw_max": 10.0,
        "discharge_kw_max": 10.0,
        "charge_efficiency": 0.9,
        "discharge_efficiency": 0.8,
        "wear_price_per_kwh": 0.05,
        **changes,
    }
    return Storage(id=car_id, **values)


def settings(
    *cars: CarAccountSettings,
    time_zone: ZoneInfo = BERLIN,
    import_limit_kw: float | None = None,
    export_limit_kw: float | None = None,
) -> AccountSettings:
    """A home with one car at CP-1 unless others are given."""
    return AccountSettings(
        site_name="Home",
        time_zone=time_zone,
        tariff=feed_tariff(time_zone),
        cars=cars or (CarAccountSettings(charger_id="CP-1", storage=storage(), floor_soc=0.2),),
        import_limit_kw=import_limit_kw,
        export_limit_kw=export_limit_kw,
    )


@dataclass
class Made:
    """A journal that is written entry by entry. Times in s."""

    entries: list[Entry] = field(default_factory=list)

    def site(self, event: SiteEvent, at_unix_s: float) -> None:
        """An event of the site."""
        payload = site_event.encode(event)
        self._add(site_event.kind(event), site_event.SUBJECT, payload, at_unix_s)

    def charger(self, event: ChargerEvent, at_unix_s: float, charger_id: str = "CP-1") -> None:
        """An event of a charger."""
        payload = charger_event.encode(event)
        self._add(charger_event.kind(event), charger_id, payload, at_unix_s)

    def _add(self, kind: str, subject: str, payload: bytes, at_unix_s: float) -> None:
        self.entries.append(
            Entry(len(self.entries) + 1, round(at_unix_s * US), kind, subject, payload)
        )

    def read(
        self,
        at_unix_s: float,
        import_kwh: float | None,
        export_kwh: float | None = None,
        *,
        received_unix_s: float | None = None,
        charger_id: str = "CP-1",
    ) -> None:
        """A meter reading."""
        reading = MeterReading(
            measured_unix_us=round(at_unix_s * US),
            energy_import_kwh=import_kwh,
            energy_export_kwh=export_kwh,
        )
        received = at_unix_s if received_unix_s is None else received_unix_s
        self.charger(MeterRead(1, (reading,)), received, charger_id)

    def transaction(
        self,
        at_unix_s: float,
        phase: str,
        import_kwh: float,
        export_kwh: float | None = None,
        *,
        received_unix_s: float | None = None,
        offline: bool = False,
        transaction_id: str = "T1",
    ) -> None:
        """A transaction's beginning or end."""
        reading = MeterReading(
            measured_unix_us=round(at_unix_s * US),
            moment="begin" if phase == "started" else "end",
            energy_import_kwh=import_kwh,
            energy_export_kwh=export_kwh,
        )
        event = TransactionReported(
            transaction_id=transaction_id,
            phase=phase,  # type: ignore[arg-type]
            evse_id=1,
            measured_unix_us=round(at_unix_s * US),
            offline=offline,
            late=offline,
            readings=(reading,),
        )
        self.charger(event, at_unix_s if received_unix_s is None else received_unix_s)

    def quarter(
        self,
        start_unix_s: int,
        *,
        buy: float | None,
        sell: float | None = 0.08,
        import_kwh: float | None = None,
        export_kwh: float | None = None,
        load_kwh: float | None = None,
        solar_kwh: float | None = None,
        cars: dict[str, CarInterval] | None = None,
        coverage: float = 1.0,
        at_unix_s: float | None = None,
    ) -> None:
        """A quarter of an hour that was closed."""
        event = IntervalClosed(
            start_unix_s=start_unix_s,
            duration_s=QUARTER_S,
            import_price_per_kwh=buy,
            export_price_per_kwh=sell,
            import_kwh=import_kwh,
            export_kwh=export_kwh,
            load_kwh=load_kwh,
            solar_kwh=solar_kwh,
            coverage=coverage,
            cars=cars or {},
        )
        self.site(event, start_unix_s + QUARTER_S if at_unix_s is None else at_unix_s)

    def began(
        self,
        at_unix_s: int,
        energy_kwh: float | None = None,
        *,
        car_id: str = "car",
        at: str = "CP-1",
    ) -> str:
        """A car is plugged in; returns the stay's name."""
        stay_id = f"{car_id}-{at_unix_s}"
        event = StayBegan(stay_id, car_id, at, 1, f"T{at_unix_s}", at_unix_s, energy_kwh)
        self.site(event, at_unix_s)
        return stay_id

    def ended(
        self,
        stay_id: str,
        at_unix_s: int,
        energy_kwh: float | None = None,
        *,
        car_id: str = "car",
        departure: Departure | None = None,
        asked_kwh: float | None = None,
        possible_kwh: float | None = None,
        kept: bool | None = None,
        reason: str = "",
    ) -> None:
        """A car left."""
        event = StayEnded(
            stay_id,
            car_id,
            at_unix_s,
            energy_kwh,
            departure,
            asked_kwh,
            possible_kwh,
            None,
            kept,
            reason,
        )
        self.site(event, at_unix_s)


def folded(entries: Sequence[Entry], known: AccountSettings | None = None) -> Accounts:
    """The accounts of a journal."""
    accounts = Accounts(settings() if known is None else known)
    for entry in entries:
        accounts.take(entry)
    return accounts


@dataclass
class Home:
    """A home that is simulated minute by minute. ``power_kw``: what the car does while it is there, by time."""

    made: Made = field(default_factory=Made)
    import_kwh: float = 1000.0
    export_kwh: float = 50.0
    energy_kwh: float = 30.0
    moved_in_kwh: float = 0.0
    moved_out_kwh: float = 0.0

    def live(
        self,
        start_unix_s: int,
        days: int,
        *,
        seed: int,
        power_kw: Callable[[random.Random, int], float],
        read_every_s: int = 60,
    ) -> None:
        """Days in which the car leaves each morning and comes back each evening; all is measured and closed."""
        chance = random.Random(seed)  # noqa: S311 - a home, no secret
        arrive_s, leave_s = 17 * 3600 + 450, 31 * 3600 + 620
        stay_id = ""
        plan_kw = 0.0
        for start in range(start_unix_s, start_unix_s + days * 86_400, QUARTER_S):
            taken = given = base_kwh = 0.0
            load_kw, solar_kw = chance.uniform(0.2, 3.0), max(chance.gauss(0.0, 2.0), 0.0)
            plan_kw = power_kw(chance, start)
            for minute in range(start, start + QUARTER_S, 60):
                of_day = (minute - start_unix_s) % 86_400
                here = of_day >= arrive_s - 30 or of_day < leave_s - 86_400 - 30
                if here and not stay_id:
                    self.energy_kwh = max(self.energy_kwh - chance.uniform(2.0, 10.0), 8.0)
                    self.made.transaction(minute, "started", self.import_kwh, self.export_kwh)
                    stay_id = self.made.began(minute, round(self.energy_kwh, 3))
                elif stay_id and not here:
                    self.made.transaction(minute, "ended", self.import_kwh, self.export_kwh)
                    self.made.ended(stay_id, minute, round(self.energy_kwh, 3))
                    stay_id = ""
                kw = plan_kw if stay_id else 0.0
                if (kw > 0 and self.energy_kwh > 58) or (kw < 0 and self.energy_kwh < 12):
                    kw = 0.0
                moved = kw / 60.0
                taken, given = taken + max(moved, 0.0), given + max(-moved, 0.0)
                self.energy_kwh += max(moved, 0.0) * 0.9 - max(-moved, 0.0) / 0.8
                self.import_kwh += max(moved, 0.0)
                self.export_kwh += max(-moved, 0.0)
                if stay_id and (minute + 60 - start_unix_s) % read_every_s == 0:
                    self.made.read(minute + 60, self.import_kwh, self.export_kwh)
                base_kwh += (load_kw - solar_kw) / 60.0
            self.moved_in_kwh += taken
            self.moved_out_kwh += given
            net = base_kwh + taken - given
            cars = {}
            if stay_id or taken or given:
                cars = {"car": CarInterval(taken, given, round(self.energy_kwh, 3), QUARTER_S)}
            self.made.quarter(
                start,
                buy=round(chance.uniform(-0.05, 0.5), 4),
                sell=round(chance.uniform(0.0, 0.1), 4),
                import_kwh=max(net, 0.0),
                export_kwh=max(-net, 0.0),
                load_kwh=load_kw / 4,
                solar_kwh=solar_kw / 4,
                cars=cars,
            )
