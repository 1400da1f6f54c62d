"""Browser tests: one site and one browser a module, since starting either takes seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.app.web.browsing import WebSite, chromium, web_site


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A module's tests run in one process, so that its site and its browser are started once (`--dist=loadgroup`)."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebSite]:
    """A site whose car is away, with its pages."""
    with web_site(tmp_path_factory.mktemp("site")) as started:
        yield started
