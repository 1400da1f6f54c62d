"""A draft becomes a file that reads well and holds what was answered; each fault is told at the question it came from."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.app.set_up.checking import check, faults_of
from parkwatt.app.set_up.draft import (
    DAYS,
    Car,
    Charger,
    Day,
    Draft,
    House,
    Place,
    Step,
    WishesDraft,
    usual_kwh,
)
from parkwatt.app.set_up.site_toml import site_toml
from tests.app.set_up.test_catalogue import HERE


@given(
    name=st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30
    ),
    days=st.lists(st.sampled_from(DAYS), unique=True),
    at=st.sampled_from(["00:00", "07:30", "23:59"]),
    solar=st.floats(0, 50),
    price=st.floats(-1, 2),
)
def test_the_file_holds_what_was_answered(
    name: str,
    days: list[Day],
    at: str,
    solar: float,
    price: float,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    draft = Draft(
        place=Place(name=name, price_per_kwh=price),
        car=Car(id="", name=name),
        home=House(solar_kw_peak=solar),
        wishes=WishesDraft(days=days, ready_at=at),
    )
    table = tomllib.loads(site_toml(draft, HERE))
    assert table["name"] == name
    assert table["tariff"]["import"]["price_per_kwh"] == pytest.approx(price, abs=1e-6)
    assert table["household"].get("solar_kw_peak", 0.0) == pytest.approx(solar, abs=1e-6)
    if name.strip():
        settings, faults = check(draft, HERE, tmp_path_factory.getbasetemp())
        assert not faults
        assert settings is not None
        week = settings.site.cars[0].wishes.ready_by_s
        assert [time_s is not None for time_s in week] == [day in days for day in DAYS]


@pytest.mark.parametrize(
    ("draft", "fields"),
    [
        (Draft(place=Place(tariff="exchange", zone="MOON")), ["place.zone"]),
        (
            Draft(place=Place(tariff="octopus", tariff_code="nope", currency="GBP")),
            ["place.tariff_code"],
        ),
        (Draft(place=Place(tariff="awattar", zone="FR")), ["place.zone"]),
        (Draft(place=Place(tariff="day_night", night_from="06:00")), ["place.night_to"]),
        (Draft(place=Place(tariff="file", file="none.csv")), ["place.file"]),
        (Draft(place=Place(time_zone="Mars")), ["place.time_zone"]),
        (Draft(car=Car(id="submarine")), ["car.id"]),
        (Draft(charger=Charger(kind="real", id="a b")), ["charger.id"]),
        (Draft(wishes=WishesDraft(floor_soc=0.9)), ["wishes.target_soc"]),
        (Draft(wishes=WishesDraft(runs_house=True)), ["wishes.runs_house"]),
    ],
)
def test_a_fault_is_told_where_it_was_asked(
    draft: Draft, fields: list[str], tmp_path: Path
) -> None:
    settings, faults = check(draft, HERE, tmp_path)
    assert settings is None
    assert [fault.field for fault in faults] == fields
    step: Step = fields[0].partition(".")[0]  # type: ignore[assignment]
    assert faults_of(faults, step) == faults
    assert faults_of(faults, "home") == []


def test_a_real_charger_comes_from_the_network(tmp_path: Path) -> None:
    for encrypted in (False, True):
        draft = Draft(charger=Charger(kind="real", id="CP-1", encrypted=encrypted))
        settings, faults = check(draft, HERE, tmp_path)
        assert not faults or [fault.field for fault in faults] == ["car.charger"]
        table = tomllib.loads(site_toml(draft, HERE))
        assert table["ocpp"]["listen"] == "0.0.0.0:9000"
        assert table["ocpp"].get("tls", False) == encrypted
        assert "virtual" not in table["charger"][0]
        del settings


def test_more_people_use_more() -> None:
    assert [usual_kwh(persons) for persons in range(1, 8)] == sorted(
        usual_kwh(persons) for persons in range(1, 8)
    )
