"""A car as its control sees it: what wishes, consent, charger and connection leave of what it could do."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.charger.event import CarNeeds
from parkwatt.domain.site.observation import ChargerSeen
from parkwatt.domain.site.wish import Departure, Mode, Wishes
from parkwatt.site.guard.facts import Interconnection
from parkwatt.site.live.cars import CarView, facts_of, power_limits_kw, view
from parkwatt.site.live.estimate import Estimate
from parkwatt.site.live.settings import CarSettings
from parkwatt.site.live.state import CarState
from parkwatt.site.live.taper import taper_h
from tests.site.live.world import BEGIN_UNIX_S, US, site_settings, storage

_NOW = BEGIN_UNIX_S * US
_HOME = Wishes(mode="home", floor_soc=0.2, target_soc=0.8, consents=True)
_HELD = Estimate(30.0, 0.3, _NOW)
_SEEN = ChargerSeen("CP-1", 1, connected=True, plugged_in=True, transaction_id="T")
_CAR = CarSettings(storage=storage(), charger_id="CP-1", charger_discharges=True)


def _view(
    wishes: Wishes = _HOME,
    *,
    seen: ChargerSeen = _SEEN,
    estimate: Estimate | None = _HELD,
    settings: CarSettings = _CAR,
    state: CarState | None = None,
    interconnection: Interconnection = "no_export",
) -> CarView:
    site = site_settings(wishes, interconnection=interconnection)
    state = CarState() if state is None else state
    return view(replace(settings, wishes=wishes), state, seen, estimate, site, _NOW)


@pytest.mark.parametrize("mode", ["now", "smart", "off"])
def test_other_modes_never_discharge(mode: Mode) -> None:
    car = _view(msgspec.structs.replace(_HOME, mode=mode))
    assert car.why_not == f"the mode is {mode}"
    assert car.storage.discharge_kw_max == 0.0
    assert not facts_of(car, None).may_discharge
    assert facts_of(car, None).may_charge == (mode != "off")


def test_each_reason_not_to_discharge_is_told() -> None:
    needs = CarNeeds(1, "DC_BPT", bidirectional=False, dynamic=True)
    assert _view().why_not == ""
    for car, words in (
        (_view(msgspec.structs.replace(_HOME, consents=False)), "consented"),
        (_view(settings=replace(_CAR, charger_discharges=False)), "not set up"),
        (_view(interconnection="backup_only"), "backup only"),
        (_view(estimate=None), "nobody tells"),
        (_view(seen=replace(_SEEN, needs=needs)), "did not agree"),
    ):
        assert words in car.why_not
        assert car.storage.discharge_kw_max == car.storage.discharge_kw_min == 0.0
        assert not facts_of(car, None).may_discharge


@pytest.mark.parametrize("mode", ["home", "grid"])
@pytest.mark.parametrize("interconnection", ["no_export", "export", "backup_only"])
def test_only_grid_mode_at_a_connection_that_exports_feeds_in(
    mode: Mode, interconnection: Interconnection
) -> None:
    car = _view(msgspec.structs.replace(_HOME, mode=mode), interconnection=interconnection)
    assert car.may_export == (mode == "grid" and interconnection == "export")


def test_wishes_of_now_stand_before_those_of_the_file() -> None:
    state = CarState(wishes=Wishes(mode="off"))
    assert _view(state=state).wishes.mode == "off"


def test_a_car_whose_charge_nobody_tells_is_taken_to_need_some() -> None:
    car = _view(estimate=None)
    assert car.energy_kwh == pytest.approx(48.0 - 24.0)
    facts = facts_of(car, None)
    assert facts.energy_kwh is None
    assert facts.ready is None


def test_a_departure_that_asks_for_more_than_the_highest_is_met() -> None:
    wishes = msgspec.structs.replace(_HOME, highest_soc=0.8)
    departure = Departure(BEGIN_UNIX_S + 7200, "asked", target_soc=1.0)
    assert _view(wishes).storage.energy_kwh_max == pytest.approx(48.0)
    car = _view(wishes, state=CarState(asked=departure))
    assert car.asked_kwh == 60.0
    assert car.storage.energy_kwh_max == 60.0
    ready = facts_of(car, None).ready
    assert ready is not None
    assert ready.energy_kwh == 60.0
    # Above four fifths cars take less: what is asked has to be begun that much earlier.
    earlier_h = taper_h(car.energy_kwh, 60.0, 60.0, 11.0 * 0.93)
    assert ready.at_unix_us == (BEGIN_UNIX_S + 7200 - round(earlier_h * 3600)) * US


def test_a_car_without_a_transaction_is_not_here() -> None:
    car = _view(seen=replace(_SEEN, transaction_id=None))
    assert not car.here
    assert not facts_of(car, None).plugged_in


_limits = st.none() | st.floats(-20.0, 20.0)
_maxima = st.none() | st.floats(0.0, 50.0)


@given(
    limit_kw=_limits,
    charge_kw=_maxima,
    discharge_kw=_maxima,
    floor_soc=st.floats(0.0, 1.0),
    highest_soc=st.floats(0.0, 1.0),
    kw_min=st.floats(0.0, 5.0),
    mode=st.sampled_from(("now", "smart", "home", "grid", "off")),
)
def test_nobody_is_told_more_than_anybody_allows(
    limit_kw: float | None,
    charge_kw: float | None,
    discharge_kw: float | None,
    floor_soc: float,
    highest_soc: float,
    kw_min: float,
    mode: Mode,
) -> None:
    needs = CarNeeds(
        1,
        "DC_BPT",
        bidirectional=True,
        dynamic=True,
        charge_kw_max=charge_kw,
        discharge_kw_max=discharge_kw,
    )
    seen = replace(_SEEN, needs=needs, limit_kw=limit_kw)
    settings = replace(_CAR, storage=storage(kw_min=kw_min))
    wishes = Wishes(mode, floor_soc=floor_soc, highest_soc=highest_soc, consents=True)
    car = _view(wishes, seen=seen, settings=settings)
    most_kw, least_kw = power_limits_kw(settings, seen)
    assert 0.0 <= most_kw <= min(11.0, 50.0 if charge_kw is None else charge_kw)
    assert 0.0 <= least_kw <= min(11.0, 50.0 if discharge_kw is None else discharge_kw)
    if limit_kw is not None:
        assert most_kw <= max(limit_kw, 0.0)
    bounds = car.storage
    assert 0.0 <= bounds.charge_kw_min <= bounds.charge_kw_max == most_kw
    assert 0.0 <= bounds.discharge_kw_min <= bounds.discharge_kw_max <= least_kw
    assert 0.0 <= bounds.energy_kwh_min <= bounds.energy_kwh_max <= 60.0
