"""Topics and ids stay what they are, and are what Home Assistant allows."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from parkwatt.io.mqtt.home_assistant.naming import Naming, slug


def test_names_become_plain() -> None:
    assert slug("ID.4") == "id_4"
    assert slug("Zoé de l'été") == "zoe_de_l_ete"
    assert slug("車").startswith("x")
    assert slug("車") != slug("电车")


@given(st.text(min_size=1, max_size=40))
def test_any_name_becomes_a_level_and_an_id(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", slug(name))
    assert slug(slug(name)) == slug(name)


def test_two_sites_on_a_broker_have_nothing_in_common() -> None:
    one, other = Naming("homeassistant", "home"), Naming("homeassistant", "home/cabin")
    for name in ("config", "device_id"):
        assert getattr(one, name)("site") != getattr(other, name)("site")
    assert one.availability != other.availability
    assert one.state("site", "power") != other.state("site", "power")
