"""Every text there is in each language, with the same placeholders; a browser gets the one it asks for."""

import re

import pytest

from parkwatt.app.web import catalogue
from parkwatt.app.web.pages import MENU, PAGES, WAYS

_HOLE = re.compile(r"\{(\w+)")


@pytest.mark.parametrize("language", sorted(set(catalogue.LANGUAGES) - {"en"}))
def test_every_text_is_there_in_each_language(language: str) -> None:
    english, other = catalogue.texts("en"), catalogue.texts(language)
    assert english.keys() == other.keys()
    for key, text in english.items():
        assert sorted(set(_HOLE.findall(text))) == sorted(set(_HOLE.findall(other[key]))), key


def test_every_page_has_a_name_and_a_heading() -> None:
    for name in PAGES:
        assert catalogue.texts("en")[f"{name}.name"]
        assert catalogue.texts("en")[f"{name}.heading"]
    assert {name for name, _ in [*WAYS, *MENU]} <= set(PAGES)


@pytest.mark.parametrize(
    ("cookie", "asked", "language"),
    [
        (None, "de-AT,de;q=0.9,en;q=0.8", "de"),
        (None, "fr-FR,fr;q=0.9,de;q=0.5", "de"),
        (None, "fr", "en"),
        (None, "", "en"),
        ("en", "de", "en"),
        ("xx", "de", "de"),
    ],
)
def test_the_language_is_the_browsers(cookie: str | None, asked: str, language: str) -> None:
    assert catalogue.chosen(cookie, asked) == language


def test_a_text_without_a_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        catalogue.text("en", "home.nothing")
