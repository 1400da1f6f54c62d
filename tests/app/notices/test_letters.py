"""A notice in words: what happened, the figure, what to do, where; in the person's language."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from parkwatt.app.notices.letters import Writer, topics
from parkwatt.site.notices import Item, Notice

BERLIN = ZoneInfo("Europe/Berlin")
NOW = int(datetime(2027, 1, 15, 17, tzinfo=UTC).timestamp())
RISK = Item(
    "at_risk",
    {
        "car": "ID.4",
        "departs_unix_s": NOW + 13 * 3600 + 1800,
        "asked_soc": 0.8,
        "soc": 0.2,
        "expected_soc": 0.635,
        "ready_unix_s": NOW + 15 * 3600,
    },
)
OUTAGE = Item(
    "outage", {"since_unix_s": NOW, "hours_p10": 5.25, "hours_p50": 8.4, "hours_p90": 12.6}
)
OVER = Item("outage", {**OUTAGE.figures, "over_unix_s": NOW + 7200}, over=True)
STOPPED = Item("generator", {"reason": "the generator was told to start 90 s ago and does not run"})


def test_in_english() -> None:
    text = Writer("en", BERLIN, "https://home.example").write(Notice((RISK,)), NOW)
    assert text.title == "ID.4 will not be ready in time"
    assert text.body.splitlines() == [
        "Asked: 80% by tomorrow 07:30. There will be about 64%. It will have enough at tomorrow 09:00.",
        "→ Charge at full power now, ask for less, or leave later.",
        "https://home.example/car",
    ]


def test_in_german() -> None:
    text = Writer("de", BERLIN, "https://home.example").write(Notice((OUTAGE,)), NOW)
    assert text.title == "Stromausfall"
    assert "Seit 18:00. Das Haus hält etwa 8,4 h durch (5,2 bis 13 h)." in text.body
    assert text.body.endswith("https://home.example/backup")


def test_what_the_site_says_is_translated_within() -> None:
    text = Writer("de", BERLIN).write(Notice((STOPPED,)), NOW)
    assert "der Generator sollte vor 90 s starten und läuft nicht." in text.body


def test_a_sentence_without_its_figures_is_left_out_and_there_is_no_link_without_a_page() -> None:
    item = Item("at_risk", {**RISK.figures, "ready_unix_s": None, "expected_soc": None})
    text = Writer("en", BERLIN).write(Notice((item,)), NOW)
    assert "enough" not in text.body
    assert "None" not in text.body
    assert "http" not in text.body


def test_several_at_once() -> None:
    text = Writer("en", BERLIN).write(Notice((OVER, RISK)), NOW + 7200)
    assert text.title == "The grid is back; ID.4 will not be ready in time"
    assert "The home is on the grid again since 20:00." in text.body
    many = Writer("de", BERLIN).write(Notice((OUTAGE, RISK, RISK, RISK)), NOW)
    assert many.title == "Stromausfall und 3 weitere"


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_topic_has_words_and_troubles_have_an_action(language: str) -> None:
    words = topics(language)
    assert words.keys() == topics("en").keys()
    for topic, table in words.items():
        assert table["title"]
        if topic in ("several", "test"):
            continue
        assert table["body"], topic
        assert table["page"].startswith("/"), topic
        trouble = not topic.endswith("_over") and topic != "ready"
        assert bool(table.get("action")) is trouble, topic


@pytest.mark.parametrize("topic", sorted(topics("en")))
def test_both_languages_use_the_same_figures(topic: str) -> None:
    def figures(language: str) -> set[str]:
        text = str(topics(language)[topic])
        return {part.partition("}")[0] for part in text.split("{")[1:] if part[0].isalpha()}

    assert figures("en") == figures("de")
