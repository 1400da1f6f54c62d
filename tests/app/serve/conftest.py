"""The fixture of every test that needs a real server: `running_server(site_toml)` starts one and ends it after the test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.app.serve.running import RunningServer, running

START_TIME_UNITS = 20.0


@pytest.fixture
def running_server(tmp_path: Path, time_unit_s: float) -> Iterator[Callable[[str], RunningServer]]:
    """Starts `parkwatt serve` with the text of a site's file; each call has a folder of its own."""
    with ExitStack() as stack:
        count = 0

        def start(site_toml: str) -> RunningServer:
            nonlocal count
            count += 1
            directory = tmp_path / f"site-{count}"
            directory.mkdir()
            return stack.enter_context(
                running(site_toml, directory, START_TIME_UNITS * time_unit_s)
            )

        yield start
