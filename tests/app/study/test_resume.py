"""A study can be stopped at any moment: the same command goes on, and comes to what an undisturbed one comes to."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from parkwatt.app.study.checkpoint import Checkpoints
from parkwatt.app.study.command import load_site
from parkwatt.app.study.run import run_strategies
from parkwatt.site.study.inputs import StudyInputs
from parkwatt.site.study.replay import Replay, ReplayState
from tests.app.study.homes import COMMAND, change, make_home, study_command

_RESULTS = ("study.json", "steps.csv", "report.html")
_STRATEGIES = ("replan_minutes = 60", 'replan_minutes = 60\nstrategies = ["smart", "v2g"]')


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose study takes a few seconds."""
    quarter_hours = ("step_minutes = 60", "step_minutes = 15")
    return make_home(tmp_path_factory.mktemp("home"), quarter_hours, _STRATEGIES, days=40)


@pytest.fixture(scope="module")
def undisturbed(home: Path) -> dict[str, bytes]:
    """What an undisturbed study of ``home`` writes."""
    result = study_command("study", "site.toml", "--output", "undisturbed", folder=home.parent)
    assert result.returncode == 0, result.stderr
    return {name: (home.parent / "undisturbed" / name).read_bytes() for name in _RESULTS}


def _start(home: Path, output: str) -> subprocess.Popen[str]:
    """The study in a session of its own, as in a terminal: one group of processes."""
    return subprocess.Popen(
        [*COMMAND, "study", "site.toml", "--output", output],
        cwd=home.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _wait(condition: Callable[[], bool], time_unit_s: float, what: str) -> None:
    deadline = time.monotonic() + 60 * time_unit_s
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.02)


def _is_under_way(output: Path) -> bool:
    return any(output.glob(".resume/*/v2g.npz"))


def _is_empty(group: int) -> bool:
    """Whether no process of the group runs; those that ended and wait to be asked about it do not count."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    processes = Path("/proc")
    return processes.is_dir() and not any(
        _runs_in(group, stat) for stat in processes.glob("[0-9]*/stat")
    )


def _runs_in(group: int, stat: Path) -> bool:
    try:
        state, _, its_group, *_ = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:  # it ended meanwhile
        return False
    return int(its_group) == group and state not in "ZX"


@pytest.mark.parametrize("kill_all", [signal.SIGINT, signal.SIGKILL])
def test_a_study_that_is_stopped_goes_on(
    home: Path, undisturbed: dict[str, bytes], kill_all: signal.Signals, time_unit_s: float
) -> None:
    output = home.parent / f"stopped-{kill_all.name}"
    process = _start(home, output.name)
    _wait(lambda: _is_under_way(output), time_unit_s, "the first checkpoint")
    os.killpg(process.pid, kill_all)
    printed, told = process.communicate(timeout=60 * time_unit_s)
    assert printed == ""
    assert "Traceback" not in told
    if kill_all is signal.SIGINT:
        assert process.returncode == 130
        assert told.splitlines()[-1] == "stopped; the same command goes on from here"
    assert not any((output / name).exists() for name in _RESULTS)
    _wait(lambda: _is_empty(process.pid), time_unit_s, "the workers' end")

    result = study_command("study", "site.toml", "--output", output.name, folder=home.parent)
    assert result.returncode == 0, result.stderr
    assert {name: (output / name).read_bytes() for name in _RESULTS} == undisturbed
    assert sorted(path.name for path in output.iterdir()) == sorted(_RESULTS)


def test_workers_end_with_their_parent(home: Path, time_unit_s: float) -> None:
    output = home.parent / "orphans"
    process = _start(home, output.name)
    _wait(lambda: _is_under_way(output), time_unit_s, "the first checkpoint")
    process.kill()
    process.communicate(timeout=60 * time_unit_s)
    _wait(lambda: _is_empty(process.pid), time_unit_s / 4, "the workers' end")


@pytest.fixture
def inputs(tmp_path: Path) -> StudyInputs:
    """The inputs of a small study."""
    return load_site(make_home(tmp_path / "home"), tmp_path / "none").inputs


def _half_way(inputs: StudyInputs) -> ReplayState:
    state = ReplayState.at_start(inputs)
    Replay(inputs, "smart").run(state, stay_count_max=2)
    return state


def test_a_study_goes_on_from_its_checkpoint(inputs: StudyInputs, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, inputs)
    checkpoints.open()
    state = _half_way(inputs)
    state.power_kw[0] = 0.125  # a mark that a study from the start would not leave
    checkpoints.save("smart", state)
    told: list[float] = []
    states = run_strategies(inputs, ("smart",), checkpoints, lambda _, share: told.append(share))
    assert states["smart"].power_kw[0] == 0.125
    assert states["smart"].next_stay == len(inputs.plug_ins)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_checkpoint_comes_back_as_it_was(inputs: StudyInputs, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, inputs)
    checkpoints.open()
    assert checkpoints.load("smart") is None
    state = _half_way(inputs)
    checkpoints.save("smart", state)
    kept = checkpoints.load("smart")
    assert kept is not None
    assert (kept.next_stay, kept.energy_kwh_now) == (2, state.energy_kwh_now)
    assert kept.departures == state.departures
    np.testing.assert_array_equal(kept.power_kw, state.power_kw)
    np.testing.assert_array_equal(kept.energy_kwh, state.energy_kwh)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04 cut off", b"half"])
def test_a_broken_checkpoint_is_left_aside(
    inputs: StudyInputs, tmp_path: Path, content: bytes
) -> None:
    checkpoints = Checkpoints(tmp_path, inputs)
    checkpoints.open()
    checkpoints.save("smart", _half_way(inputs))
    (file,) = tmp_path.glob(".resume/*/smart.npz")
    file.write_bytes(
        file.read_bytes()[: file.stat().st_size // 2] if content == b"half" else content
    )
    assert checkpoints.load("smart") is None
    states = run_strategies(inputs, ("smart",), checkpoints, lambda *_: None)
    assert states["smart"].next_stay == len(inputs.plug_ins)


def test_changed_settings_start_afresh(tmp_path: Path) -> None:
    site = make_home(tmp_path / "home")
    before = load_site(site, tmp_path / "none").inputs
    checkpoints = Checkpoints(tmp_path, before)
    checkpoints.open()
    checkpoints.save("smart", _half_way(before))
    keepsake = tmp_path / ".resume" / "keepsake"
    keepsake.mkdir()
    change(site, ("ready_soc = 0.8", "ready_soc = 0.7"))
    changed = Checkpoints(tmp_path, load_site(site, tmp_path / "none").inputs)
    assert changed.load("smart") is None
    changed.open()
    assert checkpoints.load("smart") is None  # removed: nobody would ask for it again
    changed.clear()
    assert list((tmp_path / ".resume").iterdir()) == [keepsake]  # not ours, so it stays
