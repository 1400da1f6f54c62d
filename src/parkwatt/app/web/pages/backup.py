"""Backup: how long the house would last, what that costs and gains; in an outage the whole screen, to be read at night."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from nicegui import ui

from parkwatt.app.web.api import ApiError
from parkwatt.app.web.page import Page
from parkwatt.app.web.pages.backup_circuits import Circuits, Questions
from parkwatt.app.web.pages.backup_driving import Driving
from parkwatt.app.web.pages.backup_grid import Announced, GridCard, TestCard
from parkwatt.app.web.pages.hours import told
from parkwatt.app.web.parts import bare, text

_NO_BACKUP: Final = 409


async def content(page: Page) -> None:
    """Build it."""
    try:
        first = await page.api.get("/v1/backup")
    except ApiError as error:
        if error.status != _NO_BACKUP:
            raise
        text(page.t("backup.none"), "say", tag="p")
        text(page.t("backup.none_how"), "muted", tag="p")
        return
    body, outage = ui.query("body"), bare("div", "outage-line line hidden")
    with outage:
        title = text("", "say", tag="p").props("role=status")
        since = text("", "muted")
    hours = HoursLeft(page)
    with bare("div", "columns backup-columns"):
        with bare("div", "stack"):
            questions = Questions(page)
            driving = Driving(page, hours.preview)
            grid = GridCard(page)
            announced = Announced(page)
            test = TestCard(page)
        with bare("div", "stack"):
            circuits = Circuits(page, first["circuits"])

    def show(backup: dict[str, Any]) -> None:
        out = backup["islanded"]
        if out:
            outage.classes(remove="hidden")
            body.classes(add="outage")
        else:
            outage.classes(add="hidden")
            body.classes(remove="outage")
        title.set_text(page.t("backup.testing" if backup["testing"] else "backup.grid_down"))
        began = backup["outage_since"] or backup["since"]
        since.set_text(page.t("backup.since", at=page.numbers.clock(began, backup["at"])))
        hours.show(backup)
        questions.show(backup["questions"])
        circuits.show(backup)
        grid.show(backup)
        announced.show(backup)
        test.show(backup)
        driving.heard(backup)

    show(first)
    page.on_backup(show)
    await driving.read()


class HoursLeft:
    """The one number: hours left, with its band and when that is."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._backup: dict[str, Any] | None = None
        self._at_once: dict[str, Any] | None = None
        with bare("div", "hours-left"):
            self._lead = text("", "muted", tag="p")
            with bare("p", "huge").props("aria-live=polite"):
                self._number = text("…", tag="span")
                self._unit = text("", "unit", tag="span")
            self._band = text("", "muted band", tag="p")
            self._kept = text("", "muted", tag="p")

    def show(self, backup: dict[str, Any]) -> None:
        """The backup now."""
        before = self._backup
        self._backup = backup
        if before is not None and before["runtime"] != backup["runtime"]:
            self._at_once = None
        self._draw()

    def preview(self, hours: dict[str, Any] | None) -> None:
        """What the number would be, while something is dragged; None: as it is."""
        self._at_once = hours
        self._draw()

    def _draw(self) -> None:
        page, backup = self._page, self._backup
        if backup is None:
            return
        carrier = "battery" if backup["source"] == "battery" else "car"
        when = "now" if backup["islanded"] else "if"
        self._lead.set_text(page.t(f"backup.lead_{when}_{carrier}", car=backup["source"]))
        self._kept.set_text(page.words(backup["source_kept"]))
        hours = self._at_once or backup["runtime"]
        if hours is None:
            self._number.set_text("…")
            self._unit.set_text("")
            self._band.set_text(page.t("backup.not_reckoned"))
            return
        shown, unit = told(page, hours["hours_p50"])
        self._number.set_text(f"≥ {shown}" if hours["at_least"] else shown)
        self._unit.set_text(unit)
        self._band.set_text(self._band_words(hours, backup["at"]))

    def _band_words(self, hours: dict[str, Any], at: str) -> str:
        page = self._page
        (low, low_unit), (high, unit) = (
            told(page, hours["hours_p10"]),
            told(page, hours["hours_p90"]),
        )
        if hours["at_least"]:
            return page.t("backup.band_long")
        until = datetime.fromisoformat(at) + timedelta(hours=hours["hours_p50"])
        clock = page.numbers.clock(until, at)
        if (low, low_unit) == (high, unit):
            return page.t("backup.band_one", until=clock)
        units = {page.t("backup.days"): page.t("backup.days_between")}
        low_words = low if low_unit == unit else f"{low} {low_unit}"
        high_words = f"{high} {units.get(unit, unit)}"
        return page.t("backup.band", low=low_words, high=high_words, until=clock)
