"""Prices from a file that is read anew whenever it changes.

A file may reach farther than a market publishes. So of day-ahead prices it tells at each moment only what is published by
then, like the source that it stands for; a whole series it tells for a week ahead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn
from zoneinfo import ZoneInfo

import numpy as np

from parkwatt.domain.record import Faults
from parkwatt.domain.series import IntervalSeries, utc
from parkwatt.domain.site.event import PricesReceived, SourceChanged
from parkwatt.io.download import SourceError
from parkwatt.io.prices.answer import Ask, Quote, Quotes, assemble
from parkwatt.io.prices.settings import FeedSettings
from parkwatt.io.tables import read_series

_LOOK_EVERY_S: Final = 300.0
_DAY_S: Final = 86_400
# What is told of the past, for the guess of prices beyond; and of a whole series ahead, renewed each day.
_DAYS_BACK: Final = 21
_DAYS_AHEAD: Final = 8


class PriceFile:
    """The feed from a file; made by `price_feed`."""

    def __init__(self, settings: FeedSettings, folder: Path, clock: Callable[[], int]) -> None:
        if settings.file is None:
            raise ValueError("the feed has no file")
        self.settings = settings
        self._source = settings.file
        self._folder = folder
        self._clock = clock
        self._told: PricesReceived | None = None
        self._state: SourceChanged | None = None

    async def run(
        self,
        on_prices: Callable[[PricesReceived], None],
        on_state: Callable[[SourceChanged], None],
    ) -> NoReturn:
        """Look at the file every five minutes, for ever; tell its prices when it changes or more of them are published."""
        seen: tuple[object, int] | None = None
        while True:
            now = self._clock() // 1_000_000
            look = (self._mark(), self._until_unix_s(now))
            if look != seen:
                seen = look
                self._tell_state(on_state, await self._tell_prices(on_prices, now, look[1]))
            await asyncio.sleep(_LOOK_EVERY_S)

    def _mark(self) -> object:
        """What changes whenever the file is written."""
        try:
            status = (self._folder / self._source.file).stat()
        except (OSError, ValueError):
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _until_unix_s(self, now_unix_s: int) -> int:
        publication = self.settings.publication
        if publication is not None:
            return publication.known_until_unix_s(now_unix_s)
        return (now_unix_s // _DAY_S + _DAYS_AHEAD) * _DAY_S

    async def _tell_prices(
        self, on_prices: Callable[[PricesReceived], None], now_unix_s: int, until_unix_s: int
    ) -> str:
        """Read the file and tell its prices; what is wrong with it, empty where nothing is."""
        faults = Faults()
        series = await asyncio.to_thread(read_series, self._source, self._folder, faults)
        if series is None:
            more = f" (and {len(faults.found) - 1} more faults)" if len(faults.found) > 1 else ""
            return f"{faults.found[0]}{more}"
        publication = self.settings.publication
        ask = Ask(
            from_unix_s=(now_unix_s // _DAY_S - _DAYS_BACK) * _DAY_S,
            until_unix_s=until_unix_s,
            time_zone=publication.time_zone if publication is not None else ZoneInfo("UTC"),
            currency=self.settings.currency,
        )
        try:
            answer = assemble(_quotes(series, ask), ask, self._source.file)
        except SourceError as error:
            return error.reason
        received = answer.received(self.settings.name, self.settings.title)
        if received != self._told:
            self._told = received
            on_prices(received)
        known_until = answer.known_until_unix_s(now_unix_s)
        if known_until >= until_unix_s or (publication is None and known_until > now_unix_s):
            return ""
        return f"{self._source.file} has prices until {utc(known_until):%Y-%m-%d %H:%M} UTC only"

    def _tell_state(self, on_state: Callable[[SourceChanged], None], reason: str) -> None:
        state = SourceChanged(f"prices {self.settings.name}", ok=not reason, reason=reason)
        if state != self._state:
            self._state = state
            on_state(state)


def _quotes(series: IntervalSeries, ask: Ask) -> Quotes:
    """The intervals that touch the time asked for."""
    near = np.flatnonzero(
        (series.end_unix_s > ask.from_unix_s) & (series.start_unix_s < ask.until_unix_s)
    )
    columns = (series.start_unix_s[near], series.end_unix_s[near], series.values[near])
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return Quotes([[Quote(*row) for row in rows]])
