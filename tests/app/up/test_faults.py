"""What a site does while its prices, its meter or its clock are down, late or wrong: go on safely, say so, and recover.

Each story is lived through real sockets on simulated time, and judged by what physically happened.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from parkwatt.domain.site.event import PlanAdopted, PricesReceived
from tests.app.up.faulty_home import FLOOR_SOC, FaultyHome, in_faulty_home, local_unix_s

_PRICES = "prices import.day_ahead"
_METER = "meter.grid"


def _received(home: FaultyHome) -> list[PricesReceived]:
    return [event for _, event in home.told if isinstance(event, PricesReceived)]


def _discharged(home: FaultyHome, from_hour: float, until_hour: float) -> float:
    """The share of a span in which the car gave something."""
    return float((home.car_kw(from_hour, until_hour) < -0.3).mean())


def test_prices_that_are_down_from_the_start_are_guessed_until_they_come(tmp_path: Path) -> None:
    async def story(home: FaultyHome) -> None:
        await home.until(16.75)
        assert not home.is_well(_PRICES)
        (told,) = home.sources(_PRICES)
        assert "503" in told.reason
        assert "none is known" in told.reason
        assert any(isinstance(event, PlanAdopted) for _, event in home.told)
        home.prices.faults.down = False
        await home.until(17.75)
        assert home.is_well(_PRICES)
        assert home.knows_prices()

    def down(home: FaultyHome) -> None:
        home.prices.faults.down = True

    home = in_faulty_home(tmp_path, story, hour=16.0, before=down)
    home.assert_safe()
    # The house is run from the car once it is known that the evening is dear.
    assert _discharged(home, 17.5, 17.75) > 0.9


def test_prices_that_stay_away_for_half_a_day(tmp_path: Path) -> None:
    async def story(home: FaultyHome) -> None:
        await home.until(23.25)
        home.prices.faults.down = True
        # From midnight on nothing is known; the car comes at noon, and wants to be full the morning after.
        await home.until(37.0)
        assert not home.is_well(_PRICES)
        assert "none is known" in home.sources(_PRICES)[-1].reason
        plan = home.runner.controller.state.plan
        assert plan is not None
        assert plan.price_known_until_unix_s <= local_unix_s(37.0)
        # What is not known is guessed: the evening is dear on all days.
        prices = dict(zip(plan.edges_unix_s, plan.import_price_per_kwh, strict=False))
        evening, night = (
            [price for start, price in prices.items() if first <= start < last]
            for first, last in (
                (local_unix_s(41.0), local_unix_s(45.0)),
                (local_unix_s(48.0), local_unix_s(53.0)),
            )
        )
        assert np.mean(evening) > np.mean(night) + 0.1
        home.prices.faults.down, home.prices.faults.late_s = False, 0.0
        await home.until(37.75)
        assert home.is_well(_PRICES)
        assert home.knows_prices()

    def late(home: FaultyHome) -> None:
        home.prices.faults.late_s = 12 * 3600.0

    home = in_faulty_home(tmp_path, story, hour=23.0, arrives=36.5, before=late)
    home.assert_safe()


def test_a_day_that_is_missing_is_told_and_made_up_for(tmp_path: Path) -> None:
    async def story(home: FaultyHome) -> None:
        await home.until(12.0)
        home.prices.faults.day_missing = True
        await home.until(15.0)
        # Today is known, tomorrow should be by now.
        assert not home.is_well(_PRICES)
        assert "known until 2024-01-16 23:00 UTC" in home.sources(_PRICES)[-1].reason
        home.prices.faults.day_missing = False
        await home.until(15.75)
        assert home.is_well(_PRICES)
        assert home.runner.known_until("import.day_ahead") == local_unix_s(48.0)

    home = in_faulty_home(tmp_path, story, hour=11.5, arrives=14.75)
    home.assert_safe()


def test_prices_that_are_late_are_waited_for(tmp_path: Path) -> None:
    async def story(home: FaultyHome) -> None:
        home.prices.faults.late_s = 4 * 3600.0
        await home.until(14.0)
        assert home.is_well(_PRICES), "a little late is nothing to tell"
        await home.until(16.5)
        assert not home.is_well(_PRICES)
        # Published at 16:45.
        await home.until(17.75)
        assert home.is_well(_PRICES)
        assert home.knows_prices()

    home = in_faulty_home(tmp_path, story, hour=11.5, arrives=17.0)
    home.assert_safe()
    assert _discharged(home, 17.25, 17.75) > 0.9


def test_an_hour_that_comes_twice_is_noted_and_corrected(tmp_path: Path) -> None:
    async def story(home: FaultyHome) -> None:
        home.prices.faults.hour_doubled = True
        await home.until(14.0)
        (*_, last) = _received(home)
        assert any(
            "2 times" in note or "twice" in note or "differ" in note for note in last.notes
        ), last.notes
        home.prices.faults.hour_doubled = False
        await home.until(20.0)
        (*_, last) = _received(home)
        assert last.notes == ()
        assert home.knows_prices()

    home = in_faulty_home(tmp_path, story, hour=12.0, arrives=19.5)
    home.assert_safe()
    assert _discharged(home, 19.75, 20.0) > 0.9


def test_quarters_that_are_told_by_the_hour_are_hours_until_they_are_told(tmp_path: Path) -> None:
    async def story(home: FaultyHome) -> None:
        home.prices.faults.hours = True
        await home.until(14.0)
        (*_, last) = _received(home)
        assert last.step_s == 3600
        assert None not in last.price_per_kwh
        assert home.is_well(_PRICES)
        home.prices.faults.hours = False
        await home.until(20.0)
        (*_, last) = _received(home)
        assert last.step_s == 900
        assert home.knows_prices()

    home = in_faulty_home(tmp_path, story, hour=12.0, arrives=19.5, price_step_s=900)
    home.assert_safe()
    assert _discharged(home, 19.75, 20.0) > 0.9


@pytest.mark.parametrize("by_h", [2.0, 0.25])
def test_a_clock_put_forward_and_back(tmp_path: Path, by_h: float) -> None:
    async def story(home: FaultyHome) -> None:
        await home.until(17.5)
        home.clock.step(by_h * 3600)
        await home.until(18.0)
        home.clock.correct()
        await home.until(18.5)
        known = home.sources("clock")
        assert known, "nothing was told of the clock"
        assert "set back" in known[-1].reason or known[-1].ok

    home = in_faulty_home(tmp_path, story, hour=17.0)
    home.assert_safe()
    # It goes on while the clock is wrong and after: at 19:30, as it takes it, the evening is still dear.
    assert _discharged(home, 17.25, 17.5) > 0.9
    assert _discharged(home, 17.55, 18.0) > 0.9
    assert _discharged(home, 18.05, 18.5) > 0.9


def test_a_clock_put_back_and_right_again(tmp_path: Path) -> None:
    async def story(home: FaultyHome) -> None:
        await home.until(17.5)
        home.clock.step(-7200.0)
        await home.until(18.0)
        assert not home.is_well("clock")
        assert "set back by" in home.sources("clock")[-1].reason
        home.clock.correct()
        await home.until(18.25)
        assert home.is_well("clock")

    home = in_faulty_home(tmp_path, story, hour=17.0)
    home.assert_safe()
    assert _discharged(home, 17.25, 18.25) > 0.9


@pytest.mark.parametrize("how", ["gone", "hangs", "shows nothing"])
def test_without_its_meter_the_site_discharges_nothing(tmp_path: Path, how: str) -> None:
    async def story(home: FaultyHome) -> None:
        await home.until(17.25)
        if how == "gone":
            await home.meter.stop()
        elif how == "hangs":
            home.meter.faults.hang = True
        else:
            home.meter.faults.not_implemented = True
        await home.until(18.75)
        assert not home.is_well(_METER)
        assert home.sources(_METER)[-1].reason
        if how == "gone":
            await home.meter.start(port=home.meter_port)
        else:
            home.meter.faults.hang = home.meter.faults.not_implemented = False
        await home.until(19.0)
        assert home.is_well(_METER)

    home = in_faulty_home(tmp_path, story, hour=17.0)
    home.assert_safe()
    assert _discharged(home, 17.1, 17.25) > 0.9
    # Readings count for 15 s, a lease for discharging for 30.
    silent = home.car_kw(17.25, 18.75)[60:]
    assert silent.min() >= -0.02
    assert _discharged(home, 18.85, 19.0) > 0.9


def test_a_meter_that_goes_while_the_car_charges_leaves_the_limits_kept(tmp_path: Path) -> None:
    async def story(home: FaultyHome) -> None:
        await home.until(23.5)
        await home.meter.stop()
        await home.until(25.0)
        assert not home.is_well(_METER)

    # Below its floor: charged at once, beside a household that may need 7.4 of 9 kW.
    home = in_faulty_home(tmp_path, story, hour=23.0, soc=0.02)
    home.assert_safe()
    assert home.car_kw(23.6, 25.0).mean() > 1.0, "it is charged for its driver all the same"
    assert np.nanmax(home.truth.soc) < FLOOR_SOC + 0.1
