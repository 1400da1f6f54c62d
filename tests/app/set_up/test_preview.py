"""The night ahead of a new site: money that adds up, and prices that say whether they are real."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from parkwatt.app.set_up.checking import check
from parkwatt.app.set_up.draft import DAYS, Charger, Draft, House, Place, WishesDraft
from parkwatt.app.set_up.preview import Preview, preview
from tests.app.set_up.test_catalogue import HERE

NOON = int(datetime(2026, 11, 23, 11, tzinfo=UTC).timestamp())
NIGHT = Place(tariff="day_night", price_per_kwh=0.35, night_price_per_kwh=0.15)


def told(draft: Draft, folder: Path, now_unix_s: int = NOON) -> Preview:
    """The preview of a sound draft."""
    settings, faults = check(draft, HERE, folder)
    assert not faults
    assert settings is not None
    return asyncio.run(preview(settings, now_unix_s))


def test_cheap_nights_save_what_they_are_cheaper(tmp_path: Path) -> None:
    found = told(Draft(place=NIGHT), tmp_path)
    assert found.example is None
    assert found.plan.made_unix_s == NOON + 6 * 3600  # comes home at 18:00
    needed_kwh = (found.target_kwh - found.start_kwh) / 0.93
    before_ten_kwh = min(4 * 11.0, needed_kwh)
    assert found.saved == pytest.approx(before_ten_kwh * 0.20, rel=0.02)
    assert found.wear == 0.0


def test_a_fixed_price_saves_nothing(tmp_path: Path) -> None:
    assert told(Draft(), tmp_path).saved == pytest.approx(0.0, abs=0.01)


def test_running_the_house_wears_and_saves_more(tmp_path: Path) -> None:
    plain = Draft(place=NIGHT, charger=Charger(gives_back=True))
    both = plain.model_copy(update={"wishes": WishesDraft(runs_house=True)})
    found = told(both, tmp_path)
    assert found.wear > 0.0
    assert found.saved > told(plain, tmp_path).saved


def test_an_exchange_that_does_not_answer_is_shown_by_an_example(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("time,price\n", encoding="utf-8")
    place = Place(tariff="file", file="prices.csv")
    wishes = WishesDraft(ready_at="12:00", days=list(DAYS))
    found = told(Draft(place=place, home=House(solar_kw_peak=8), wishes=wishes), tmp_path)
    assert found.example
    assert found.saved > 1.0
    assert max(found.plan.solar_kw) > 0.0


def test_a_car_without_a_day_has_the_day_ahead(tmp_path: Path) -> None:
    found = told(Draft(place=NIGHT, wishes=WishesDraft(days=[])), tmp_path, NOON + 9 * 3600)
    assert found.until_unix_s == NOON + 33 * 3600
    assert told(Draft(place=NIGHT, wishes=WishesDraft(days=list(DAYS))), tmp_path).until_unix_s
