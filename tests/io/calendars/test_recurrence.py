"""When events take place: rules, exceptions, overrides, zones and clocks that change."""

import pytest

from tests.io.calendars.calendars import BERLIN, at, calendar, departures, trips, weekly

ONE_DAY = {"first": (2026, 3, 23), "last": (2026, 3, 24)}


def test_weekdays_on_the_local_clock() -> None:
    found = departures(calendar(weekly()))
    days = [23, 24, 25, 26, 27, 30, 31, 1, 2, 3]
    assert found == [f"{day:02d} 08:00" for day in days], "8 o'clock before and after the change"


def test_a_rule_with_an_end() -> None:
    rule = "RRULE:FREQ=DAILY;UNTIL=20260325T070000Z"
    event = [line for line in weekly() if not line.startswith("RRULE")]
    assert departures(calendar([*event, rule])) == ["23 08:00", "24 08:00", "25 08:00"]
    assert departures(calendar([*event, "RRULE:FREQ=DAILY;UNTIL=20260325T065959Z"])) == [
        "23 08:00",
        "24 08:00",
    ]
    assert len(departures(calendar([*event, "RRULE:FREQ=DAILY;UNTIL=20260325"]))) == 3
    assert len(departures(calendar([*event, "RRULE:FREQ=DAILY;UNTIL=20260325T080000"]))) == 3


def test_a_rule_that_counts_from_its_start() -> None:
    event = [line for line in weekly() if not line.startswith("RRULE")]
    counted = calendar([*event, "RRULE:FREQ=DAILY;COUNT=3"])
    assert departures(counted, first=(2026, 3, 24)) == ["24 08:00", "25 08:00"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", ["23 08:00", "06 08:00", "20 08:00"]),
        ("FREQ=MONTHLY;BYDAY=-1TU", ["23 08:00", "31 08:00", "28 08:00"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", ["23 08:00", "31 08:00"]),
        ("FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=1", ["23 08:00", "01 08:00"]),
        ("FREQ=MINUTELY", ["23 08:00"]),
        ("FREQ=SECONDLY;COUNT=5", ["23 08:00"]),
        ("FREQ=HOURLY", ["23 08:00"]),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20251231T000000Z", ["23 08:00"]),
    ],
)
def test_kinds_of_rules(rule: str, expected: list[str]) -> None:
    event = [line for line in weekly() if not line.startswith("RRULE")]
    text = calendar([*event, f"RRULE:{rule}"])
    assert departures(text, last=(2026, 5, 1)) == expected


def test_a_rule_of_long_ago() -> None:
    event = [line.replace("20260323", "19990104") for line in weekly()]
    assert departures(calendar(event), **ONE_DAY) == ["23 08:00"]


@pytest.mark.parametrize(
    "excluded",
    [
        "EXDATE;TZID=Europe/Berlin:20260324T080000,20260325T080000",
        "EXDATE:20260324T070000Z\r\nEXDATE:20260325T070000Z",
        "EXDATE;VALUE=DATE:20260324,20260325",
        "EXDATE:20260324T080000\r\nEXDATE;VALUE=DATE:20260325",
    ],
)
def test_excluded_days(excluded: str) -> None:
    found = departures(calendar(weekly(excluded)), last=(2026, 3, 28))
    assert found == ["23 08:00", "26 08:00", "27 08:00"]


@pytest.mark.parametrize(
    "added",
    [
        "RDATE;TZID=Europe/Berlin:20260328T100000",
        "RDATE:20260328T090000Z",
        "RDATE;VALUE=PERIOD:20260328T090000Z/PT1H",
    ],
)
def test_added_dates(added: str) -> None:
    assert "28 10:00" in departures(calendar(weekly(added)))


def test_one_day_at_another_time() -> None:
    moved = [
        "UID:work",
        "SUMMARY:Work, later",
        "RECURRENCE-ID;TZID=Europe/Berlin:20260330T080000",
        "DTSTART;TZID=Europe/Berlin:20260330T103000",
        "DTEND;TZID=Europe/Berlin:20260330T170000",
    ]
    for events in ([weekly(), moved], [moved, weekly()]):
        found = departures(calendar(*events), first=(2026, 3, 28), last=(2026, 4, 1))
        assert found == ["30 10:30", "31 08:00"]


def test_one_day_is_cancelled() -> None:
    cancelled = [
        "UID:work",
        "STATUS:CANCELLED",
        "RECURRENCE-ID:20260324T070000Z",
        "DTSTART:20260324T070000Z",
    ]
    found = departures(calendar(weekly(), cancelled), last=(2026, 3, 26))
    assert found == ["23 08:00", "25 08:00"]


def test_a_whole_series_is_cancelled() -> None:
    assert departures(calendar(weekly("STATUS:CANCELLED"))) == []


def test_overrides_of_another_series_do_not_count() -> None:
    other = ["UID:gym", "RECURRENCE-ID:20260324T070000Z", "DTSTART:20260324T180000Z"]
    found = departures(calendar(weekly(), other), last=(2026, 3, 25))
    assert found == ["23 08:00", "24 08:00", "24 19:00"]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("DTSTART:20260323T080000", "23 08:00"),
        ("DTSTART:20260323T070000Z", "23 08:00"),
        ("DTSTART;TZID=America/New_York:20260323T080000", "23 13:00"),
        ("DTSTART;TZID=W. Europe Standard Time:20260323T080000", "23 08:00"),
        ("DTSTART;TZID=Nowhere/At_All:20260323T080000", "23 08:00"),
    ],
)
def test_zones(start: str, expected: str) -> None:
    assert departures(calendar(["UID:1", start])) == [expected]


OWN_ZONE = """BEGIN:VTIMEZONE
TZID:Home
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE"""


def test_a_zone_that_the_calendar_defines() -> None:
    event = [line.replace("Europe/Berlin", "Home") for line in weekly()]
    assert departures(calendar(event, before=OWN_ZONE)) == departures(calendar(weekly()))


def test_the_hour_that_the_clock_skips_and_the_one_it_repeats() -> None:
    event = ["UID:1", "DTSTART;TZID=Europe/Berlin:20260328T023000", "RRULE:FREQ=DAILY;COUNT=3"]
    assert departures(calendar(event)) == ["28 02:30", "29 03:30", "30 02:30"]
    event = ["UID:1", "DTSTART;TZID=Europe/Berlin:20261024T023000", "RRULE:FREQ=DAILY;COUNT=2"]
    found = trips(calendar(event), (2026, 10, 20), (2026, 10, 30))
    assert found[1].departs_unix_s == at(2026, 10, 25, 2, 30), "the first of the two"


def test_how_long_a_trip_lasts() -> None:
    for end, hours in [
        ("DTEND;TZID=Europe/Berlin:20260323T173000", 9.5),
        ("DTEND:20260323T163000Z", 9.5),
        ("DURATION:PT90M", 1.5),
        ("DURATION:P1DT1H", 25),
        ("DTEND;TZID=Europe/Berlin:20260323T080000", 1),
        ("DTEND;TZID=Europe/Berlin:20260322T080000", 1),
        ("SUMMARY:no end", 1),
    ]:
        [trip] = trips(calendar(["UID:1", "DTSTART;TZID=Europe/Berlin:20260323T080000", end]))
        assert trip.returns_unix_s - trip.departs_unix_s == hours * 3600


def test_only_trips_that_touch_the_time_asked_for() -> None:
    event = ["UID:1", "DTSTART:20260322T120000Z", "DTEND:20260324T120000Z"]
    assert len(trips(calendar(event), (2026, 3, 23), (2026, 3, 24))) == 1
    assert trips(calendar(event), (2026, 3, 25), (2026, 3, 26)) == ()
    assert trips(calendar(event), (2026, 3, 20), (2026, 3, 22)) == ()


@pytest.mark.parametrize(
    "broken",
    [
        ["UID:1"],
        ["UID:1", "DTSTART:yesterday"],
        ["UID:1", "DTSTART:20260399T080000Z"],
        ["UID:1", "DTSTART:20260323T080000Z", "RRULE:FREQ=NEVER"],
        ["UID:1", "DTSTART:20260323T080000Z", "RRULE:FREQ=DAILY;INTERVAL=0"],
        ["UID:1", "DTSTART:20260323T080000Z", "DURATION:P99999999999D"],
        ["UID:1", "DTSTART:00010101T000000Z", "RRULE:FREQ=DAILY"],
        ["UID:1", "DTSTART:20260323T080000Z", "RDATE:x"],
        ["UID:1", "DTSTART:20260323T080000Z", "RECURRENCE-ID:x"],
    ],
)
def test_an_event_that_makes_no_sense_leaves_the_others(broken: list[str]) -> None:
    found = departures(calendar(broken, weekly()), **ONE_DAY)
    assert "23 08:00" in found


def test_the_zone_of_the_site_is_another() -> None:
    [trip] = trips(calendar(["UID:1", "DTSTART:20260323T080000"]), zone=BERLIN)
    assert trip.departs_unix_s == at(2026, 3, 23, 8)
