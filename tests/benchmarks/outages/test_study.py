"""The study on generated homes: Parkwatt itself, its promises, and tables that tell what was lived."""

from __future__ import annotations

from functools import cache

import pytest

from benchmarks.outages.bands import BandCheck
from benchmarks.outages.cars import made_stays
from benchmarks.outages.events import made_outages
from benchmarks.outages.homes import made_homes
from benchmarks.outages.pairs import sample
from benchmarks.outages.study import STRATEGIES, Result, run
from benchmarks.outages.tables import (
    band_table,
    coverage,
    figures_of,
    fully_served_share,
    kept,
    must_share,
    strategy_table,
)


@cache
def results() -> tuple[Result, ...]:
    """Eight pairs, one of each kind."""
    return tuple(run(sample(8, 1, made_homes(), made_outages(), made_stays())))


def test_the_driver_always_leaves_with_what_is_possible() -> None:
    done, can = kept(results(), "parkwatt")
    assert done == can > 0


def test_must_have_lasts_about_as_long_as_foresight_makes_it() -> None:
    assert must_share(results(), "parkwatt") > 0.9


def test_nobody_serves_more_than_there_is_time_for() -> None:
    for one in results():
        for strategy in STRATEGIES:
            lived = one.lived[strategy]
            assert -1e-6 <= lived.dark_h <= one.bound.can_serve_h
            assert 0.0 <= lived.nice_h <= one.bound.can_serve_h + 1e-6


def test_hours_left_are_forecast_and_held_against_what_came() -> None:
    found = [band for one in results() for band in one.bands]
    assert found
    assert all(0.0 <= band.hours_p10 <= band.hours_p50 <= band.hours_p90 for band in found)


def test_the_same_pairs_give_the_same_results() -> None:
    again = run(sample(1, 1, made_homes(), made_outages(), made_stays()))
    assert [one.lived for one in again] == [one.lived for one in results()[:1]]
    assert [one.bands for one in again] == [one.bands for one in results()[:1]]


def test_tables_hold_a_line_for_each_group_and_strategy() -> None:
    lines = list(strategy_table(results()))
    assert len(lines) == 2 + 8 * len(STRATEGIES)
    assert all(line.count("|") == lines[0].count("|") for line in lines)
    bands = list(band_table(results()))
    assert all(line.count("|") == bands[0].count("|") for line in bands)
    assert {figure.unit for figure in figures_of(results())} == {"%", ""}


def test_a_pair_of_which_all_was_served_counts_as_fully_served() -> None:
    lit = [one for one in results() if one.lived["unmanaged"].dark_h < 0.01]
    assert fully_served_share(results(), "unmanaged") == pytest.approx(len(lit) / len(results()))


def test_coverage_counts_outcomes_in_their_band() -> None:
    within = BandCheck(0, 10.0, 12.0, 15.0, 11.0)
    above = BandCheck(0, 10.0, 12.0, 15.0, 16.0)
    assert coverage([within, above]) == 0.5
    assert within.width == pytest.approx(5.0 / 12.0)
