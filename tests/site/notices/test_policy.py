"""When a person is told what: once, gathered, bounded, not in quiet hours, and that it is over only where it was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.site.notices import (
    CarNow,
    Facts,
    Notice,
    NoticeState,
    OutageNow,
    QuietHours,
    Rules,
    step,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOON = int(datetime(2027, 1, 15, 11, tzinfo=UTC).timestamp())
MIDNIGHT = int(datetime(2027, 1, 15, 23, tzinfo=UTC).timestamp())
RULES = Rules(time_zone=BERLIN)
QUIET = replace(RULES, quiet=QuietHours(22 * 3600, 7 * 3600), urgent_passes=True)
CAR = CarNow(
    car_id="ID.4",
    charger_id="GARAGE",
    linked=True,
    plugged_in=True,
    soc=0.5,
    departs_unix_s=NOON + 18 * 3600,
    asked_soc=0.8,
    ready=True,
)
WELL = Facts(cars=(CAR,), outage=OutageNow(medical=(("Oxygen", True),)))
RISK = replace(WELL, cars=(replace(CAR, ready=False, expected_soc=0.6),))
LOST = replace(WELL, cars=(replace(CAR, linked=False, departs_unix_s=None),))
OUT = replace(WELL, outage=OutageNow(since_unix_s=NOON, carried=True, hours_p50=20.0))


def live(
    state: NoticeState,
    course: Sequence[tuple[int, Facts]],
    until_s: int,
    rules: Rules = RULES,
    begin_s: int = NOON,
    every_s: int = 2,
) -> list[tuple[int, Notice]]:
    """Every notice with its second. ``course``: facts from a second on, in order."""
    told = []
    for passed_s in range(0, until_s, every_s):
        facts = [one for since_s, one in course if since_s <= passed_s][-1]
        notice = step(state, facts, rules, begin_s + passed_s)
        if notice is not None:
            told.append((passed_s, notice))
    return told


def topics(told: Sequence[tuple[int, Notice]]) -> list[str]:
    """What was told, in order."""
    return [
        f"{item.topic}_over" if item.over else item.topic
        for _, notice in told
        for item in notice.items
    ]


def test_what_is_well_is_not_told() -> None:
    assert live(NoticeState(), [(0, WELL)], 7200) == []


def test_a_risk_is_told_once_and_that_it_is_over() -> None:
    told = live(NoticeState(), [(0, WELL), (100, RISK), (3000, WELL)], 7200)
    assert topics(told) == ["at_risk", "at_risk_over"]
    assert told[0][0] == 100 + 120 + 60
    assert told[0][1].items[0].figures["expected_soc"] == 0.6


def test_what_passes_before_it_settles_is_not_told() -> None:
    assert live(NoticeState(), [(0, WELL), (100, RISK), (200, WELL)], 7200) == []


def test_a_departure_that_was_changed_ends_without_a_word() -> None:
    later = replace(WELL, cars=(replace(CAR, departs_unix_s=NOON + 20 * 3600),))
    told = live(NoticeState(), [(0, RISK), (3000, later)], 7200)
    assert topics(told) == ["at_risk"]


def test_what_is_not_known_keeps_what_was_told() -> None:
    unknown = replace(WELL, cars=(replace(CAR, ready=None),))
    told = live(NoticeState(), [(0, RISK), (600, unknown), (1200, RISK)], 7200)
    assert topics(told) == ["at_risk"]


def test_a_restart_repeats_nothing() -> None:
    state = NoticeState()
    assert topics(live(state, [(0, RISK)], 600)) == ["at_risk"]
    again = msgspec.json.decode(msgspec.json.encode(state), type=NoticeState)
    unknown = replace(WELL, cars=(replace(CAR, ready=None, linked=False),))
    told = live(again, [(0, unknown), (100, RISK), (900, WELL)], 7200, begin_s=NOON + 600)
    assert topics(told) == ["at_risk_over"]


def test_an_outage_is_told_within_seconds_and_its_end() -> None:
    told = live(NoticeState(), [(0, WELL), (100, OUT), (5000, WELL)], 7200)
    assert topics(told) == ["outage", "outage_over"]
    assert told[0][0] <= 100 + 12
    assert told[0][1].urgent


def test_what_comes_within_a_minute_goes_together() -> None:
    both = replace(RISK, outage=OutageNow(medical=(("Oxygen", True),)), journal="the disk is full")
    told = live(NoticeState(), [(0, both)], 7200)
    assert [len(notice.items) for _, notice in told] == [1, 1]  # they settle apart by 90 s
    lost = replace(LOST, journal="the disk is full")
    later = [(0, LOST), (130, lost)]
    assert [len(notice.items) for _, notice in live(NoticeState(), later, 7200)] == [2]


def test_quiet_hours_hold_back_what_is_not_urgent() -> None:
    at_night = replace(LOST, outage=None)
    told = live(NoticeState(), [(0, at_night)], 9 * 3600, QUIET, MIDNIGHT, every_s=30)
    assert topics(told) == ["charger_lost"]
    assert told[0][0] == 7 * 3600  # seven in the morning, Berlin


def test_what_ended_in_quiet_hours_is_never_told() -> None:
    told = live(
        NoticeState(),
        [(0, LOST), (3600, replace(WELL, cars=(replace(CAR, departs_unix_s=None),)))],
        9 * 3600,
        QUIET,
        MIDNIGHT,
        every_s=30,
    )
    assert told == []


def test_an_outage_passes_in_quiet_hours_only_where_the_owner_says_so() -> None:
    course = [(0, replace(OUT, outage=replace_since(MIDNIGHT)))]
    passed = live(NoticeState(), course, 3600, QUIET, MIDNIGHT)
    assert topics(passed) == ["outage"]
    held = live(NoticeState(), course, 3600, replace(QUIET, urgent_passes=False), MIDNIGHT)
    assert held == []


def replace_since(since_unix_s: int) -> OutageNow:
    """An outage that is carried."""
    return OutageNow(since_unix_s=since_unix_s, carried=True, hours_p50=20.0)


def test_a_lost_charger_is_urgent_only_where_its_car_is_to_be_charged() -> None:
    needed = replace(WELL, cars=(replace(CAR, linked=False),))
    (_, urgent), *_ = live(NoticeState(), [(0, needed)], 1200)
    assert urgent.urgent
    (_, calm), *_ = live(NoticeState(), [(0, LOST)], 1200)
    assert not calm.urgent


def test_two_cars_at_one_charger_have_one_trouble() -> None:
    other = replace(CAR, car_id="Zoe", linked=False, departs_unix_s=None)
    for cars in ((replace(CAR, linked=False), other), (other, replace(CAR, linked=False))):
        told = live(NoticeState(), [(0, replace(WELL, cars=cars))], 1200)
        assert topics(told) == ["charger_lost"]
        assert told[0][1].urgent


def test_a_trouble_that_flickers_is_one_trouble() -> None:
    course = [(n * 400, LOST if n % 2 == 0 else WELL) for n in range(1)] + [
        (600 + n * 30, WELL if n % 2 == 0 else LOST) for n in range(40)
    ]
    assert topics(live(NoticeState(), course, 1790)) == ["charger_lost"]


def test_so_many_messages_an_hour_and_no_more() -> None:
    cars = [replace(CAR, car_id=f"car {n}", charger_id=f"C{n}") for n in range(20)]
    course = [
        (
            n * 100,
            Facts(cars=tuple(replace(one, linked=k > n) for k, one in enumerate(cars))),
        )
        for n in range(20)
    ]
    told = live(NoticeState(), course, 3500, replace(RULES, kinds=frozenset({"charger"})))
    assert len(told) <= 12
    assert len(topics(told)) <= 20


def test_only_the_kinds_and_cars_that_are_wanted() -> None:
    only = replace(RULES, kinds=frozenset({"outage"}))
    assert live(NoticeState(), [(0, RISK)], 1200, only) == []
    others = replace(RULES, car_ids=frozenset({"Zoe"}))
    assert live(NoticeState(), [(0, RISK)], 1200, others) == []


def test_ready_is_news_only_where_it_was_short() -> None:
    full = replace(WELL, cars=(replace(CAR, soc=0.8),))
    assert live(NoticeState(), [(0, full)], 1200) == []
    told = live(NoticeState(), [(0, WELL), (300, full)], 7200)
    assert topics(told) == ["ready"]


def test_a_car_that_is_not_plugged_in_is_told_in_time() -> None:
    away = replace(CAR, plugged_in=False, ready=None, charge_h=3.0)
    told = live(NoticeState(), [(0, replace(WELL, cars=(away,)))], 12 * 3600, every_s=30)
    assert topics(told) == ["not_plugged_in"]
    at_s, notice = told[0]
    assert 8 * 3600 + 600 <= at_s <= 8 * 3600 + 720
    assert notice.items[0].figures["plug_in_by_unix_s"] == NOON + 15 * 3600


def test_a_car_that_left_with_enough_is_not_missed() -> None:
    away = replace(CAR, plugged_in=False, ready=None, soc=0.9)
    assert live(NoticeState(), [(0, replace(WELL, cars=(away,)))], 16 * 3600, every_s=60) == []


@pytest.mark.parametrize(
    ("falls", "expected"),
    [
        ([8.0, 5.0, 2.0, 0.5], [6.0, 3.0, 1.0]),
        ([8.0, 2.0, 4.0, 2.0], [3.0]),
        ([2.5, 2.4], [3.0]),
        ([2.5, 9.5, 2.5], [3.0, 3.0]),
    ],
)
def test_hours_left_are_told_at_the_tightest_bound(
    falls: list[float], expected: list[float]
) -> None:
    course = [
        (n * 300, replace(WELL, outage=OutageNow(since_unix_s=NOON, carried=True, hours_p50=hours)))
        for n, hours in enumerate(falls)
    ]
    rules = replace(RULES, kinds=frozenset({"hours_left"}))
    told = live(NoticeState(), course, 300 * len(falls), rules)
    assert [notice.items[0].figures["bound_h"] for _, notice in told] == expected


def test_a_dark_home_and_a_medical_circuit_are_told() -> None:
    dark = OutageNow(since_unix_s=NOON, medical=(("Oxygen", False),), phase="the source is open")
    told = live(NoticeState(), [(0, replace(WELL, outage=dark)), (600, WELL)], 1200)
    assert topics(told) == ["outage", "medical", "dark", "outage_over", "medical_over"]


_HOURS = st.none() | st.floats(0.0, 100.0)
_FACTS = st.builds(
    lambda linked, plugged, ready, soc, out, carried, hours, journal: Facts(
        cars=(replace(CAR, linked=linked, plugged_in=plugged, ready=ready, soc=soc),),
        outage=OutageNow(since_unix_s=NOON if out else None, carried=carried, hours_p50=hours),
        journal=journal,
    ),
    st.booleans(),
    st.booleans(),
    st.none() | st.booleans(),
    st.none() | st.floats(0.0, 1.0),
    st.booleans(),
    st.booleans(),
    _HOURS,
    st.sampled_from(["", "the disk is full"]),
)


@given(st.lists(st.tuples(_FACTS, st.integers(1, 900)), max_size=60))
def test_whatever_happens_nobody_is_flooded_and_an_end_follows_its_beginning(
    course: list[tuple[Facts, int]],
) -> None:
    state, now_unix_s, standing = NoticeState(), NOON, set[str]()
    sent: list[int] = []
    for facts, passed_s in course:
        now_unix_s += passed_s
        notice = step(state, facts, RULES, now_unix_s)
        if notice is None:
            continue
        sent.append(now_unix_s)
        assert notice.items
        assert sum(now_unix_s - at < 3600 for at in sent) <= 12
        for item in notice.items:
            if item.over:
                assert item.topic in standing
                standing.discard(item.topic)
            else:
                standing.add(item.topic)
