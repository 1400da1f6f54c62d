"""Asking a source as a running site does, at a server of this machine."""

from __future__ import annotations

import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

from parkwatt.domain.record import Faults, Record
from parkwatt.io.clock.warp_loop import run_warped
from parkwatt.io.download import SourceError, client_for
from parkwatt.io.prices.answer import Ask, PriceAnswer, assemble
from parkwatt.io.prices.feed import SOURCES
from parkwatt.io.prices.settings import FeedSettings, read_feed
from tests.io.prices.answers import BERLIN
from tests.io.web_server import Answerer, Asked, web_server

TOKEN = "secret"  # noqa: S105 - of nobody


def feed_of(
    toml: str, name: str = "import.day_ahead", currency: str = "EUR", zone: ZoneInfo = BERLIN
) -> FeedSettings:
    """The feed that a sound table describes."""
    record = Record(tomllib.loads(toml), f"tariff.{name}", Faults())
    feed = read_feed(record, name, currency=currency, time_zone=zone)
    assert [str(fault) for fault in record.faults.found] == []
    assert feed is not None
    return feed


def asked_and_answered(
    toml: str, question: Ask, answer: Answerer, currency: str = "EUR"
) -> tuple[PriceAnswer | SourceError, list[Asked]]:
    """What the source at a local server gives, or its fault; and what it was asked."""

    async def story() -> tuple[PriceAnswer | SourceError, list[Asked]]:
        async with web_server(answer) as web:
            feed = feed_of(f'{toml}\nurl = "{web.url}"', currency=currency)
            try:
                async with client_for(feed.url)() as client:
                    quotes = await SOURCES[feed.source](client, feed, question, TOKEN)
                return assemble(quotes, question, feed.title), web.asked
            except SourceError as error:
                return error, web.asked

    return run_warped(story())


def write_token(folder: Path, text: str = f"{TOKEN}\n") -> Path:
    """A file with a token."""
    path = folder / "token"
    path.write_text(text, encoding="utf-8")
    return path
