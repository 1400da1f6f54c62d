"""`parkwatt fleet plan --engine`, as a user calls it."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest

from parkwatt.app.cli import main

pytestmark = pytest.mark.xdist_group("ray")


@pytest.fixture
def called(tmp_path: Path) -> list[str]:
    """A plan of 600 cars below two feeders."""
    files = [str(tmp_path / name) for name in ("fleet.parquet", "prices.parquet", "tree.toml")]
    outputs = ["--prices-output", files[1], "--feeders", "2", "--limits-output", files[2]]
    assert main(["fleet", "make", files[0], "--cars", "600", *outputs]) == 0
    return ["fleet", "plan", files[0], "--prices", files[1], "--limits", files[2]]


def cost_of(told: str) -> float:
    found = re.search(r"^cost: ([\d,.]+), in", told, re.MULTILINE)
    assert found is not None
    return float(found[1].replace(",", ""))


def test_a_plan_of_ray_costs_what_one_of_threads_does(
    called: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main([*called, "--engine", "threads"]) == 0
    here = capsys.readouterr().out
    with warnings.catch_warnings():
        # Ray leaves files and processes to be collected as they may.
        warnings.simplefilter("ignore", ResourceWarning)
        assert main([*called, "--engine", "ray", "--workers", "2"]) == 0
    there = capsys.readouterr().out
    assert cost_of(there) == pytest.approx(cost_of(here), rel=2e-3)
    assert "limits: kept at all nodes and times" in there


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--engine", "spark"], "--engine: must be threads or ray, got 'spark'"),
        (["--workers", "2"], "--workers: goes with --engine ray"),
        (["--engine", "threads", "--ray-address", "a:1"], "--ray-address: goes with --engine ray"),
        (["--engine", "ray", "--workers", "0"], "--workers: must be at least 1, got 0"),
        (["--engine", "ray", "--ray-address", "a"], "--ray-address: must be HOST:PORT of a Ray"),
        # Nothing listens at the first port.
        (
            ["--engine", "ray", "--ray-address", "127.0.0.1:1"],
            "--ray-address: must be that of a Ray cluster that answers, got '127.0.0.1:1'",
        ),
    ],
)
def test_what_does_not_go_is_told(
    called: list[str], capsys: pytest.CaptureFixture[str], given: list[str], told: str
) -> None:
    assert main([*called, *given]) == 2
    assert told in capsys.readouterr().err
    # Without limits there is nothing to search for together.
    assert main([*called[:5], "--engine", "ray"]) == 2
    assert "--engine: goes with --limits" in capsys.readouterr().err
