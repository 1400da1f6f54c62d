"""What all tests share: hypothesis profiles, the folder of real data, the unit of time."""

import os
import sys
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

# HYPOTHESIS_PROFILE chooses. `ci` finds the same on every run; `nightly` looks further.
settings.register_profile("developer", deadline=None, max_examples=50)
settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "nightly",
    deadline=None,
    max_examples=2000,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "developer"))

# As the program sets its logs up: what a command prints is not mixed with what the site beside it logs. The stream is looked up
# each time, for a test may have captured it.
structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


@pytest.fixture(scope="session")
def shared_directory() -> Path | None:
    """The folder with real data beside the repository, or None where there is none.

    A test that reads it has a twin on generated data, and passes by its twin where this is None.
    """
    directory = ROOT.parent / "shared"
    return directory if (directory / "data").is_dir() else None


@pytest.fixture(scope="session")
def time_unit_s() -> float:
    """The unit that every timeout in a test is a multiple of, in seconds.

    PARKWATT_TEST_TIME_UNIT_S stretches all of them at once on a slow machine.
    """
    return float(os.environ.get("PARKWATT_TEST_TIME_UNIT_S", "1.0"))


_REAL_TIME = ("app", "io", "soak")
"""Folders whose tests start servers, processes and clocks of their own. What is pure is never tried twice."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test on real sockets is tried a second time, and named as RERUN in the summary.

    A machine that stood still for a second is no fault of the program's; what fails twice is.
    """
    tests = ROOT / "tests"
    for item in items:
        if item.path.is_relative_to(tests) and item.path.relative_to(tests).parts[0] in _REAL_TIME:
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failure: a missing service must not look like a pass."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI"):
        return
    if reporter.stats.get("skipped"):
        reporter.write_line("CI: skipped tests count as failures", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
