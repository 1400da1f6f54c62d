"""`parkwatt fleet make`: the same seed gives the same fleet, every row can be planned, and it is like what was recorded."""

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from parkwatt.app.cli import main
from parkwatt.app.fleet.generate import Wanted, fleet_columns, price_columns
from parkwatt.app.fleet.session_statistics import PART_BEGINS, SHARES, STATISTICS

BERLIN = ZoneInfo("Europe/Berlin")


def wanted(**changed: object) -> Wanted:
    """A fleet of 4000 cars on a Thursday in June."""
    usual: dict[str, object] = {
        "car_count": 4000,
        "sessions": "homes",
        "start": date(2026, 6, 18),
        "days": 1,
        "step_s": 900,
        "zone": BERLIN,
        "v2g_share": 0.25,
        "least_power": False,
        "seed": 1,
    }
    return Wanted(**{**usual, **changed})  # type: ignore[arg-type]


def test_the_same_arguments_give_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        fleet, prices = tmp_path / name / "f.parquet", tmp_path / name / "p.parquet"
        made = ["fleet", "make", str(fleet), "--cars", "300", "--prices-output", str(prices)]
        assert main([*made, "--days", "3", "--seed", "7"]) == 0
    for name in ("f.parquet", "p.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_another_seed_gives_another_fleet() -> None:
    first, second = (fleet_columns(wanted(seed=seed)) for seed in (1, 2))
    assert not np.array_equal(first["from_time"], second["from_time"])


@pytest.mark.parametrize("sessions", ["homes", "workplaces"])
@pytest.mark.parametrize("start", ["2026-03-27", "2026-10-23", "2026-06-18"])
@pytest.mark.parametrize("minutes", ["15", "60"])
def test_every_stay_can_be_planned_also_where_the_clock_changes(
    tmp_path: Path, sessions: str, start: str, minutes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet, prices = tmp_path / "f.parquet", tmp_path / "p.parquet"
    made = ["fleet", "make", str(fleet), "--cars", "400", "--prices-output", str(prices)]
    options = ["--sessions", sessions, "--start", start, "--days", "4", "--step-minutes", minutes]
    assert main([*made, *options]) == 0
    assert main(["fleet", "plan", str(fleet), "--prices", str(prices)]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert "departures: each car has what was asked" in told.out


@pytest.mark.parametrize(
    ("start", "hours"), [(date(2026, 3, 28), 23), (date(2026, 10, 24), 25), (date(2026, 6, 18), 24)]
)
def test_a_day_has_as_many_hours_as_the_local_clock(start: date, hours: int) -> None:
    assert wanted(start=start).grid.step_count == hours * 4
    assert len(price_columns(wanted(start=start))["start"]) == hours * 4


def test_each_car_comes_on_the_first_day_and_never_twice_at_once() -> None:
    columns = fleet_columns(wanted(days=6))
    cars, first = np.unique(columns["car_id"], return_index=True)
    assert len(cars) == 4000
    assert columns["from_time"][first].max() < wanted().grid.end_unix_s
    same = columns["car_id"][1:] == columns["car_id"][:-1]
    assert (columns["from_time"][1:] >= columns["to_time"][:-1])[same].all()
    assert same.sum() > 4000


def test_arrivals_and_stays_are_like_those_recorded() -> None:
    """Within four standard errors: the hours of arrival, the median stay and the median energy of arrivals in the evening."""
    columns = fleet_columns(wanted(car_count=40_000, days=3, step_s=60))
    end_unix_s = wanted().grid.end_unix_s
    first_day = columns["from_time"] < end_unix_s
    local_s = columns["from_time"][first_day] + 7200  # summer time in Berlin
    hour = local_s // 3600 % 24
    recorded = np.array(STATISTICS["homes"].weekday.arrivals)
    share = recorded / recorded.sum()
    got = np.bincount(hour, minlength=24) / len(hour)
    assert (np.abs(got - share) <= 4 * np.sqrt(share / len(hour)) + 1e-9).all()
    evening = (hour >= PART_BEGINS[2]) & (hour < PART_BEGINS[3])
    stay_h = ((columns["to_time"] - columns["from_time"]) / 3600)[first_day][evening]
    middle = SHARES.index(0.5)
    assert np.median(stay_h) == pytest.approx(
        STATISTICS["homes"].weekday.stay_h[2][middle], abs=0.3
    )
    gained = columns["energy_kwh_at_departure"] - columns["energy_kwh_at_arrival"]
    charged_kwh = np.median(gained[first_day][evening] / 0.93)
    # Short stays cannot take what was drawn for them, so the median is somewhat below.
    assert 0.7 * 7.8 < charged_kwh < 7.8


def test_what_is_asked_is_in_the_battery_and_in_reach() -> None:
    columns = fleet_columns(wanted(v2g_share=1.0, least_power=True))
    hours = (columns["to_time"] - columns["from_time"]) / 3600
    asked = columns["energy_kwh_at_departure"] - columns["energy_kwh_at_arrival"]
    assert (asked >= -1e-9).all()
    assert (asked <= hours * columns["charge_kw_max"] * 0.93 + 1e-9).all()
    assert (columns["energy_kwh_at_arrival"] > 0).all()
    assert (columns["energy_kwh_at_departure"] <= columns["energy_kwh_max"]).all()
    assert (columns["charge_kw_min"] <= columns["charge_kw_max"]).all()
    assert set(np.round(columns["charge_kw_min"], 2)) == {1.38, 4.14}
    gives = columns["discharge_kw_max"] > 0
    assert 0.1 < gives.mean() < 0.5
    assert (columns["energy_kwh_min"][gives] >= 0.2 * columns["energy_kwh_max"][gives] - 1e-3).all()
    assert not (fleet_columns(wanted(v2g_share=0.0))["discharge_kw_max"] > 0).any()


def test_all_faults_of_the_options_come_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = tmp_path / "f.csv"
    options = [
        *("--cars", "0", "--days", "0", "--step-minutes", "7", "--v2g-share", "2", "--seed", "-1"),
        *("--start", "tomorrow", "--time-zone", "Atlantis", "--prices-output", str(fleet)),
    ]
    assert main(["fleet", "make", str(fleet), *options]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        *("FLEET.parquet", "--prices-output", "--prices-output", "--cars", "--days"),
        *("--step-minutes", "--v2g-share", "--seed", "--start", "--time-zone"),
    ]
    assert not list(tmp_path.iterdir())


def test_nan_is_no_share(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--cars", "1", "--v2g-share", "nan"]
    assert main(["fleet", "make", str(tmp_path / "f.parquet"), *options]) == 2
    assert capsys.readouterr().err == "--v2g-share: must be from 0 to 1, got nan\n"
