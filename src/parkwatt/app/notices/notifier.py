"""The duty that tells people: looks at the site now and then, decides (`parkwatt.site.notices`), delivers in its own thread.

The control never waits for it: looking takes no time to speak of, files and networks are other threads' work, what waits is
bounded. What was decided is written down before it is sent, so that a restart neither repeats nor loses it. Whatever goes wrong
here is logged, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NoReturn

import structlog

from parkwatt.app.api.live import LiveSite
from parkwatt.app.live_settings.notify import NotifySettings, Person
from parkwatt.app.notices import state_file
from parkwatt.app.notices.letters import Writer, topics
from parkwatt.app.notices.look import facts_of
from parkwatt.app.words.translation import patterns
from parkwatt.domain.errors import InputError
from parkwatt.io.notify import DeliveryError, Letter, deliver, target
from parkwatt.site.notices import Facts, NoticeState, step

_US: Final = 1_000_000
ROUND_S: Final = 2.0


class Notifier:
    """``look``: the site now. ``clock``: µs since 1970. ``round_s``: how often it looks."""

    def __init__(
        self,
        settings: NotifySettings,
        look: Callable[[], Facts],
        path: Path,
        clock: Callable[[], int],
        round_s: float = ROUND_S,
    ) -> None:
        self._settings, self._look, self._path = settings, look, path
        self._clock, self._round_s = clock, round_s
        self._kept = state_file.Kept()
        self._written = ""
        self._sending: asyncio.Task[None] | None = None
        self._urls = {
            (person.name, target(url)): url for person in settings.people for url in person.urls
        }

    async def run(self) -> NoReturn:
        """Look, decide, write down, send; for ever."""
        self._kept = await asyncio.to_thread(self._prepare)
        thread = ThreadPoolExecutor(1, thread_name_prefix="notify")
        try:
            while True:
                try:
                    await self._round(thread)
                except Exception as error:  # noqa: BLE001 telling people must never end the control
                    structlog.get_logger().error("notifications", reason=repr(error))
                await asyncio.sleep(self._round_s)
        finally:
            thread.shutdown(wait=False, cancel_futures=True)

    def _prepare(self) -> state_file.Kept:
        """Read what was told, and the words, which take a tenth of a second: not in the control's thread."""
        for person in self._settings.people:
            topics(person.language)
            patterns(person.language)
        kept = state_file.load(self._path)
        names = {person.name for person in self._settings.people}
        kept.people = {name: state for name, state in kept.people.items() if name in names}
        return kept

    async def _round(self, thread: ThreadPoolExecutor) -> None:
        now_unix_s = self._clock() // _US
        facts = self._look()
        for person in self._settings.people:
            self._decide(person, facts, now_unix_s)
        await self._save()
        if self._sending is not None and not self._sending.done():
            return
        letter = self._kept.outbox.due(now_unix_s)
        if letter is not None:
            self._sending = asyncio.create_task(self._send(letter, thread))

    def _decide(self, person: Person, facts: Facts, now_unix_s: int) -> None:
        state = self._kept.people.setdefault(person.name, NoticeState())
        notice = step(state, facts, person.rules, now_unix_s)
        if notice is None:
            return
        writer = Writer(person.language, person.rules.time_zone, self._settings.page)
        text = writer.write(notice, now_unix_s)
        structlog.get_logger().info("notice", person=person.name, title=text.title)
        for url in person.urls:
            self._kept.outbox.put(
                Letter(person.name, target(url), text.title, text.body, now_unix_s, notice.urgent)
            )

    async def _save(self) -> None:
        """Write down what has changed; a disk that takes nothing keeps nobody from being told."""
        text = state_file.encode(self._kept)
        if text == self._written:
            return
        try:
            await asyncio.to_thread(state_file.save, self._path, text)
        except InputError as error:
            structlog.get_logger().warning("what was told is not written", reason=str(error))
        self._written = text

    async def _send(self, letter: Letter, thread: ThreadPoolExecutor) -> None:
        url = self._urls.get((letter.person, letter.to))
        if url is None:  # the person or the address was taken out of the file
            self._kept.outbox.done(letter)
            return
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(thread, _deliver, url, letter)
        except DeliveryError as error:
            self._kept.outbox.failed(letter, str(error), self._clock() // _US)
            structlog.get_logger().warning(
                "notice not delivered", person=letter.person, tries=letter.tries, reason=str(error)
            )
        else:
            self._kept.outbox.done(letter)


def notifier(
    settings: NotifySettings,
    directory: Path,
    site: LiveSite,
    journal_alarm: Callable[[], str | None],
    clock: Callable[[], int],
) -> Notifier:
    """The duty for a running site. ``directory``: of its data."""
    return Notifier(
        settings, lambda: facts_of(site, journal_alarm()), state_file.place(directory), clock
    )


def _deliver(url: str, letter: Letter) -> None:
    deliver(url, letter.title, letter.body, urgent=letter.urgent)
