"""Minutes from single readings: nothing is lost or counted twice, and what nobody told is unknown."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.site.event import Measured
from parkwatt.site.live.metering import CarSample, MinuteMeter, Sample
from tests.site.live.world import BEGIN_UNIX_S, US

# In the middle of a minute.
_BEGIN_US = BEGIN_UNIX_S * US + 17_300_000
_POWERS = st.floats(-20.0, 20.0).map(lambda power: round(power, 3))
_STEPS = st.lists(st.tuples(st.floats(0.05, 14.0), _POWERS), min_size=1, max_size=80)


def _sample(
    grid_kw: float | None = None,
    *,
    load_kw: float | None = None,
    car: CarSample | None = None,
) -> Sample:
    return Sample(grid_kw, None, load_kw, {} if car is None else {"car": car})


def _whole(measured: list[Measured]) -> None:
    """Minutes follow each other and end with the clock's."""
    for minute, after in itertools.pairwise(measured):
        assert minute.start_unix_s + minute.duration_s == after.start_unix_s
    for minute in measured:
        assert (minute.start_unix_s + minute.duration_s) % 60 == 0
        assert 1 <= minute.duration_s <= 60


@given(_STEPS)
def test_minutes_add_up_to_what_flowed_whenever_it_was_looked(
    steps: list[tuple[float, float]],
) -> None:
    meter, at_us = MinuteMeter(), _BEGIN_US
    measured: list[Measured] = []
    import_kws = export_kws = 0.0
    for index, (lasts_s, grid_kw) in enumerate(steps):
        measured += meter.add(_sample(grid_kw), at_us)
        lasts_us = round(lasts_s * US)
        if index == len(steps) - 1:  # up to the end of a minute
            lasts_us = 60 * US - at_us % (60 * US)
        import_kws += max(grid_kw, 0.0) * lasts_us / US
        export_kws += max(-grid_kw, 0.0) * lasts_us / US
        at_us += lasts_us
        if index == len(steps) - 1 and lasts_us > 30 * US:
            measured += meter.add(_sample(grid_kw), at_us - 30 * US)
    measured += meter.add(_sample(0.0), at_us)
    _whole(measured)
    exported = sum((minute.export_kw or 0.0) * minute.duration_s for minute in measured)
    imported = sum(
        ((minute.grid_kw or 0.0) + (minute.export_kw or 0.0)) * minute.duration_s
        for minute in measured
    )
    # Powers are told to a tenth of a watt, and the first, cut minute to the second.
    tolerance_kws = 0.0002 * 60 * len(measured) + 20.0 * 0.5
    assert imported == pytest.approx(import_kws, abs=tolerance_kws)
    assert exported == pytest.approx(export_kws, abs=tolerance_kws)
    for minute in measured:
        assert minute.coverage == pytest.approx(1.0, abs=0.51 / minute.duration_s + 0.001)
        assert minute.grid_kw is not None
        assert minute.grid_kw_min is not None
        assert minute.grid_kw_max is not None
        assert minute.grid_kw_min - 1e-3 <= minute.grid_kw <= minute.grid_kw_max + 1e-3


def test_what_nobody_told_is_unknown() -> None:
    meter, at_us = MinuteMeter(), BEGIN_UNIX_S * US
    measured: list[Measured] = []
    for second in range(0, 181, 5):
        known = second < 60 or 90 <= second < 150
        measured += meter.add(_sample(2.0 if known else None), at_us + second * US)
    assert [minute.coverage for minute in measured] == [1.0, 0.5, 0.5]
    assert [minute.grid_kw for minute in measured] == [2.0, 2.0, 2.0]
    assert all(minute.load_kw is None and minute.solar_kw is None for minute in measured)


def test_a_minute_of_which_nothing_is_known_says_so() -> None:
    meter = MinuteMeter()
    meter.add(_sample(None), BEGIN_UNIX_S * US)
    (minute,) = meter.add(_sample(None), (BEGIN_UNIX_S + 60) * US)
    assert minute.coverage == 0.0
    assert minute.grid_kw is None
    assert minute.export_kw is None


def test_a_clock_put_back_counts_nothing_twice() -> None:
    meter, at_us = MinuteMeter(), BEGIN_UNIX_S * US
    measured: list[Measured] = []
    for second in range(0, 100, 5):
        measured += meter.add(_sample(6.0), at_us + second * US)
    for second in range(40, 200, 5):
        measured += meter.add(_sample(6.0), at_us + second * US)
    total_kws = sum((minute.grid_kw or 0.0) * minute.duration_s for minute in measured)
    assert total_kws <= 6.0 * (95 + 155)
    starts = [minute.start_unix_s - BEGIN_UNIX_S for minute in measured]
    assert starts == [0, 40, 60, 120]


@pytest.mark.parametrize("jump_s", [120, 600, 7200, 40 * 86_400])
def test_a_clock_put_forward_makes_up_no_energy(jump_s: int) -> None:
    meter, at_us = MinuteMeter(), BEGIN_UNIX_S * US
    measured: list[Measured] = []
    for second in range(0, 60, 5):
        measured += meter.add(
            _sample(6.0, car=CarSample(6.0, None, None, 30.0)), at_us + second * US
        )
    for second in range(60, 181, 5):
        measured += meter.add(
            _sample(6.0, car=CarSample(6.0, None, None, 30.0)), at_us + (jump_s + second) * US
        )
    known_s = sum(minute.coverage * minute.duration_s for minute in measured)
    assert known_s <= 180 + 60
    car_kwh = sum(minute.cars["car"].in_kwh for minute in measured if "car" in minute.cars)
    assert car_kwh <= 6.0 * (180 + 60) / 3600
    assert len(measured) < 20


@given(
    st.lists(
        st.tuples(st.floats(0.5, 14.0), st.floats(0.0, 0.05), st.floats(0.0, 0.05)), max_size=60
    )
)
def test_registers_are_counted_once_each(steps: list[tuple[float, float, float]]) -> None:
    meter, at_us = MinuteMeter(), _BEGIN_US
    measured: list[Measured] = []
    import_kwh, export_kwh = 1000.0, 500.0
    measured += meter.add(_sample(1.0, car=CarSample(3.0, import_kwh, export_kwh, 30.0)), at_us)
    for passed_s, more_in_kwh, more_out_kwh in steps:
        at_us += round(passed_s * US)
        import_kwh, export_kwh = import_kwh + more_in_kwh, export_kwh + more_out_kwh
        car = CarSample(3.0, import_kwh, export_kwh, 30.0)
        measured += meter.add(_sample(1.0, car=car), at_us)
    car = CarSample(3.0, import_kwh, export_kwh, 30.0)
    measured += meter.add(_sample(1.0, car=car), at_us + 30 * US)
    measured += meter.add(_sample(1.0, car=car), at_us + 60 * US)
    _whole(measured)
    counted = [minute.cars["car"] for minute in measured if "car" in minute.cars]
    in_kwh, out_kwh = (sum(getattr(car, name) for car in counted) for name in ("in_kwh", "out_kwh"))
    assert in_kwh == pytest.approx(import_kwh - 1000.0, abs=1e-5 * len(counted) + 1e-9)
    assert out_kwh == pytest.approx(export_kwh - 500.0, abs=1e-5 * len(counted) + 1e-9)


def test_a_register_that_was_replaced_tells_nothing_of_the_time_between() -> None:
    meter, at_us = MinuteMeter(), BEGIN_UNIX_S * US
    meter.add(_sample(car=CarSample(11.0, 900.0, None, 30.0)), at_us)
    meter.add(_sample(car=CarSample(11.0, 900.1, None, 30.0)), at_us + 20 * US)
    meter.add(_sample(car=CarSample(11.0, 0.0, None, 30.0)), at_us + 40 * US)
    meter.add(_sample(car=CarSample(11.0, 0.2, None, 30.0)), at_us + 50 * US)
    (minute,) = meter.add(_sample(car=CarSample(11.0, 0.2, None, 30.5)), at_us + 60 * US)
    assert minute.cars["car"].in_kwh == pytest.approx(0.3)
    assert minute.cars["car"].out_kwh == 0.0


def test_without_registers_power_is_counted() -> None:
    meter, at_us = MinuteMeter(), BEGIN_UNIX_S * US
    for second in range(0, 60, 5):
        power_kw = 6.0 if second < 30 else -3.0
        meter.add(_sample(car=CarSample(power_kw, None, None, None)), at_us + second * US)
    (minute,) = meter.add(_sample(), at_us + 60 * US)
    car = minute.cars["car"]
    assert car.in_kwh == pytest.approx(6.0 * 30 / 3600)
    assert car.out_kwh == pytest.approx(3.0 * 30 / 3600)
    assert car.power_kw == pytest.approx(1.5)
    assert car.energy_kwh is None


def test_another_stay_begins_with_its_own_registers() -> None:
    meter, at_us = MinuteMeter(), BEGIN_UNIX_S * US
    meter.add(_sample(car=CarSample(0.0, 50.0, 0.0, 30.0)), at_us)
    meter.add(_sample(), at_us + 10 * US)
    meter.add(_sample(car=CarSample(0.0, 80.0, 0.0, 30.0)), at_us + 20 * US)
    (minute,) = meter.add(_sample(), at_us + 60 * US)
    assert minute.cars["car"].in_kwh == 0.0
