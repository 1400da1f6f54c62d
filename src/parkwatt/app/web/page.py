"""What a page is given: who looks, their words and numbers, the API in their name, and the site as it changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from nicegui import Client, ui

from parkwatt.app.web import catalogue
from parkwatt.app.web.api import Api, ApiError
from parkwatt.app.web.live import Live
from parkwatt.app.web.numbers import Numbers
from parkwatt.app.words.translation import translate

_SIGNED_OUT = 401
_LOOKS_S = 5.0


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in. ``cars``: those that they drive; None: all."""

    name: str
    role: str
    scopes: frozenset[str]
    cars: frozenset[str] | None

    @classmethod
    def of(cls, me: dict[str, Any]) -> Person:
        """Whom `GET /v1/session` shows."""
        cars = None if me["cars"] is None else frozenset(me["cars"])
        return cls(me["name"], me["role"], frozenset(me["scopes"]), cars)

    def may(self, scope: str, car_id: str | None = None) -> bool:
        """Whether it is worth showing a control: the API decides again when it is used."""
        if scope not in self.scopes:
            return False
        return car_id is None or self.cars is None or car_id in self.cars


class Page:
    """One open page of one browser. Everything here belongs to the web process's event loop."""

    def __init__(
        self,
        client: Client,
        api: Api,
        live: Live,
        person: Person,
        language: str,
        site: dict[str, Any],
        query: dict[str, str] | None = None,
    ) -> None:
        self.client = client
        self.api = api
        self.person = person
        self.language = language
        self.numbers = Numbers(language, ZoneInfo(site["time_zone"]), site["currency"])
        self.query = query or {}
        self._live = live
        self._backup_shown = live.backup
        self._site = site
        self._on_backup: list[Callable[[dict[str, Any]], None]] = []
        self._on_site: list[Callable[[dict[str, Any]], None]] = []
        self._on_reason: list[Callable[[dict[str, Any]], None]] = []
        live.listen(client.id, self._changed, self._heard)
        client.on_delete(lambda: live.forget(client.id))

    @property
    def site(self) -> dict[str, Any]:
        """The site now, as `GET /v1/site` shows it."""
        return self._live.site or self._site

    @property
    def fresh(self) -> bool:
        """Whether the site is heard of now; else what is shown is old."""
        return self._live.connected

    def t(self, key: str, **values: object) -> str:
        """A text of the page's language, as `home.title`."""
        return catalogue.text(self.language, key, **values)

    def on_site(self, show: Callable[[dict[str, Any]], None]) -> None:
        """Have ``show`` called now and whenever the site changed, with `page.site`; also when it is no longer heard of."""
        self._on_site.append(show)
        show(self.site)

    def on_backup(self, show: Callable[[dict[str, Any]], None]) -> None:
        """Have ``show`` called whenever the home's backup changed, with what `GET /v1/backup` shows."""
        self._on_backup.append(show)

    def on_reason(self, show: Callable[[dict[str, Any]], None]) -> None:
        """Have ``show`` called with each reason (`GET /v1/reasons`) as it is journalled."""
        self._on_reason.append(show)

    def words(self, sentence: str) -> str:
        """A sentence of the API in the page's language, as far as there is one."""
        return translate(sentence, self.language)

    def every(self, seconds: float, do: Callable[[], Awaitable[None]]) -> None:
        """Do something again and again while the page is open."""
        ui.timer(seconds, do, immediate=False)

    def watch_person(self) -> None:
        """Look again and again whether the person still is who they were: what they lose is lost on open pages, too."""
        self.every(_LOOKS_S, self._look_at_person)

    async def _look_at_person(self) -> None:
        try:
            person = Person.of(await self.api.get("/v1/session"))
        except ApiError as error:
            if error.status == _SIGNED_OUT:
                # The site is read for all pages in one: what comes now is no longer for this one.
                self._live.forget(self.client.id)
                ui.navigate.to("/sign-in")
            return
        if person != self.person:
            ui.navigate.reload()

    async def ask(self, asked: Awaitable[Any]) -> Any:
        """The answer of an API call that a person asked for; None after telling them why it did not work."""
        try:
            return await asked
        except ApiError as error:
            self.tell(error)
            return None

    def tell(self, error: ApiError) -> None:
        """Tell the person what the API would not do."""
        if error.status == _SIGNED_OUT:
            ui.navigate.to("/sign-in")
            return
        self.say(self.refusal(error), good=False)

    def refusal(self, error: ApiError) -> str:
        """Why the API would not do it, in the page's language: each fault of the input with its field."""
        if error.status == 0:
            return self.t("frame.no_answer")
        if not error.faults:
            return self.words(error.sentence)
        return "; ".join(
            f"{self.words(field)}: {self.words(rule)}" for field, rule, _ in error.faults
        )

    def say(self, sentence: str, *, good: bool = True) -> None:
        """A sentence at the page's edge that goes by itself; read aloud by a screen reader."""
        with self.client:
            ui.notify(
                sentence,
                type="positive" if good else "negative",
                position="top",
                timeout=4000 if good else 9000,
                close_button=not good and self.t("frame.close"),
            )

    def _changed(self) -> None:
        if not self.client.has_socket_connection:
            return
        with self.client:
            for show in self._on_site:
                _safely(show, self.site)
            if self._live.backup is not None and self._live.backup is not self._backup_shown:
                self._backup_shown = self._live.backup
                for show in self._on_backup:
                    _safely(show, self._live.backup)

    def _heard(self, reason: dict[str, Any]) -> None:
        if not self.client.has_socket_connection:
            return
        with self.client:
            for show in self._on_reason:
                _safely(show, reason)


def _safely(show: Callable[[dict[str, Any]], None], told: dict[str, Any]) -> None:
    """Show it; what fails on one page, or in one part of it, is logged and keeps nothing else from being shown."""
    try:
        show(told)
    except Exception:  # noqa: BLE001 whatever a page's part may raise
        structlog.get_logger().exception("part of a page failed", part=show.__qualname__)
