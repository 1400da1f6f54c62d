"""What trips ask for, which events are trips, and that no text breaks the reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.site.wish import Trip
from parkwatt.io.download import SourceError
from tests.io.calendars.calendars import at, calendar, trips, weekly

START = "DTSTART;TZID=Europe/Berlin:20260323T080000"
END = "DTEND;TZID=Europe/Berlin:20260323T100000"
ALL_DAY = ["UID:1", "DTSTART;VALUE=DATE:20260323", "DTEND;VALUE=DATE:20260325"]


def needs(title: str, description: str = "") -> tuple[float | None, float | None]:
    """State of charge and distance of a trip with these texts."""
    event = ["UID:1", START, END, f"SUMMARY:{title}", f"DESCRIPTION:{description}"]
    [trip] = trips(calendar(event))
    return trip.target_soc, trip.distance_km


@pytest.mark.parametrize(
    ("title", "soc", "distance_km"),
    [
        ("Work", None, None),
        ("Work 80 %", 0.8, None),
        ("Work 80%", 0.8, None),
        ("100 % for the holiday", 1.0, None),
        ("0 %", None, None),
        ("120 %", None, None),
        ("1.5 % interest", None, None),
        ("Grandma 120 km", None, 120.0),
        ("Grandma (120km)", None, 120.0),
        ("87.5 km", None, 87.5),
        ("87\\,5 km", None, 87.5),
        ("75 miles", None, 120.7008),
        ("75 mi", None, 120.7008),
        ("10 km to go at 90 %", 0.9, 10.0),
        ("120 kmh", None, None),
        ("Meet at 5 minutes to", None, None),
        ("0 km", None, None),
    ],
)
def test_what_a_title_asks_for(title: str, soc: float | None, distance_km: float | None) -> None:
    found_soc, found_km = needs(title)
    assert found_soc == soc
    assert found_km == pytest.approx(distance_km)


def test_the_title_goes_before_the_description() -> None:
    assert needs("Work", "80 % and 20 km") == (0.8, 20.0)
    assert needs("Work 60 %", "80 % and 20 km") == (0.6, 20.0)


def test_a_trip() -> None:
    event = ["UID:1", START, END, "SUMMARY:To the\\n sea  90 %"]
    assert trips(calendar(event)) == (
        Trip(at(2026, 3, 23, 8), at(2026, 3, 23, 10), "To the sea 90 %", 0.9, None),
    )


def test_an_all_day_event_is_a_trip_where_it_asks_for_something() -> None:
    assert trips(calendar([*ALL_DAY, "SUMMARY:Birthday"])) == ()
    assert trips(calendar([*ALL_DAY, "SUMMARY:Holiday 100 %"])) == (
        Trip(at(2026, 3, 23), at(2026, 3, 25), "Holiday 100 %", 1.0, None),
    )
    [trip] = trips(calendar(["UID:1", "DTSTART;VALUE=DATE:20260329", "SUMMARY:50 km"]))
    assert (trip.departs_unix_s, trip.returns_unix_s) == (at(2026, 3, 29), at(2026, 3, 30))


def test_all_day_events_that_recur() -> None:
    event = ["UID:1", "DTSTART;VALUE=DATE:20260328", "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:50 km"]
    found = trips(calendar(event))
    assert [trip.departs_unix_s for trip in found] == [at(2026, 3, day) for day in (28, 29, 30)]


def test_only_events_that_match() -> None:
    text = calendar(
        ["UID:1", START, END, "SUMMARY:Dentist"],
        ["UID:2", START, END, "SUMMARY:CAR: sea"],
        ["UID:3", START, END, "SUMMARY:Lake", "DESCRIPTION:by Car"],
    )
    assert sorted(trip.title for trip in trips(text, match="car")) == ["CAR: sea", "Lake"]


def test_by_departure_and_bounded() -> None:
    events = [
        [
            f"UID:{index}",
            f"DTSTART:202603{23 + index % 7}T{index % 24:02d}0000Z",
            f"SUMMARY:{index}",
        ]
        for index in range(600)
    ]
    found = trips(calendar(*events))
    assert len(found) == 500
    assert [trip.departs_unix_s for trip in found] == sorted(trip.departs_unix_s for trip in found)


def test_several_calendars_in_one_text() -> None:
    text = calendar(["UID:1", START, "SUMMARY:a"]) + calendar(["UID:2", START, "SUMMARY:b"])
    assert [trip.title for trip in trips("\ufeff" + text)] == ["a", "b"]


@pytest.mark.parametrize(
    "text", ["", "<html></html>", "BEGIN:VCARD", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT", "\x00"]
)
def test_no_calendar(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        trips(text)
    assert caught.value.kind == "broken"
    assert caught.value.reason.startswith("the calendar ")


def test_a_calendar_without_events() -> None:
    assert trips(calendar()) == ()


lines = st.sampled_from(
    [
        *weekly(),
        START,
        END,
        "DTSTART:99990101T000000Z",
        "DTSTART;VALUE=DATE:20260323",
        "DTEND;VALUE=DATE:20260324",
        "DURATION:-PT5H",
        "DURATION:PT5H",
        "EXDATE;VALUE=DATE:20260324",
        "RDATE:20260324T080000Z/20260324T090000Z",
        "RRULE:FREQ=DAILY;COUNT=3",
        "RRULE:FREQ=WEEKLY;UNTIL=x",
        "RRULE:UNTIL=20260324",
        "RECURRENCE-ID:20260324T070000Z",
        "STATUS:CANCELLED",
        "SUMMARY;X=Y:50 km",
        "DESCRIPTION:100 %",
        "BEGIN:VALARM",
        "END:VALARM",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "BEGIN:VTIMEZONE",
        "TZID:Europe/Berlin",
        ":",
        ";=",
        "RRULE:",
        "DTSTART;TZID=:20260323T080000",
    ]
)


def check(text: str) -> None:
    """Trips in order, or the fault of a calendar."""
    try:
        found = trips(text)
    except SourceError:
        return
    for trip in found:
        assert trip.departs_unix_s < trip.returns_unix_s
        assert trip.target_soc is None or 0 < trip.target_soc <= 1
        assert trip.title.isprintable()


@given(st.lists(st.lists(lines, max_size=7), max_size=3))
def test_any_lines(events: list[list[str]]) -> None:
    check(calendar(*events))


@given(st.data())
def test_a_sound_calendar_with_letters_changed(data: st.DataObject) -> None:
    text = calendar(weekly("EXDATE;TZID=Europe/Berlin:20260324T080000", "DESCRIPTION:80 %"))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 10)))
        text = text[:start] + data.draw(st.text(max_size=6)) + text[end:]
    check(text)
