"""The catalogue: every figure has a source, and every car makes a sound site."""

from __future__ import annotations

from pathlib import Path

import pytest

from parkwatt.app.serve_settings import Address
from parkwatt.app.set_up.catalogue import catalogue
from parkwatt.app.set_up.checking import check
from parkwatt.app.set_up.draft import Car, Charger, Draft, WishesDraft
from parkwatt.app.set_up.site_toml import Addresses
from parkwatt.plan.wear import CELLS

EVERYWHERE = Address("0.0.0.0", 9000)  # noqa: S104 told, not bound
HERE = Addresses(Address("127.0.0.1", 8088), Address("127.0.0.1", 8080), EVERYWHERE, "192.0.2.5")


def test_every_car_has_sources_and_a_known_cell() -> None:
    known = catalogue()
    assert len({car.id for car in known.car}) == len(known.car)
    for car in known.car:
        assert car.sources
        assert set(car.sources) <= set(known.sources)
        assert car.cell in CELLS
        assert 10 < car.battery_kwh <= 120
        assert 3 <= car.ac_kw <= 22


@pytest.mark.parametrize("car", catalogue().car, ids=lambda car: car.id)
@pytest.mark.parametrize("both_ways", [False, True])
def test_every_car_makes_a_sound_site(car: object, both_ways: bool, tmp_path: Path) -> None:
    known = catalogue().find(getattr(car, "id", ""))
    assert known is not None
    draft = Draft(
        car=Car(id=known.id),
        charger=Charger(gives_back=both_ways, power_kw=11),
        wishes=WishesDraft(runs_house=both_ways and known.v2x is not None),
    )
    settings, faults = check(draft, HERE, tmp_path)
    assert not faults
    assert settings is not None
    (made,) = settings.site.cars
    assert made.capacity_kwh == known.battery_kwh
    by_dc = both_ways and known.v2x in ("dc", "chademo")
    assert made.storage.charge_kw_max == (11 if by_dc else min(11.0, known.ac_kw))
    assert made.wishes.consents == draft.wishes.runs_house
    assert list(tmp_path.iterdir()) == []
