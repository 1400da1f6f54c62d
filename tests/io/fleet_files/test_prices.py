"""The prices of a fleet: Parquet and CSV, one tariff and several, gaps, and shorter steps."""

from pathlib import Path

import numpy as np
import pytest

from parkwatt.domain.record import Faults
from parkwatt.domain.series import TimeGrid
from parkwatt.io.fleet_files.prices import FleetPrices, read_prices
from tests.io.fleet_files.fleets import START_UNIX_S, write

HEADER = "start,import_price_per_kwh,export_price_per_kwh"
TWO_HOURS = "2026-06-18T10:00:00Z,0.30,0.10\n2026-06-18T11:00:00Z,0.25,-0.05\n"
# One tariff has both hours, the other only the first.
THREE_OF_FOUR = ("10:00:00Z,1,1,a", "11:00:00Z,1,1,a", "10:00:00Z,1,1,b")


def attempt(path: Path) -> tuple[FleetPrices | None, list[str]]:
    """What is read, and the faults."""
    faults = Faults()
    return read_prices(path, faults), [str(fault) for fault in faults.found]


def in_csv(tmp_path: Path, text: str) -> Path:
    """A CSV file."""
    path = tmp_path / "p.csv"
    path.write_text(text, encoding="utf-8")
    return path


def assert_two_hours(prices: FleetPrices | None) -> None:
    """The prices of `TWO_HOURS`."""
    assert prices is not None
    assert prices.grid == TimeGrid(START_UNIX_S, 3600, 2)
    assert prices.names == ("",)
    assert prices.import_price_per_kwh.tolist() == [[0.30, 0.25]]
    assert prices.export_price_per_kwh.tolist() == [[0.10, -0.05]]


def test_csv(tmp_path: Path) -> None:
    assert_two_hours(attempt(in_csv(tmp_path, f"{HEADER}\n{TWO_HOURS}"))[0])


def test_a_time_without_a_zone_is_utc_and_one_with_a_zone_says_itself(tmp_path: Path) -> None:
    for text in (
        TWO_HOURS.replace("Z", ""),
        TWO_HOURS.replace("T10:00:00Z", "T12:00:00+02:00").replace("T11:00:00Z", "T13:00:00+02:00"),
    ):
        assert_two_hours(attempt(in_csv(tmp_path, f"{HEADER}\n{text}"))[0])


def test_rows_in_any_order(tmp_path: Path) -> None:
    reversed_rows = "\n".join(reversed(TWO_HOURS.splitlines()))
    assert_two_hours(attempt(in_csv(tmp_path, f"{HEADER}\n{reversed_rows}\n"))[0])


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMPTZ"])
def test_several_tariffs_in_parquet(tmp_path: Path, kind: str) -> None:
    path = write(
        tmp_path / "p.parquet",
        f"SELECT ({kind} '2026-06-18 10:00:00') + INTERVAL (i // 2 * 15) MINUTE AS start, 0.1 * i AS import_price_per_kwh, "  # noqa: S608
        "-0.1 * i AS export_price_per_kwh, CASE i % 2 WHEN 0 THEN 'south' ELSE 'north' END AS price_row "
        "FROM range(8) t(i)",
    )
    prices, faults = attempt(path)
    assert faults == []
    assert prices is not None
    assert prices.names == ("north", "south")
    assert prices.grid == TimeGrid(START_UNIX_S, 900, 4)
    np.testing.assert_allclose(
        prices.import_price_per_kwh, [[0.1, 0.3, 0.5, 0.7], [0, 0.2, 0.4, 0.6]]
    )
    np.testing.assert_array_equal(prices.export_price_per_kwh, -prices.import_price_per_kwh)


def test_shorter_steps_have_the_price_of_the_step_they_lie_in(tmp_path: Path) -> None:
    prices, _ = attempt(in_csv(tmp_path, f"{HEADER}\n{TWO_HOURS}"))
    assert prices is not None
    quarters = prices.in_steps_of(900)
    assert quarters.grid == TimeGrid(START_UNIX_S, 900, 8)
    assert quarters.import_price_per_kwh.tolist() == [[0.30] * 4 + [0.25] * 4]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("start,import_price_per_kwh\n", "prices: p.csv has no column 'export_price_per_kwh'"),
        (f"{HEADER},fee\n" + TWO_HOURS.replace("\n", ",1\n"), "has a column 'fee' that is not"),
        (f"{HEADER}\n", "p.csv has no rows"),
        (f"{HEADER}\n{TWO_HOURS.splitlines()[0]}\n", "must have at least two steps"),
        (
            f"{HEADER}\n{TWO_HOURS}2026-06-18T13:00:00Z,0.2,0.1\n",
            "must have a price every 60 minutes; none follows, got '2026-06-18 11:00 UTC'",
        ),
        (f"{HEADER}\n{TWO_HOURS}{TWO_HOURS}", "must have one row for 2026-06-18 10:00 UTC, got 2"),
        (f"{HEADER}\n{TWO_HOURS.replace('0.25', '')}", "import_price_per_kwh must have no empty"),
        (f"{HEADER}\n{TWO_HOURS.replace('0.25', 'cheap')}", "must be a number, got 'cheap'"),
        (f"{HEADER}\n{TWO_HOURS.replace('0.25', 'inf')}", "must be finite"),
        (f"{HEADER}\n{TWO_HOURS.replace('2026-06-18T11:00:00Z', '')}", "must not be empty"),
        (
            f"{HEADER},price_row\n" + "".join(f"2026-06-18T{row}\n" for row in THREE_OF_FOUR),
            "must have one row of 'b' for 2026-06-18 11:00 UTC, got 0",
        ),
        ("", "the file is empty"),
    ],
)
def test_prices_that_cannot_be_used(tmp_path: Path, text: str, fault: str) -> None:
    prices, faults = attempt(in_csv(tmp_path, text))
    assert prices is None
    assert any(fault in line for line in faults), faults


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text("{}", encoding="utf-8")
    prices, faults = attempt(tmp_path / "p.json")
    assert prices is None
    assert len(faults) == 1
    assert attempt(tmp_path / "missing.csv")[1][0].startswith("prices: there is no such file")
