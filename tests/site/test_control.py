"""The control step: every bound holds whatever the plan meant, and what differs from the plan is absorbed to zero at most."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.problem import Storage
from parkwatt.site.control import Intent, Moment, control_power_kw, energy_change_kwh

_TINY = 1e-6


def _between(lowest: float, highest: float) -> st.SearchStrategy[float]:
    return st.floats(lowest, highest, allow_nan=False)


@st.composite
def storages(draw: st.DrawFn, *, with_least: bool = True) -> Storage:
    """A car or wall battery with or without a least power."""
    energy_kwh_max = draw(_between(10, 100))
    charge_kw_max = draw(_between(2, 22))
    discharge_kw_max = draw(st.sampled_from([0.0, charge_kw_max]))
    least = st.sampled_from([0.0, 1.4] if with_least else [0.0])
    return Storage(
        id="car",
        energy_kwh_min=draw(_between(0, 0.5)) * energy_kwh_max,
        energy_kwh_max=energy_kwh_max,
        charge_kw_max=charge_kw_max,
        discharge_kw_max=discharge_kw_max,
        charge_kw_min=draw(least),
        discharge_kw_min=min(draw(least), discharge_kw_max),
        charge_efficiency=draw(_between(0.7, 1)),
        discharge_efficiency=draw(_between(0.7, 1)),
        wear_price_per_kwh=draw(_between(0, 0.3)),
    )


@st.composite
def moments(draw: st.DrawFn, storage: Storage) -> Moment:
    """Any moment; the battery may stand below its floor or above its highest."""
    return Moment(
        base_kw=draw(_between(-15, 15)),
        import_price_per_kwh=draw(_between(-0.5, 1)),
        export_price_per_kwh=draw(_between(-0.5, 1)),
        energy_kwh=draw(_between(0, 1.1)) * storage.energy_kwh_max,
        energy_kwh_needed=draw(st.one_of(st.just(-float("inf")), _between(0, 120))),
        duration_h=draw(st.sampled_from([0.25, 1.0])),
        import_limit_kw=draw(st.one_of(st.none(), _between(0, 20))),
        export_limit_kw=draw(st.one_of(st.none(), _between(0, 20))),
        battery_may_export=draw(st.booleans()),
    )


intents = st.builds(
    Intent,
    power_kw=_between(-22, 22),
    grid_kw=_between(-30, 30),
    stored_value_per_kwh=st.one_of(st.none(), _between(-0.5, 1)),
)


@given(data=st.data(), storage=storages(), intent=intents)
def test_every_bound_holds(data: st.DataObject, storage: Storage, intent: Intent) -> None:
    moment = data.draw(moments(storage))
    power = control_power_kw(storage, intent, moment)
    energy = moment.energy_kwh + energy_change_kwh(storage, power, moment.duration_h)
    grid = moment.base_kw + power
    assert -storage.discharge_kw_max - _TINY <= power <= storage.charge_kw_max + _TINY
    if power > 0:
        assert energy <= storage.energy_kwh_max + _TINY
        least_gain = energy_change_kwh(storage, storage.charge_kw_min, moment.duration_h)
        fills = moment.energy_kwh + least_gain > storage.energy_kwh_max
        # Below its least only as a mean: the charger runs at the least until the battery is full within the step.
        drawn = max(power, storage.charge_kw_min) if fills else power
        assert drawn >= storage.charge_kw_min - _TINY
        assert moment.import_limit_kw is None or (
            moment.base_kw + drawn <= moment.import_limit_kw + _TINY
        )
    if power < 0:
        assert energy >= storage.energy_kwh_min - _TINY
        assert power <= -storage.discharge_kw_min + _TINY
        assert moment.export_limit_kw is None or grid >= -moment.export_limit_kw - _TINY
        assert moment.battery_may_export or -power <= max(moment.base_kw, 0.0) + _TINY


@given(data=st.data(), storage=storages(with_least=False), intent=intents)
def test_the_departure_comes_before_the_plan(
    data: st.DataObject, storage: Storage, intent: Intent
) -> None:
    moment = replace(data.draw(moments(storage)), import_limit_kw=None, export_limit_kw=None)
    power = control_power_kw(storage, intent, moment)
    energy = moment.energy_kwh + energy_change_kwh(storage, power, moment.duration_h)
    gain = energy_change_kwh(storage, storage.charge_kw_max, moment.duration_h)
    reachable = min(moment.energy_kwh + gain, max(storage.energy_kwh_max, moment.energy_kwh))
    assert energy >= min(moment.energy_kwh_needed, reachable) - _TINY


@given(intent=intents, base_kw=_between(-15, 15), buy=_between(-0.5, 1), sell=_between(-0.5, 1))
def test_a_difference_from_the_plan_is_absorbed_to_zero_at_most(
    intent: Intent, base_kw: float, buy: float, sell: float
) -> None:
    roomy = Storage(
        id="car",
        energy_kwh_min=0.0,
        energy_kwh_max=1000.0,
        charge_kw_max=50.0,
        discharge_kw_max=50.0,
        charge_efficiency=0.9,
        discharge_efficiency=0.9,
    )
    moment = Moment(base_kw, buy, sell, 500.0, -float("inf"), 1.0)
    power = control_power_kw(roomy, intent, moment)
    as_planned, grid = base_kw + intent.power_kw, base_kw + power
    assert min(as_planned, 0.0) - _TINY <= grid <= max(as_planned, 0.0) + _TINY


def _move(intent: Intent, base_kw: float) -> float:
    """The power at a moment with 0.3 to buy and 0.1 to sell."""
    storage = Storage(
        id="car",
        energy_kwh_min=0.0,
        energy_kwh_max=60.0,
        charge_kw_max=11.0,
        discharge_kw_max=11.0,
        charge_efficiency=0.9,
        discharge_efficiency=0.9,
    )
    moment = Moment(base_kw, 0.3, 0.1, 30.0, -float("inf"), 0.25)
    return control_power_kw(storage, intent, moment)


def test_unplanned_sun_is_kept_where_it_is_worth_more_than_sold() -> None:
    idle = Intent(power_kw=0.0, grid_kw=0.5, stored_value_per_kwh=0.2)
    assert _move(idle, base_kw=-3.0) == 3.0  # 0.2 · 0.9 in the battery against 0.1 sold
    assert _move(replace(idle, stored_value_per_kwh=0.1), base_kw=-3.0) == 0.0


def test_an_unplanned_load_is_met_from_the_car_where_that_is_cheaper_than_bought() -> None:
    idle = Intent(power_kw=0.0, grid_kw=0.0, stored_value_per_kwh=0.2)
    assert _move(idle, base_kw=2.0) == -2.0  # 0.2 / 0.9 out of the battery against 0.3 bought
    assert _move(replace(idle, stored_value_per_kwh=0.28), base_kw=2.0) == 0.0


def test_a_discharge_for_the_house_follows_a_smaller_load() -> None:
    meant = Intent(power_kw=-3.0, grid_kw=0.0, stored_value_per_kwh=0.2)
    assert _move(meant, base_kw=1.0) == -1.0
    sells = Intent(power_kw=-3.0, grid_kw=-2.0, stored_value_per_kwh=0.05)
    assert _move(sells, base_kw=1.0) == -3.0  # meant to sell, so it does


@pytest.mark.parametrize(("power_kw", "moved"), [(0.5, 0.0), (0.9, 1.4), (1.5, 1.5), (0.0, 0.0)])
def test_a_power_below_the_least_becomes_the_least_or_nothing(
    power_kw: float, moved: float
) -> None:
    storage = Storage(
        id="car",
        energy_kwh_min=0.0,
        energy_kwh_max=60.0,
        charge_kw_max=11.0,
        discharge_kw_max=0.0,
        charge_kw_min=1.4,
        charge_efficiency=0.9,
        discharge_efficiency=0.9,
    )
    moment = Moment(1.0, 0.3, 0.1, 30.0, -float("inf"), 0.25)
    assert control_power_kw(storage, Intent(power_kw, 1.0 + power_kw, None), moment) == moved
