"""The plan as three plots above each other on one axis of time: price, power, and what is in the battery."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any, Final

from nicegui import ui

from parkwatt.app.web.page import Page
from parkwatt.app.web.parts import bare, text

SHOWN: Final = timedelta(hours=48)
_INK, _LINE, _CARD = "var(--soft)", "var(--line)", "var(--card)"
_AXIS: Final = {"color": _INK, "fontSize": 12, "fontFamily": "Inter, Roboto, sans-serif"}
# Tops and heights of the three plots, in pixels.
_ROOMS: Final = ((34, 96), (166, 150), (352, 84))
HEIGHT_PX: Final = 470
_MS: Final = 1000
_TOOLTIP: Final = {
    "trigger": "axis",
    "confine": True,
    "backgroundColor": _CARD,
    "borderColor": _LINE,
    "textStyle": {"color": "var(--ink)", "fontSize": 13},
    "extraCssText": "max-width: 300px; white-space: normal; border-radius: 12px;",
    # The words stand in a series of their own.
    ":formatter": "(ps) => (ps.find((p) => p.value.length > 2) || {value: [0, 0, '']}).value[2]",
}
Points = list[list[Any]]


class PlanChart:
    """The plots of one car's plan."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._shown: object = None
        with bare("div", "plan-chart").props(f'role=img aria-label="{page.t("plan.chart")}"'):
            self._chart = ui.echart({"series": []}, renderer="svg").style(f"height: {HEIGHT_PX}px")
        with bare("div", "plan-legend muted small").props("aria-hidden=true"):
            for tone, name in (
                ("grid", "price"),
                ("car", "charge"),
                ("house", "give"),
                ("sun", "sun"),
                ("ink", "load"),
                ("battery", "battery"),
            ):
                with bare("span"):
                    bare("i", f"tone-{tone}")
                    text(page.t(f"plan.{name}"), tag="span")

    def show(
        self,
        plan: dict[str, Any],
        bands: Sequence[dict[str, Any]],
        car: dict[str, Any],
        now: str,
    ) -> None:
        """``plan``: `GET /v1/plan`; ``bands``: of `GET /v1/plan/outlook`; ``car``: of the site's."""
        seen = (plan["made_at"], car["car_id"], car["wishes"], len(bands), now[:15])
        if seen == self._shown:
            return
        self._shown = seen
        self._chart.options.clear()
        self._chart.options.update(options(self._page, plan, bands, car, now))
        self._chart.update()


def steps_shown(plan: dict[str, Any], now: str) -> list[dict[str, Any]]:
    """The steps of a plan (`GET /v1/plan`) that are not over and not too far ahead; none where it is over."""
    begin = datetime.fromisoformat(now)
    return [
        step
        for step in plan["steps"]
        if datetime.fromisoformat(step["start"]) < begin + SHOWN
        and datetime.fromisoformat(step["end"]) > begin
    ]


def options(
    page: Page,
    plan: dict[str, Any],
    bands: Sequence[dict[str, Any]],
    car: dict[str, Any],
    now: str,
) -> dict[str, Any]:
    """What ECharts draws, of a plan that is not over.

    Times are the site's own, told to it as if they were UTC: a reader far away sees them alike.
    """
    steps = steps_shown(plan, now)
    at_ms = _Local(page)
    edges = [at_ms(step["start"]) for step in steps] + [at_ms(steps[-1]["end"])]
    return {
        "animation": False,
        "useUTC": True,
        "axisPointer": {"link": [{"xAxisIndex": "all"}], "lineStyle": {"color": _INK}},
        "grid": [{"left": 42, "right": 10, "top": top, "height": height} for top, height in _ROOMS],
        "title": [
            _title(unit, top)
            for unit, (top, _) in zip((page.numbers.price_unit, "kW", "%"), _ROOMS, strict=True)
        ],
        "xAxis": [_time_axis(index, edges) for index in range(3)],
        "yAxis": [
            _value_axis(0),
            _value_axis(1),
            _value_axis(2) | {"min": 0, "max": 100, "interval": 50},
        ],
        "tooltip": _TOOLTIP,
        "series": [
            _price(page, plan, steps, edges),
            *_band(1, edges, steps, bands, "load", "var(--ink)"),
            *_band(1, edges, steps, bands, "solar", "var(--sun)"),
            *_powers(page, steps, edges, car["car_id"]),
            _battery(page, steps, edges, car),
            _reasons(page, plan, car, steps, edges, now),
        ],
    }


def _price(
    page: Page, plan: dict[str, Any], steps: Sequence[dict[str, Any]], edges: list[int]
) -> dict[str, Any]:
    """The price, with a ground where it is guessed."""
    known = datetime.fromisoformat(plan["prices_known_until"])
    guessed = [
        at
        for at, step in zip(edges, steps, strict=False)
        if datetime.fromisoformat(step["start"]) >= known
    ]
    cents = [round(100.0 * step["import_price_per_kwh"], 2) for step in steps]
    found = _steps(0, page.t("plan.price"), edges, cents, "var(--grid)", width=2.5)
    return found | {"markArea": _area([(guessed[0], edges[-1])] if guessed else [])}


def _powers(
    page: Page, steps: Sequence[dict[str, Any]], edges: list[int], car_id: str
) -> list[dict[str, Any]]:
    """Load and sun as lines; what the car takes and gives as areas above and below zero."""
    power_kw = [step["car_kw"].get(car_id, 0.0) for step in steps]
    lines = (
        ("load", [step["load_kw"] for step in steps], "var(--ink)"),
        ("sun", [step["solar_kw"] for step in steps], "var(--sun)"),
    )
    areas = (
        ("charge", [max(one, 0.0) for one in power_kw], "var(--car)"),
        ("give", [min(one, 0.0) for one in power_kw], "var(--house)"),
    )
    return [
        *(
            _steps(1, page.t(f"plan.{name}"), edges, of, color, width=1.5)
            for name, of, color in lines
        ),
        *(
            _steps(1, page.t(f"plan.{name}"), edges, of, color, fill=0.85)
            for name, of, color in areas
        ),
    ]


def _battery(
    page: Page, steps: Sequence[dict[str, Any]], edges: list[int], car: dict[str, Any]
) -> dict[str, Any]:
    """What is in the car, in per cent, with its floor and target."""
    car_id, wishes = car["car_id"], car["wishes"]
    return {
        "type": "line",
        "name": page.t("plan.battery"),
        "xAxisIndex": 2,
        "yAxisIndex": 2,
        "showSymbol": False,
        "lineStyle": {"color": "var(--battery)", "width": 2.5},
        "data": [
            [at, round(100.0 * step["car_kwh"][car_id] / car["capacity_kwh"], 1)]
            for at, step in zip(edges[1:], steps, strict=True)
            if car_id in step["car_kwh"]
        ],
        "markLine": {
            "silent": True,
            "symbol": "none",
            "label": {
                "position": "insideEndTop",
                "color": _INK,
                "fontSize": 11,
                "formatter": "{b}",
            },
            "data": [
                _line(page.t("plan.floor"), 100 * wishes["floor_soc"], "var(--ink)"),
                _line(page.t("plan.target"), 100 * wishes["target_soc"], "var(--car)"),
            ],
        },
    }


class _Local:
    """The site's local time in ms, as a chart that knows only UTC shows it."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def __call__(self, told: str) -> int:
        local = self._page.numbers.local(told)
        offset = local.utcoffset()
        if offset is None:
            raise AssertionError("a local time has an offset")
        return round((local.timestamp() + offset.total_seconds()) * _MS)


def _steps(
    room: int,
    name: str,
    edges: list[int],
    values: Sequence[float],
    color: str,
    *,
    width: float = 0.0,
    fill: float = 0.0,
) -> dict[str, Any]:
    """A series that keeps each value for its whole step."""
    data: Points = [[at, round(value, 3)] for at, value in zip(edges, values, strict=False)]
    data.append([edges[-1], data[-1][1]])
    found: dict[str, Any] = {
        "type": "line",
        "name": name,
        "step": "end",
        "xAxisIndex": room,
        "yAxisIndex": room,
        "showSymbol": False,
        "lineStyle": {"color": color, "width": width, "opacity": 1 if width else 0},
        "itemStyle": {"color": color},
        "data": data,
        "emphasis": {"disabled": True},
    }
    if fill:
        found["areaStyle"] = {"color": color, "opacity": fill, "origin": 0}
    return found


def _band(
    room: int,
    edges: list[int],
    steps: Sequence[dict[str, Any]],
    bands: Sequence[dict[str, Any]],
    kind: str,
    color: str,
) -> list[dict[str, Any]]:
    """From what nine in ten courses exceed to what one in ten does: two series, the second filled and on top of the first."""
    by_start = {one["start"]: one for one in bands}
    found = [by_start.get(step["start"]) for step in steps]
    low, high = f"{kind}_kw_p10", f"{kind}_kw_p90"
    if not any(one is not None and one[low] is not None and one[high] is not None for one in found):
        return []
    lows, highs = [
        [0.0 if one is None or one[name] is None else one[name] for one in found]
        for name in (low, high)
    ]
    widths = [top - bottom for bottom, top in zip(lows, highs, strict=True)]
    quiet = {"stack": kind, "silent": True, "stackStrategy": "all"}
    return [
        _steps(room, "", edges, lows, color) | quiet,
        _steps(room, "", edges, widths, color, fill=0.16) | quiet,
    ]


def _reasons(
    page: Page,
    plan: dict[str, Any],
    car: dict[str, Any],
    steps: Sequence[dict[str, Any]],
    edges: list[int],
    now: str,
) -> dict[str, Any]:
    """A series that is not seen: each step's figures and reason in words, for the tooltip. Names may hold anything: escaped."""
    numbers, car_id = page.numbers, car["car_id"]
    data: Points = []
    for at, step in zip(edges, steps, strict=False):
        power_kw = step["car_kw"].get(car_id, 0.0)
        lines = [
            f"<b>{numbers.clock(step['start'], now)}–{numbers.local(step['end']):%H:%M}</b>",
            f"{page.t('plan.price')} {numbers.price(step['import_price_per_kwh'], 1)}",
            f"{escape(car_id)} {numbers.number(power_kw)} kW",
            f"{page.t('plan.load')} {numbers.number(step['load_kw'])} kW"
            + (
                f" · {page.t('plan.sun')} {numbers.number(step['solar_kw'])} kW"
                if step["solar_kw"]
                else ""
            ),
        ]
        why = reason_at(plan, car_id, step["start"])
        if why is not None:
            lines.append(f"<span style='opacity:.8'>{escape(page.words(why['message']))}</span>")
        data.append([at, 0, "<br>".join(lines)])
    return {
        "type": "line",
        "name": "",
        "step": "end",
        "xAxisIndex": 0,
        "yAxisIndex": 0,
        "showSymbol": False,
        "lineStyle": {"opacity": 0},
        "itemStyle": {"opacity": 0},
        "data": [[at, 0, words] for at, _, words in data],
    }


def reason_at(plan: dict[str, Any], car_id: str, at: str) -> dict[str, Any] | None:
    """Why the car does at a time what it does; None where the plan does not say."""
    moment = datetime.fromisoformat(at)
    return next(
        (
            one
            for one in plan["reasons"]
            if one["car_id"] == car_id
            and datetime.fromisoformat(one["start"]) <= moment < datetime.fromisoformat(one["end"])
        ),
        None,
    )


def _area(spans: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """Where prices are guessed."""
    return {
        "silent": True,
        "itemStyle": {"color": "var(--line)", "opacity": 0.45},
        "data": [[{"xAxis": start}, {"xAxis": end}] for start, end in spans],
    }


def _line(name: str, at: float, color: str) -> dict[str, Any]:
    return {
        "name": name,
        "yAxis": at,
        "lineStyle": {"color": color, "type": "dashed", "width": 1.2},
    }


def _title(unit: str, top: int) -> dict[str, Any]:
    return {
        "text": unit,
        "left": 4,
        "top": top - 26,
        "textStyle": {
            "color": _INK,
            "fontSize": 12,
            "fontWeight": "normal",
            "fontFamily": "Inter, Roboto, sans-serif",
        },
    }


def _time_axis(room: int, edges: list[int]) -> dict[str, Any]:
    return {
        "type": "time",
        "gridIndex": room,
        "min": edges[0],
        "max": edges[-1],
        "axisLabel": _AXIS
        | {"show": room == len(_ROOMS) - 1, "formatter": "{HH}:{mm}", "hideOverlap": True},
        "axisTick": {"show": False},
        "axisLine": {"lineStyle": {"color": _LINE}, "onZero": False},
        "splitLine": {"show": False},
        "axisPointer": {"label": {"show": False}},
    }


def _value_axis(room: int) -> dict[str, Any]:
    return {
        "type": "value",
        "gridIndex": room,
        "splitNumber": 2,
        "axisLabel": _AXIS,
        "splitLine": {"lineStyle": {"color": _LINE}},
        "axisPointer": {"show": False},
    }
