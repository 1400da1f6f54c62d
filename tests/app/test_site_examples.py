"""The docs of the back end against the program: their site files load, and their routes and metrics are those that exist."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from parkwatt.app.serve_settings import read_serve_settings
from parkwatt.app.site_file import SERVE_TABLES
from parkwatt.domain.record import Faults
from tests.app.api.served import served
from tests.app.api.setting_up import setting_up
from tests.conftest import ROOT
from tests.io.documented import blocks

DOCS = ROOT / "docs"
_TABLE = re.compile(rf"^\[+({'|'.join(SERVE_TABLES)})\]+", re.MULTILINE)
_FILE_KEY = re.compile(r'^(?:tls_certificate|tls_key|client_authority) = "([^"]+)"', re.MULTILINE)
_ROUTE = re.compile(r"^\| `([A-Z]+) (/\S+)` \|", re.MULTILINE)
_METRIC = re.compile(r"`(parkwatt_[a-z_]+)")

SITES = [
    pytest.param(text, id=f"{page.relative_to(DOCS)}:{title}")
    for page in sorted(DOCS.rglob("*.md"))
    for title, text in blocks(str(page.relative_to(DOCS)), "toml")
    if _TABLE.search(text)
]


def test_the_guides_have_site_files() -> None:
    assert len(SITES) >= 5


@pytest.mark.parametrize("text", SITES)
def test_a_site_file_in_the_docs_is_read_without_a_fault(tmp_path: Path, text: str) -> None:
    for name in _FILE_KEY.findall(text):
        (tmp_path / name).write_text("")
    site = tmp_path / "site.toml"
    site.write_text(text, encoding="utf-8")
    faults = Faults()
    settings = read_serve_settings(site, faults)
    assert not faults.found
    assert settings is not None


def test_every_route_is_in_the_reference_and_no_other(tmp_path: Path) -> None:
    """Those of a site that runs, and those of one that is set up."""
    found: set[tuple[str, str]] = set()

    async def routes(client: httpx.AsyncClient) -> None:
        openapi = (await client.get("/openapi.json")).json()
        found.update(
            (method.upper(), path)
            for path, methods in openapi["paths"].items()
            for method in methods
        )

    async def running() -> None:
        async with served(tmp_path) as site:
            await routes(site.client)

    asyncio.run(running())
    (tmp_path / "new").mkdir()
    setting_up(tmp_path / "new", lambda one: routes(one.client))
    page = (DOCS / "reference" / "api.md").read_text(encoding="utf-8")
    assert set(_ROUTE.findall(page)) == found


def test_every_metric_is_in_the_guide_and_no_other(tmp_path: Path) -> None:
    async def names() -> set[str]:
        async with served(tmp_path) as site:
            text = (await site.client.get("/metrics")).text
        return {
            sample.name
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if not sample.name.endswith("_created")
        }

    page = (DOCS / "guides" / "deploy.md").read_text(encoding="utf-8")
    assert set(_METRIC.findall(page)) == asyncio.run(names())
