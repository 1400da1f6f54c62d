"""The options of `parkwatt fleet plan` that say where its cars are planned."""

from __future__ import annotations

import argparse
import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parkwatt.domain.record import Faults

if TYPE_CHECKING:
    from parkwatt.plan.coordinate import FleetProblem
    from parkwatt.plan.coordinate.ray_engine import RayWorkers

_THREADS, _RAY = "threads", "ray"
_ENGINES: Final = (_THREADS, _RAY)
_ANSWERS_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Workers:
    """Of Ray. ``count``: None for as many as there are cores; ``address``: of a cluster, None for this machine."""

    count: int | None
    address: str | None

    def engines(self, problem: FleetProblem) -> RayWorkers:
        """To plan a problem with, once entered. Raises RayMissingError."""
        from parkwatt.plan.coordinate.ray_engine import RayWorkers, store_bytes

        # Nothing is told to anybody on the internet.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        kept = store_bytes(problem.cars.stay_count, problem.step_count)
        return RayWorkers(self.count, self.address, kept)


def read_workers(arguments: argparse.Namespace, faults: Faults) -> Workers | None:
    """The options; None for threads. Notes a fault for each that breaks a rule."""
    engine = arguments.engine or _THREADS
    if engine not in _ENGINES:
        faults.add("--engine", "must be threads or ray", engine)
        return None
    if engine == _THREADS:
        for name in ("workers", "ray_address"):
            if getattr(arguments, name) is not None:
                faults.add(f"--{name.replace('_', '-')}", "goes with --engine ray")
        return None
    if arguments.workers is not None and arguments.workers < 1:
        faults.add("--workers", "must be at least 1", arguments.workers)
    if arguments.ray_address is not None:
        _check_address(arguments.ray_address, faults)
    return Workers(arguments.workers, arguments.ray_address)


def _check_address(address: str, faults: Faults) -> None:
    """Note a fault where nothing listens: Ray itself would wait for it for many minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        faults.add("--ray-address", "must be HOST:PORT of a Ray cluster", address)
        return
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWERS_S).close()
    except OSError:
        faults.add("--ray-address", "must be that of a Ray cluster that answers", address)
