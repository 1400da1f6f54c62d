"""EV2Gym as it is installed: its own configurations, environments, agents and statistics.

Nothing of it is changed but the paths in its configurations, which hold only in its own repository's root.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol

from parkwatt.domain.record import FloatArray

_OWN_ROOT: Final = "./ev2gym/"


class Agent(Protocol):
    """What chooses an action for each port, in [-1, 1] of its charger's largest current."""

    def get_action(self, env: Any) -> FloatArray:
        """[ports], before each step."""


@dataclass(frozen=True, slots=True)
class Task:
    """One of EV2Gym's problems: the name of its configuration, and the score that it is trained by."""

    name: str
    reward: str


PROFIT: Final = Task("V2GProfitMax", "profit_maximization")
TRACKING: Final = Task("PublicPST", "SquaredTrackingErrorReward")


def installed_folder() -> Path:
    """Where EV2Gym lies. Raises ModuleNotFoundError with what to install."""
    spec = find_spec("ev2gym")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("EV2Gym is missing: pip install --editable '.[ev2gym]'")
    return Path(spec.submodule_search_locations[0])


@contextmanager
def configuration(task: Task) -> Iterator[Path]:
    """A task's bundled configuration, with paths that hold anywhere."""
    folder = installed_folder()
    text = (folder / "example_config_files" / f"{task.name}.yaml").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / f"{task.name}.yaml"
        path.write_text(text.replace(_OWN_ROOT, f"{folder.as_posix()}/"), encoding="utf-8")
        yield path


def environment(task: Task, seed: int) -> Any:
    """The environment of a seed, at its first step; two of the same seed are alike."""
    with warnings.catch_warnings():
        # EV2Gym reads its files by an interface of setuptools that is to go.
        warnings.simplefilter("ignore")
        from ev2gym.models.ev2gym_env import EV2Gym
        from ev2gym.rl_agent import reward

        with configuration(task) as path:
            return EV2Gym(
                config_file=str(path), seed=seed, reward_function=getattr(reward, task.reward)
            )


def own_agents() -> dict[str, Callable[[Any], Agent]]:
    """EV2Gym's own rule-based agents, by the names of its classes."""
    from ev2gym.baselines import heuristics

    names = (
        "ChargeAsFastAsPossible",
        "ChargeAsLateAsPossible",
        "RoundRobin",
        "RoundRobin_GF",
        "RoundRobin_GF_off_allowed",
        "DoNothing",
        "RandomAgent",
    )
    return {name: getattr(heuristics, name) for name in names}
