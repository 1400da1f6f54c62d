"""Driving against the house: the car's battery as a bar between both, dragged to what the driver needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from nicegui import ui

from parkwatt.app.web.api import ApiError
from parkwatt.app.web.page import Page
from parkwatt.app.web.parts import LevelBar, Mark, bare, card, text
from parkwatt.app.web.parts.form import box, write

_KM = "km"


class Driving:
    """The bar. ``preview``: is told the hours that a distance would leave, while it is dragged."""

    def __init__(self, page: Page, preview: Callable[[dict[str, Any] | None], None]) -> None:
        self._page, self._preview = page, preview
        self._known: dict[str, Any] | None = None
        self._reckoned: tuple[Any, ...] = ()
        self._may = page.person.may("backup")
        with card(classes="driving hidden") as self._card:
            with bare("div", "line"):
                text(page.t("backup.driving"), tag="h2")
                text(page.t("backup.house"), "strong")
            self._bar = LevelBar(page.t("backup.bar"), self._slide, self._set)
            with bare("div", "line"):
                self._kept = text("", "strong", tag="p").props("aria-live=polite")
                self._price = text("", "muted", tag="p")
            with bare("label", "field ready hidden") as self._ready:
                text(page.t("backup.ready_by"), tag="span")
                self._time = box("type=time required")
                self._time.on("change", self._set_time, js_handler="(e) => emit(e.target.value)")
        page.every(60.0, self.read)

    async def read(self) -> None:
        """Ask for the prices of all distances."""
        try:
            self._known = await self._page.api.get("/v1/backup/trade-off")
        except ApiError:
            return
        self._draw()

    def heard(self, backup: dict[str, Any]) -> None:
        """The backup changed: the prices did where the circuits or the car did."""
        runtime = backup["runtime"]
        reckoned = (
            tuple(one["on"] for one in backup["circuits"]),
            tuple(one["energy_kwh"] for one in backup["mobility"]),
            backup["islanded"],
            runtime is None,
        )
        if self._reckoned and reckoned != self._reckoned:
            ui.timer(0.5, self.read, once=True)
        self._reckoned = reckoned

    # What is shown.

    def _draw(self, dragged: dict[str, Any] | None = None) -> None:
        known = self._known
        if known is None or not known["points"]:
            self._card.classes(add="hidden")
            return
        self._card.classes(remove="hidden")
        self._ready.classes(remove="hidden") if self._may else self._ready.classes(add="hidden")
        point = dragged or self._asked_point(known)
        page, capacity_kwh = self._page, self._capacity_kwh(known)
        least, at = (one["energy_kwh"] / capacity_kwh for one in (known["points"][0], point))
        soc = self._soc(known) or at
        km = page.numbers.number(point["distance_km"], 0)
        label = page.t("backup.km", km=km)
        mark = Mark(
            at,
            "",
            "ink",
            id=_KM if self._may else "",
            name=page.t("backup.km_for_driving"),
            least=least,
            most=max(soc, least),
            step=self._step(known, capacity_kwh),
        )
        fills = [
            (0.0, least, "stays"),
            (least, min(at, soc), "grid"),
            (min(at, soc), soc, "car"),
        ]
        self._bar.show(fills, [mark], label)
        ready = page.numbers.clock(known["ready_at"], known["at"])
        nothing = point["distance_km"] == 0.0
        self._kept.set_text(
            page.t("backup.keep_none" if nothing else "backup.keep", km=km, at=ready)
        )
        each = known["hours_per_10_km"]
        costs = "" if each is None else page.numbers.number(each, 1)
        self._price.set_text(page.t("backup.each_costs", hours=costs) if costs else "")
        local = page.numbers.local(known["ready_at"])
        if self._time.props["defaultValue"] != f"{local:%H:%M}":
            write(self._time, f"{local:%H:%M}")

    def _capacity_kwh(self, known: dict[str, Any]) -> float:
        car = self._car(known)
        return float(car["capacity_kwh"]) if car else known["points"][-1]["energy_kwh"]

    def _car(self, known: dict[str, Any]) -> dict[str, Any] | None:
        cars = self._page.site["cars"]
        return next((one for one in cars if one["car_id"] == known["car_id"]), None)

    def _soc(self, known: dict[str, Any]) -> float | None:
        car = self._car(known)
        return None if car is None else car["soc"]

    @staticmethod
    def _step(known: dict[str, Any], capacity_kwh: float) -> float:
        points = known["points"]
        return float(points[1]["energy_kwh"] - points[0]["energy_kwh"]) / capacity_kwh / 2

    @staticmethod
    def _asked_point(known: dict[str, Any]) -> dict[str, Any]:
        asked_km = known["asked_km"] or 0.0
        points: list[dict[str, Any]] = known["points"]
        return min(points, key=lambda one: abs(one["distance_km"] - asked_km))

    def _point_at(self, share: float) -> dict[str, Any] | None:
        if self._known is None or not self._known["points"]:
            return None
        energy_kwh = share * self._capacity_kwh(self._known)
        points: list[dict[str, Any]] = self._known["points"]
        return min(points, key=lambda one: abs(one["energy_kwh"] - energy_kwh))

    # What a person does.

    def _slide(self, _: str, at: float) -> None:
        point = self._point_at(at)
        if point is not None:
            self._preview(point["hours"])
            self._draw_words(point)

    def _draw_words(self, point: dict[str, Any]) -> None:
        if self._known is None:
            return
        page = self._page
        nothing = point["distance_km"] == 0.0
        km = page.numbers.number(point["distance_km"], 0)
        ready = page.numbers.clock(self._known["ready_at"], self._known["at"])
        self._kept.set_text(
            page.t("backup.keep_none" if nothing else "backup.keep", km=km, at=ready)
        )

    async def _set(self, _: str, at: float) -> None:
        point = self._point_at(at)
        if point is not None and self._known is not None:
            await self._keep(point, self._known["ready_at"])

    async def _set_time(self, event: Any) -> None:
        known = self._known
        if known is None or not event.args:
            return
        hour, minute = (int(part) for part in str(event.args).split(":")[:2])
        now = self._page.numbers.local(known["at"])
        ready = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
        if ready <= now:
            ready = (now.replace(tzinfo=None) + timedelta(days=1)).replace(
                hour=hour, minute=minute, second=0, microsecond=0, tzinfo=now.tzinfo
            )
        known["ready_at"] = ready.isoformat()
        point = self._asked_point(known)
        if point["distance_km"] > 0.0:
            await self._keep(point, known["ready_at"])
        else:
            self._draw()

    async def _keep(self, point: dict[str, Any], ready_at: str) -> None:
        known, page = self._known, self._page
        if known is None:
            return
        body: dict[str, Any] = {"energy_kwh": None}
        if point["distance_km"] > 0.0:
            body = {"distance_km": point["distance_km"], "ready_at": ready_at}
        path = f"/v1/backup/mobility/{known['car_id']}"
        if await page.ask(page.api.put(path, body)) is None:
            self._preview(None)
            self._draw()
            return
        known["asked_km"] = point["distance_km"] or None
        self._preview(point["hours"])
        self._draw(point)
        page.say(page.t("backup.kept_said"))
