"""The battery's ledger on the page: what it was used for, what it holds, how long it stood full, what the wear model says."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from parkwatt.app.web.api import ApiError
from parkwatt.app.web.page import Page
from parkwatt.app.web.parts import LevelBar, bare, button, card, text

_LITTLE: Final = 10.0
_USES: Final = (("driving", "car"), ("home", "house"), ("grid", "grid"))


class BatteryCard:
    """One car's battery; of several cars one is chosen."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._car_ids = [car["car_id"] for car in page.site["cars"]]
        self.car_id = self._car_ids[0] if self._car_ids else ""
        with card("", classes="money-battery"):
            with bare("div", "line"):
                self._title = text("", tag="h2")
                self._since = text("", "muted")
            if len(self._car_ids) > 1:
                self._choices(page)
            with bare("div"):
                self._cycles = text("", "big")
                self._bar = LevelBar(page.t("money.which_car"))
                self._uses = bare("ul", "plain-list")
            self._facts = bare("dl", "money-facts")

    @property
    def path(self) -> str:
        """Where the API tells of the battery."""
        return f"/v1/cars/{quote(self.car_id, safe='')}/battery"

    def _choices(self, page: Page) -> None:
        with bare("div", "chips").props(f'role=group aria-label="{page.t("money.which_car")}"'):
            chips = {
                car_id: button(
                    car_id,
                    lambda car_id=car_id: self._choose(car_id, chips),
                    "chip",
                    pressed=car_id == self.car_id,
                )
                for car_id in self._car_ids
            }

    async def _choose(self, car_id: str, chips: dict[str, Any]) -> None:
        self.car_id = car_id
        for name, chip in chips.items():
            chip.props(f"aria-pressed={str(name == car_id).lower()}")
        await self.read()

    async def read(self) -> None:
        """Ask the API, and show what it says."""
        page = self._page
        if not self.car_id:
            self._title.set_text(page.t("home.no_car"))
            return
        self._title.set_text(page.t("money.battery", car=self.car_id))
        try:
            told = await page.api.get(self.path)
        except ApiError as error:
            self._since.set_text(page.words(error.sentence))
            return
        since = "" if told["start"] is None else f"{page.numbers.local(told['start']):%Y-%m-%d}"
        self._since.set_text(page.t("money.battery_since", day=since) if since else "")
        self._show_use(told["total"])
        self._facts.clear()
        with self._facts:
            self._capacity(told)
            self._high(told["total"])
            self._model(told["ageing"])

    def _show_use(self, total: dict[str, Any]) -> None:
        page, number = self._page, self._page.numbers.number
        cycles = total["cycles"]
        total_cycles = number(cycles["total"], _digits(cycles["total"]))
        self._cycles.set_text(page.t("money.cycles", cycles=total_cycles))
        used_kwh = sum(total[f"{use}_kwh"] for use, _ in _USES)
        fills, shares, end = [], {}, 0.0
        for use, tone in _USES:
            share = total[f"{use}_kwh"] / used_kwh if used_kwh > 0 else 0.0
            fills.append((end, end + share, tone))
            shares[use] = page.numbers.per_cent(share)
            end += share
        self._bar.show(fills, [], page.t("money.share_said", **shares))
        self._uses.clear()
        with self._uses:
            for use, tone in _USES:
                with bare("li", "line use"):
                    with bare("span", f"use-name tone-{tone}"):
                        bare("i")
                        text(page.t(f"money.{use}"), tag="span")
                    words = page.t(
                        "money.kwh_and_cycles",
                        kwh=number(total[f"{use}_kwh"], _digits(total[f"{use}_kwh"]) - 1),
                        cycles=number(cycles[use], _digits(cycles["total"])),
                    )
                    text(words, "muted", tag="span")

    def _capacity(self, told: dict[str, Any]) -> None:
        page, number = self._page, self._page.numbers.number
        found, settings = told["capacity"], number(told["capacity_kwh"])
        if found["capacity_kwh"] is None:
            about = page.t(
                "money.capacity_missing",
                sessions=found["sessions"],
                needed=found["sessions_needed"],
                charges=number(found["full_charges"]),
                charges_needed=number(found["full_charges_needed"], 0),
                settings=settings,
            )
            self._fact("capacity", page.t("money.capacity_unknown"), about)
            return
        value = page.t(
            "money.capacity_told",
            kwh=number(found["capacity_kwh"]),
            error=number(found["error_kwh"]),
        )
        about = page.t("money.capacity_about", sessions=found["sessions"], settings=settings)
        self._fact("capacity", value, about)

    def _high(self, total: dict[str, Any]) -> None:
        page, number = self._page, self._page.numbers.number
        hours, known, highest = (
            number(total[name], 0) for name in ("high_h", "known_h", "highest_h")
        )
        about = page.t("money.high_about", known=known, highest=highest)
        self._fact("high", page.t("money.high_told", hours=hours), about)

    def _model(self, ageing: dict[str, Any] | None) -> None:
        page, number = self._page, self._page.numbers.number
        if ageing is None:
            self._fact("model", page.t("money.model_unknown"), page.t("money.model_missing"))
            return
        about = page.t(
            "money.model_about",
            grid_use=number(ageing["grid_use_percent_per_year"], 2),
            lowest=number(ageing["lowest_percent_per_year"]),
            highest=number(ageing["highest_percent_per_year"]),
        )
        loss = number(ageing["loss_percent_per_year"])
        self._fact("model", page.t("money.model_told", loss=loss), about)

    def _fact(self, name: str, value: str, about: str) -> None:
        with bare("div", "fact"):
            text(self._page.t(f"money.{name}"), "muted", tag="dt")
            with bare("dd"):
                text(value, "strong")
                text(about, "muted small")


def _digits(value: float) -> int:
    """Little is told more finely."""
    return 1 if value >= _LITTLE else 2
