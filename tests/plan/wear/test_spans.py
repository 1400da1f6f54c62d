"""Cutting a history into spans."""

import numpy as np
import rainflow
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.plan.wear.spans import cut, turning_points
from tests.plan.wear.histories import car_history, storage_history

levels = st.lists(st.sampled_from([0.1, 0.2, 0.4, 0.5, 0.7, 0.9]), min_size=3, max_size=60)


@given(levels)
def test_turning_points_are_the_ends_of_rainflow_cycles(values: list[float]) -> None:
    soc = np.array(values)
    expected = sorted({end for *_, end in rainflow.extract_cycles(values)})
    assert turning_points(soc).tolist() == expected


@given(levels, st.sampled_from([900.0, 3600.0, 30000.0, 90000.0]))
def test_spans_cover_every_sample_once_and_in_order(values: list[float], step_s: float) -> None:
    spans = cut(np.arange(len(values), dtype=np.float64) * step_s, np.array(values))
    samples = np.concatenate([np.arange(a, b + 1) for a, b in zip(*spans_of(spans), strict=True)])
    assert samples.tolist() == list(range(len(values)))


def spans_of(spans: object) -> tuple[list[int], list[int]]:
    first, last = vars(spans)["first"], vars(spans)["last"]
    return first.tolist(), last.tolist()


def test_a_resting_battery_is_cut_once_a_day() -> None:
    history = storage_history(0.5, 20.0, days=10)
    spans = cut(history.time_s, history.soc)
    assert spans.last.tolist() == [25, 50, 75, 100, 125, 150, 175, 200, 225, 239]


def test_a_day_of_many_cycles_is_cut_after_each_full_cycle() -> None:
    soc = np.tile([0.9, 0.3], 24)
    spans = cut(np.arange(48, dtype=np.float64) * 1800.0, soc)
    full_cycles = np.add.reduceat(np.abs(np.diff(soc, append=soc[-1])), spans.first) / 2
    assert full_cycles.max() < 1.6
    assert len(spans.first) > 10


def test_two_samples_are_one_span() -> None:
    spans = cut(np.array([0.0, 60.0]), np.array([0.5, 0.6]))
    assert (spans.first.tolist(), spans.last.tolist()) == ([0], [1])


def test_a_year_of_driving_has_about_a_span_a_day() -> None:
    history = car_history()
    assert 350 < len(cut(history.time_s, history.soc).first) < 370
