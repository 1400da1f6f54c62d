"""Settings: what the doctor finds, all devices, and every setting of the site's file, by field or as text."""

from __future__ import annotations

from typing import Any, Final

from nicegui import ui

from parkwatt.app.web.api import ApiError
from parkwatt.app.web.page import Page
from parkwatt.app.web.pages.settings_file import FileCard, TablesCard
from parkwatt.app.web.parts import bare, button, card, text

_DEVICES_EVERY_S: Final = 5.0
_LEVELS: Final = {"error": "✗", "warning": "!", "ok": "✓", "skipped": "–"}
_STATES: Final = {"ok": "good", "silent": "bad", "never": "bad", "refused": "bad"}


async def content(page: Page) -> None:
    """Build it."""
    may = page.person.may("settings")
    with bare("div", "columns settings"):
        with bare("div", "stack"):
            doctor = _Doctor(page) if may else None
            devices = _Devices(page)
        with bare("div", "stack"):
            if may:
                await _settings(page)
            else:
                with card():
                    text(page.t("settings.not_yours"), tag="p")
    await devices.read()
    page.every(_DEVICES_EVERY_S, devices.read)
    if doctor is not None:
        # It may take seconds: the page is there meanwhile.
        ui.timer(0.1, doctor.read, once=True)


async def _settings(page: Page) -> None:
    try:
        shown = await page.api.get("/v1/settings")
    except ApiError as error:
        with card():
            text(page.words(error.sentence), tag="p")
        return
    if shown["trouble"] is not None:
        why = page.words(shown["trouble"])
        text(page.t("settings.trouble", why=why), "alarm").props("role=alert")
    TablesCard(page, shown)
    FileCard(page, shown)


class _Doctor:
    """What is to be done first, all else folded away."""

    def __init__(self, page: Page) -> None:
        self._page = page
        with card(classes="stack"):
            with bare("div", "line"):
                text(page.t("settings.doctor"), tag="h2")
                self._again = button(page.t("settings.again"), self.read, "button quiet small")
            self._said = text(page.t("settings.examining"), "muted", tag="p").props("role=status")
            self._found = bare("div", "stack")

    async def read(self) -> None:
        page = self._page
        self._said.set_text(page.t("settings.examining"))
        self._again.props("disabled")
        found = await page.ask(page.api.get("/v1/doctor"))
        self._again.props(remove="disabled")
        if found is None:
            self._said.set_text("")
            return
        to_do = [one for one in found if one["level"] in ("error", "warning")]
        rest = [one for one in found if one["level"] not in ("error", "warning")]
        key = {0: "settings.well", 1: "settings.to_do_one"}.get(len(to_do), "settings.to_do")
        self._said.set_text(page.t(key, count=len(to_do)))
        self._found.clear()
        with self._found:
            _checks(page, to_do)
            with bare("details", "more"):
                text(page.t("settings.rest", count=len(rest)), tag="summary")
                _checks(page, rest)


def _checks(page: Page, found: list[dict[str, Any]]) -> None:
    with bare("ul", "plain-list"):
        for one in found:
            with bare("li", "check"):
                told = page.t(f"settings.level_{one['level']}")
                mark = text(_LEVELS[one["level"]], f"level {one['level']}", tag="span")
                mark.props(f'role=img aria-label="{told}"')
                with bare("div", "stack-tight"):
                    text(page.words(one["subject"]), "strong")
                    text(page.words(one["message"]), "small")
                    if one["remedy"]:
                        text(f"→ {page.words(one['remedy'])}", "muted small")


class _Devices:
    """All of them, those with something to do first."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._shown: list[dict[str, Any]] | None = None
        with card(classes="stack"):
            text(page.t("settings.devices"), tag="h2")
            self._list = bare("ul", "plain-list")

    async def read(self) -> None:
        page = self._page
        try:
            found = await page.api.get("/v1/devices")
        except ApiError:
            return
        if found == self._shown:
            return
        self._shown = found
        self._list.clear()
        with self._list:
            for one in sorted(found, key=lambda one: one["state"] == "ok"):
                with bare("li", "check"):
                    told = page.t(f"settings.state_{one['state']}")
                    mark = text("●", f"level dot {_STATES[one['state']]}", tag="span")
                    mark.props(f'role=img aria-label="{told}"')
                    with bare("div", "stack-tight wide"):
                        with bare("div", "line"):
                            kind = page.t(f"settings.kind_{one['kind']}")
                            text(f"{kind} · {one['name']}", "strong")
                            text(self._seen(one), "muted small")
                        text(page.words(one["message"]), "small")
                        if one["to_do"]:
                            text(f"→ {page.words(one['to_do'])}", "muted small")

    def _seen(self, one: dict[str, Any]) -> str:
        if one["seen_at"] is None:
            return ""
        return self._page.numbers.clock(one["seen_at"], self._page.site["at"])
