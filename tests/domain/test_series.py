"""Grids and series: the mean over spans, gaps, and what may not be made."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.series import IntervalSeries, TimeArray, TimeGrid, unix_s, utc


def times(*values: int) -> TimeArray:
    """An array of whole seconds."""
    return np.array(values, dtype=np.int64)


@st.composite
def series(draw: st.DrawFn) -> IntervalSeries:
    """Intervals of 1 s to 2 h with gaps, some of unknown value, far from 1970 as real ones are."""
    count = draw(st.integers(1, 12))
    gaps = draw(st.lists(st.sampled_from([0, 0, 1, 900]), min_size=count, max_size=count))
    lengths = draw(st.lists(st.integers(1, 7200), min_size=count, max_size=count))
    values = draw(st.lists(st.floats(-1e3, 1e3) | st.just(np.nan), min_size=count, max_size=count))
    ends = 1_700_000_000 + np.cumsum(np.array(gaps) + np.array(lengths)).astype(np.int64)
    return IntervalSeries(ends - np.array(lengths, dtype=np.int64), ends, np.array(values))


@given(series(), st.lists(st.integers(-7200, 100_000), min_size=2, max_size=20, unique=True))
def test_the_mean_agrees_with_a_sum_second_by_second(
    source: IntervalSeries, offsets: list[int]
) -> None:
    edges = 1_700_000_000 + np.array(sorted(offsets), dtype=np.int64)
    seconds = np.full(edges[-1] - edges[0], np.nan)
    for start, end, value in zip(
        source.start_unix_s, source.end_unix_s, source.values, strict=True
    ):
        seconds[max(start - edges[0], 0) : max(end - edges[0], 0)] = value
    pieces = np.split(seconds, edges[1:-1] - edges[0])
    expected = [piece.mean() for piece in pieces]
    np.testing.assert_allclose(source.mean_over(edges), expected, atol=1e-6)


@given(series(), st.integers(-(10**8), 10**8))
def test_a_shift_in_time_changes_no_mean(source: IntervalSeries, shift_s: int) -> None:
    edges = 1_700_000_000 + 900 * np.arange(60, dtype=np.int64)
    np.testing.assert_allclose(
        source.shifted(shift_s).mean_over(edges + shift_s), source.mean_over(edges), atol=1e-9
    )


@given(series(), st.floats(-10, 10))
def test_scaling_the_values_scales_the_mean(source: IntervalSeries, factor: float) -> None:
    edges = 1_700_000_000 + 900 * np.arange(60, dtype=np.int64)
    np.testing.assert_allclose(
        source.scaled(factor).mean_over(edges), source.mean_over(edges) * factor, atol=1e-6
    )


def test_a_span_partly_in_a_gap_is_unknown() -> None:
    source = IntervalSeries(times(0, 7200), times(3600, 10_800), np.array([1.0, 2.0]))
    found = source.mean_over(times(0, 1800, 3600, 3601, 7200, 7201, 10_800, 10_801))
    expected = [1.0, 1.0, np.nan, np.nan, 2.0, 2.0, np.nan]
    np.testing.assert_array_equal(found, expected)


def test_a_series_that_is_wholly_unknown_has_no_mean() -> None:
    source = IntervalSeries(times(0), times(10), np.array([np.nan]))
    assert np.isnan(source.mean_over(times(0, 5, 10))).all()


def test_on_a_grid_each_step_has_its_mean() -> None:
    grid = TimeGrid(0, 1800, 4)
    source = IntervalSeries(times(0, 3600), times(3600, 7200), np.array([1.0, 3.0]))
    assert source.on(grid).tolist() == [1.0, 1.0, 3.0, 3.0]


@pytest.mark.parametrize(
    ("starts", "ends", "rule"),
    [
        (times(0), times(10, 20), "same length"),
        (times(0), times(0), "end after it starts"),
        (times(0, 5), times(10, 20), "must not overlap"),
        (times(10, 0), times(20, 5), "in order of time"),
    ],
)
def test_intervals_must_be_sound(starts: TimeArray, ends: TimeArray, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        IntervalSeries(starts, ends, np.zeros(len(starts)))


@given(st.integers(-(10**9), 2 * 10**9), st.integers(1, 7200), st.integers(1, 500))
def test_each_time_of_a_grid_lies_in_the_step_it_is_said_to(
    start: int, step_s: int, count: int
) -> None:
    grid = TimeGrid(start, step_s, count)
    edges = grid.edges_unix_s()
    assert len(edges) == count + 1
    assert (edges[0], edges[-1]) == (start, grid.end_unix_s)
    assert len(grid.starts_unix_s()) == count
    assert grid.step_h * 3600 == pytest.approx(step_s)
    assert [grid.index(int(edge)) for edge in edges] == list(range(count + 1))
    assert [grid.index(int(edge) - 1) for edge in edges] == list(range(-1, count))


def test_times_are_aware() -> None:
    noon = datetime(2024, 6, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert utc(unix_s(noon)) == datetime(2024, 6, 1, 10, tzinfo=UTC)
    with pytest.raises(ValueError, match="aware"):
        unix_s(datetime(2024, 6, 1))  # noqa: DTZ001 - the fault looked for
