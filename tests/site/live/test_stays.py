"""Stays: what ends one, and when a departure was kept, broken or not possible."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from parkwatt.domain.charger.rung import Rung
from parkwatt.domain.site.event import (
    DepartureAsked,
    PromiseAtRisk,
    SiteEvent,
    StayBegan,
    StayEnded,
)
from parkwatt.domain.site.observation import ChargerSeen, Observation
from parkwatt.domain.site.reading import SiteReading
from parkwatt.domain.site.wish import Departure, Wishes
from parkwatt.site.live.controller import SiteController
from parkwatt.site.live.settings import SiteSettings
from parkwatt.site.live.state import SiteState
from tests.site.live.world import BEGIN_UNIX_S, US, site_settings

_SMART = Wishes(mode="smart", floor_soc=0.1, target_soc=0.8)


@dataclass
class Visits:
    """A controller that looks every five seconds at a car whose charger a test holds in hand."""

    settings: SiteSettings
    soc: float | None = 0.5
    load_kw: float | None = 0.5
    soc_per_s: float = 0.0
    now_s: float = 0.0
    happened: list[SiteEvent] = field(default_factory=list)
    seen: ChargerSeen = field(
        default_factory=lambda: ChargerSeen("CP-1", 1, connected=True, plugged_in=False)
    )

    def __post_init__(self) -> None:
        self.controller = SiteController(self.settings, SiteState())

    @property
    def now_unix_us(self) -> int:
        """The clock."""
        return BEGIN_UNIX_S * US + round(self.now_s * US)

    def plug_in(self, transaction_id: str | None = "T") -> None:
        """The car is there."""
        self.seen = replace(
            self.seen,
            connected=True,
            plugged_in=True,
            transaction_id=transaction_id,
            rung=Rung.DYNAMIC_SETPOINT,
        )

    def unplug(self) -> None:
        """It is not."""
        self.seen = replace(self.seen, plugged_in=False, transaction_id=None)

    def drop_link(self) -> None:
        """The charger cannot be reached."""
        self.seen = replace(self.seen, connected=False)

    def run(self, duration_s: float) -> None:
        """Let time pass."""
        end_s = self.now_s + duration_s
        while self.now_s < end_s - 1e-9:
            self.now_s += 5.0
            seen = self.seen
            if self.soc is not None and seen.plugged_in:
                self.soc += 5.0 * self.soc_per_s
                seen = replace(seen, soc=round(self.soc, 2), soc_unix_us=self.now_unix_us)
            reading = SiteReading(load_kw=self.load_kw, load_unix_us=self.now_unix_us)
            step = self.controller.step(Observation((seen,), reading), self.now_unix_us)
            self.happened += step.events

    def ask(self, in_s: float, soc: float) -> None:
        """The driver names a departure."""
        departs = BEGIN_UNIX_S + round(self.now_s + in_s)
        event = DepartureAsked("car", Departure(departs, "asked", target_soc=soc), "api")
        self.controller.take(event, self.now_unix_us)

    @property
    def began(self) -> list[StayBegan]:
        """Stays that began."""
        return [event for event in self.happened if isinstance(event, StayBegan)]

    @property
    def ended(self) -> list[StayEnded]:
        """Stays that ended."""
        return [event for event in self.happened if isinstance(event, StayEnded)]


def _visits(import_limit_kw: float = 17.25) -> Visits:
    visits = Visits(site_settings(_SMART, import_limit_kw=import_limit_kw))
    visits.plug_in()
    visits.run(600)
    assert len(visits.began) == 1
    return visits


@pytest.mark.parametrize("gone_s", [5, 45, 85])
def test_a_charger_that_reboots_ends_no_stay(gone_s: int) -> None:
    visits = _visits()
    visits.unplug()
    visits.run(gone_s)
    visits.plug_in("T")
    visits.run(300)
    assert visits.ended == []
    assert len(visits.began) == 1


def test_a_charger_that_begins_another_transaction_after_a_reboot_ends_no_stay() -> None:
    visits = _visits()
    visits.unplug()
    visits.run(60)
    visits.plug_in("another")
    visits.run(300)
    assert visits.ended == []


def test_a_car_that_left_ended_its_stay_when_it_left() -> None:
    visits = _visits()
    visits.unplug()
    left_s = visits.now_s + 5
    visits.run(85)
    assert visits.ended == []
    visits.run(60)
    (ended,) = visits.ended
    assert ended.at_unix_s == BEGIN_UNIX_S + round(left_s)
    assert ended.stay_id == visits.began[0].stay_id
    assert ended.energy_kwh == pytest.approx(30.0)


@pytest.mark.parametrize("lost_s", [30, 85, 3 * 3600])
def test_a_lost_link_ends_no_stay(lost_s: int) -> None:
    visits = _visits()
    visits.drop_link()
    visits.run(lost_s)
    visits.plug_in()
    visits.run(300)
    assert visits.ended == []


def test_a_car_that_left_while_the_link_was_lost_left_when_the_charger_is_back() -> None:
    visits = _visits()
    visits.drop_link()
    visits.run(600)
    visits.seen = replace(visits.seen, connected=True, plugged_in=False, transaction_id=None)
    back_s = visits.now_s + 5
    visits.run(200)
    (ended,) = visits.ended
    assert ended.at_unix_s == BEGIN_UNIX_S + round(back_s)


def test_short_absences_do_not_add_up() -> None:
    visits = _visits()
    for _ in range(4):
        visits.unplug()
        visits.run(60)
        visits.plug_in()
        visits.run(20)
    assert visits.ended == []


def test_a_stay_began_when_its_transaction_did() -> None:
    visits = Visits(site_settings(_SMART))
    visits.plug_in()
    visits.seen = replace(visits.seen, started_unix_us=BEGIN_UNIX_S * US - 600 * US)
    visits.run(10)
    assert visits.began[0].since_unix_s == BEGIN_UNIX_S - 600
    # A charger whose clock is wrong by years does not move it.
    other = Visits(site_settings(_SMART))
    other.plug_in()
    other.seen = replace(other.seen, started_unix_us=0)
    other.run(10)
    assert other.began[0].since_unix_s == BEGIN_UNIX_S + 5


def _left(visits: Visits, soc_at_end: float | None, after_s: float) -> StayEnded:
    """It is charged evenly, then it leaves."""
    if visits.soc is not None and soc_at_end is not None:
        visits.soc_per_s = (soc_at_end - visits.soc) / after_s
    visits.run(after_s)
    visits.unplug()
    visits.run(120)
    (ended,) = visits.ended
    return ended


def test_nothing_asked_is_nothing_kept() -> None:
    ended = _left(_visits(), 0.6, 600)
    assert ended.kept is None
    assert ended.energy_kwh_asked is None
    assert "nothing was asked" in ended.reason


def test_what_was_asked_and_is_there_is_kept() -> None:
    visits = _visits()
    visits.ask(7200, 0.6)
    ended = _left(visits, 0.6, 7200)
    assert ended.kept is True
    assert ended.energy_kwh_asked == pytest.approx(36.0)


def test_whole_per_cents_make_no_promise_broken() -> None:
    visits = _visits()
    visits.ask(7200, 0.6)
    assert _left(visits, 0.59, 7200).kept is True


def test_what_was_possible_and_is_not_there_is_broken() -> None:
    visits = _visits()
    visits.ask(7200, 0.7)
    ended = _left(visits, 0.55, 7200)
    assert ended.kept is False
    assert "though it was possible" in ended.reason
    assert ended.energy_kwh_possible is not None
    assert ended.energy_kwh_possible >= 42.0


def test_what_was_not_possible_is_not_broken() -> None:
    visits = _visits()
    visits.ask(1800, 1.0)
    (risk,) = _risks(visits, 60)
    assert risk.energy_kwh_possible == pytest.approx(30.0 + 11 * 0.93 * 0.5, abs=0.5)
    # 11 kW for half an hour bring 5 kWh at most.
    ended = _left(visits, 0.58, 1740)
    assert ended.kept is None
    assert "more was not possible" in ended.reason


def test_a_driver_who_leaves_early_breaks_no_promise() -> None:
    visits = _visits()
    visits.ask(7200, 0.7)
    ended = _left(visits, 0.52, 3600)
    assert ended.kept is None
    assert "60 minutes before" in ended.reason or "59 minutes before" in ended.reason


def test_a_driver_who_leaves_late_is_judged_all_the_same() -> None:
    visits = _visits()
    visits.ask(3600, 0.6)
    assert _left(visits, 0.55, 3600 + 1800).kept is False


def test_an_energy_that_nobody_tells_is_not_judged() -> None:
    visits = Visits(site_settings(_SMART), soc=None)
    visits.plug_in()
    visits.run(60)
    visits.ask(3600, 0.6)
    ended = _left(visits, None, 3600)
    assert ended.kept is None


def test_a_load_that_leaves_no_room_makes_less_possible() -> None:
    visits = _visits(import_limit_kw=4.0)
    visits.load_kw = 3.5
    visits.ask(3600, 0.7)
    ended = _left(visits, 0.51, 3600)
    assert ended.energy_kwh_possible is not None
    assert ended.energy_kwh_possible < 31.0
    assert ended.kept is None


def test_asking_for_more_counts_from_what_is_there_then() -> None:
    visits = _visits()
    visits.ask(4 * 3600, 0.6)
    visits.run(3 * 3600)
    visits.ask(3600, 0.95)
    # An hour at 11 kW brings 10 kWh; what could have been charged before nobody had asked for.
    ended = _left(visits, 0.67, 3600)
    assert ended.energy_kwh_possible == pytest.approx(30 + 11 * 0.93, abs=1.0)
    assert ended.kept is not False


def _risks(visits: Visits, duration_s: float) -> list[PromiseAtRisk]:
    visits.run(duration_s)
    return [event for event in visits.happened if isinstance(event, PromiseAtRisk)]


def test_a_risk_is_told_once() -> None:
    visits = _visits()
    visits.ask(1800, 1.0)
    assert len(_risks(visits, 1200)) == 1
    visits.ask(1800, 0.95)
    assert len(_risks(visits, 600)) == 2
