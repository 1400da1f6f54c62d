"""The state is the fold of its events: the same live, after a restart and from a snapshot."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkwatt.domain.site import event as events
from parkwatt.domain.site.event import (
    CarMinute,
    DepartureAsked,
    IntervalClosed,
    Measured,
    PricesReceived,
    PromiseAtRisk,
    SetpointDecided,
    SiteEvent,
    SocTold,
    SourceChanged,
    StayBegan,
    StayEnded,
    TripsRead,
    WishesSet,
)
from parkwatt.domain.site.wish import Departure, Trip, Wishes
from parkwatt.site.live.state import (
    HISTORY_S,
    INTERVAL_S,
    History,
    SiteState,
    decode_state,
    encode_state,
)
from tests.site.live.world import BEGIN_UNIX_S, US, ZONE

_DAY_S = 86_400
_cars = st.sampled_from(("one", "two"))
_times = st.integers(BEGIN_UNIX_S, BEGIN_UNIX_S + 3 * _DAY_S)
_energies = st.none() | st.floats(0.0, 80.0)
_powers = st.none() | st.floats(-30.0, 30.0)
_departures = st.none() | st.builds(
    Departure, _times, st.just("asked"), target_soc=st.none() | st.floats(0.0, 1.0)
)
_minutes = st.builds(
    CarMinute,
    power_kw=_powers,
    energy_kwh=_energies,
    in_kwh=st.floats(0.0, 1.0),
    out_kwh=st.floats(0.0, 1.0),
    departs_unix_s=st.none() | _times,
    asked_kwh=_energies,
    possible_kwh=_energies,
)
_events: st.SearchStrategy[SiteEvent] = st.one_of(
    st.builds(
        WishesSet,
        _cars,
        st.builds(Wishes, st.sampled_from(("now", "home", "off"))),
        st.just("api"),
        st.booleans(),
    ),
    st.builds(DepartureAsked, _cars, _departures, st.just("api")),
    st.builds(
        TripsRead,
        _cars,
        st.lists(st.builds(Trip, _times, _times), max_size=2).map(tuple),
        st.just("calendar"),
    ),
    st.builds(SocTold, _cars, st.floats(0.0, 1.0), _times.map(lambda at: at * US), st.just("api")),
    st.builds(
        PricesReceived,
        st.just("import.day_ahead"),
        st.just("source"),
        _times.map(lambda at: at - at % 3600),
        st.sampled_from((900, 3600)),
        st.lists(st.none() | st.floats(-1.0, 4.0), min_size=1, max_size=30).map(tuple),
    ),
    st.builds(SourceChanged, st.sampled_from(("meter.grid", "prices")), st.booleans(), st.text()),
    st.builds(
        Measured,
        _times.map(lambda at: at - at % 60),
        st.integers(1, 60),
        grid_kw=_powers,
        export_kw=st.none() | st.floats(0.0, 20.0),
        solar_kw=st.none() | st.floats(0.0, 20.0),
        load_kw=st.none() | st.floats(0.0, 20.0),
        coverage=st.floats(0.0, 1.0),
        cars=st.dictionaries(_cars, _minutes, max_size=2),
    ),
    st.builds(
        IntervalClosed,
        _times.map(lambda at: at - at % INTERVAL_S),
        st.just(INTERVAL_S),
        import_kwh=_energies,
        load_kwh=_energies,
        solar_kwh=_energies,
    ),
    st.builds(
        StayBegan,
        st.just("stay"),
        _cars,
        st.just("CP-1"),
        st.just(1),
        st.just("T"),
        _times,
        _energies,
    ),
    st.builds(StayEnded, st.just("stay"), _cars, _times, _energies),
    st.builds(
        PromiseAtRisk,
        _cars,
        _departures.filter(lambda departure: departure is not None),
        st.floats(0.0, 80.0),
        st.floats(0.0, 80.0),
        st.none() | _times,
        st.just("late"),
    ),
    st.builds(
        SetpointDecided,
        st.just("CP-1"),
        st.just(1),
        _cars,
        st.floats(-11.0, 11.0),
        st.floats(-11.0, 11.0),
        st.sampled_from((0, 30, 120)),
        st.just("because"),
        following=st.booleans(),
    ),
)
_histories = st.lists(st.tuples(st.floats(0.0, 120.0), _events), max_size=40)


def _folded(state: SiteState, history: list[tuple[int, SiteEvent]]) -> SiteState:
    for now_unix_us, event in history:
        state.apply(event, now_unix_us, ZONE)
    return state


def _timed(history: list[tuple[float, SiteEvent]]) -> list[tuple[int, SiteEvent]]:
    at_unix_us, timed = BEGIN_UNIX_S * US, []
    for passed_s, event in history:
        at_unix_us += round(passed_s * US)
        timed.append((at_unix_us, event))
    return timed


@given(_histories)
def test_the_same_events_give_the_same_state(history: list[tuple[float, SiteEvent]]) -> None:
    timed = _timed(history)
    read = [(at, events.decode(events.encode(event))) for at, event in timed]
    assert encode_state(_folded(SiteState(), timed)) == encode_state(_folded(SiteState(), read))


@given(_histories, st.integers(0, 40))
def test_a_snapshot_and_what_came_later_is_all(
    history: list[tuple[float, SiteEvent]], cut: int
) -> None:
    timed = _timed(history)
    whole = _folded(SiteState(), timed)
    snapshot = encode_state(_folded(SiteState(), timed[:cut]))
    assert encode_state(decode_state(snapshot)) == snapshot
    later = _folded(decode_state(snapshot), timed[cut:])
    assert encode_state(later) == encode_state(whole)


def test_what_is_no_state_is_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_state(msgspec.Raw(b'{"cars": 5}'))


# History.


def test_a_gap_in_the_history_is_unknown() -> None:
    history = History()
    history.add(BEGIN_UNIX_S, 1.0, 0.0)
    history.add(BEGIN_UNIX_S + 4 * INTERVAL_S, 2.0, None)
    assert history.load_kw == [1.0, None, None, None, 2.0]
    assert history.solar_kw == [0.0, None, None, None, None]
    assert history.end_unix_s == BEGIN_UNIX_S + 5 * INTERVAL_S


def test_an_interval_that_is_told_again_takes_its_place() -> None:
    history = History()
    for index in range(3):
        history.add(BEGIN_UNIX_S + index * INTERVAL_S, 1.0, 0.0)
    history.add(BEGIN_UNIX_S + INTERVAL_S, 5.0, 0.5)
    history.add(BEGIN_UNIX_S - INTERVAL_S, 9.0, 9.0)
    assert history.load_kw == [1.0, 5.0, 1.0]
    assert history.solar_kw == [0.0, 0.5, 0.0]


@pytest.mark.parametrize("days", [59, 60, 61, 75])
def test_sixty_days_are_kept_and_begin_at_the_same_time_of_day(days: int) -> None:
    history = History()
    count = days * _DAY_S // INTERVAL_S
    for index in range(count):
        history.add(BEGIN_UNIX_S + index * INTERVAL_S, float(index), None)
    assert history.end_unix_s == BEGIN_UNIX_S + days * _DAY_S
    assert (history.start_unix_s - BEGIN_UNIX_S) % _DAY_S == 0
    kept_s = INTERVAL_S * len(history.load_kw)
    assert min(HISTORY_S, days * _DAY_S) <= kept_s <= HISTORY_S + _DAY_S
    assert history.load_kw[-1] == count - 1
    assert history.load_kw[0] == (history.start_unix_s - BEGIN_UNIX_S) // INTERVAL_S


def test_after_a_longer_silence_the_history_begins_anew() -> None:
    history = History()
    history.add(BEGIN_UNIX_S, 1.0, 0.0)
    after = BEGIN_UNIX_S + HISTORY_S + 2 * _DAY_S
    history.add(after, 3.0, 0.0)
    assert (history.start_unix_s, history.load_kw) == (after, [3.0])


@given(st.lists(st.tuples(st.integers(-400, 7000), st.floats(0.0, 9.0)), max_size=30))
def test_a_history_is_a_grid_whatever_comes(told: list[tuple[int, float]]) -> None:
    history = History()
    for index, load_kw in told:
        history.add(BEGIN_UNIX_S + index * INTERVAL_S, load_kw, None)
        assert len(history.load_kw) == len(history.solar_kw)
        assert len(history.load_kw) * INTERVAL_S <= HISTORY_S + _DAY_S + INTERVAL_S
    if told:
        assert (history.start_unix_s - BEGIN_UNIX_S) % INTERVAL_S == 0


# Months and days.


def _closed(at: datetime, import_kwh: float) -> tuple[IntervalClosed, int]:
    start_unix_s = int(at.astimezone(UTC).timestamp())
    closed = IntervalClosed(start_unix_s, 900, import_kwh=import_kwh)
    return closed, (start_unix_s + 900) * US


@pytest.mark.parametrize(
    "last",
    [
        datetime(2024, 3, 31, 23, 45, tzinfo=ZONE),  # the clock was put forward that morning
        datetime(2024, 10, 31, 23, 45, tzinfo=ZONE),
        datetime(2024, 12, 31, 23, 45, tzinfo=ZONE),
    ],
)
def test_a_month_ends_at_local_midnight(last: datetime) -> None:
    state = SiteState()
    first_of_next = datetime.fromtimestamp(last.timestamp() + 900, ZONE)
    for event, at_unix_us in (_closed(last, 2.0), _closed(first_of_next, 0.5)):
        state.apply(event, at_unix_us, ZONE)
        at = datetime.fromtimestamp(event.start_unix_s, ZONE)
        assert state.month_peaks_kw == {f"{at:%Y-%m}": 4 * (event.import_kwh or 0.0)}
    assert first_of_next.day == 1


def test_the_highest_quarter_of_a_month_counts() -> None:
    state = SiteState()
    for hour, import_kwh in ((1, 0.5), (2, 2.5), (3, 1.0)):
        event, at_unix_us = _closed(datetime(2024, 5, 7, hour, tzinfo=ZoneInfo("UTC")), import_kwh)
        state.apply(event, at_unix_us, ZONE)
    assert state.month_peaks_kw == {"2024-05": 10.0}


def test_an_interval_of_unknown_import_leaves_the_peak() -> None:
    state = SiteState()
    state.apply(*_closed(datetime(2024, 5, 7, tzinfo=ZONE), 1.0), ZONE)
    state.apply(IntervalClosed(1_715_100_000 - 1_715_100_000 % 900, 900), BEGIN_UNIX_S * US, ZONE)
    assert state.month_peaks_kw == {"2024-05": 4.0}


def test_the_highest_base_of_a_week_is_known() -> None:
    state = SiteState()
    for day in range(12):
        state.apply(
            Measured(BEGIN_UNIX_S + day * _DAY_S, 60, load_kw=3.0 + day, solar_kw=1.0), 0, ZONE
        )
    assert len(state.base_highest_kw) == 7
    assert max(state.base_highest_kw.values()) == 13.0


# Intervals.


def test_minutes_make_a_quarter_of_an_hour() -> None:
    state = SiteState()
    start = BEGIN_UNIX_S
    for minute in range(15):
        known = minute >= 5
        state.apply(
            Measured(
                start + 60 * minute,
                60,
                grid_kw=-1.0 if known else None,
                export_kw=2.0 if known else None,
                load_kw=3.0,
                coverage=1.0,
                cars={"car": CarMinute(in_kwh=0.1, out_kwh=0.02, energy_kwh=20.0 + minute)},
            ),
            0,
            ZONE,
        )
    interval = state.interval
    assert interval is not None
    assert interval.grid_s == 600
    assert interval.import_kwh == pytest.approx(1.0 * 600 / 3600)
    assert interval.export_kwh == pytest.approx(2.0 * 600 / 3600)
    assert interval.load_kwh == pytest.approx(0.75)
    car = interval.cars["car"]
    assert car.in_kwh == pytest.approx(1.5)
    assert car.out_kwh == pytest.approx(0.3)
    assert (car.energy_kwh, car.plugged_s) == (34.0, 900)
    assert state.car("car").energy_kwh == 34.0


# Wishes.


def test_wishes_for_one_stay_end_with_it() -> None:
    state = SiteState()
    always, once, twice = Wishes("smart"), Wishes("now"), Wishes("off")
    state.apply(WishesSet("car", always, "api"), 0, ZONE)
    state.apply(StayBegan("s", "car", "CP-1", 1, "T", BEGIN_UNIX_S), 0, ZONE)
    state.apply(WishesSet("car", once, "api", until_departure=True), 0, ZONE)
    state.apply(WishesSet("car", twice, "api", until_departure=True), 0, ZONE)
    assert state.car("car").wishes == twice
    state.apply(StayEnded("s", "car", BEGIN_UNIX_S + 60), 0, ZONE)
    assert state.car("car").wishes == always
    state.apply(StayBegan("s2", "car", "CP-1", 1, "T", BEGIN_UNIX_S), 0, ZONE)
    state.apply(StayEnded("s2", "car", BEGIN_UNIX_S + 60), 0, ZONE)
    assert state.car("car").wishes == always


def test_what_was_asked_for_a_stay_ends_with_it() -> None:
    state = SiteState()
    departure = Departure(BEGIN_UNIX_S, "asked")
    state.apply(StayBegan("s", "car", "CP-1", 1, "T", BEGIN_UNIX_S, 20.0), 0, ZONE)
    state.apply(DepartureAsked("car", departure, "api"), 0, ZONE)
    state.apply(SocTold("car", 0.5, 0, "api"), 0, ZONE)
    state.apply(StayEnded("s", "car", BEGIN_UNIX_S + 600, 40.0), 0, ZONE)
    car = state.car("car")
    assert (car.asked, car.soc_told, car.stay, car.left_with_kwh) == (None, None, None, 40.0)
    state.apply(StayBegan("s2", "car", "CP-1", 1, "T", BEGIN_UNIX_S + 7200, 31.0), 0, ZONE)
    state.apply(StayEnded("s2", "car", BEGIN_UNIX_S + 9000, 50.0), 0, ZONE)
    assert [stay.used_kwh for stay in car.stays] == [None, 9.0]


def test_a_departure_asked_before_the_car_comes_holds_for_its_next_stay() -> None:
    state = SiteState()
    departure = Departure(BEGIN_UNIX_S + 9000, "asked")
    state.apply(DepartureAsked("car", departure, "api"), 0, ZONE)
    state.apply(StayBegan("s", "car", "CP-1", 1, "T", BEGIN_UNIX_S), 0, ZONE)
    assert state.car("car").asked == departure
