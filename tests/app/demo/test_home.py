"""The demo home: the same for the same seed, believable in its figures, right on days of 23 and 25 hours."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import astuple
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from parkwatt.app.demo.home import DemoHome, make_demo_home
from parkwatt.domain.errors import InputError
from parkwatt.domain.record import FloatArray


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _column(path: Path, name: str) -> FloatArray:
    return np.array([float(row[name]) for row in _rows(path)])


@pytest.fixture(scope="module", params=[1, 7, 42])
def year(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DemoHome:
    """A home of the year 2024, with one of several seeds."""
    return make_demo_home(tmp_path_factory.mktemp("home"), request.param, date(2024, 1, 1), 366)


def test_same_seed_same_files_and_another_seed_others(tmp_path: Path) -> None:
    homes = [
        make_demo_home(tmp_path / str(index), seed, date(2024, 3, 1), 20)
        for index, seed in enumerate((5, 5, 6))
    ]
    for first, second, other in zip(*(astuple(home) for home in homes), strict=True):
        assert first.read_bytes() == second.read_bytes()
        if first.suffix == ".csv":
            assert first.read_bytes() != other.read_bytes()


def test_year_of_load_is_believable(year: DemoHome) -> None:
    load_kw = _column(year.load, "load_kw")
    assert load_kw.sum() / 4 == pytest.approx(3500, rel=0.05)
    assert load_kw.min() >= 0.15
    assert 2.0 < load_kw.max() < 6.0
    # 23:00 UTC on 31 December is midnight in Amsterdam; winter time is right for a shape in hours.
    by_hour = load_kw[: 365 * 96].reshape(365, 24, 4).mean(axis=(0, 2))
    assert by_hour[18:20].mean() > 3 * by_hour[2:5].mean()
    assert by_hour[7] > 1.1 * by_hour[12]
    winter, summer = load_kw[: 60 * 96].mean(), load_kw[170 * 96 : 230 * 96].mean()
    assert 1.2 < winter / summer < 1.9


def test_year_of_sun_is_believable(year: DemoHome) -> None:
    solar_kw = _column(year.solar, "solar_kw")
    assert 850 * 5 < solar_kw.sum() / 4 < 1100 * 5
    assert solar_kw.min() == 0.0
    assert 3.5 < solar_kw.max() <= 5.0
    by_day = solar_kw[: 365 * 96].reshape(365, 96)
    assert by_day[:, : 5 * 4].max() < 0.5  # night
    noon = by_day[160:200].mean(axis=0).argmax() / 4 + 1  # summer time is an hour ahead
    assert 12.5 < noon < 14.5
    assert by_day[150:210].sum() > 3.5 * by_day[:60].sum()


def test_year_of_prices_is_believable(year: DemoHome) -> None:
    price = _column(year.prices, "price_eur_per_mwh")
    assert 65 < price.mean() < 100
    assert 0.01 < (price < 0).mean() < 0.08
    days = price[: 365 * 24].reshape(365, 24)
    assert 80 < (days.max(axis=1) - days.min(axis=1)).mean() < 140
    assert days[:, 18:20].mean() > days[:, 2:4].mean() + 40
    summer = days[150:240].mean(axis=0)
    assert summer[11:13].mean() < 30 < summer[18:20].mean()
    mean_of_day = days.mean(axis=1)
    assert 0.4 < np.corrcoef(mean_of_day[1:], mean_of_day[:-1])[0, 1] < 0.9


def test_sunny_days_are_cheap_at_noon(year: DemoHome) -> None:
    price = _column(year.prices, "price_eur_per_mwh")[: 365 * 24].reshape(365, 24)
    sun = _column(year.solar, "solar_kw")[: 365 * 96].reshape(365, 96).sum(axis=1)
    summer = slice(120, 240)
    assert np.corrcoef(sun[summer], price[summer, 11:14].mean(axis=1))[0, 1] < -0.3


def test_year_of_driving_is_believable(year: DemoHome) -> None:
    rows = _rows(year.sessions)
    arrivals = [datetime.fromisoformat(row["arrival"]) for row in rows]
    departures = [datetime.fromisoformat(row["departure"]) for row in rows]
    for arrival, departure in zip(arrivals, departures, strict=True):
        assert arrival.tzinfo is not None
        assert arrival.astimezone(UTC) < departure.astimezone(UTC)
    for departure, arrival in zip(departures, arrivals[1:], strict=False):
        assert departure.astimezone(UTC) < arrival.astimezone(UTC)
    used_kwh = _column(year.sessions, "energy_used_kwh")
    assert 10_000 < used_kwh.sum() / 0.18 < 14_500  # km a year
    assert used_kwh.max() <= 38.0
    plugged_in_h = sum(
        (d - a).total_seconds() / 3600 for a, d in zip(arrivals, departures, strict=True)
    )
    assert 0.55 < plugged_in_h / (366 * 24) < 0.8
    morning = [d.hour for d in departures if d.weekday() < 5]
    assert np.median(morning) == 7


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2024, 3, 31), 23), (date(2024, 10, 27), 25), (date(2024, 6, 1), 24)]
)
def test_days_have_their_hours(tmp_path: Path, day: date, hours: int) -> None:
    home = make_demo_home(tmp_path, 1, day, 1)
    for path, per_hour in ((home.load, 4), (home.solar, 4)):
        times = [datetime.fromisoformat(row["time"]) for row in _rows(path)]
        assert len(times) == hours * per_hour
        steps = {later - earlier for earlier, later in pairwise(times)}
        assert steps == {timedelta(minutes=60 // per_hour)}
    assert len(_rows(home.prices)) == hours + 24  # published a day ahead


def test_commute_keeps_the_clock_over_a_clock_change(tmp_path: Path) -> None:
    home = make_demo_home(tmp_path, 3, date(2024, 3, 25), 14)
    offsets = {datetime.fromisoformat(row["departure"]).utcoffset() for row in _rows(home.sessions)}
    assert offsets == {timedelta(hours=1), timedelta(hours=2)}
    for row in _rows(home.sessions):
        departure = datetime.fromisoformat(row["departure"])
        if departure.weekday() < 5 and departure.hour < 12:
            assert departure.hour in {6, 7, 8}


def test_site_names_the_files(tmp_path: Path) -> None:
    home = make_demo_home(tmp_path, 1, date(2024, 1, 1), 2)
    site = tomllib.loads(home.site.read_text("utf-8"))
    assert (tmp_path / site["load"]["file"]) == home.load
    assert (tmp_path / site["solar"]["file"]) == home.solar
    assert (tmp_path / site["tariff"]["import"]["day_ahead"]["file"]) == home.prices


def test_bad_length_and_bad_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        make_demo_home(tmp_path, 1, date(2024, 1, 1), 0)
    in_the_way = tmp_path / "file"
    in_the_way.write_text("x", "utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        make_demo_home(in_the_way, 1, date(2024, 1, 1), 1)
