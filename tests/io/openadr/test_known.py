"""What becomes of events from one list to the next: nothing that was cancelled, forged or replayed is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from parkwatt.io.openadr.known import Change, Known, take
from parkwatt.io.openadr.settings import OpenadrSettings, ProgramSettings
from tests.io.openadr.vtn import event

SETTINGS = OpenadrSettings(
    "http://127.0.0.1", "ven", Path("x"), "north", (ProgramSettings("flex"),)
)
PROGRAMS = {"p1": "flex", "p2": "other"}
NOW = 1795194000_000_000


def made(
    identity: str, changed: str = "2026-11-20T16:00:00Z", program: str = "p1", level: int = 1
) -> dict[str, Any]:
    stamps = {"id": identity, "createdDateTime": changed, "modificationDateTime": changed}
    return event(program, ("SIMPLE", [level])) | stamps


def taken(known: Known, *raw: object, now: int = NOW) -> tuple[Known, list[tuple[str, str]]]:
    after, changes = take(known, raw, PROGRAMS, SETTINGS, now)
    return after, [(one.what, one.event_id) for one in changes]


def reasons(known: Known, *raw: object) -> list[Change]:
    return [one for one in take(known, raw, PROGRAMS, SETTINGS, NOW)[1] if one.what == "refused"]


def test_new_changed_and_cancelled() -> None:
    known, told = taken(Known(), made("a"), made("b"))
    assert told == [("new", "a"), ("new", "b")]
    known, told = taken(known, made("a"), made("b"))
    assert told == []
    known, told = taken(known, made("a", "2026-11-20T16:00:01Z", level=2))
    assert told == [("changed", "a"), ("cancelled", "b")]
    assert list(known.events) == ["a"]


def test_what_was_cancelled_comes_again_only_if_it_was_changed() -> None:
    known, _ = taken(Known(), made("a"))
    known, _ = taken(known)
    known, told = taken(known, made("a"))
    assert told == [("refused", "a")]
    assert not known.events
    # It is told once, and then a newer one is taken.
    known, told = taken(known, made("a"))
    assert told == []
    known, told = taken(known, made("a", "2026-11-20T16:30:00Z"))
    assert told == [("new", "a")]


def test_an_older_version_does_not_replace_a_newer_one() -> None:
    known, _ = taken(Known(), made("a", "2026-11-20T16:30:00Z", level=2))
    known, told = taken(known, made("a", "2026-11-20T16:00:00Z", level=3))
    assert told == []
    assert known.events["a"].intervals[0].signals[0].values == (2.0,)


def test_events_of_other_programmes_are_forged_and_wrong_ones_hide_no_good_one() -> None:
    wrong = made("w")
    wrong["intervals"][0]["payloads"][0]["values"] = ["x"]
    raw = (made("o", program="p2"), made("u", program="p9"), wrong, 7, made("a"))
    known, told = taken(Known(), *raw)
    assert list(known.events) == ["a"]
    assert told == [
        ("refused", "o"),
        ("refused", "u"),
        ("refused", "w"),
        ("refused", ""),
        ("new", "a"),
    ]
    words = [one.reason for one in reasons(Known(), *raw)]
    assert "'other' may not ask" in words[0]
    assert "not on the server's list" in words[1]
    assert "values: must be numbers" in words[2]


def test_now_stays_the_time_at_which_it_was_first_seen() -> None:
    raw = made("a")
    raw["intervalPeriod"]["start"] = "0001-01-01"
    known, _ = taken(Known(), raw, now=NOW)
    known, told = taken(known, raw, now=NOW + 60_000_000)
    assert told == []
    assert known.events["a"].intervals[0].begin_unix_us == NOW
