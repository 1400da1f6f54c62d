"""Bars of what was saved: net, with battery wear on top, so that both together are the gross."""

from __future__ import annotations

import json
from typing import Any, Final

from nicegui import ui

from parkwatt.app.web.page import Page
from parkwatt.app.web.parts import bare, text

# Named by the style, so that they follow the theme.
_NET, _LOST, _WEAR = "var(--car)", "var(--bad)", "var(--wear)"
_INK, _LINE = "var(--soft)", "var(--line)"
_AXIS: Final = {"color": _INK, "fontSize": 12, "fontFamily": "inherit"}


class SavingsChart:
    """The bars of a span."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._shown: object = None
        with bare("div", "money-chart").props(f'role=img aria-label="{page.t("money.chart")}"'):
            self._chart = ui.echart(self._options([], [], []), renderer="svg").classes("chart")
        with bare("div", "money-legend muted small").props("aria-hidden=true"):
            for tone, name in (("net", "chart_net"), ("wear", "chart_wear")):
                with bare("span"):
                    bare("i", tone)
                    text(page.t(f"money.{name}"), tag="span")

    def show(self, labels: list[str], names: list[str], saved: list[dict[str, Any]]) -> None:
        """``labels``: below the bars; ``names``: of the periods; ``saved``: gross, wear and net of each."""
        if (labels, names, saved) == self._shown:
            return
        self._shown = (labels, names, saved)
        self._chart.options.clear()
        self._chart.options.update(self._options(labels, names, saved))
        self._chart.update()

    def _options(
        self, labels: list[str], names: list[str], saved: list[dict[str, Any]]
    ) -> dict[str, Any]:
        net = [float(one["net"]) for one in saved]
        wear = [max(float(one["wear"]), 0.0) for one in saved]
        return {
            "animation": False,
            "grid": {"left": 12, "right": 4, "top": 12, "bottom": 8, "containLabel": True},
            "xAxis": {
                "type": "category",
                "data": labels,
                "axisLabel": {**_AXIS, "hideOverlap": True},
                "axisLine": {"lineStyle": {"color": _LINE}},
                "axisTick": {"show": False},
            },
            "yAxis": {
                "type": "value",
                "splitNumber": 3,
                "axisLabel": {
                    **_AXIS,
                    ":formatter": f"(value) => value.toLocaleString('{self._page.language}')",
                },
                "splitLine": {"lineStyle": {"color": _LINE}},
            },
            "tooltip": self._tooltip(names, saved),
            "series": [
                {
                    "type": "bar",
                    "stack": "saved",
                    "barMaxWidth": 44,
                    "barCategoryGap": "28%",
                    "data": [
                        {
                            "value": value,
                            "itemStyle": {
                                "color": _LOST if value < 0 else _NET,
                                "borderRadius": [0, 0, 4, 4] if value < 0 else 0,
                            },
                        }
                        for value in net
                    ],
                    "emphasis": {"disabled": True},
                },
                {
                    "type": "bar",
                    "stack": "saved",
                    "itemStyle": {"color": _WEAR, "borderRadius": [4, 4, 0, 0]},
                    "data": [
                        worn if value >= 0 else 0.0 for worn, value in zip(wear, net, strict=True)
                    ],
                    "emphasis": {"disabled": True},
                },
            ],
        }

    def _tooltip(self, names: list[str], saved: list[dict[str, Any]]) -> dict[str, Any]:
        """The sum of the bar that is pointed at or touched."""
        page, money = self._page, self._page.numbers.money
        told = [
            "<br>".join(
                (
                    f"<b>{name}</b>",
                    f"{page.t('money.gross')} {money(one['gross'])}",
                    f"{page.t('money.wear')} {money(one['wear'])}",
                    f"<b>{page.t('money.net')} {money(one['net'])}</b>",
                )
            )
            for name, one in zip(names, saved, strict=True)
        ]
        return {
            "trigger": "axis",
            "axisPointer": {"type": "none"},
            "confine": True,
            "backgroundColor": "var(--card)",
            "borderColor": "var(--line)",
            "textStyle": {"color": "var(--ink)", "fontFamily": "inherit"},
            ":formatter": f"(bars) => {json.dumps(told, ensure_ascii=False)}[bars[0].dataIndex]",
        }
