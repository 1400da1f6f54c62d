"""Which feeds the tariff's tables describe, and every fault of one."""

import tomllib
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest

from parkwatt.domain.record import Faults, Record
from parkwatt.domain.series import IntervalSeries
from parkwatt.domain.tariff import DayAheadPublication, PriceBook, Tariff
from parkwatt.io.prices.feed import PriceFeed, price_feed
from parkwatt.io.prices.price_file import PriceFile
from parkwatt.io.prices.settings import FeedSettings, read_feed
from parkwatt.io.series_source import SeriesSource
from parkwatt.io.tariff_toml import read_tariff
from tests.io.documented import blocks
from tests.io.prices.answers import BERLIN, EIC
from tests.io.prices.sources import feed_of

CET = ZoneInfo("Europe/Brussels")


def faults_of(toml: str, currency: str = "EUR") -> list[str]:
    """The faults of a table."""
    record = Record(tomllib.loads(toml), "tariff.import.day_ahead", Faults())
    feed = read_feed(record, "import.day_ahead", currency=currency, time_zone=BERLIN)
    record.finish()
    found = [str(fault).removeprefix("tariff.import.day_ahead.") for fault in record.faults.found]
    assert (feed is None) == bool([fault for fault in found if "not a known field" not in fault])
    return found


def test_energy_charts() -> None:
    feed = feed_of('source = "energy-charts"\nzone = "DE-LU"')
    assert (feed.source, feed.area, feed.currency, feed.title) == (
        "energy-charts",
        "DE-LU",
        "EUR",
        "energy-charts",
    )
    assert feed.publication == DayAheadPublication(13 * 3600, CET)
    assert feed.url.startswith("https://")
    assert feed.history_days == 21


def test_a_zone_has_other_names_elsewhere() -> None:
    assert feed_of('source = "nordpool"\nzone = "DE-LU"').area == "GER"
    entsoe = 'source = "entsoe"\ntoken_file = "t"\nzone = '
    assert feed_of(f'{entsoe}"DE-LU"').area == EIC
    assert feed_of(f'{entsoe}"{EIC}"').area == EIC
    german = feed_of('source = "awattar"\nzone = "DE-LU"')
    austrian = feed_of('source = "awattar"\nzone = "AT"')
    assert german.url != austrian.url


def test_octopus() -> None:
    toml = (
        'source = "octopus"\ntariff_code = "E-1R-AGILE-24-10-01-C"\npayment = "other"\nvat = false'
    )
    feed = feed_of(toml, currency="GBP")
    assert (feed.tariff_code, feed.direct_debit, feed.with_vat) == (
        "E-1R-AGILE-24-10-01-C",
        False,
        False,
    )
    assert feed.publication == DayAheadPublication(17 * 3600, CET)


def test_tibber() -> None:
    feed = feed_of('source = "tibber"\ntoken_file = "t"\nhome_id = "h"\npart = "energy"')
    assert (feed.token_file, feed.home_id, feed.part) == ("t", "h", "energy")
    assert feed.publication == DayAheadPublication(13 * 3600, BERLIN)


def test_the_time_of_publication_is_the_settings_own() -> None:
    toml = 'source = "energy-charts"\nzone = "FI"\npublished_at = "14:15"\nmarket_time_zone = "Europe/Helsinki"'
    expected = DayAheadPublication(14 * 3600 + 900, ZoneInfo("Europe/Helsinki"))
    assert feed_of(toml).publication == expected


def test_prices_in_another_currency_with_a_rate() -> None:
    toml = 'source = "energy-charts"\nzone = "CZ"\nfactor = 24.9'
    assert feed_of(toml, currency="CZK").currency == "EUR"
    assert feed_of('source = "nordpool"\nzone = "SE4"', currency="SEK").currency == "SEK"
    toml = 'source = "nordpool"\nzone = "SE4"\ncurrency = "EUR"\nfactor = 11.0'
    assert feed_of(toml, currency="SEK").currency == "EUR"


@pytest.mark.parametrize(
    ("toml", "found"),
    [
        ("", ["source: is required"]),
        ('source = "smard"', ["source: must be one of energy-charts, entsoe"]),
        ('source = "energy-charts"', ["zone: is required"]),
        ('source = "energy-charts"\nzone = "DE"', ["zone: must be one of AT, BE, BG"]),
        ('source = "awattar"\nzone = "FR"', ["zone: must be one of AT, DE-LU"]),
        ('source = "entsoe"\nzone = "DE-LU"', ["token_file: is required"]),
        ('source = "entsoe"\nzone = "XX"', ["zone: must be", "token_file: is required"]),
        ('source = "tibber"\ntoken_file = ""', ["token_file: must not be empty"]),
        ('source = "tibber"\ntoken = "abc"', ["token_file: is required", "token: is not a known"]),
        (
            'source = "tibber"\ntoken_file = "t"\npart = "tax"',
            ["part: must be one of total, energy"],
        ),
        (
            'source = "octopus"\ntariff_code = "AGILE"',
            ["tariff_code: must be the code", "factor: is required"],
        ),
        ('source = "energy-charts"\nzone = "AT"\ncurrency = "GBP"', ["currency: must be EUR"]),
        (
            'source = "energy-charts"\nzone = "AT"\nurl = "ftp://x"',
            ["url: must be an https address"],
        ),
        (
            'source = "tibber"\ntoken_file = "t"\nurl = "http://example.test/gql"',
            ["url: must be an https address"],
        ),
        (
            'source = "energy-charts"\nzone = "AT"\npublished_at = "24:00"',
            ["published_at: must be before 24:00"],
        ),
        (
            'source = "energy-charts"\nzone = "AT"\nmarket_time_zone = "Mars"',
            ["market_time_zone: must be a time zone"],
        ),
        ('source = "energy-charts"\nzone = "AT"\nhome_id = "h"', ["home_id: is not a known field"]),
    ],
)
def test_faults(toml: str, found: list[str]) -> None:
    told = faults_of(toml)
    assert len(told) == len(found)
    for fault, words in zip(told, found, strict=True):
        assert fault.startswith(words)


def test_another_currency_needs_a_rate() -> None:
    assert faults_of('source = "energy-charts"\nzone = "CZ"', "CZK") == [
        "factor: is required: the source gives EUR, the tariff is in CZK (say how many CZK a EUR is)"
    ]


# The whole tariff.


@dataclass
class Live:
    """What a running site and a study make of a tariff."""

    tariff: Tariff
    feeds: list[FeedSettings]
    faults: list[str]
    files: list[SeriesSource]


def whole(toml: str, *, live: bool) -> Live:
    """The tariff of a text with a table [tariff]."""
    feeds: list[FeedSettings] = []
    files: list[SeriesSource] = []

    def load(source: SeriesSource) -> IntervalSeries:
        files.append(source)
        return PriceBook().series("")

    record = Record(tomllib.loads(toml)["tariff"], "tariff", Faults())
    tariff = read_tariff(record, load, feeds.append if live else None)
    return Live(tariff, feeds, [str(fault) for fault in record.faults.found], files)


TARIFF = '[tariff]\ncurrency = "EUR"\ntime_zone = "Europe/Berlin"\n'
SOURCE = '[tariff.import.day_ahead]\nsource = "energy-charts"\nzone = "DE-LU"\nfactor = 1.1\n'
FILE = 'file = "p.csv"\ntime_column = "t"\nvalue_column = "p"\nunit = "EUR/MWh"\n'
SHARE = "[tariff.export]\nshare_of_spot = 0.9\n"


def test_a_running_site_follows_a_source_and_a_study_refuses_it() -> None:
    live = whole(TARIFF + SOURCE + SHARE, live=True)
    assert live.faults == []
    assert [feed.name for feed in live.feeds] == ["import.day_ahead"]
    assert live.tariff.known_until_unix_s(5) == 5
    study = whole(TARIFF + SOURCE + SHARE, live=False)
    assert study.faults == [
        "tariff.import.day_ahead.file: is required here: a source is asked by a running site only"
    ]


def test_with_both_the_study_reads_the_file_and_the_site_asks_the_source() -> None:
    toml = TARIFF + SOURCE + FILE
    live, study = whole(toml, live=True), whole(toml, live=False)
    assert live.faults == study.faults == []
    assert [feed.source for feed in live.feeds] == ["energy-charts"]
    assert (len(live.files), len(study.files)) == (0, 1)


def test_a_file_is_a_feed_of_a_running_site() -> None:
    toml = TARIFF + "[tariff.import.day_ahead]\n" + FILE + "[tariff.export.series]\n" + FILE
    live = whole(toml, live=True)
    assert live.faults == []
    assert [(feed.name, feed.source, feed.title) for feed in live.feeds] == [
        ("import.day_ahead", "file", "p.csv"),
        ("export.series", "file", "p.csv"),
    ]
    assert live.feeds[0].publication == DayAheadPublication(13 * 3600, BERLIN)
    assert live.feeds[1].publication is None


def test_a_whole_price_of_a_supplier_has_no_time_of_publication_in_the_settings() -> None:
    toml = TARIFF + '[tariff.import.series]\nsource = "tibber"\ntoken_file = "t"\n'
    live = whole(toml, live=True)
    assert live.faults == []
    assert live.feeds[0].publication == DayAheadPublication(13 * 3600, BERLIN)
    assert whole(toml + 'published_at = "12:00"\n', live=True).faults


def test_each_kind_of_feed_is_made() -> None:
    live = whole(TARIFF + SOURCE + "[tariff.export.series]\n" + FILE, live=True)
    made = [
        price_feed(feed, clock=lambda: 0, known_until=lambda: None, seed=1) for feed in live.feeds
    ]
    assert [type(feed) for feed in made] == [PriceFeed, PriceFile]


@pytest.mark.parametrize("example", [text for _, text in blocks("guides/prices.md", "toml")])
def test_the_examples_in_the_docs(example: str) -> None:
    live = whole(example, live=True)
    assert live.faults == []
    assert live.feeds
