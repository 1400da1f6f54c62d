"""The end of the set-up: the first night with money on it, and the button that lets the site begin."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from nicegui import ui

from parkwatt.app.web.numbers import Numbers
from parkwatt.app.web.page import Page
from parkwatt.app.web.parts import bare, text

_CHART_H = 240
_FEW = 0.005


def build_night(page: Page, night: dict[str, Any], draft: dict[str, dict[str, Any]]) -> None:
    """Show what the API reckoned."""
    numbers = replace(
        page.numbers, zone=ZoneInfo(draft["place"]["time_zone"]), currency=night["currency"]
    )
    saves = night["saved"] >= _FEW
    with bare("section", "card stack"):
        with bare("div", "line"):
            text(page.t("setup.night_saved" if saves else "setup.night_costs"), tag="h2")
            text(_span(page, numbers, night), "muted")
        with bare("div", "big accent"):
            text(numbers.money(night["saved"] if saves else night["cost"]), tag="span")
        with bare("dl", "facts"):
            rows = [
                ("at_once", numbers.money(night["cost_at_once"])),
                ("planned", numbers.money(night["cost"])),
            ]
            if night["wear"] > _FEW:
                rows.append(("wear", numbers.money(night["wear"])))
            for name, value in rows:
                with bare("div", "line"):
                    text(page.t(f"setup.night_{name}"), "muted", tag="dt")
                    text(value, "strong", tag="dd")
        if not saves:
            text(page.t("setup.night_nothing"), "muted", tag="p")
        if night["example"] is not None:
            text(page.t("setup.night_example"), "muted small", tag="p")
    with bare("section", "card"):
        text(page.t("setup.night_chart"), tag="h2")
        chart = ui.echart(_chart(page, numbers, night)).style(f"height: {_CHART_H}px")
        chart.props(f'role=img aria-label="{page.t("setup.night_chart")}"')
        with bare("ul", "plain-list reasons"):
            for reason in dict.fromkeys(night["reasons"]):
                text(page.words(reason), "muted small", tag="li")


def _span(page: Page, numbers: Numbers, night: dict[str, Any]) -> str:
    begin = numbers.local(night["arrives_at"])
    return page.t(
        "setup.night_span",
        begin=f"{numbers.day(begin)} {begin:%H:%M}",
        end=numbers.clock(night["departs_at"], night["arrives_at"]),
        start=numbers.per_cent(night["start_soc"]),
        target=numbers.per_cent(night["target_soc"]),
    )


def _chart(page: Page, numbers: Numbers, night: dict[str, Any]) -> dict[str, Any]:
    """Price as a line in steps, the car's power as an area."""
    steps = night["steps"]
    times = [step["start"] for step in steps] + [steps[-1]["end"]]
    # The site's own clock, whatever the browser's is: its times are told as if they were UTC.
    at_ms = [numbers.local(time).replace(tzinfo=UTC).timestamp() * 1000 for time in times]
    cents = [round(step["import_price_per_kwh"] * 100, 2) for step in steps]
    car = [round(step["car_kw"], 2) for step in steps]

    def series(name: str, values: list[float], axis: int, color: str) -> dict[str, Any]:
        return {
            "name": name,
            "type": "line",
            "step": "end",
            "showSymbol": False,
            "yAxisIndex": axis,
            "data": list(map(list, zip(at_ms, [*values, values[-1]], strict=True))),
            "lineStyle": {"width": 2, "color": color},
            "itemStyle": {"color": color},
            **({"areaStyle": {"color": color, "opacity": 0.35}} if axis else {}),
        }

    axis = {"axisLabel": {"color": "#76868f"}, "nameTextStyle": {"color": "#76868f"}}
    clock = {"axisLabel": {"color": "#76868f", "formatter": "{HH}:{mm}", "hideOverlap": True}}
    return {
        "animation": False,
        "useUTC": True,
        "grid": {"left": 44, "right": 40, "top": 44, "bottom": 28},
        "legend": {"top": 0, "textStyle": {"color": "#76868f"}},
        "xAxis": {"type": "time", "splitNumber": 4, **clock},
        "yAxis": [
            {"type": "value", "name": numbers.price_unit, "splitLine": {"show": False}, **axis},
            {"type": "value", "name": "kW", "splitLine": {"lineStyle": {"opacity": 0.2}}, **axis},
        ],
        "series": [
            series(page.t("setup.night_price"), cents, 0, "#6e5fd8"),
            series(page.t("setup.night_car"), car, 1, "#17a091"),
        ],
    }
