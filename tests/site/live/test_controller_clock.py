"""A control whose clock is set: leases are renewed all the same, and quarter hours are told once."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from parkwatt.domain.site.event import IntervalClosed
from parkwatt.domain.site.wish import Wishes
from tests.site.live.world import Car, World, evening_tariff, flat_tariff, site_settings

_NOW = Wishes(mode="now", target_soc=1.0)


@dataclass
class SetClock(World):
    """``wrong_s``: how far the clock is set wrong; physics go by the right one."""

    wrong_s: float = 0.0

    @property
    def now_unix_us(self) -> int:
        """The clock, as it was set."""
        return super().now_unix_us + round(self.wrong_s * 1_000_000)


def _world() -> SetClock:
    # Left alone, this charger does nothing.
    car = Car(energy_kwh=10.0, default_kw=0.0)
    return SetClock(site_settings(_NOW, flat_tariff()), car, lambda _: 1.0)


@pytest.mark.parametrize("by_s", [-8 * 3600.0, -86_400.0, -300.0, 300.0, 8 * 3600.0])
def test_what_is_done_goes_on_when_the_clock_is_set(by_s: float) -> None:
    world = _world()
    world.run(120.0)
    assert world.car.power_kw == pytest.approx(11.0)
    world.wrong_s = by_s
    world.run(20.0)
    for _ in range(60):
        world.run(5.0)
        assert world.car.power_kw > 10.0


@pytest.mark.parametrize("by_s", [-86_400.0, -30.0, 86_400.0])
def test_the_house_is_run_from_the_car_on_another_days_clock(by_s: float) -> None:
    home = Wishes(mode="home", floor_soc=0.2, target_soc=0.8, consents=True)
    world = SetClock(
        site_settings(home, evening_tariff()),
        Car(energy_kwh=45.0),
        lambda now_s: 1.5 if now_s < 300.0 else 2.5,
    )
    world.run(120.0)
    assert world.car.power_kw == pytest.approx(-1.5, abs=0.1)
    world.wrong_s = by_s
    world.run(150.0)
    assert world.car.power_kw == pytest.approx(-1.5, abs=0.1)
    world.run(60.0)
    assert world.car.power_kw == pytest.approx(-2.5, abs=0.1)


def test_a_clock_that_is_set_back_and_forth_closes_no_quarter_twice() -> None:
    world = _world()
    for wrong_s in (0.0, 2000.0, 0.0, -2000.0, 0.0):
        world.wrong_s = wrong_s
        world.run(1000.0)
    closed = [event for event in world.events if isinstance(event, IntervalClosed)]
    known_kwh = sum(event.import_kwh or 0.0 for event in closed)
    assert 0.0 < known_kwh <= 12.0 * 5000 / 3600 * 1.5
