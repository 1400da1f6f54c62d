"""What a wish would cost: the planner asked twice. Asking for less never costs more, nor does planning over doing at once."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.site.wish import Departure, Wishes
from parkwatt.site.live.what_if import Question, answer, at_once, bands, question
from tests.site.live.made_request import NOONS, one_car, one_request
from tests.site.live.world import BEGIN_UNIX_S, Car, World, evening_tariff, site_settings

_CENT = 0.01


def asked(how: str = "planned", full_kwh: float = 40.0, **car: object) -> Question:
    """One car in a quiet site: cheap nights, at home until 07:00."""
    return Question(one_request(one_car(**car)), "car", how, {"car": full_kwh})  # type: ignore[arg-type]


def test_charging_at_once_pays_the_price_of_now() -> None:
    found = answer(asked("at_once"))
    # 20 kWh into the battery at 0.30 before the night, not at 0.10 in it.
    assert found.costs.energy == pytest.approx(20.0 / 0.93 * 0.30, abs=_CENT)
    assert found.energy_kwh[-1] == pytest.approx(40.0)
    assert found.ready
    assert found.ready_unix_s is not None
    assert found.ready_unix_s <= NOONS[0] + 2.25 * 3600
    planned = answer(asked(energy_kwh=20.0))
    assert planned.costs.energy < found.costs.energy


def test_at_rest_nothing_is_paid_and_nothing_is_ready() -> None:
    found = answer(asked("rest"))
    assert found.costs.energy == found.costs.wear == 0.0
    assert found.ready is False
    assert not found.power_kw.any()
    assert answer(asked("rest", energy_kwh_asked=None)).ready is None


@given(
    energy_kwh=st.floats(12.0, 55.0),
    wanted_kwh=st.floats(15.0, 58.0),
    hours=st.floats(3.0, 20.0),
)
def test_planning_never_costs_more_than_charging_at_once(
    energy_kwh: float, wanted_kwh: float, hours: float
) -> None:
    car = {
        "energy_kwh": energy_kwh,
        "energy_kwh_asked": wanted_kwh,
        "departs_unix_s": NOONS[0] + round(hours * 3600),
    }
    planned = answer(asked("planned", wanted_kwh, **car))
    charged = answer(asked("at_once", wanted_kwh, **car))
    if planned.ready:
        assert charged.ready or charged.energy_kwh[-1] == pytest.approx(
            planned.energy_kwh[-1], abs=0.1
        )
    if planned.ready == charged.ready:
        assert planned.costs.total <= charged.costs.total + 1e-3 * max(
            1.0, abs(charged.costs.total)
        )
    alone = at_once(asked("planned", wanted_kwh, **car))
    assert alone.total == pytest.approx(charged.costs.total, abs=1e-6)


@given(wanted_kwh=st.floats(20.0, 58.0), less_kwh=st.floats(0.5, 20.0))
def test_asking_for_less_never_costs_more(wanted_kwh: float, less_kwh: float) -> None:
    more = answer(asked(energy_kwh_asked=wanted_kwh))
    less = answer(asked(energy_kwh_asked=max(wanted_kwh - less_kwh, 12.0)), more.worth)
    # Each plan is the best by its own worth of what is left, which depends a little on what is asked.
    assert less.costs.total <= more.costs.total + 0.01 * max(1.0, abs(more.costs.total))


def test_bands_hold_the_mean() -> None:
    request = one_request(one_car())
    edges = NOONS[0] + 900 * np.arange(97)
    found = bands(request, edges)
    assert (found.load_kw_p10 <= found.load_kw_p90).all()
    assert found.load_kw_p90 == pytest.approx(np.full(96, 0.5), abs=0.2)


def plugged_in() -> World:
    """An evening at home, a minute old."""
    wishes = Wishes(mode="home", floor_soc=0.2, target_soc=0.8, consents=True)
    world = World(site_settings(wishes, evening_tariff()), Car(30.0), load_kw=lambda _: 1.0)
    world.run(20.0)
    return world


def test_the_question_is_of_other_wishes_and_changes_nothing() -> None:
    world = plugged_in()
    controller = world.controller
    before = msgspec.json.encode(controller.state)
    (car,) = controller.cars
    departure = Departure(BEGIN_UNIX_S + 14 * 3600, "asked")

    def ask(wishes: Wishes, named: Departure | None) -> Question:
        found = question(
            controller.state,
            controller.cars,
            controller.tariff,
            world.settings,
            car.car_id,
            wishes,
            named,
            world.now_unix_us,
        )
        assert found is not None
        return found

    held = ask(car.wishes, departure)
    assert held.how == "planned"
    (now,) = held.request.cars
    assert (now.departs_unix_s, now.energy_kwh_asked) == (departure.departs_unix_s, 48.0)
    fuller = ask(msgspec.structs.replace(car.wishes, target_soc=0.9), departure)
    assert fuller.request.cars[0].energy_kwh_asked == pytest.approx(54.0)
    assert answer(fuller).costs.energy >= answer(held).costs.energy - _CENT
    hurried = ask(msgspec.structs.replace(car.wishes, mode="now"), departure)
    assert hurried.how == "at_once"
    # The evening is dear: who charges at once pays for it, and the house is not run from the car either.
    assert answer(hurried).costs.total > answer(held).costs.total + 1.0
    assert ask(msgspec.structs.replace(car.wishes, mode="off"), None).how == "rest"
    assert msgspec.json.encode(controller.state) == before


def test_of_a_car_that_is_away_nothing_can_be_asked() -> None:
    world = plugged_in()
    world.car.plugged_in = False
    world.run(40.0)
    controller, settings = world.controller, world.settings
    found = question(
        controller.state,
        controller.cars,
        controller.tariff,
        replace(settings),
        "car",
        settings.cars[0].wishes,
        None,
        world.now_unix_us,
    )
    assert found is None
