"""Journal: what happened and why, day by day, to be searched; and the site as it was at any of these moments."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from nicegui import ui

from parkwatt.app.web.api import ApiError
from parkwatt.app.web.page import Page
from parkwatt.app.web.pages.journal_moment import Moment
from parkwatt.app.web.parts import bare, button, text
from parkwatt.app.web.parts.form import box

_GROUPS: Final = ("plan", "power", "car", "wish", "price", "outage", "circuit", "operation")
_PAGE: Final = 60
# A search goes on by itself for so many calls, each of a second at most; then a button asks.
_CALLS_MAX: Final = 6
# Drawn for Parkwatt on a grid of 24.
_ICONS: Final = {
    "plan": "M4 19V5M4 19h16M8 15v-3M12 15V8M16 15v-5M20 15v-2",
    "power": "M13 3 6 13h5l-1 8 7-10h-5z",
    "car": "M4 16v-4l2-5h12l2 5v4M4 12h16M4 16h16M7 16v3M17 16v3",
    "wish": "M12 20C8 17 5 14 5 10.500a3.500 3.500 0 0 1 7-1 3.500 3.500 0 0 1 7 1C19 14 16 17 12 20z",
    "price": "M12 4h7v7l-8.500 8.500-7-7zM15.500 8.400v.2",
    "outage": "M12 3 5 6v6c0 4 3 7 7 9 4-2 7-5 7-9V6zM13 8l-3 5h4l-3 4",
    "circuit": "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4",
    "operation": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7.500V12l3 2",
}


async def content(page: Page) -> None:
    """Build it. A query `at` shows that moment, `group` and `q` look for something."""
    moment = Moment(page)
    found = _Found(page, moment)
    _Filter(page, found)
    found.place()
    await found.look()
    at = page.query.get("at", "")
    if at:
        await moment.show(at)


class _Filter:
    """Words, kinds and cars."""

    def __init__(self, page: Page, found: _Found) -> None:
        self._page, self._found = page, found
        with bare("div", "journal-filter stack").props("role=search"):
            with bare("label", "field"):
                text(page.t("journal.search"), tag="span")
                self._words = box("type=search maxlength=200", found.words)
                self._words.props["placeholder"] = page.t("journal.search_hint")
                self._words.on("change", self._look_for, js_handler="(e) => emit(e.target.value)")
            cars = [car["car_id"] for car in page.site["cars"]]
            with bare("div", "chips").props(f'role=group aria-label="{page.t("journal.kinds")}"'):
                for group in _GROUPS:
                    self._chip(page.t(f"journal.{group}"), group, found.groups)
            if len(cars) > 1:
                with bare("div", "chips").props(
                    f'role=group aria-label="{page.t("journal.cars")}"'
                ):
                    for car_id in cars:
                        self._chip(car_id, car_id, found.cars)

    def _chip(self, label: str, value: str, chosen: set[str]) -> None:
        chip = button(label, lambda: None, "chip", pressed=value in chosen)

        async def toggle() -> None:
            chosen.symmetric_difference_update({value})
            chip.props(f"aria-pressed={str(value in chosen).lower()}")
            await self._found.look()

        chip.on("click", toggle)

    async def _look_for(self, event: Any) -> None:
        self._found.words = str(event.args or "")
        await self._found.look()


class _Found:
    """What was found, the newest first, by day; more of it on demand."""

    def __init__(self, page: Page, moment: Moment) -> None:
        self._page, self._moment = page, moment
        self.words = page.query.get("q", "")[:200]
        self.groups = {page.query["group"]} & set(_GROUPS) if "group" in page.query else set[str]()
        self.cars: set[str] = set()
        self._before_seq: int | None = None
        self._day = ""
        self._list: ui.element | None = None
        self._asked = 0
        self._fresh = 0

    def place(self) -> None:
        """Where it stands on the page."""
        page = self._page
        self._new = button("", self.look, "chip hidden")
        self._days = bare("div", "stack")
        self._said = text("", "muted", tag="p").props("role=status")
        self._more = button(page.t("journal.more"), self._go_on, "button quiet hidden")
        page.on_reason(self._heard)

    async def look(self) -> None:
        """Look anew, from now back."""
        self._before_seq, self._day, self._list, self._fresh = None, "", None, 0
        self._days.clear()
        self._new.classes(add="hidden")
        await self._go_on()

    async def _go_on(self) -> None:
        """The next page; a search that needs longer says how far it is."""
        self._asked += 1
        mine, count, more = self._asked, 0, True
        self._more.classes(add="hidden")
        for _ in range(_CALLS_MAX):
            shown = await self._next()
            if shown is None or mine != self._asked:
                return  # it failed and was told, or something else is looked for by now
            with self._page.client:
                self._add(shown["found"])
            count += len(shown["found"])
            self._before_seq, more = shown["before_seq"], shown["before_seq"] is not None
            if not more or count >= _PAGE:
                break
            back_to = self._page.numbers.clock(shown["looked_back_to"], self._page.site["at"])
            self._said.set_text(self._page.t("journal.looked_back", to=back_to))
        self._say(more=more)

    async def _next(self) -> dict[str, Any] | None:
        page = self._page
        asked: dict[str, Any] = {"limit": _PAGE, "language": page.language}
        if self.words.strip():
            asked["q"] = self.words
        if self.groups:
            asked["group"] = sorted(self.groups)
        if len(self.cars) == 1:
            asked["car_id"] = next(iter(self.cars))
        if self._before_seq is not None:
            asked["before_seq"] = self._before_seq
        try:
            shown: dict[str, Any] = await page.api.get("/v1/reasons/search", **asked)
        except ApiError as error:
            page.tell(error)
            return None
        return shown

    def _say(self, *, more: bool) -> None:
        page = self._page
        if more:
            self._more.classes(remove="hidden")
            return
        self._said.set_text(page.t("journal.all" if self._day else "journal.nothing"))

    def _add(self, found: list[dict[str, Any]]) -> None:
        for entry in found:
            at = self._page.numbers.local(entry["at"])
            day = f"{at:%Y-%m-%d}"
            if day != self._day or self._list is None:
                self._day = day
                with self._days, bare("section", "card journal-day"):
                    text(self._day_words(at), tag="h2")
                    self._list = bare("ul", "plain-list")
            with self._list:
                self._entry(entry, at)

    def _entry(self, entry: dict[str, Any], at: datetime) -> None:
        page = self._page
        with bare("li", "journal-entry"):
            path = _ICONS[entry["group"]]
            svg = f'<svg viewBox="0 0 24 24" aria-hidden="true"><path d="{path}"/></svg>'
            ui.html(svg, sanitize=False).classes(f"icon-box group-{entry['group']}")
            with bare("div", "journal-text"):
                with bare("div", "line"):
                    text(page.t(f"journal.{entry['group']}"), "muted small", tag="span")
                    text(f"{at:%H:%M:%S}", "muted small clock", tag="time")
                text(page.words(entry["message"]), tag="p")
            show = button("", lambda: self._moment.show(entry["at"]), "icon-button")
            show.props["aria-label"] = page.t("journal.show_moment", at=f"{at:%H:%M:%S}")
            with show:
                eye = '<path d="M3 12s3.500-6 9-6 9 6 9 6-3.500 6-9 6-9-6-9-6z"/><circle cx="12" cy="12" r="2.600"/>'
                svg = f'<svg viewBox="0 0 24 24" aria-hidden="true">{eye}</svg>'
                ui.html(svg, sanitize=False).classes("icon-box")

    def _day_words(self, at: datetime) -> str:
        page = self._page
        today = page.numbers.local(page.site["at"]).date()
        days = (today - at.date()).days
        name = f"{page.numbers.day(at)} {page.numbers.date(at)}"
        if days == 0:
            return f"{page.t('journal.today')}, {name}"
        return f"{page.t('journal.yesterday')}, {name}" if days == 1 else name

    def _heard(self, reason: dict[str, Any]) -> None:
        """Something new: told, and not pushed under the reader's eyes."""
        if reason["payload"].get("following"):
            return
        self._fresh += 1
        self._new.set_text(self._page.t("journal.new", count=self._fresh))
        self._new.classes(remove="hidden")
