"""`parkwatt fleet year`: from files to a table, a file and a page; the same seed gives the same; bad input is told at once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from parkwatt.app.cli import main
from parkwatt.app.fleet.year_words import rank_correlation

DAYS = 35


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Generated sessions of three users over twelve weeks, and prices over DAYS days with the change of clocks in them."""
    folder = tmp_path_factory.mktemp("year")
    random = np.random.default_rng(7)
    begin = datetime(2021, 1, 4, 17, tzinfo=UTC)
    lines = ["user_id,plugin_utc,plugout_utc,energy_kwh"]
    for user in range(3):
        for day in range(84):
            plugin = begin + timedelta(days=day, minutes=int(random.integers(0, 180)))
            plugout = plugin + timedelta(minutes=int(random.integers(500, 800)))
            energy_kwh = random.uniform(3.0, 18.0)
            lines.append(
                f"u{user},{plugin:%Y-%m-%dT%H:%M:%SZ},{plugout:%Y-%m-%dT%H:%M:%SZ},{energy_kwh:.2f}"
            )
    sessions = folder / "sessions.csv"
    sessions.write_text("\n".join(lines) + "\n")
    start = datetime(2022, 5, 31, 22, tzinfo=UTC)
    hours = [start + timedelta(hours=n) for n in range(24 * DAYS + 24)]
    rows = ["ts_utc,price_eur_per_mwh"]
    rows += [
        f"{hour:%Y-%m-%dT%H:%M:%SZ},{60 + 120 * (16 <= hour.hour < 20) + random.uniform(-20, 20):.2f}"
        for hour in hours
    ]
    prices = folder / "prices.csv"
    prices.write_text("\n".join(rows) + "\n")
    return str(sessions), str(prices)


def year(files: tuple[str, str], *options: str) -> list[str]:
    """The command's arguments."""
    usual = ["--drivers", "30", "--days", str(DAYS), "--from", "2022-06-01"]
    return ["fleet", "year", files[0], "--prices", files[1], *usual, *options]


@pytest.mark.parametrize("programme", ["arbitrage", "fcr", "elrp"])
def test_a_year_is_told_written_and_drawn(
    files: tuple[str, str], programme: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, report = tmp_path / "drivers.parquet", tmp_path / "year.html"
    options = ["--programme", programme, "--output", str(output), "--report", str(report)]
    assert main(year(files, *options, "--pool-cars", "10000")) == 0
    told = capsys.readouterr().out
    assert f"{DAYS} days from 2022-06-01, programme {programme}" in told
    assert "drivers are weeks of 3 recorded users" in told
    with duckdb.connect() as database:
        rows = database.execute(
            "SELECT count(*), avg(gross), avg(added_wear), avg(net), min(plugged_share) FROM read_parquet(?)",
            [str(output)],
        ).fetchone()
    assert rows is not None
    count, gross, wear, net, plugged = rows
    assert count == 30
    assert net == pytest.approx(gross - wear)
    assert gross > 0.0
    assert 0.3 < plugged < 0.6
    mean = next(line for line in told.splitlines() if line.startswith("net ")).split()[1]
    assert mean == f"{net:,.0f}"
    text = report.read_text()
    assert "http://" not in text.split("<script", 1)[0]
    assert f"programme {programme}" in text
    assert "{{" not in text.split("<script", 1)[0]


def test_the_same_seed_gives_the_same_and_another_does_not(
    files: tuple[str, str], tmp_path: Path
) -> None:
    written = []
    for number, seed in enumerate(("4", "4", "5")):
        output = tmp_path / f"{number}.parquet"
        options = ["--programme", "arbitrage", "--seed", seed, "--output", str(output)]
        assert main(year(files, *options, "--threads", str(number % 2 + 1))) == 0
        written.append(output.read_bytes())
    assert written[0] == written[1]
    assert written[0] != written[2]


def test_charges_on_import_take_from_what_discharging_brings(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = []
    for extra in ("0", "0.3"):
        assert main(year(files, "--programme", "arbitrage", "--import-extra", extra)) == 0
        lines = capsys.readouterr().out.splitlines()
        found.append(float(next(line for line in lines if "by discharging" in line).split()[4]))
    assert found[0] > 1.0
    assert found[1] < found[0] / 2


def test_all_faults_of_options_are_told_at_once_and_nothing_is_written(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = ["--drivers", "0", "--days", "3", "--cell", "unobtainium", "--time-zone", "Mars/Base"]
    wrong += ["--from", "soon", "--output", str(tmp_path / "d.csv"), "--charger-kw", "nan"]
    assert main(year(files, "--programme", "fcr", *wrong)) == 2
    told = capsys.readouterr().err
    for option in (
        "--drivers",
        "--days",
        "--cell",
        "--time-zone",
        "--from",
        "--output",
        "--charger",
    ):
        assert option in told
    assert not list(tmp_path.iterdir())


def test_prices_that_do_not_reach_are_told_with_what_they_cover(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(year(files, "--programme", "arbitrage", "--days", "300")) == 2
    told = capsys.readouterr().err
    assert "300 days from 2022-06-01" in told
    assert "2022-07-07" in told


def test_files_that_are_not_there_are_told_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = (str(tmp_path / "s.parquet"), str(tmp_path / "p.parquet"))
    assert main(year(gone, "--programme", "arbitrage")) == 2
    told = capsys.readouterr().err
    assert "sessions: there is no such file" in told
    assert "prices: there is no such file" in told


def test_a_rank_correlation_is_of_ranks() -> None:
    values = np.array([1.0, 2.0, 3.0, 10.0])
    assert rank_correlation(values, np.exp(values)) == pytest.approx(1.0)
    assert rank_correlation(values, -values) == pytest.approx(-1.0)
    assert rank_correlation(values, np.ones(4)) == 0.0
