"""The table [tariff]: the examples in the docs, what they cost at given hours, and every fault."""

import copy
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.record import Faults, Record
from parkwatt.domain.series import IntervalSeries, TimeGrid, unix_s
from parkwatt.domain.tariff import Tariff
from parkwatt.io.series_source import SeriesSource
from parkwatt.io.tables import read_series
from parkwatt.io.tariff_toml import read_tariff
from tests.io.documented import blocks

SPOT_PER_KWH = 0.10
EXAMPLES = [text for _, text in blocks("guides/tariffs.md", "toml")]


def one_price(source: SeriesSource) -> IntervalSeries:
    """Stands for any file: 0.10 per kWh from 2020 to 2030."""
    assert source.file
    edges = np.array([unix_s(datetime(year, 1, 1, tzinfo=UTC)) for year in (2020, 2030)])
    return IntervalSeries(edges[:1], edges[1:], np.array([SPOT_PER_KWH]))


def attempt(table: object) -> tuple[Tariff, list[str]]:
    """The tariff and the faults of a table [tariff]."""
    record = Record(table, "tariff", Faults())
    tariff = read_tariff(record, one_price)
    return tariff, [str(fault) for fault in record.faults.found]


def read(text: str) -> Tariff:
    """The tariff of a sound TOML text."""
    tariff, faults = attempt(tomllib.loads(text)["tariff"])
    assert faults == []
    return tariff


def prices_at(tariff: Tariff, *parts: int) -> tuple[float, float]:
    """What import costs and export earns in the quarter of an hour from a local time on."""
    start = unix_s(datetime(*parts, tzinfo=tariff.time_zone))  # type: ignore[arg-type, misc]
    grid = TimeGrid(start, 900, 1)
    return float(tariff.import_price_on(grid)[0]), float(tariff.export_price_on(grid)[0])


def test_flat() -> None:
    tariff = read(EXAMPLES[0])
    assert (tariff.currency, tariff.time_zone.key) == ("EUR", "Europe/Berlin")
    assert prices_at(tariff, 2024, 6, 1) == (0.32, 0.081)
    assert tariff.demand_charge is None
    assert tariff.known_until_unix_s(0) is None


@pytest.mark.parametrize(
    ("parts", "import_price_per_kwh"),
    [
        ((2025, 7, 1, 16), 0.61),  # a Tuesday
        ((2025, 7, 1, 20, 45), 0.61),
        ((2025, 7, 1, 21), 0.29),
        ((2025, 7, 4, 16), 0.29),  # Independence Day, a Friday
        ((2025, 7, 5, 16), 0.29),  # a Saturday
        ((2025, 11, 28, 16), 0.29),  # the holiday of one's own, a Friday
        ((2025, 12, 2, 16), 0.41),
        ((2026, 5, 29, 16), 0.41),
        ((2025, 7, 5, 23), 0.22),
        ((2025, 7, 6, 6, 45), 0.22),
        ((2025, 7, 6, 7), 0.29),
    ],
)
def test_time_of_use(parts: tuple[int, ...], import_price_per_kwh: float) -> None:
    tariff = read(EXAMPLES[1])
    assert prices_at(tariff, *parts) == (import_price_per_kwh, 0.06)
    assert tariff.demand_charge is not None
    assert tariff.demand_charge.cost(1.0) == 29.0


def test_day_ahead() -> None:
    tariff = read(EXAMPLES[2])
    bought, sold = prices_at(tariff, 2024, 6, 1)
    assert bought == pytest.approx((SPOT_PER_KWH + 0.018 + 0.1088) * 1.21)
    assert sold == pytest.approx(SPOT_PER_KWH - 0.018)
    zone = ZoneInfo("Europe/Amsterdam")
    known = {
        hour: tariff.known_until_unix_s(unix_s(datetime(2024, 3, 30, hour, tzinfo=zone)))
        for hour in (12, 13)
    }
    assert known == {
        12: unix_s(datetime(2024, 3, 31, tzinfo=zone)),
        13: unix_s(datetime(2024, 4, 1, tzinfo=zone)),
    }


def test_day_ahead_with_a_grid_fee() -> None:
    tariff = read(EXAMPLES[3])
    for parts, fee in [((1, 8, 17), 0.1565), ((1, 8, 4), 0.0095), ((7, 8, 17), 0.0953)]:
        bought, sold = prices_at(tariff, 2024, *parts)
        assert bought == pytest.approx((SPOT_PER_KWH + 0.0295 + 0.0205 + fee) * 1.19)
        assert sold == pytest.approx(SPOT_PER_KWH)


def test_share_of_import() -> None:
    bought, sold = prices_at(read(EXAMPLES[4]), 2024, 6, 1)
    assert bought == 0.29
    assert sold == pytest.approx(0.175)


def test_every_example_is_tested() -> None:
    assert len(EXAMPLES) == 5


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site.toml").write_text(EXAMPLES[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    ((_, program),) = blocks("guides/tariffs.md", "python")
    names: dict[str, object] = {}
    exec(program, names)  # noqa: S102 - our own page
    np.testing.assert_array_equal(names["import_price_per_kwh"], np.full(96, 0.32))
    np.testing.assert_array_equal(names["export_price_per_kwh"], np.full(96, 0.081))
    assert names["known_until_unix_s"] is None


def test_without_export_nothing_is_earned() -> None:
    text = '[tariff]\ncurrency="EUR"\ntime_zone="UTC"\n[tariff.import]\nprice_per_kwh=0.3'
    assert prices_at(read(text), 2024, 6, 1) == (0.3, 0.0)


def test_the_market_may_have_days_of_its_own() -> None:
    table = tomllib.loads(EXAMPLES[2])["tariff"]
    table["time_zone"] = "Europe/Helsinki"
    table["import"]["day_ahead"]["market_time_zone"] = "Europe/Amsterdam"
    tariff, faults = attempt(table)
    assert faults == []
    now = unix_s(datetime(2024, 6, 1, 12, tzinfo=UTC))
    assert tariff.known_until_unix_s(now) == unix_s(datetime(2024, 6, 2, 22, tzinfo=UTC))


# Faults

FLAT = {"currency": "EUR", "time_zone": "UTC", "import": {"price_per_kwh": 0.3}}
SERIES = {"file": "a.csv", "time_column": "t", "value_column": "v", "unit": "EUR/MWh"}
PERIOD = {"price_per_kwh": 0.3}
DAY = {**PERIOD, "from": "06:00", "to": "22:00"}


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({"currency": "eur"}, ["tariff.currency: must be a code of three capitals"]),
        ({"time_zone": "Mars"}, ["tariff.time_zone: must be a time zone"]),
        ({"holidays": "XX"}, ["tariff.holidays: must be a country such as NL"]),
        ({"holidays": "US-QQ"}, ["tariff.holidays: must be a country such as NL"]),
        ({"holiday_dates": ["x"]}, ["tariff.holiday_dates[0]: must be a date"]),
        ({"holiday_dates": [5]}, ["tariff.holiday_dates[0]: must be a date"]),
        ({"holiday_dates": "2024-01-01"}, ["tariff.holiday_dates: must be a list of dates"]),
        ({"imports": {}}, ["tariff.imports: is not a known field"]),
        ({"import": 5}, ["tariff.import: must be a table", "tariff.import: must have a price"]),
        ({"import": {}}, ["tariff.import: must have a price: price_per_kwh, periods, day_ahead"]),
        ({"import": {"adders_per_kwh": {"a": 1}}}, ["tariff.import: must have a price"]),
        ({"import": {"price_per_kwh": "x"}}, ["tariff.import.price_per_kwh: must be a number"]),
        (
            {"import": {"price_per_kwh": 1, "tax": 21}},
            ["tariff.import.tax: must be at most 1, got 21"],
        ),
        (
            {"import": {"price_per_kwh": 1, "adders_per_kwh": {"a": "x", "b": float("inf")}}},
            ["tariff.import.adders_per_kwh.a: must be a number", "tariff.import.adders_per_kwh.b"],
        ),
        (
            {"import": {"price_per_kwh": 1, "periods": [PERIOD]}},
            ["tariff.import.price_per_kwh: must not stand beside periods"],
        ),
        (
            {"import": {"price_per_kwh": 1, "otherwise_per_kwh": 1}},
            ["tariff.import.otherwise_per_kwh: has no meaning without periods"],
        ),
        ({"import": {"periods": []}}, ["tariff.import.periods: must hold at least one period"]),
        (
            {"import": {"periods": [DAY]}},
            [
                (
                    "tariff.import.periods: must cover every hour, or otherwise_per_kwh be given; none "
                    "applies if 01-01 is a Monday, from 00:00 to 06:00"
                )
            ],
        ),
        (
            {"import": {"periods": [{**DAY, "from": "6:00"}]}},
            ["tariff.import.periods[0].from: must be a local time such as 07:30"],
        ),
        (
            {"import": {"periods": [PERIOD, {**DAY, "to": "24:15"}]}},
            ["tariff.import.periods[1].to: must be a local time such as 07:30"],
        ),
        (
            {"import": {"periods": [{**PERIOD, "from": "24:00"}]}},
            ["tariff.import.periods[0].from: must be before 24:00"],
        ),
        (
            {"import": {"periods": [{**DAY, "to": "06:00"}]}},
            ["tariff.import.periods[0].to: must differ from from"],
        ),
        (
            {"import": {"periods": [{**PERIOD, "days": "mon-fry"}]}},
            ["tariff.import.periods[0].days: must be names and spans such as mon-fri,sat"],
        ),
        (
            {"import": {"periods": [{**PERIOD, "days": "1-5"}]}},
            ["tariff.import.periods[0].days: must be names and spans"],
        ),
        (
            {"import": {"periods": [{**PERIOD, "months": "0-13"}]}},
            ["tariff.import.periods[0].months: must be names and spans such as jan-may,jun"],
        ),
        (
            {"import": {"periods": [{**PERIOD, "dates": "02-30..03-01"}]}},
            ["tariff.import.periods[0].dates: must be spans of month-day"],
        ),
        (
            {"import": {"periods": [{**PERIOD, "dates": "01-01..03-01", "months": "1"}]}},
            ["tariff.import.periods[0].dates: must not stand beside months"],
        ),
        (
            {"import": {"periods": [{**PERIOD, "holidays": True}], "otherwise_per_kwh": 1}},
            ["tariff.import.periods[0].holidays: needs tariff.holidays"],
        ),
        (
            {"import": {"periods": [{"from": "00:00"}]}},
            ["tariff.import.periods[0].price_per_kwh: is required"],
        ),
        (
            {"import": {"periods": [{**PERIOD, "day": "mon"}]}},
            ["tariff.import.periods[0].day: is not a known field"],
        ),
        (
            {"import": {"day_ahead": {**SERIES, "unit": "USD/MWh"}}},
            ["tariff.import.day_ahead.unit: must be in the tariff's currency, EUR"],
        ),
        (
            {"import": {"day_ahead": {**SERIES, "published_at": "24:00"}}},
            ["tariff.import.day_ahead.published_at: must be before 24:00"],
        ),
        (
            {"import": {"series": {**SERIES, "published_at": "13:00"}}},
            ["tariff.import.series.published_at: is not a known field"],
        ),
        ({"export": {"share_of_spot": 1}}, ["tariff.export.share_of_spot: needs tariff.import"]),
        (
            {"export": {"share_of_import": -1}},
            ["tariff.export.share_of_import: must be at least 0"],
        ),
        ({"export": {}}, ["tariff.export: must have a price"]),
        (
            {"demand_charge": {"price_per_kw_month": -1, "from": 2}},
            [
                "tariff.demand_charge.price_per_kw_month: must be",
                "tariff.demand_charge.from: is not",
            ],
        ),
    ],
)
def test_each_fault_is_named(changes: dict[str, object], sentences: list[str]) -> None:
    _, faults = attempt({**FLAT, **changes})
    assert len(faults) == len(sentences)
    for sentence, fault in zip(sentences, faults, strict=True):
        assert fault.startswith(sentence)


def test_all_that_is_missing_is_named() -> None:
    _, faults = attempt({})
    named = [fault.split(":")[0] for fault in faults]
    assert named == ["tariff.currency", "tariff.time_zone", "tariff.import"]


def test_a_share_of_a_series_that_cannot_be_read_adds_no_fault() -> None:
    table = copy.deepcopy(tomllib.loads(EXAMPLES[2])["tariff"])
    faults = Faults()

    def load(source: SeriesSource) -> IntervalSeries | None:
        return read_series(source, Path("nowhere"), faults)

    read_tariff(Record(table, "tariff", faults), load)
    fields = [fault.field for fault in faults.found]
    assert fields == ["tariff.import.day_ahead.file"]


NAMES = (
    "currency time_zone holidays holiday_dates import export demand_charge price_per_kwh periods "
    "day_ahead series tax adders_per_kwh days from to months dates share_of_spot share_of_import "
    "unit file where"
)
fields = st.sampled_from(NAMES.split())
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text("-.,0129:aimnost", max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(fields, inner, max_size=6),
    max_leaves=30,
)


@given(st.dictionaries(fields, values) | values)
def test_no_table_makes_the_reader_fail(table: object) -> None:
    tariff, faults = attempt(table)
    assert faults or tariff.currency


def test_real_prices(shared_directory: Path | None, tmp_path: Path) -> None:
    # The twin on generated data: every hour of 2021 and 2022 at the same price.
    table = tomllib.loads(EXAMPLES[2])["tariff"]
    zone = ZoneInfo("Europe/Amsterdam")
    start = datetime(2021, 1, 1, tzinfo=zone)
    hours = np.datetime64("2020-12-31T23") + np.arange(17_520).astype("timedelta64[h]")
    lines = ["ts_utc,price_eur_per_mwh", *(f"{hour}:00Z,172.44" for hour in hours)]
    (tmp_path / "prices.csv").write_text("\n".join(lines), encoding="utf-8")
    folders = {tmp_path: "prices.csv"}
    if shared_directory is not None:
        folders[shared_directory / "data" / "prices"] = "dayahead_NL_2021_2022.parquet"
    for folder, file in folders.items():
        table["import"]["day_ahead"]["file"] = file
        faults = Faults()

        def load(source: SeriesSource, folder: Path = folder) -> IntervalSeries | None:
            return read_series(source, folder, faults)  # noqa: B023 - called within the turn

        tariff = read_tariff(Record(table, "tariff", faults), load)
        faults.raise_if_any()
        grid = TimeGrid(unix_s(start), 900, 4 * 17_520)
        bought = tariff.import_price_on(grid)
        assert np.isfinite(bought).all()
        mean = (0.17244 + 0.018 + 0.1088) * 1.21  # 172.44 EUR/MWh is the file's mean in its README
        assert bought.mean() == pytest.approx(mean, abs=1e-5)
        # The days of 23 and 25 hours have as many different hours.
        for month, day, count in [(3, 28, 23), (10, 31, 25)]:
            first = unix_s(datetime(2021, month, day, tzinfo=zone))
            edges = first + 3600 * np.arange(count + 1, dtype=np.int64)
            assert np.isfinite(tariff.import_price.over(edges)).all()
            known_until = tariff.known_until_unix_s(first + 6 * 3600)
            assert known_until == edges[-1]
