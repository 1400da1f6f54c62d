"""Looking through a journal from its end: all that holds the words, in order, however it is cut into calls."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from parkwatt.app.api.reasons import KINDS, read_after
from parkwatt.app.api.reasons_search import GROUPS, KINDS_OF, Search, search
from parkwatt.app.words import translate
from parkwatt.domain.home import event as home_event
from parkwatt.domain.journal import Note
from parkwatt.domain.site import event as site_event
from parkwatt.io.store.sqlite_journal import SqliteJournal
from tests.app.api.live_served import LiveServed, in_live_site

ZONE = ZoneInfo("Europe/Berlin")
BEGIN_US = 1_800_000_000_000_000
COUNT = 3000


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Set-points, readings, sources and circuits in a random order, one a second."""
    path = tmp_path_factory.mktemp("journal") / "journal.sqlite"
    draw = random.Random(3)  # noqa: S311
    written = SqliteJournal(path)
    written.append([_note(draw, number) for number in range(COUNT)]).result()
    written.close()
    return path


def _note(draw: random.Random, number: int) -> Note:
    at_unix_us, dice = BEGIN_US + number * 1_000_000, draw.random()
    if dice < 0.5:
        measured = site_event.Measured(1_800_000_000 + number, 60, grid_kw=1.0)
        return Note(at_unix_us, "site.measured", "site", site_event.encode(measured))
    if dice < 0.8:
        decided = site_event.SetpointDecided(
            charger_id="GARAGE",
            evse_id=1,
            car_id=draw.choice(["ID.4", "Leaf"]),
            power_kw=3.0,
            proposed_kw=3.0,
            lease_s=600,
            reason=draw.choice(["the sun gives more", "the cheapest hours"]),
            following=draw.random() < 0.5,
        )
        return Note(at_unix_us, "setpoint.decided", "site", site_event.encode(decided))
    if dice < 0.98:
        source = site_event.SourceChanged("prices of Tibber", draw.random() < 0.5, "timeout")
        return Note(at_unix_us, "source.changed", "site", site_event.encode(source))
    switched = home_event.CircuitSwitched("dryer", False, "tier", "not needed in an outage")
    return Note(at_unix_us, "circuit.switched", "home", home_event.encode(switched))


def _all(journal: Path, wanted: Search, budget_s: float = 10.0) -> list[tuple[int, str]]:
    """Everything, by as many calls as it takes."""
    found: list[tuple[int, str]] = []
    before_seq = wanted.before_seq
    for _ in range(10_000):
        step = Search(
            words=wanted.words,
            groups=wanted.groups,
            car_id=wanted.car_id,
            from_unix_us=wanted.from_unix_us,
            until_unix_us=wanted.until_unix_us,
            before_seq=before_seq,
            following=wanted.following,
            limit=wanted.limit,
        )
        view = search(journal, step, ZONE, budget_s=budget_s)
        assert len(view.found) <= wanted.limit
        found += [(one.seq, one.message) for one in view.found]
        if view.before_seq is None:
            assert view.looked_back_to is None
            return found
        assert before_seq is None or view.before_seq < before_seq, "each call gets further"
        before_seq = view.before_seq
    raise AssertionError("no end")


@pytest.mark.parametrize("limit", [1, 7, 200])
@pytest.mark.parametrize("words", ["", "sun", "LEAF sun", "dryer", "nothing of the kind"])
def test_whatever_the_page_all_is_found_once_newest_first(
    journal: Path, words: str, limit: int
) -> None:
    told = read_after(journal, 0, ZONE, COUNT)
    expected = [
        (one.seq, one.message)
        for one in reversed(told)
        if all(word.casefold() in one.message.casefold() for word in words.split())
        and not one.payload.get("following", False)
    ]
    assert _all(journal, Search(words=words, limit=limit)) == expected
    assert bool(expected) == (words != "nothing of the kind")


def test_a_call_without_time_gets_on_all_the_same(journal: Path) -> None:
    whole = _all(journal, Search(words="cheapest", limit=50))
    assert _all(journal, Search(words="cheapest", limit=50), budget_s=0.0) == whole


def test_groups_cars_and_spans(journal: Path) -> None:
    of_group = _all(journal, Search(groups=("circuit",), limit=100))
    assert of_group
    assert all("dryer" in message for _, message in of_group)
    of_car = _all(journal, Search(car_id="Leaf", following=True, limit=200))
    assert not any("ID.4" in message for _, message in of_car)
    assert any("Leaf" in message for _, message in of_car)
    assert any("Tibber" in message for _, message in of_car), "what is of no car is of all"
    begin, end = BEGIN_US + 1_000_000_000, BEGIN_US + 2_000_000_000
    span = _all(journal, Search(from_unix_us=begin, until_unix_us=end, limit=100))
    assert span == [one for one in _all(journal, Search(limit=200)) if 1000 < one[0] <= 2000]


def test_each_kind_is_in_one_group() -> None:
    listed = [kind for group in GROUPS for kind in KINDS_OF[group]]
    assert sorted(listed) == sorted(KINDS)


def test_the_route_pages_back_and_finds_german_words(tmp_path: Path) -> None:
    async def story(served: LiveServed) -> None:
        await served.plugged_in(0.5)
        for mode in ("off", "smart", "home"):
            await served.client.post("/v1/cars/ID.4/mode", json={"mode": mode})
            served.clock[0] += 1_000_000
        await served.durable()

        async def get(status: int = 200, **asked: str | int) -> Any:
            answer = await served.client.get("/v1/reasons/search", params=asked)
            assert answer.status_code == status, answer.text
            return answer.json()

        first = await get(group="wish", limit=2)
        messages = [one["message"] for one in first["found"]]
        assert [message.split("mode ")[1].split(",")[0] for message in messages] == [
            "home",
            "smart",
        ]
        rest = await get(group="wish", limit=2, before_seq=first["before_seq"])
        assert len(rest["found"]) == 1
        assert rest["before_seq"] is None
        (began,) = (await get(group="car", q="PLUGGED"))["found"]
        german = translate(began["message"], "de")
        (again,) = (await get(q=german, language="de"))["found"]
        assert again == began
        await get(group="nonsense", status=422)
        await get(limit=0, status=422)
        await get(**{"from": "2027-01-15T10:00:00"}, status=422)

    in_live_site(tmp_path, story)
