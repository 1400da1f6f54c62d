"""Street and house: what the contacts say, how the way back goes; outages that are announced; the off-grid test."""

from __future__ import annotations

from typing import Any, Final

from parkwatt.app.web.page import Page
from parkwatt.app.web.parts import bare, button, card, text

_MINUTE_S: Final = 60.0
_TEST_S: Final = (60, 120, 300, 600, 900)
_NEARLY_S: Final = 90.0


class GridCard:
    """Whether house and street are apart, said by the contact itself, and when and how they come together again."""

    def __init__(self, page: Page) -> None:
        self._page = page
        with card(classes="grid-card"):
            self._apart = text("", "strong", tag="p").props("role=status")
            self._back = text("", "muted", tag="p")
            self._why = text("", "muted small", tag="p")

    def show(self, backup: dict[str, Any]) -> None:
        """The backup now."""
        page, gateway = self._page, backup["gateway"]
        self._apart.set_text(page.t(f"backup.{_apart_key(gateway)}"))
        verified = gateway is not None and (gateway["disconnected"] or gateway["fresh"])
        self._apart.classes(add="good") if verified else self._apart.classes(remove="good")
        self._back.set_text(self._back_words(backup))
        self._why.set_text(page.words(backup["reason"]) if backup["phase"] == "fault" else "")

    def _back_words(self, backup: dict[str, Any]) -> str:
        page, phase = self._page, backup["phase"]
        gateway = backup["gateway"]
        delay = _span(page, backup["return_delay_s"])
        if phase == "fault":
            return page.t("backup.phase_fault")
        if gateway is not None and gateway["transfers_itself"]:
            return page.t("backup.back_itself")
        if not backup["islanded"]:
            words = page.t("backup.phase_grid") if phase == "grid" else page.t("backup.phase_other")
            ready = "" if backup["source_ready"] else page.t("backup.source_not_ready")
            return " ".join(filter(None, (words, ready)))
        if phase in ("restart_wait", "outage_confirmed", "opening", "islanding"):
            return f"{page.t(f'backup.phase_{phase}')} {page.t('backup.back', delay=delay)}"
        left_s = backup["grid_qualified_in_s"]
        if phase == "qualifying" and left_s is not None and left_s > 0:
            return page.t("backup.back_soon", left=_span(page, left_s))
        if phase == "transferring_back":
            return page.t("backup.back_now")
        return page.t("backup.back", delay=delay)


def _apart_key(gateway: dict[str, Any] | None) -> str:
    if gateway is None or not gateway["fresh"]:
        return "contacts_unknown"
    if gateway["disconnected"]:
        return "apart"
    return "together" if gateway["grid_pole"] == "closed" else "contacts_unknown"


def _span(page: Page, seconds: float) -> str:
    if seconds < _NEARLY_S:
        return page.t("backup.seconds", count=page.numbers.number(seconds, 0))
    return page.t("backup.minutes", count=page.numbers.number(seconds / _MINUTE_S, 0))


class Announced:
    """Outages ahead, and what is held back for them; nothing where none is announced."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._card = card(page.t("backup.announced"), classes="announced-card hidden")
        with self._card:
            self._holder = bare("ul", "plain-list")
            self._held = text("", "muted", tag="p")
        self._shown: list[dict[str, Any]] = []

    def show(self, backup: dict[str, Any]) -> None:
        """The backup now."""
        page, found = self._page, backup["announcements"]
        self._held.set_text(page.words(backup["preparation"]))
        self._card.classes(remove="hidden") if found else self._card.classes(add="hidden")
        if found == self._shown:
            return
        self._shown = found
        self._holder.clear()
        with self._holder:
            for one in found:
                start, end = (
                    page.numbers.clock(one[name], backup["at"]) for name in ("start", "end")
                )
                with bare("li", "tier"):
                    text(page.t(f"backup.{one['outage']}", start=start, end=end))
                    if one["text"]:
                        text(one["text"], "muted small")


class TestCard:
    """The off-grid test: asked for, running, and what the last one came to."""

    def __init__(self, page: Page) -> None:
        self._page, self._most_s = page, 0
        self._card = card(page.t("backup.test"), classes="test-card hidden")
        with self._card:
            self._last = text("", "muted", tag="p")
            with bare("div", "stack") as self._asking:
                text(page.t("backup.test_what"), "muted", tag="p")
                self._choices = bare("div", "buttons")
            with bare("div", "stack hidden") as self._sure:
                self._question = text("", "strong", tag="p").props("role=alert")
                with bare("div", "buttons"):
                    button(page.t("backup.test_go"), self._go, "button")
                    button(page.t("backup.cancel"), self._cancel, "button quiet")
            with bare("div", "stack hidden") as self._running:
                self._until = text("", "strong", tag="p").props("role=status")
                button(page.t("backup.test_end"), self._end, "button quiet")
        self._wanted_s = 0

    def show(self, backup: dict[str, Any]) -> None:
        """The backup now."""
        page = self._page
        visible = page.person.may("backup") and (not backup["islanded"] or backup["testing"])
        self._card.classes(remove="hidden") if visible else self._card.classes(add="hidden")
        self._last.set_text(self._last_words(backup))
        test, ready = backup["test"], backup["source_ready"] and backup["phase"] == "grid"
        _visible(self._running, test is not None)
        if test is not None:
            end = page.numbers.local(test["end"])
            self._until.set_text(page.t("backup.test_until", at=f"{end:%H:%M:%S}"))
            self._wanted_s = 0
        _visible(self._sure, test is None and self._wanted_s > 0)
        _visible(self._asking, test is None and self._wanted_s == 0 and ready)
        if backup["test_s_max"] != self._most_s:
            self._most_s = backup["test_s_max"]
            self._offer()

    def _offer(self) -> None:
        self._choices.clear()
        with self._choices:
            for duration_s in _TEST_S:
                if duration_s <= self._most_s:
                    label = self._page.t("backup.test_for", span=_span(self._page, duration_s))
                    button(label, lambda wanted=duration_s: self._want(wanted), "chip")

    def _last_words(self, backup: dict[str, Any]) -> str:
        page, last = self._page, backup["last_test"]
        if last is None or last["works"] is None:
            return page.t("backup.test_never") if last is None else ""
        at = page.numbers.clock(last["started_at"], backup["at"])
        if not last["works"]:
            return page.t("backup.test_failed", at=at)
        dark = page.numbers.number(last["fed_after_s"], 1)
        return page.t("backup.test_worked", at=at, dark=dark)

    def _want(self, duration_s: int) -> None:
        self._wanted_s = duration_s
        self._question.set_text(
            self._page.t("backup.test_sure", span=_span(self._page, duration_s))
        )
        _visible(self._asking, False)
        _visible(self._sure, True)

    async def _go(self) -> None:
        wanted_s = self._wanted_s
        self._cancel()
        answer = await self._page.ask(
            self._page.api.put("/v1/backup/test", {"duration_s": wanted_s})
        )
        if answer is not None:
            self.show(answer)

    def _cancel(self) -> None:
        self._wanted_s = 0
        _visible(self._sure, False)
        _visible(self._asking, True)

    async def _end(self) -> None:
        answer = await self._page.ask(self._page.api.delete("/v1/backup/test"))
        if answer is not None:
            self.show(answer)


def _visible(element: Any, shown: bool) -> None:
    element.classes(remove="hidden") if shown else element.classes(add="hidden")
