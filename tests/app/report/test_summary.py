"""The summary reads back as it was written, unknown values as null."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from parkwatt.app.report import write_json
from parkwatt.domain.errors import InputError
from tests.app.report.study_factory import make_study


def test_round_trip(tmp_path: Path) -> None:
    result = make_study(site_name="Köpenick <1>")
    path = tmp_path / "new" / "study.json"
    write_json(result, path)
    read = json.loads(path.read_text("utf-8"))
    assert read["site"] == "Köpenick <1>"
    assert read["start"] == "2024-01-01T00:00:00Z"
    assert read["end"] == "2024-01-11T00:00:00Z"
    assert [strategy["name"] for strategy in read["strategies"]] == [
        strategy.name for strategy in result.strategies
    ]
    for strategy, written in zip(result.strategies, read["strategies"], strict=True):
        assert written["net_cost"] == pytest.approx(strategy.net_cost)
        assert written["net_cost"] == pytest.approx(written["gross_cost"] + written["wear_cost"])
        assert written["net_saving_per_year"] == pytest.approx(
            result.saving_per_year(strategy.name)
        )
        assert len(written["months"]) == len(strategy.months)
        assert [wear["cell"] for wear in written["capacity_loss"]] == [
            wear.cell for wear in strategy.wear
        ]


def test_unknown_is_null(tmp_path: Path) -> None:
    result = make_study(charger_price=None)
    strategies = tuple(
        replace(strategy, self_consumption=None, import_peak_kw=math.nan)
        for strategy in result.strategies
    )
    path = tmp_path / "study.json"
    write_json(replace(result, strategies=strategies), path)
    first = json.loads(path.read_text("utf-8"))["strategies"][0]
    assert first["self_consumption"] is None
    assert first["import_peak_kw"] is None
    assert first["payback_years"] is None


def test_folder_in_the_way_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "study.json"
    path.mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_json(make_study(days=1), path)
    assert list(tmp_path.iterdir()) == [path]
