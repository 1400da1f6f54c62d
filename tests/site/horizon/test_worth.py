"""The worth of energy at departure: small cases by hand, its laws, and an exact program of the same hours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from parkwatt.domain.record import FloatArray
from parkwatt.forecast.power import GivenForecaster
from parkwatt.forecast.presence import PresenceModel
from parkwatt.site.horizon.worth import EndValue, StoredWorth
from parkwatt.site.study.horizon import car_ahead, site_ahead
from parkwatt.site.study.inputs import PlugIn, StudyInputs
from tests.site.made import plain_inputs, random_inputs, with_series

_DAY = 24
_PRESENT = PlugIn(0, _DAY, energy_kwh_used=0.0, energy_kwh_asked=None)


def end_value(
    inputs: StudyInputs, step: int, plug_in: PlugIn, leave_step: int, *, may_export: bool = True
) -> EndValue:
    """The worth at ``leave_step`` as seen at ``step``, found afresh."""
    worth = stored_worth(inputs, may_export=may_export)
    return at_departure(worth, inputs, step, plug_in, leave_step)


def stored_worth(inputs: StudyInputs, *, may_export: bool = True) -> StoredWorth:
    """The worth of what the study's car holds."""
    return StoredWorth(site_ahead(inputs), car_ahead(inputs, inputs.car, may_export=may_export))


def at_departure(
    worth: StoredWorth, inputs: StudyInputs, step: int, plug_in: PlugIn, leave_step: int
) -> EndValue:
    """The worth at ``leave_step`` as seen at ``step``."""
    return worth.at_departure(
        inputs.time_unix_s(step),
        inputs.time_unix_s(plug_in.arrival_step),
        inputs.time_unix_s(leave_step),
        plug_in.energy_kwh_asked,
    )


def slopes_of(value: EndValue, energies_kwh: FloatArray) -> FloatArray:
    """What one more kWh is worth at each of ``energies_kwh``."""
    slopes = np.full(len(energies_kwh), value.value_per_kwh)
    for beyond_kwh, drop in value.drops:
        slopes[energies_kwh >= beyond_kwh - 1e-9] -= drop
    return slopes


def assert_worth(value: EndValue, value_per_kwh: float, *drops: tuple[float, float]) -> None:
    """``value`` begins with ``value_per_kwh`` and falls by each of ``drops`` (energy, drop)."""
    assert value.value_per_kwh == pytest.approx(value_per_kwh, abs=1e-9)
    assert len(value.drops) == len(drops)
    np.testing.assert_allclose(value.drops, drops, atol=1e-9)


def calendar(
    *later: PlugIn,
    buy: FloatArray | None = None,
    sell: FloatArray | None = None,
    load_kw: FloatArray | None = None,
    solar_kw: FloatArray | None = None,
) -> StudyInputs:
    """Six days in hours; the car is there on the first and comes back as a calendar says. Load and sun are known."""
    count = 6 * _DAY
    nothing = np.zeros(count)
    inputs = plain_inputs(
        count,
        (_PRESENT, *later),
        import_price_per_kwh=np.full(count, 0.1) if buy is None else buy,
        export_price_per_kwh=nothing if sell is None else sell,
        trips_known=True,
    )
    return with_known_power(
        inputs, nothing if load_kw is None else load_kw, nothing if solar_kw is None else solar_kw
    )


def with_known_power(inputs: StudyInputs, load_kw: FloatArray, solar_kw: FloatArray) -> StudyInputs:
    """The same site with this load and sun, which are forecast as they come."""
    return replace(
        inputs,
        load_kw=load_kw,
        solar_kw=solar_kw,
        load_forecaster=GivenForecaster(inputs.grid, load_kw),
        solar_forecaster=GivenForecaster(inputs.grid, solar_kw),
    )


def test_at_a_flat_price_each_kwh_saves_that_price() -> None:
    inputs = calendar(PlugIn(30, 40, energy_kwh_used=10.0, energy_kwh_asked=30.0))
    assert_worth(end_value(inputs, 0, _PRESENT, _DAY), 0.1)


def test_the_first_kwh_save_the_dear_hour_after_the_return_by_hand() -> None:
    """Back at 26:00 after 10 kWh, when the house draws 5 kW at 0.5 for an hour; all other hours cost 0.1."""
    buy, load = np.full(6 * _DAY, 0.1), np.zeros(6 * _DAY)
    buy[26], load[26] = 0.5, 5.0
    inputs = calendar(PlugIn(26, 40, 10.0, None), buy=buy, load_kw=load)
    value = end_value(inputs, 0, _PRESENT, _DAY)
    # 10 to 20 kWh: each kWh less would arrive below the floor and be bought at once. 20 to 25: used by the house.
    assert_worth(value, 0.5, (25.0, 0.4))


def test_selling_takes_what_the_house_leaves_of_the_power_by_hand() -> None:
    """As above, and 10 kW may be given: 5 to the house at 0.5, 5 to the grid at 0.3."""
    buy, sell, load = np.full(6 * _DAY, 0.1), np.zeros(6 * _DAY), np.zeros(6 * _DAY)
    buy[26], sell[26], load[26] = 0.5, 0.3, 5.0
    inputs = calendar(PlugIn(26, 40, 10.0, None), buy=buy, sell=sell, load_kw=load)
    value = end_value(inputs, 0, _PRESENT, _DAY)
    assert_worth(value, 0.5, (25.0, 0.2), (30.0, 0.2))
    kept_home = end_value(inputs, 0, _PRESENT, _DAY, may_export=False)
    assert_worth(kept_home, 0.5, (25.0, 0.4))


def test_where_the_sun_fills_the_battery_for_nothing_only_the_trip_is_worth_something() -> None:
    solar = np.zeros(6 * _DAY)
    solar[30:34] = 10.0
    inputs = calendar(PlugIn(30, 40, 10.0, None), solar_kw=solar)
    value = end_value(inputs, 0, _PRESENT, _DAY)
    # Below 20 kWh it would arrive below the floor of 10; from there on four hours of sun bring 40 kWh.
    assert_worth(value, 0.1, (20.0, 0.1))


def test_what_the_next_departure_asks_must_be_bought_while_it_is_dear_by_hand() -> None:
    """Four dear hours at home after a trip of 5 kWh, then 40 kWh are asked: up to 45 kWh each saves a dear one."""
    buy = np.full(6 * _DAY, 0.1)
    buy[30:34] = 0.4
    asked = end_value(calendar(PlugIn(30, 34, 5.0, 40.0), buy=buy), 0, _PRESENT, _DAY)
    assert_worth(asked, 0.4, (45.0, 0.3))
    free = end_value(calendar(PlugIn(30, 34, 5.0, None), buy=buy), 0, _PRESENT, _DAY)
    assert_worth(free, 0.4, (15.0, 0.3))


def test_where_import_earns_the_sun_is_left_unused_by_hand() -> None:
    """Back in four hours of sun at a price of −0.2, that fill the battery: each kWh held then earns so much less."""
    buy, sell, solar = np.full(6 * _DAY, 0.1), np.zeros(6 * _DAY), np.zeros(6 * _DAY)
    buy[54:58], sell[54:58], solar[54:58] = -0.2, -0.3, 10.0
    inputs = calendar(PlugIn(54, 64, 0.0, None), buy=buy, sell=sell, solar_kw=solar)
    value = end_value(inputs, 0, _PRESENT, _DAY, may_export=False)
    assert_worth(value, -0.2)
    fixed = replace(inputs, solar_curtailable=False)  # the sun in the car is not exported at −0.3
    assert_worth(end_value(fixed, 0, _PRESENT, _DAY, may_export=False), -0.3)


def test_only_what_lies_beyond_the_asked_is_valued() -> None:
    buy, load = np.full(6 * _DAY, 0.1), np.zeros(6 * _DAY)
    buy[26], load[26] = 0.5, 5.0
    inputs = calendar(PlugIn(26, 40, 10.0, None), buy=buy, load_kw=load)
    value = end_value(inputs, 0, replace(_PRESENT, energy_kwh_asked=42.0), _DAY)
    assert_worth(value, 0.1)


def test_wear_and_losses_lower_the_worth_of_a_kwh_by_hand() -> None:
    """Wear is paid per kWh out of the battery; what is bought instead is divided by the charging efficiency."""
    buy, load = np.full(6 * _DAY, 0.1), np.zeros(6 * _DAY)
    buy[26], load[26] = 0.5, 4.0
    inputs = calendar(PlugIn(26, 40, 0.0, None), buy=buy, load_kw=load)
    car = replace(
        inputs.car, charge_efficiency=0.8, discharge_efficiency=0.8, wear_price_per_kwh=0.05
    )
    value = end_value(replace(inputs, car=car), 0, _PRESENT, _DAY)
    # 4 kWh for the house are 5 of the battery, each worth 0.5 · 0.8 − 0.05.
    assert_worth(value, 0.35, (15.0, 0.35 - 0.1 / 0.8))


@pytest.mark.parametrize("case", ["no habits", "no later stay", "the span ends"])
def test_where_no_stay_can_follow_a_kwh_is_worth_the_next_filling(case: str) -> None:
    inputs = calendar()
    leave_step = _DAY
    if case == "no habits":
        inputs = replace(inputs, trips_known=False)
    if case == "the span ends":
        leave_step = inputs.grid.step_count
    assert_worth(end_value(inputs, 0, _PRESENT, leave_step), 0.1)


def test_the_worth_at_a_horizon_at_which_the_car_stays_is_one_price() -> None:
    inputs = calendar()
    car = replace(inputs.car, charge_efficiency=0.8)
    worth = stored_worth(replace(inputs, car=car))
    assert_worth(worth.at_horizon(inputs.time_unix_s(0), inputs.time_unix_s(_DAY)), 0.125)


def test_the_worth_is_found_once_for_a_departure_and_anew_for_new_prices() -> None:
    inputs = replace(random_inputs(3, days=6), trips_known=True)
    worth = stored_worth(inputs)
    first, second = inputs.plug_ins[:2]
    found = at_departure(worth, inputs, first.arrival_step, first, first.departure_step)
    assert at_departure(worth, inputs, first.arrival_step, first, first.departure_step) is found
    at_next = at_departure(worth, inputs, second.arrival_step, second, second.departure_step)
    afresh = end_value(inputs, second.arrival_step, second, second.departure_step)
    assert at_next == afresh


def exact_worth(
    inputs: StudyInputs,
    leave_step: int,
    energy_kwh: float,
    refill_price_per_kwh: float,
    *,
    may_export: bool,
) -> float:
    """What leaving with ``energy_kwh`` is worth at best, up to a constant, by one linear program at the meter.

    Columns of each hour at home: import, export, sun used, charge, discharge, energy at its end; of each stay: what
    is bought at once on arrival below the floor, and what lacks of the asked.
    """
    car, count = inputs.car, min(96, inputs.grid.step_count - leave_step)
    last = leave_step + count
    stays = [p for p in inputs.plug_ins if leave_step <= p.arrival_step < last]
    dearest = float(np.abs(inputs.import_price_per_kwh[leave_step:last]).max())
    dearest = dearest / car.charge_efficiency
    cost: list[float] = []
    bounds: list[tuple[float, float | None]] = []
    equal: list[dict[int, float]] = []
    equal_to: list[float] = []

    def column(price: float, lower: float, upper: float | None) -> int:
        cost.append(price)
        bounds.append((lower, upper))
        return len(cost) - 1

    before = column(0.0, energy_kwh, energy_kwh)
    for stay in stays:
        bought = column(dearest, 0.0, None)
        arrived = column(0.0, car.energy_kwh_min, car.energy_kwh_max)
        equal.append({arrived: 1.0, before: -1.0, bought: -1.0})
        equal_to.append(-stay.energy_kwh_used)
        before = arrived
        for hour in range(stay.arrival_step, min(stay.departure_step, last)):
            base_kw = inputs.load_kw[hour] - inputs.solar_kw[hour]
            limit = inputs.import_limit_kw
            most = None if limit is None else max(limit, base_kw)
            imported = column(inputs.import_price_per_kwh[hour], 0.0, most)
            exported = column(-inputs.export_price_per_kwh[hour], 0.0, None)
            sun_least = 0.0 if inputs.solar_curtailable else inputs.solar_kw[hour]
            used = column(0.0, sun_least, inputs.solar_kw[hour])
            charged = column(0.0, 0.0, car.charge_kw_max)
            given_most = car.discharge_kw_max if may_export else max(base_kw, 0.0)
            wear = car.wear_price_per_kwh / car.discharge_efficiency
            given = column(wear, 0.0, min(given_most, car.discharge_kw_max))
            after = column(0.0, car.energy_kwh_min, car.energy_kwh_max)
            equal.append({imported: 1.0, exported: -1.0, used: 1.0, charged: -1.0, given: 1.0})
            equal_to.append(inputs.load_kw[hour])
            change = {charged: -car.charge_efficiency, given: 1.0 / car.discharge_efficiency}
            equal.append({after: 1.0, before: -1.0, **change})
            equal_to.append(0.0)
            before = after
        if stay.energy_kwh_asked is not None and stay.departure_step <= last:
            # Left − asked = more − missing.
            missing, more = column(10.0 * dearest, 0.0, None), column(0.0, 0.0, None)
            equal.append({before: 1.0, missing: 1.0, more: -1.0})
            equal_to.append(stay.energy_kwh_asked)
    cost[before] -= refill_price_per_kwh
    matrix = np.zeros((len(equal), len(cost)))
    for row, entries in enumerate(equal):
        for place, factor in entries.items():
            matrix[row, place] = factor
    solution = linprog(cost, A_eq=matrix, b_eq=equal_to, bounds=bounds, method="highs")
    assert solution.status == 0
    return -float(solution.fun)


@st.composite
def known_futures(draw: st.DrawFn) -> StudyInputs:
    """A calendar, with whole kWh everywhere: the car's 40 kWh stand on a grid of 1 kWh, so the recursion is exact.

    Each stay lasts at least the four hours that fill the battery, so what is asked can always be reached.
    """
    chance = np.random.default_rng(draw(st.integers(0, 10_000)))
    count = 6 * _DAY
    stays, step = [], _DAY + int(chance.integers(0, 10))
    while step < count - 5:
        end = min(step + int(chance.integers(4, 20)), count)
        asked = float(chance.integers(20, 51)) if chance.random() < 0.7 else None
        stays.append(PlugIn(step, end, float(chance.integers(0, 25)), asked))
        step = end + int(chance.integers(0, 14))
    buy = 0.15 + 0.12 * chance.normal(size=count)
    sell = buy - chance.choice([0.0, 0.05]) - 0.02 * chance.random(count)
    inputs = calendar(
        *stays[:8],
        buy=buy,
        sell=sell,
        load_kw=chance.integers(0, 5, count).astype(np.float64),
        solar_kw=np.maximum(chance.integers(-10, 8, count), 0).astype(np.float64),
    )
    car = replace(inputs.car, wear_price_per_kwh=float(chance.choice([0.0, 0.05])))
    limit_kw = (
        8.0 if draw(st.booleans()) and all(s.energy_kwh_asked is None for s in stays) else None
    )
    return replace(
        inputs, car=car, import_limit_kw=limit_kw, solar_curtailable=bool(chance.random() < 0.5)
    )


_NINE_ENERGIES = np.linspace(10.0, 50.0, 9)


def exact_slopes(inputs: StudyInputs, *, may_export: bool) -> FloatArray:
    """[8] what a kWh is worth between each two of nine energies, by the linear program."""
    worth = stored_worth(inputs, may_export=may_export)
    refill = worth.at_horizon(inputs.time_unix_s(0), inputs.time_unix_s(_DAY)).value_per_kwh
    exact = [
        exact_worth(inputs, _DAY, energy, refill, may_export=may_export)
        for energy in _NINE_ENERGIES.tolist()
    ]
    return np.diff(exact) / np.diff(_NINE_ENERGIES)


@settings(max_examples=30)
@given(inputs=known_futures(), may_export=st.booleans())
def test_one_known_future_is_valued_as_by_an_exact_program(
    inputs: StudyInputs, may_export: bool
) -> None:
    value = end_value(inputs, 0, _PRESENT, _DAY, may_export=may_export)
    found = slopes_of(value, _NINE_ENERGIES[:-1])
    # Drops below a millionth are left out.
    np.testing.assert_allclose(found, exact_slopes(inputs, may_export=may_export), atol=1e-5)


@settings(max_examples=10)
@given(inputs=known_futures(), may_export=st.booleans())
def test_with_losses_the_grid_of_energies_costs_little(
    inputs: StudyInputs, may_export: bool
) -> None:
    """What the efficiencies leave lies between the nodes."""
    car = replace(inputs.car, charge_efficiency=0.93, discharge_efficiency=0.93)
    stays = tuple(replace(stay, energy_kwh_asked=None) for stay in inputs.plug_ins)
    buy = np.maximum(inputs.import_price_per_kwh, 0.01)
    sell = np.clip(inputs.export_price_per_kwh, 0.0, buy)
    inputs = replace(
        inputs,
        car=car,
        plug_ins=stays,
        import_price_per_kwh=buy,
        export_price_per_kwh=sell,
    )
    value = end_value(inputs, 0, _PRESENT, _DAY, may_export=may_export)
    found = slopes_of(value, _NINE_ENERGIES[:-1])
    np.testing.assert_allclose(found, exact_slopes(inputs, may_export=may_export), atol=0.02)


sites = st.builds(random_inputs, st.integers(0, 10_000), days=st.just(6))
modes = st.sampled_from(["declared", "calendar"])
few = settings(max_examples=25)


def stay_of(inputs: StudyInputs, share: float) -> PlugIn:
    """One of the first stays."""
    return inputs.plug_ins[int(share * (len(inputs.plug_ins) - 1))]


@few
@given(inputs=sites, share=st.floats(0, 0.9), mode=modes, may_export=st.booleans())
def test_the_worth_falls_with_the_energy_and_is_not_negative_where_no_price_is(
    inputs: StudyInputs, share: float, mode: str, may_export: bool
) -> None:
    inputs = replace(
        inputs,
        trips_known=mode == "calendar",
        import_price_per_kwh=np.maximum(inputs.import_price_per_kwh, 0.0),
        export_price_per_kwh=np.maximum(inputs.export_price_per_kwh, 0.0),
        car=replace(inputs.car, holding_price_per_kwh_h=0.0),
    )
    stay = stay_of(inputs, share)
    value = end_value(inputs, stay.arrival_step, stay, stay.departure_step, may_export=may_export)
    energies = [energy for energy, _ in value.drops]
    asked = stay.energy_kwh_asked
    assert energies == sorted(set(energies))
    assert all(drop > 0 for _, drop in value.drops)
    assert all((asked or 0.0) < energy < inputs.car.energy_kwh_max for energy in energies)
    assert value.value_per_kwh - sum(drop for _, drop in value.drops) >= -1e-9


@few
@given(inputs=sites, share=st.floats(0, 0.9), mode=modes, factor=st.floats(0.5, 20.0))
def test_with_all_prices_the_worth_is_scaled(
    inputs: StudyInputs, share: float, mode: str, factor: float
) -> None:
    inputs = replace(inputs, trips_known=mode == "calendar")
    car = inputs.car
    scaled = replace(
        inputs,
        import_price_per_kwh=inputs.import_price_per_kwh * factor,
        export_price_per_kwh=inputs.export_price_per_kwh * factor,
        car=replace(
            car,
            wear_price_per_kwh=car.wear_price_per_kwh * factor,
            holding_price_per_kwh_h=car.holding_price_per_kwh_h * factor,
        ),
    )
    stay = stay_of(inputs, share)
    energies = np.linspace(car.energy_kwh_min, car.energy_kwh_max, 50)
    before = end_value(inputs, stay.arrival_step, stay, stay.departure_step)
    after = end_value(scaled, stay.arrival_step, stay, stay.departure_step)
    np.testing.assert_allclose(
        slopes_of(after, energies), slopes_of(before, energies) * factor, atol=2e-5 * (1 + factor)
    )


def with_other_sessions_after(inputs: StudyInputs, step: int, now: PlugIn) -> StudyInputs:
    """The same site, whose car leaves the stay ``now`` later and lives otherwise from then on."""
    grid, later_steps = inputs.grid, 3
    plug_ins = tuple(
        replace(p, energy_kwh_used=0.5 * p.energy_kwh_used + 1.0)
        if p.arrival_step > step
        else replace(p, departure_step=p.departure_step + (later_steps if p is now else 0))
        for p in inputs.plug_ins
    )
    arrival = np.array([grid.start_unix_s + p.arrival_step * grid.step_s for p in plug_ins])
    departure = np.array([grid.start_unix_s + p.departure_step * grid.step_s for p in plug_ins])
    used = np.array([p.energy_kwh_used for p in plug_ins])
    presence = PresenceModel(arrival, departure, used, inputs.time_zone.key)
    return replace(inputs, plug_ins=plug_ins, presence=presence)


@few
@given(inputs=sites, share=st.floats(0, 0.9), within=st.floats(0, 0.99), seed=st.integers(0, 1000))
def test_what_is_not_known_yet_changes_nothing(
    inputs: StudyInputs, share: float, within: float, seed: int
) -> None:
    """Prices not yet published; load, sun and sessions after now."""
    chance = np.random.default_rng(seed)
    stay = stay_of(inputs, share)
    step = stay.arrival_step + int(within * (stay.departure_step - stay.arrival_step))
    unpublished = site_ahead(inputs).prices.known_until_step(inputs.time_unix_s(step))
    price, load, solar = (
        series.copy() for series in (inputs.import_price_per_kwh, inputs.load_kw, inputs.solar_kw)
    )
    price[unpublished:] += chance.normal(0, 0.2, len(price[unpublished:]))
    load[step:] *= chance.uniform(0, 3, len(load[step:]))
    solar[step:] *= chance.uniform(0, 2, len(solar[step:]))
    sell = inputs.export_price_per_kwh.copy()
    sell[unpublished:] -= 0.1
    other = with_series(inputs, price, load, solar)
    other = replace(with_other_sessions_after(other, step, stay), export_price_per_kwh=sell)
    leave_step = stay.departure_step
    assert end_value(other, step, stay, leave_step) == end_value(inputs, step, stay, leave_step)


@few
@given(inputs=sites, share=st.floats(0, 0.9))
def test_published_prices_do_change_it(inputs: StudyInputs, share: float) -> None:
    """The law above would hold for a worth that reads nothing at all."""
    stay = stay_of(inputs, share)
    dearer = replace(inputs, import_price_per_kwh=inputs.import_price_per_kwh + 1.0)
    before = end_value(inputs, stay.arrival_step, stay, stay.departure_step)
    after = end_value(dearer, stay.arrival_step, stay, stay.departure_step)
    assert after.value_per_kwh > before.value_per_kwh
