"""The page: whole, self-contained, escaped, and with every figure in it."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parkwatt.app.report import write_report
from parkwatt.app.report.comparison import comparison
from parkwatt.app.report.page import page
from parkwatt.site.outcome import STRATEGY_TITLES
from tests.app.report.study_factory import make_study

_VOID = {"meta", "input", "br", "link", "img", "hr"}
_LOADING = {"src", "href", "srcset", "action", "data", "poster", "xlink:href"}


class _Page(HTMLParser):
    """Collects what a browser would see, and each tag that is closed wrongly."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.loads: list[str] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append("")
        for name, value in attrs:
            if name in _LOADING:
                self.loads.append(f"{tag} {name}={value}")
            if name == "id":
                self.ids.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        elif self.open and self.open[-1] != "style":
            self.text.append(data)


def _parsed(text: str) -> _Page:
    parser = _Page()
    parser.feed(text)
    parser.close()
    return parser


def _data(parsed: _Page) -> Any:
    return json.loads(parsed.scripts[0])


def test_page_is_well_formed_and_ids_are_unique() -> None:
    parsed = _parsed(page(make_study()))
    assert parsed.faults == []
    assert parsed.open == []
    assert len(parsed.ids) == len(set(parsed.ids))
    assert len(parsed.scripts) == 3  # data, plotly.js, the page's own


def test_page_loads_nothing_and_forbids_it() -> None:
    text = page(make_study())
    parsed = _parsed(text)
    assert parsed.loads == []
    assert "default-src 'none'" in text
    own = text.replace(parsed.scripts[1], "")  # all but plotly.js, which only names addresses
    assert re.findall(r"https?:|//[a-z]|url\(|@import", own.split("<main>")[0]) == []
    assert re.findall(r"https?:|url\(|fetch\(|XMLHttp", parsed.scripts[2]) == []


def test_page_has_every_figure_of_every_strategy() -> None:
    result = make_study()
    text = " ".join(_parsed(page(result)).text)
    for figure in comparison(result):
        assert figure.title in text
        for value in figure.texts:
            assert value in text
    for title in STRATEGY_TITLES.values():
        assert title.split(" (")[0] in text
    for note in result.notes:
        assert note in text


def test_page_has_every_plot_and_its_series() -> None:
    result = make_study(days=3)
    parsed = _parsed(page(result))
    for plot in ("worth", "steps", "week", "months", "loss"):
        assert plot in parsed.ids
    data = _data(parsed)
    for name, values in (("buy", result.import_price_per_kwh), ("load", result.load_kw)):
        shown = np.frombuffer(base64.b64decode(data["series"][name]["bdata"]), "<f4")
        np.testing.assert_allclose(shown, values, rtol=1e-6)
    for strategy, shown_strategy in zip(result.strategies, data["strategies"], strict=True):
        power = np.frombuffer(base64.b64decode(shown_strategy["series"]["power"]["bdata"]), "<f4")
        np.testing.assert_allclose(power, strategy.power_kw, rtol=1e-6)
        assert len(base64.b64decode(shown_strategy["week"]["energy"]["bdata"])) == 168 * 4
        keys = {trace["key"] for trace in data["panels"]["data"]}
        assert keys == set(shown_strategy["week"])


@pytest.mark.parametrize(
    "hostile",
    [
        "</script><script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "{{data}} & 'quotes' \"double\"",
        "<!-- <script> -->",
    ],
)
def test_what_a_user_wrote_stays_text(hostile: str) -> None:
    result = make_study(days=2, site_name=hostile, notes=(hostile,))
    text = page(result)
    parsed = _parsed(text)
    assert parsed.faults == []
    assert len(parsed.scripts) == 3
    assert parsed.loads == []
    assert " ".join(parsed.text).count(hostile) == 3  # title, head line, note
    assert hostile in unescape(text)


def test_clock_changes_reach_the_script_as_offsets() -> None:
    result = make_study(start=datetime(2024, 3, 29, 23, tzinfo=UTC), days=4)
    offsets = _data(_parsed(page(result)))["offsets"]
    # 31 March 2024, 01:00 UTC: 26 hours after the start, at 15-minute steps.
    assert offsets == [[0, 3600.0], [26 * 4, 7200.0]]


def test_year_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(make_study(days=366), path)
    assert path.stat().st_size < 10_000_000
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_few_strategies_still_make_a_page() -> None:
    for names in (("v2h",), ("charge_at_once",), ("charge_at_once", "smart")):
        parsed = _parsed(page(make_study(days=2, names=names)))
        assert parsed.faults == []
        assert len(_data(parsed)["strategies"]) == len(names)


def test_study_without_wear_cells_still_makes_a_page() -> None:
    result = make_study(days=2)
    bare = replace(result, strategies=tuple(replace(s, wear=()) for s in result.strategies))
    assert _parsed(page(bare)).faults == []
