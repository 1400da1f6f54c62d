"""The PDF statement: a whole file with its fonts inside, the same for the same journal, in words that both languages have."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from parkwatt.app.statement import pdf_style
from parkwatt.app.statement.battery_pdf import battery_pdf
from parkwatt.app.statement.pdf_plot import bars
from parkwatt.app.statement.views import (
    AgeingView,
    BatteryUseView,
    BatteryView,
    CapacityView,
    CyclesView,
    SealView,
)
from parkwatt.app.statement.wording import LANGUAGES, LanguageName, Wording, texts

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2024, 1, 1, tzinfo=UTC)
ISSUED = datetime(2026, 11, 23, tzinfo=UTC)


def use(name: str, scale: float = 1.0) -> BatteryUseView:
    return BatteryUseView(
        name=name,
        charged_kwh=600.0 * scale,
        discharged_kwh=300.0 * scale,
        battery_in_kwh=550.0 * scale,
        driving_kwh=170.0 * scale,
        home_kwh=110.0 * scale,
        grid_kwh=300.0 * scale,
        cycles=CyclesView(driving=2.8, home=1.8, grid=5.0, total=9.6),
        known_h=400.0,
        high_h=100.0,
        highest_h=20.0,
        wear=Decimal("4.10"),
    )


def view(month_count: int, *, known: bool = True, car_id: str = "Škoda für Łódź €") -> BatteryView:
    months = [use(f"{2024 + n // 12}-{n % 12 + 1:02d}") for n in range(month_count)]
    told = CapacityView(
        capacity_kwh=57.3 if known else None,
        error_kwh=1.4 if known else None,
        sessions=41,
        full_charges=17.2,
        sessions_needed=4,
        full_charges_needed=1.0,
    )
    ageing = AgeingView(
        cell="nmc622-denso",
        cell_name="DENSO 50 Ah",
        temperature_c=20.0,
        history_days=365.0,
        loss_percent_per_year=1.1,
        time_percent_per_year=0.6,
        driving_percent_per_year=0.3,
        grid_use_percent_per_year=0.2,
        lowest_percent_per_year=0.4,
        highest_percent_per_year=6.2,
    )
    return BatteryView(
        site="Haus Grünwäldchen & <Söhne>",
        currency="EUR",
        time_zone="Europe/Berlin",
        car_id=car_id,
        capacity_kwh=60.0,
        start=START if month_count else None,
        known_until=START + timedelta(days=30 * month_count) if month_count else None,
        months=months,
        total=use("", float(month_count)),
        capacity=told,
        ageing=ageing if known else None,
        seal=SealView(entry=123456, hash="ab12" * 16),
    )


def page_count(content: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", content))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("months", "known", "pages"), [(0, False, 1), (3, True, 1), (60, True, 3)])
def test_it_is_whole_with_its_fonts_inside(
    language: LanguageName, months: int, known: bool, pages: int
) -> None:
    content = battery_pdf(view(months, known=known), ISSUED, language)
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    assert page_count(content) == pages
    fonts = re.findall(rb"/BaseFont /(\S+)", content)
    assert {font.partition(b"+")[2] for font in fonts} == {
        b"BitstreamVeraSans-Roman",
        b"BitstreamVeraSans-Bold",
    }
    assert len(re.findall(rb"/FontFile2 ", content)) == 2
    assert b"/Lang" in content


def test_the_same_journal_gives_the_same_file() -> None:
    first, again = (battery_pdf(view(7), ISSUED, "de") for _ in range(2))
    assert first == again
    assert first != battery_pdf(view(8), ISSUED, "de")


def test_umlauts_and_the_euro_are_shown_and_nothing_is_lost_silently() -> None:
    assert pdf_style.shown("Größe Łódé Škoda € − ±\nß") == "Größe Łódé Škoda € − ±\nß"
    assert pdf_style.shown("Łódź ě 漢") == "Łódz e ?"


def test_what_a_user_named_is_no_markup() -> None:
    content = battery_pdf(view(1, car_id="<b>&amp;<img src='file:///etc/passwd'/>"), ISSUED, "en")
    assert b"/Subtype /Image" not in content


def test_many_months_are_drawn_by_year() -> None:
    words = Wording("en", BERLIN)
    assert [label for label, _ in bars(view(3).months, words)] == ["Jan 24", "Feb", "Mar"]
    years = bars(view(25).months, words)
    assert [label for label, _ in years] == ["2024", "2025", "2026"]
    assert years[0][1] == pytest.approx((12 * 170.0, 12 * 110.0, 12 * 300.0))


def test_both_languages_say_all_with_the_same_figures() -> None:
    english, german = texts("en"), texts("de")
    assert english.keys() == german.keys()
    for name, text in english.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", german[name])), name


def test_numbers_are_the_readers() -> None:
    assert Wording("en", BERLIN).number(-1234.56, 1) == "−1,234.6"
    assert Wording("de", BERLIN).number(1234.56, 1) == "1.234,6"
    assert Wording("de", BERLIN).number(-0.01, 1) == "0,0"
    assert Wording("de", BERLIN).day(datetime(2026, 3, 31, 22, 30, tzinfo=UTC)) == "1. Apr. 2026"
