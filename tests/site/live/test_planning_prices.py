"""Prices with holes, late, or not there at all: the plan gets whole ones, and what was not known is named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parkwatt.domain.record import FloatArray
from parkwatt.domain.tariff import FlatPrice, Price
from parkwatt.site.live.planning import make_plan
from parkwatt.site.live.planning_prices import LivePrices, live_prices
from parkwatt.site.live.request import PlanRequest
from tests.site.live.made_request import (
    NOONS,
    one_car,
    one_request,
    random_request,
    series_price,
)

_NOW_S = NOONS[0]
_WEEK_S = 7 * 86_400


def with_prices(
    price_per_kwh: FloatArray, *, export: Price | None = None, start_s: int = _NOW_S - _WEEK_S
) -> PlanRequest:
    """A request with these prices by the hour."""
    request = one_request(one_car())
    tariff = replace(
        request.tariff,
        import_price=Price((series_price(start_s, 3600, price_per_kwh),)),
        export_price=request.tariff.export_price if export is None else export,
    )
    return replace(request, tariff=tariff)


def found_prices(request: PlanRequest) -> LivePrices:
    """What the planner sees, four days ahead."""
    return live_prices(request, _NOW_S + 4 * 86_400)


def ahead(prices: LivePrices, hours: int) -> FloatArray:
    """Import prices of the next hours."""
    edges = _NOW_S + 3600 * np.arange(hours + 1)
    return prices.prices.over(_NOW_S, edges)[0]


def hourly(hours_before: int, hours_after: int) -> FloatArray:
    """Prices that repeat by the day, from ``hours_before`` now on."""
    hour = np.arange(-hours_before, hours_after)
    return 0.2 + 0.1 * np.cos(hour * np.pi / 12)


def test_published_prices_are_taken_and_later_ones_not_read() -> None:
    """At noon the day's are known, up to midnight: twelve hours."""
    price = hourly(168, 60)
    later = price.copy()
    later[168 + 12 :] = 5.0
    for values in (price, later):
        prices = found_prices(with_prices(values))
        assert prices.known_until_unix_s == _NOW_S + 12 * 3600
        np.testing.assert_allclose(ahead(prices, 12), price[168:180])
        np.testing.assert_allclose(ahead(prices, 36), price[168:204], atol=1e-9)
        assert prices.risks == ()


def test_a_hole_ahead_is_guessed_from_the_days_before_and_named() -> None:
    price = hourly(168, 60)
    holed = price.copy()
    holed[168 + 3 : 168 + 5] = np.nan
    prices = found_prices(with_prices(holed))
    np.testing.assert_allclose(ahead(prices, 12), price[168:180], atol=1e-9)
    (risk,) = prices.risks
    assert "the import price of 2 h is not known, from 03.06. 15:00 on" in risk
    assert risk in make_plan(with_prices(holed)).plan.risks


def test_a_hole_in_the_past_is_filled_from_other_days_and_not_worth_a_word() -> None:
    price = hourly(168, 60)
    holed = price.copy()
    holed[20:24] = holed[100] = np.nan
    prices = found_prices(with_prices(holed))
    assert prices.risks == ()
    np.testing.assert_allclose(ahead(prices, 48), price[168:216], atol=1e-9)


def test_prices_that_ended_yesterday_go_on_as_a_guess() -> None:
    price = hourly(168, -20)
    prices = found_prices(with_prices(price))
    assert prices.known_until_unix_s == _NOW_S - 20 * 3600
    assert prices.risks == ("no import price is known from now on; a guess stands for it",)
    np.testing.assert_allclose(ahead(prices, 24), hourly(0, 24), atol=1e-9)


def test_only_tomorrow_s_prices_known_stand_for_today_too() -> None:
    now_s = _NOW_S + 2 * 3600
    hours = np.arange(24)
    price: FloatArray = 0.2 + 0.01 * hours.astype(np.float64)
    request = replace(with_prices(price, start_s=_NOW_S + 12 * 3600), now_unix_s=now_s)
    prices = live_prices(request, _NOW_S + 4 * 86_400)
    assert prices.known_until_unix_s == _NOW_S + 36 * 3600
    edges = now_s + 3600 * np.arange(11)
    today, _ = prices.prices.over(now_s, edges)
    np.testing.assert_allclose(today, price[14:24])
    assert "10 h is not known, from 03.06. 14:00 on" in prices.risks[0]


def test_without_any_price_a_flat_one_is_assumed_and_named() -> None:
    request = with_prices(np.full(200, np.nan))
    planned = make_plan(request).plan
    assert planned.import_price_per_kwh == pytest.approx([0.3] * len(planned.grid_kw))
    assert planned.risks == ("no import price is known; a flat 0.300 EUR/kWh is assumed",)
    assert planned.cars[0].energy_kwh[-1] >= 40.0 - 0.01
    running = make_plan(with_prices(hourly(168, 60))).plan
    again = make_plan(replace(request, running=running)).plan
    mean = float(np.mean(running.import_price_per_kwh))
    assert again.import_price_per_kwh == pytest.approx([mean] * len(again.grid_kw), abs=1e-6)


def test_without_an_export_price_nothing_is_sold() -> None:
    request = with_prices(
        hourly(168, 60), export=Price((series_price(_NOW_S, 3600, np.full(9, np.nan)),))
    )
    planned = make_plan(replace(request, cars=(one_car(energy_kwh=58.0, may_export=True),))).plan
    assert not any(planned.export_price_per_kwh)
    assert min(planned.grid_kw) >= -1e-5
    assert "no export price is known" in planned.risks[0]


def test_export_prices_that_end_before_the_import_s_are_guessed_and_named() -> None:
    export = hourly(168, 6) - 0.05
    request = with_prices(
        hourly(168, 60), export=Price((series_price(_NOW_S - _WEEK_S, 3600, export),))
    )
    prices = found_prices(request)
    assert prices.known_until_unix_s == _NOW_S + 12 * 3600
    _, sell = prices.prices.over(_NOW_S, _NOW_S + 3600 * np.arange(13))
    np.testing.assert_allclose(sell, hourly(0, 12) - 0.05, atol=1e-9)
    assert "the export price of 6 h is not known, from 03.06. 18:00 on" in prices.risks[0]


def test_a_tariff_known_for_all_time_needs_no_guess() -> None:
    request = one_request()
    tariff = replace(request.tariff, import_price=Price((FlatPrice(0.25),)))
    prices = found_prices(replace(request, tariff=tariff))
    assert prices.known_until_unix_s == _NOW_S + 4 * 86_400
    assert prices.risks == ()


@settings(max_examples=60)
@given(seed=st.integers(0, 1_000_000))
def test_prices_are_whole_and_known_ones_unchanged(seed: int) -> None:
    request = random_request(seed)
    now_s = request.now_unix_s
    prices = live_prices(request, now_s + 5 * 86_400)
    edges = now_s // 900 * 900 + 900 * np.arange(4 * 96)
    buy, sell = prices.prices.over(now_s, edges)
    assert np.isfinite(buy).all()
    assert np.isfinite(sell).all()
    told = request.tariff.import_price.over(edges)
    published_s = request.tariff.known_until_unix_s(now_s)
    known = np.isfinite(told)
    if published_s is not None:
        known &= edges[1:] <= published_s
    np.testing.assert_allclose(buy[known], told[known], atol=1e-9)
    if known.any():
        last = edges[1:][known][-1]
        assert prices.known_until_unix_s >= last
