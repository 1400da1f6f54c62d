"""Watching a calendar on a clock that jumps: at an address and in a file, its troubles included."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from parkwatt.domain.site.event import SourceChanged, TripsRead
from parkwatt.io.calendars import TripCalendar, trip_calendar
from parkwatt.io.clock.sim_clock import SimClock
from parkwatt.io.clock.warp_loop import run_warped
from tests.io.calendars.calendars import BERLIN, at, calendar, weekly
from tests.io.web_server import Asked, Reply, web_server

MORNING = at(2026, 3, 23, 6)
WORK = calendar(weekly())


class Car:
    """Listens to its calendar for a while. ``told``, ``states``: what came, with the seconds since the beginning."""

    def __init__(self) -> None:
        self.begin_s = 0.0
        self.loop: asyncio.AbstractEventLoop
        self.told: list[tuple[float, TripsRead]] = []
        self.states: list[tuple[float, SourceChanged]] = []
        self.asked: list[tuple[float, Asked]] = []
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.reply = Reply(WORK.encode(), headers={"ETag": '"1"'})

    def passed_s(self) -> float:
        """Seconds since the beginning."""
        return self.loop.time() - self.begin_s

    def answer(self, asked: Asked) -> Reply:
        """As a calendar's server does: nothing where nothing changed."""
        self.asked.append((self.passed_s(), asked))
        tag = self.reply.headers.get("ETag")
        if tag is not None and asked.headers.get("if-none-match") == tag:
            return Reply(status=304, headers={"ETag": tag})
        return self.reply

    def reasons(self) -> list[str]:
        """The words of the states in a row, "ok" where all is well."""
        return [state.reason or "ok" for _, state in self.states]

    def watch(self, hours: float, file: Path | None = None, match: str | None = None) -> None:
        """Watch the file, or the server."""
        run_warped(self._watch(hours, file, match))

    async def _watch(self, hours: float, file: Path | None, match: str | None) -> None:
        self.loop = asyncio.get_running_loop()
        self.begin_s = self.loop.time()
        clock = SimClock(self.loop.time, MORNING * 1_000_000, start_s=self.begin_s)
        for after_h, happens in self.later:
            self.loop.call_later(after_h * 3600, happens)
        async with web_server(self.answer) as web:
            watched = trip_calendar(
                "car",
                f"{web.url}/secret/basic.ics" if file is None else file.name,
                zone=BERLIN,
                clock=clock,
                match=match,
                folder=Path() if file is None else file.parent,
                seed=1,
            )
            await self._until(watched, hours)

    async def _until(self, watched: TripCalendar, hours: float) -> None:
        task = asyncio.create_task(
            watched.run(
                lambda trips: self.told.append((self.passed_s(), trips)),
                lambda state: self.states.append((self.passed_s(), state)),
            )
        )
        await asyncio.wait([task], timeout=hours * 3600)
        if task.done():
            task.result()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def test_trips_are_told_once_a_day_and_the_text_is_fetched_once() -> None:
    car = Car()
    car.watch(17)
    assert len(car.told) == 1
    trips = car.told[0][1]
    assert (trips.car_id, trips.source, len(trips.trips)) == ("car", "address", 22)
    assert trips.trips[0].departs_unix_s == at(2026, 3, 23, 8)
    assert car.reasons() == ["ok"]
    assert len(car.asked) == 68, "every quarter of an hour"
    assert all(asked.headers.get("if-none-match") == '"1"' for _, asked in car.asked[1:])
    car.watch(40)
    assert len(car.told) == 3, "at the start again, and once as a new day begins"


def test_a_server_that_knows_dates_only() -> None:
    car = Car()
    car.reply = Reply(WORK.encode(), headers={"Last-Modified": "Mon, 23 Mar 2026 05:00:00 GMT"})
    car.watch(1)
    assert car.asked[1][1].headers["if-modified-since"] == "Mon, 23 Mar 2026 05:00:00 GMT"
    assert len(car.told) == 1


def test_a_change_is_told() -> None:
    car = Car()

    def change() -> None:
        car.reply = Reply(calendar().encode(), headers={"ETag": '"2"'})

    car.later = [(1.0, change)]
    car.watch(2)
    assert [len(trips.trips) for _, trips in car.told] == [22, 0]
    assert car.told[1][0] <= 3600 + 900


def test_only_events_that_match() -> None:
    car = Car()
    car.watch(1, match="nothing of that name")
    assert car.told[0][1].trips == ()


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(status=404), "nothing at this address"),
        (Reply(status=403), "refuses access"),
        (Reply(status=500), "a fault of its own"),
        (Reply(b"<html>sign in</html>"), "a web page"),
        (Reply(WORK[:-20].encode()), "cut off"),
        (Reply(manner="silent"), "does not answer"),
        (Reply(b"BEGIN:VCALENDAR", manner="endless"), "more than 8 MB"),
        (Reply(status=304), "answers with status 304"),
    ],
)
def test_troubles_are_told_once_and_the_trips_stay(reply: Reply, words: str) -> None:
    car = Car()
    sound = car.reply

    def spoil() -> None:
        car.reply = reply

    def mend() -> None:
        car.reply = sound

    car.later = [(1.0, spoil), (9.0, mend)]
    if reply.status == 304:
        car.reply = reply
    car.watch(12)
    reasons = car.reasons()
    assert reasons[-1] == "ok"
    assert [words in reason for reason in reasons].count(True) == 1
    assert len(reasons) <= 3
    assert len(car.told) == 1
    assert not any("secret" in reason for reason in reasons), "the address is nobody's business"
    times = [time for time, _ in car.asked if 2 * 3600 < time < 8 * 3600]
    assert len(times) <= 10, "ever more rarely"


def test_it_waits_as_long_as_it_is_asked_to() -> None:
    car = Car()
    car.reply = Reply(status=429, headers={"Retry-After": "18000"})
    car.watch(4.9)
    assert len(car.asked) == 1


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "trips.ics"
    car = Car()
    car.later = [
        (1.0, lambda: _write(path, WORK)),
        (2.0, lambda: _write(path, calendar(["UID:1", "DTSTART:20260324T080000Z"]))),
        (4.0, path.unlink),
    ]
    car.watch(6, path)
    assert [len(trips.trips) for _, trips in car.told] == [22, 1]
    assert car.told[0][1].source == "file"
    reasons = car.reasons()
    assert reasons[0].startswith("trips.ics cannot be read (No such file")
    assert reasons[1] == "ok"
    assert reasons[2].startswith("trips.ics cannot be read")
    assert len(reasons) == 3


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "trips.ics"
    path.write_bytes(b"x" * (8 * 1024 * 1024 + 1))
    car = Car()
    car.watch(0.1, path)
    assert car.reasons() == ["trips.ics is larger than 8 MB"]


def test_a_calendar_by_its_own_scheme() -> None:
    """webcal stands for https: the server here speaks none, and is asked for it all the same."""
    begun: list[str] = []

    async def story() -> None:
        async with web_server(lambda _: Reply()) as web:
            where = web.url.replace("http://", "webcal://")
            watched = trip_calendar("car", where, zone=BERLIN, clock=lambda: 0)
            task = asyncio.create_task(
                watched.run(lambda _: None, lambda state: begun.append(state.reason))
            )
            await asyncio.sleep(100)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    run_warped(story())
    assert len(begun) == 1
    assert begun[0] == "the calendar does not answer"
