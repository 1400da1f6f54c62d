"""Watching a feed of alerts on a clock that jumps, behind a real server, its troubles and a restart included."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from parkwatt.domain.home.event import OutageAnnounced
from parkwatt.domain.site.event import SourceChanged
from parkwatt.io.alerts import alert_feed
from parkwatt.io.clock.sim_clock import SimClock
from parkwatt.io.clock.warp_loop import run_warped
from tests.io.alerts.cap_text import NOON, H, entry, feed, settings
from tests.io.web_server import Asked, Reply, web_server


class Home:
    """Listens to a feed for a while. ``told``, ``states``: what came, with the hours since noon. ``standing``: by its
    journal."""

    def __init__(self, *entries: str) -> None:
        self.reply = Reply(feed(entries), headers={"ETag": '"1"'})
        self.standing: dict[str, OutageAnnounced] = {}
        self.told: list[tuple[float, OutageAnnounced]] = []
        self.states: list[tuple[float, SourceChanged]] = []
        self.asked: list[tuple[float, Asked, int]] = []
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.begin_h = 0.0
        self.clock = SimClock(lambda: 0.0, NOON * 1_000_000)

    def hours(self) -> float:
        """Since noon."""
        return (self.clock() // 1_000_000 - NOON) / H

    def gives(self, *entries: str) -> None:
        """The feed changes."""
        self.reply = Reply(feed(entries), headers={"ETag": f'"{len(self.asked)}"'})

    def answer(self, asked: Asked) -> Reply:
        """As such servers do: nothing where nothing changed."""
        tag = self.reply.headers.get("ETag")
        same = tag is not None and asked.headers.get("if-none-match") == tag
        reply = Reply(status=304) if same else self.reply
        self.asked.append((self.hours(), asked, reply.status))
        return reply

    def on_announced(self, one: OutageAnnounced) -> None:
        """As the site does: journalled and folded."""
        self.told.append((self.hours(), one))
        self.standing[one.announcement_id] = one
        if one.withdrawn:
            del self.standing[one.announcement_id]

    def on_state(self, state: SourceChanged) -> None:
        """As the site does."""
        self.states.append((self.hours(), state))

    def words(self) -> list[str]:
        """What was told, in short."""
        return [
            f"{'-' if one.withdrawn else '+'}{one.announcement_id.split()[-1]}"
            for _, one in self.told
        ]

    def reasons(self) -> list[str]:
        """The words of the states in a row, "ok" where all is well."""
        return [state.reason or "ok" for _, state in self.states]

    def listen(self, hours: float) -> None:
        """Run a feed for so long; once more is a restart."""
        run_warped(self._listen(hours))
        self.begin_h += hours

    async def _listen(self, hours: float) -> None:
        loop = asyncio.get_running_loop()
        begin_us = (NOON + int(self.begin_h * H)) * 1_000_000
        self.clock = SimClock(loop.time, begin_us, start_s=loop.time())
        for after_h, happens in self.later:
            loop.call_later(after_h * H, happens)
        async with web_server(self.answer) as web:
            watched = alert_feed(
                replace(settings(), url=f"{web.url}/feed"),
                clock=self.clock,
                standing=lambda: tuple(self.standing.values()),
                seed=7,
            )
            task = asyncio.create_task(watched.run(self.on_announced, self.on_state))
            await asyncio.wait([task], timeout=hours * H)
            if task.done():
                task.result()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            web.hang_up()


def test_a_storm_is_announced_once() -> None:
    home = Home(entry("a1"), entry("a2", event="Heat"))
    home.listen(5)
    assert home.words() == ["+a1"]
    (_, one) = home.told[0]
    assert one.outage == "storm"
    assert (one.start_unix_s, one.end_unix_s) == (NOON + 6 * H, NOON + 18 * H)
    assert one.origin == "alerts 127.0.0.1"
    assert home.reasons() == ["ok"]
    assert 50 <= len(home.asked) <= 67, "about every five minutes"
    assert [status for _, _, status in home.asked[1:]] == [304] * (len(home.asked) - 1)


def test_it_changes_and_goes() -> None:
    home = Home(entry("a1"))
    home.later = [
        (1.0, lambda: home.gives(entry("a1", expires_h=20))),
        (2.0, lambda: home.gives(entry("a1", expires_h=20), entry("b", event="Gale-force wind"))),
        (3.0, lambda: home.gives(entry("b", event="Gale-force wind"))),
    ]
    home.listen(4)
    assert home.words() == ["+a1", "+a1", "+b", "-a1"]
    assert home.told[1][1].end_unix_s == NOON + 20 * H
    assert [round(hours) for hours, _ in home.told] == [0, 1, 2, 3]


def test_an_alert_that_is_over_goes_without_a_word() -> None:
    home = Home(entry("a1", onset_h=1, expires_h=2))
    home.later = [(3.0, home.gives)]
    home.listen(4)
    assert home.words() == ["+a1"]


def test_a_restart_tells_nothing_twice_and_takes_back_what_went_meanwhile() -> None:
    home = Home(entry("a1"), entry("b"))
    home.listen(1)
    assert home.words() == ["+a1", "+b"]
    home.gives(entry("b"), entry("c"))
    home.listen(1)
    assert home.words() == ["+a1", "+b", "+c", "-a1"]


def test_announcements_of_others_are_left_alone() -> None:
    home = Home(entry("a1"))
    mine = OutageAnnounced("psps", "planned", NOON + H, NOON + 9 * H, "a person")
    home.standing["psps"] = mine
    home.listen(1)
    assert home.words() == ["+a1"]
    assert home.standing["psps"] == mine


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(status=503), "a fault of its own"),
        (Reply(b"<!DOCTYPE html><html>"), "a web page"),
        (Reply(b"<feed>"), "not XML"),
        (Reply(manner="silent"), "does not answer"),
        (Reply(b"<", manner="dripping"), "takes too long"),
        (Reply(b"x", manner="endless"), "more than 8 MB"),
        (Reply(manner="garbage"), "cannot be reached"),
    ],
)
def test_a_feed_in_trouble_is_told_once_and_takes_nothing_back(reply: Reply, words: str) -> None:
    home = Home(entry("a1"))

    def trouble() -> None:
        home.reply = reply

    home.later = [(1.0, trouble), (5.0, lambda: home.gives(entry("a1"), entry("b")))]
    home.listen(7)
    assert home.words() == ["+a1", "+b"]
    assert len(home.reasons()) == 3
    assert words in home.reasons()[1]
    assert home.states[-1][0] <= 5.6, "half an hour after the trouble at most"
    tries = [hours for hours, _, _ in home.asked if 1.1 < hours < 5.0]
    assert 5 <= len(tries) <= 20, "ever more rarely"


def test_it_waits_as_long_as_it_is_asked_to() -> None:
    home = Home()
    home.reply = Reply(status=429, headers={"Retry-After": "7200"})
    home.listen(4.5)
    assert [round(hours, 1) for hours, _, _ in home.asked] == [0.0, 2.0, 4.0]
