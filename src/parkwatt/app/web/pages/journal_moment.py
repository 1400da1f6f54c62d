"""A past moment as the home page would have shown it, with the day around it and a slider through it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from nicegui import ui

from parkwatt.app.web.api import ApiError
from parkwatt.app.web.page import Page
from parkwatt.app.web.pages.home import CarCard, headline, power_nodes
from parkwatt.app.web.pages.hours import told
from parkwatt.app.web.parts import PowerFlow, bare, button, card, text
from parkwatt.app.web.parts.form import box, write

_STEP_S: Final = 300
_QUARTER_S: Final = 900
_AXIS: Final = {"color": "var(--soft)", "fontSize": 12, "fontFamily": "inherit"}
_LINES: Final = (("load_kw", "house"), ("solar_kw", "sun"), ("grid_kw", "grid"))


class Moment:
    """Hidden until a moment is asked for."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._asked = 0
        self._at: datetime | None = None
        self._day: dict[str, Any] | None = None
        with bare("section", "stack moment hidden").props("tabindex=-1") as self._whole:
            with bare("div", "line"):
                self._heading = text("", "say", tag="h2").props("aria-live=polite")
                button(page.t("journal.close"), self._close, "button quiet")
            self._slide()
            with bare("div", "columns"):
                with card():
                    self._say = text("", "strong", tag="p")
                    self._flow = PowerFlow()
                    self._powers = text("", "muted small", tag="p")
                with bare("div", "stack"):
                    self._cars = {
                        car["car_id"]: (CarCard(page, car), text("", "muted small why", tag="p"))
                        for car in page.site["cars"]
                    }
                    with card(page.t("journal.backup"), classes="hidden") as self._backup_card:
                        self._backup = text("", tag="p")
            with bare("details", "card"):
                text(page.t("journal.untold"), "strong", tag="summary")
                self._untold = bare("ul", "untold muted small")

    def _slide(self) -> None:
        page = self._page
        with card(classes="day-card"):
            with bare("div", "day-chart").props(f'role=img aria-label="{page.t("journal.chart")}"'):
                self._chart = ui.echart(_options([], [], None, 0), renderer="svg").classes("chart")
            with bare("div", "day-legend muted small").props("aria-hidden=true"):
                for name in ("house", "sun", "grid", "car"):
                    with bare("span"):
                        bare("i", f"tone-{name}")
                        text(
                            page.t("journal.charge" if name == "car" else f"home.{name}"),
                            tag="span",
                        )
            with bare("label", "field"):
                text(page.t("journal.slider"), "only-read", tag="span")
                self._slider = box("type=range min=0 step=1").classes("day-slider")
                self._slider.on(
                    "input",
                    self._slid,
                    js_handler="(e) => emit(Number(e.target.value))",
                    throttle=0.15,
                )
            with bare("div", "buttons"):
                for label, days in (("journal.day_before", -1), ("journal.day_after", 1)):
                    button(page.t(label), lambda days=days: self._other_day(days), "chip")

    async def show(self, at: str) -> None:
        """The site at a time of the API; `at` names its zone."""
        try:
            wanted = self._page.numbers.local(at)
        except ValueError:
            return
        self._whole.classes(remove="hidden")
        if not await self._fetch(wanted):
            return
        ui.run_javascript(
            "const m = document.querySelector('.moment'); m.scrollIntoView({block: 'start'}); m.focus({preventScroll: true})"
        )

    async def _fetch(self, wanted: datetime) -> bool:
        """Ask for the moment, and for its day where that is another; the last one that was asked for counts."""
        page = self._page
        self._asked += 1
        mine = self._asked
        now = datetime.fromisoformat(page.site["at"])
        at = min(wanted, page.numbers.local(now))
        try:
            if self._day is None or self._day["day"] != f"{at:%Y-%m-%d}":
                day = await page.api.get("/v1/at/day", day=f"{at:%Y-%m-%d}")
                self._day = day
            shown = await page.api.get("/v1/at", moment=at.isoformat())
        except ApiError as error:
            if mine == self._asked:
                page.tell(error)
            return False
        if mine == self._asked:
            self._at = at
            with page.client:
                self._draw(shown, at, limited=at < wanted)
        return True

    def _draw(self, shown: dict[str, Any], at: datetime, *, limited: bool) -> None:
        page, site = self._page, shown["site"]
        day = f"{page.numbers.day(at)} {page.numbers.date(at)}"
        self._heading.set_text(page.t("journal.as_it_was", at=f"{day}, {at:%H:%M}"))
        self._say.set_text(headline(page, site))
        nodes = power_nodes(page, site)
        self._flow.show(nodes, ", ".join(f"{node.name} {node.shown}" for node in nodes))
        of = shown["powers_of"]
        self._powers.set_text(page.t("journal.means" if of else "journal.not_measured"))
        for car in site["cars"]:
            if car["car_id"] in self._cars:
                picture, why = self._cars[car["car_id"]]
                picture.show(car, site)
                setpoint = car["setpoint"]
                told_why = setpoint is not None and car["plugged_in"]
                reason = page.words(setpoint["reason"]) if told_why else ""
                why.set_text(page.t("journal.why", reason=reason) if told_why else "")
        self._draw_backup(shown["backup"])
        self._draw_day(at, limited=limited)
        self._untold.clear()
        with self._untold:
            for one in shown["unknown"]:
                text(f"{one['field']}: {page.words(one['why'])}", tag="li")

    def _draw_backup(self, backup: dict[str, Any] | None) -> None:
        page = self._page
        if backup is None:
            return
        self._backup_card.classes(remove="hidden")
        words = [page.t("backup.grid_down")] if backup["islanded"] else []
        words.append(page.words(backup["words"]))
        runtime = backup["runtime"]
        if runtime is not None:
            number, unit = told(page, runtime["hours_p50"])
            words.append(page.t("journal.lasted", hours=f"{number} {unit}"))
        off = [one["name"] for one in backup["circuits"] if one["shed"]]
        if off:
            words.append(page.t("journal.off", names=", ".join(off)))
        self._backup.set_text(" · ".join(words))

    def _draw_day(self, at: datetime, *, limited: bool) -> None:
        if self._day is None:
            return
        start, end = (datetime.fromisoformat(self._day[name]) for name in ("start", "end"))
        count = int((end - start).total_seconds()) // _QUARTER_S
        labels = [
            f"{self._page.numbers.local(start + timedelta(seconds=_QUARTER_S * k)):%H:%M}"
            for k in range(count)
        ]
        passed_s = (at - start).total_seconds()
        self._slider.props["max"] = int((end - start).total_seconds()) // _STEP_S - 1
        self._slider.props["aria-valuetext"] = f"{at:%H:%M}"
        write(self._slider, str(int(passed_s) // _STEP_S), even_in_use=limited)
        self._chart.options.clear()
        self._chart.options.update(
            _options(
                labels,
                self._series(start, count),
                self._soc(start, count),
                int(passed_s) // _QUARTER_S,
            )
        )
        self._chart.update()

    def _series(self, start: datetime, count: int) -> list[tuple[str, list[float | None]]]:
        found: list[tuple[str, list[float | None]]] = []
        for name, tone in _LINES:
            values: list[float | None] = [None] * count
            for place, step in self._placed(start, count):
                values[place] = step[name]
            if any(values):
                found.append((tone, values))
        return found

    def _soc(self, start: datetime, count: int) -> list[float | None] | None:
        """Of the first car, in per cent."""
        if not self._cars:
            return None
        car_id = next(iter(self._cars))
        values: list[float | None] = [None] * count
        for place, step in self._placed(start, count):
            car = step["cars"].get(car_id)
            if car is not None and car["soc"] is not None:
                values[place] = round(100 * car["soc"], 1)
        return values

    def _placed(self, start: datetime, count: int) -> list[tuple[int, dict[str, Any]]]:
        steps = [] if self._day is None else self._day["steps"]
        placed = []
        for step in steps:
            passed_s = (datetime.fromisoformat(step["start"]) - start).total_seconds()
            if 0 <= passed_s < count * _QUARTER_S:
                placed.append((int(passed_s) // _QUARTER_S, step))
        return placed

    async def _slid(self, event: Any) -> None:
        if self._day is None:
            return
        start = self._page.numbers.local(self._day["start"])
        passed = timedelta(seconds=_STEP_S * int(event.args))
        at = self._page.numbers.local(datetime.fromisoformat(self._day["start"]) + passed)
        if at >= start:
            await self._fetch(at)

    async def _other_day(self, days: int) -> None:
        if self._at is None:
            return
        wanted = self._at.replace(tzinfo=None) + timedelta(days=days)
        await self._fetch(wanted.replace(tzinfo=self._at.tzinfo))

    def _close(self) -> None:
        self._asked += 1
        self._whole.classes(add="hidden")


def _options(
    labels: list[str],
    lines: list[tuple[str, list[float | None]]],
    soc: list[float | None] | None,
    marked: int,
) -> dict[str, Any]:
    """The day: powers as lines, the battery as an area behind them, the moment as a line across."""
    series: list[dict[str, Any]] = [
        {
            "type": "line",
            "data": values,
            "symbol": "none",
            "step": "start",
            "lineStyle": {"color": f"var(--{tone})", "width": 2},
            "emphasis": {"disabled": True},
        }
        for tone, values in lines
    ]
    mark = {
        "silent": True,
        "symbol": "none",
        "label": {"show": False},
        "lineStyle": {"color": "var(--ink)", "width": 2, "type": "solid"},
        "data": [{"xAxis": marked}] if labels else [],
    }
    series.append(
        {
            "type": "line",
            "yAxisIndex": 1,
            "data": soc or [None] * len(labels),
            "symbol": "none",
            "lineStyle": {"width": 0},
            "areaStyle": {"color": "var(--car)", "opacity": 0.22},
            "markLine": mark,
            "emphasis": {"disabled": True},
        }
    )
    return {
        "animation": False,
        "grid": {"left": 54, "right": 12, "top": 12, "bottom": 26},
        "xAxis": {
            "type": "category",
            "data": labels,
            "boundaryGap": False,
            "axisLabel": {**_AXIS, "interval": 15},
            "axisTick": {"show": False},
            "axisLine": {"lineStyle": {"color": "var(--line)"}},
        },
        "yAxis": [
            {
                "type": "value",
                "splitNumber": 2,
                "axisLabel": {**_AXIS, "formatter": "{value} kW"},
                "splitLine": {"lineStyle": {"color": "var(--line)"}},
            },
            {"type": "value", "min": 0, "max": 100, "show": False},
        ],
        "series": series,
    }
